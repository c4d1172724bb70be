/** Options of each emulated command [serviceguard.md chapter 5]; those that the lab refuses have a reason. */
import type { OptionSpec, Options } from './options.ts';

interface Row extends OptionSpec {
  /** Or a sentence about the error. */
  readonly read: (options: Options) => { readonly command: string } | string;
}

const many = Number.POSITIVE_INFINITY;
const detach = 'live application detach';
const probing = 'there is no disk or network probing to limit';

export const rows = {
  cmviewcl: {
    usage: '[-v] [-f {table|line}] [-s config] [-l {package|cluster|node}] [-c cluster] [-n node]... [-p package]...',
    flags: 'v',
    values: 'fslcnp',
    refused: { r: 'the lab has one release only', S: 'the lab has no sites' },
    read: readView,
  },
  cmquerycl: {
    usage: '[-v] [-c cluster] [-C file] [-n node]...',
    flags: 'v',
    values: 'cCn',
    refused: {
      k: probing,
      w: probing,
      l: probing,
      f: probing,
      h: 'addresses are IPv4',
      q: 'there is no quorum server',
      L: 'there is no lock LUN',
    },
    read: (o: Options) =>
      ({ command: 'cmquerycl', members: o.all('n'), clusterName: o.one('c'), outputFile: o.one('C') }) as const,
  },
  cmcheckconf: {
    usage: '[-v] [-k] [-C cluster_file] [-P package_file]...',
    flags: 'vk',
    values: 'CP',
    read: (o: Options) =>
      ({ command: 'cmcheckconf', verbose: o.has('v'), clusterFile: o.one('C'), packageFiles: o.all('P') }) as const,
  },
  cmapplyconf: {
    usage: '[-f] [-v] [-k|-K] [-C cluster_file] [-P package_file]...',
    flags: 'fvkK',
    values: 'CP',
    refused: { p: 'name each file with -P' },
    read: (o: Options) =>
      o.has('C') || o.has('P')
        ? ({
            command: 'cmapplyconf',
            verbose: o.has('v'),
            force: o.has('f'),
            clusterFile: o.one('C'),
            packageFiles: o.all('P'),
          } as const)
        : 'name a file with -C or -P',
  },
  cmgetconf: {
    usage: '[-v n] [-K] [-c cluster] [-p package] [file]',
    flags: 'K',
    values: 'vcp',
    operands: { min: 0, max: 1 },
    read: (o: Options) =>
      ({ command: 'cmgetconf', clusterName: o.one('c'), package: o.one('p'), outputFile: o.operands[0] ?? null }) as const,
  },
  cmdeleteconf: {
    usage: '[-f] -p package',
    flags: 'fv',
    values: 'p',
    refused: { c: 'the cluster of the lab is removed with the lab' },
    read: (o: Options) =>
      o.has('p')
        ? ({ command: 'cmdeleteconf', force: o.has('f'), package: o.one('p') ?? '' } as const)
        : 'name the package with -p',
  },
  cmmakepkg: {
    usage: '[-n package] [-m module]... [-i existing_file] [output_file] | -p [output_file] | -l',
    flags: 'lvp',
    values: 'nmi',
    refused: {
      s: "the text of Serviceguard's own control script template",
      t: 'toolkit configuration files',
      u: 'upgrading old files',
    },
    operands: { min: 0, max: 1 },
    read: (o: Options) =>
      o.has('p') && (o.has('m') || o.has('i') || o.has('l'))
        ? '-p makes a legacy template; -m, -i and -l are for modular ones'
        : ({
            command: 'cmmakepkg',
            legacy: o.has('p'),
            list: o.has('l'),
            name: o.one('n'),
            modules: o.all('m'),
            inputFile: o.one('i'),
            outputFile: o.operands[0] ?? null,
          } as const),
  },
  cmruncl: {
    usage: '[-v] [-t] [-w none] [-n node]...',
    flags: 'vt',
    values: 'nw',
    read: (o: Options) => ({ command: 'cmruncl', members: o.all('n'), preview: o.has('t') }) as const,
  },
  cmhaltcl: {
    usage: '[-f] [-v]',
    flags: 'fvt',
    values: '',
    refused: { d: detach },
    read: (o: Options) => ({ command: 'cmhaltcl', force: o.has('f'), preview: o.has('t') }) as const,
  },
  cmrunnode: {
    usage: '[-v] [-t] [-w none] [node]...',
    flags: 'vt',
    values: 'w',
    operands: { min: 0, max: many },
    read: (o: Options) => ({ command: 'cmrunnode', members: o.operands, preview: o.has('t') }) as const,
  },
  cmhaltnode: {
    usage: '[-f] [-v] [-t] [node]...',
    flags: 'fvt',
    values: '',
    refused: { d: detach },
    operands: { min: 0, max: many },
    read: (o: Options) => ({ command: 'cmhaltnode', members: o.operands, force: o.has('f'), preview: o.has('t') }) as const,
  },
  cmrunpkg: {
    usage: '[-v] [-t] [-a | -n node] [-m module] [-e module] package...',
    flags: 'vta',
    values: 'nme',
    operands: { min: 1, max: many },
    read: readRun,
  },
  cmhaltpkg: {
    usage: '[-v] [-t] [-f] [-s] [-n node]... package...',
    // Option of a partial start; the lab always halts everything.
    flags: 'vtfs',
    values: 'n',
    operands: { min: 1, max: many },
    read: (o: Options) =>
      ({ command: 'cmhaltpkg', packages: o.operands, members: o.all('n'), force: o.has('f'), preview: o.has('t') }) as const,
  },
  cmmodpkg: {
    usage: '{-e [-t] | -d | -m {on|off}} [-n node]... package... | -R -s service package...',
    flags: 'vedtR',
    values: 'nms',
    operands: { min: 1, max: many },
    read: readModify,
  },
  cmversion: { usage: '', flags: '', values: '', read: () => ({ command: 'cmversion' }) as const },
  cmmodnet: {
    usage: '{-a | -r} -i address subnet',
    flags: 'arv',
    values: 'i',
    operands: { min: 1, max: 1 },
    read: (o: Options) => {
      const [subnet = ''] = o.operands;
      if (o.has('a') === o.has('r')) return 'use either -a or -r';
      const address = o.one('i');
      return address === null
        ? 'name the address with -i'
        : ({ command: 'cmmodnet', action: o.has('a') ? 'add' : 'remove', address, subnet } as const);
    },
  },
  cmrunserv: {
    usage: '[-v] [-r restarts | -R] service "command"',
    flags: 'vR',
    values: 'r',
    operands: { min: 2, max: 2 },
    read: readServiceRun,
  },
  cmhaltserv: {
    usage: '[-v] service',
    flags: 'v',
    values: '',
    operands: { min: 1, max: 1 },
    read: (o: Options) => ({ command: 'cmhaltserv', service: o.operands[0] ?? '' }) as const,
  },
  cmgetpkgenv: {
    usage: 'package',
    flags: '',
    values: '',
    operands: { min: 1, max: 1 },
    read: (o: Options) => ({ command: 'cmgetpkgenv', package: o.operands[0] ?? '' }) as const,
  },
  cmexec: {
    usage: 'node "command"',
    flags: 'v',
    values: 't',
    operands: { min: 2, max: 2 },
    read: (o: Options) => ({ command: 'cmexec', member: o.operands[0] ?? '', commandLine: o.operands[1] ?? '' }) as const,
  },
} satisfies Readonly<Record<string, Row>>;

export type CommandName = keyof typeof rows;
export type CommandRequest = Exclude<ReturnType<(typeof rows)[CommandName]['read']>, string>;

function readView(o: Options) {
  const format = o.one('f') ?? 'table';
  const level = o.one('l');
  const source = o.one('s');
  if (format !== 'table' && format !== 'line') return `-f is table or line, not ${format}`;
  if (level !== null && level !== 'cluster' && level !== 'node' && level !== 'package')
    return `-l is package, cluster or node, not ${level}`;
  if (source !== null && source !== 'config') return `-s is config, not ${source}`;
  return {
    command: 'cmviewcl',
    verbose: o.has('v'),
    format,
    level,
    members: o.all('n'),
    packages: o.all('p'),
    /** Also of a halted cluster. */
    configuration: source !== null,
  } as const;
}

function readRun(o: Options) {
  const [upToModule, exceptModule] = [o.one('m'), o.one('e')];
  if (o.has('a') && o.has('n')) return 'use either -a or -n';
  if (upToModule !== null && exceptModule !== null) return 'use either -m or -e';
  if ((upToModule ?? exceptModule) !== null && o.operands.length > 1) return '-m and -e require exactly one package';
  return {
    command: 'cmrunpkg',
    packages: o.operands,
    members: o.all('n'),
    anyMember: o.has('a'),
    preview: o.has('t'),
    upToModule,
    exceptModule,
  } as const;
}

function readModify(o: Options) {
  const mode = o.one('m');
  const asked = [o.has('e'), o.has('d'), mode !== null, o.has('R')].filter(Boolean).length;
  if (asked !== 1) return 'use exactly one of -e, -d, -m and -R';
  if (mode !== null && mode !== 'on' && mode !== 'off') return `-m is on or off, not ${mode}`;
  const service = o.one('s');
  if (o.has('R') !== (service !== null)) return 'use -R and -s service together';
  if (o.has('t') && !o.has('e')) return 'a preview (-t) is possible with -e only';
  if (service !== null)
    return { command: 'cmmodpkg', packages: o.operands, change: 'reset-restarts', service, preview: false } as const;
  const change = mode === null ? (o.has('e') ? 'enable' : 'disable') : mode === 'on' ? 'maintenance-on' : 'maintenance-off';
  return { command: 'cmmodpkg', packages: o.operands, members: o.all('n'), preview: o.has('t'), change } as const;
}

function readServiceRun(o: Options) {
  const [service = '', commandLine = ''] = o.operands;
  const limit = o.one('r');
  if (limit !== null && o.has('R')) return 'use either -r or -R';
  if (limit !== null && !/^\d+$/.test(limit)) return `-r is a number, not ${limit}`;
  return { command: 'cmrunserv', service, commandLine, restarts: o.has('R') ? 'unlimited' : Number(limit ?? '0') } as const;
}
