/** From wanted and observed to steps: what is done, in which order, and what is refused before anything is done. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { type ApplyWish, planApply, stepText } from '../../../src/cluster/apply/apply-plan.ts';
import { compareDirectory, inBrief } from '../../../src/cluster/apply/comparison.ts';
import { appliedFile, sweepable } from '../../../src/cluster/apply/package-sets.ts';
import type { FileToSend } from '../../../src/cluster/apply/package-write.ts';
import type { ClusterObservation } from '../../../src/cluster/remote/observation.ts';
import type { DirectoryFacts } from '../../../src/cluster/remote/package-look.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';
import type { Definition, PackageStatus } from '../../../src/engine/engine.ts';
import { definition } from '../../../src/engine/serviceguard/definition.ts';
import { runningOn } from '../../support.ts';

const place = {
  engine: 'serviceguard' as const,
  packageName: 'csync',
  members: ['m1', 'm2'],
  packageDirectory: '$SGCONF/csync',
  nodePath: '/usr/bin/node',
  mountPoint: '/csync',
};
const [wanted, former, older, oldest] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'cccccccccccccccc', 'dddddddddddddddd'] as const;
const inside = `sets/${wanted}/csync-start.cjs`;
const files: FileToSend[] = [
  { name: 'csync.conf', mode: 0o644, content: Buffer.from('conf') },
  { name: 'csync.sh', mode: 0o755, content: Buffer.from('script') },
  { name: inside, mode: 0o644, content: Buffer.from('compiled') },
];
const conf = (text: string): Definition => demand(definition.parse(`package_name csync\n${text}`, 'csync.conf'));
const configuration = conf('auto_run yes\nip_address 10.9.0.100\n');
const manifest = (digests: Record<string, string>, set = 'flat') => new Map([[set, JSON.stringify({ files: digests })]]);

const upToDate: DirectoryFacts = {
  directory: '/conf/csync',
  files: files.map(({ name, mode, content }) => ({ name, mode, digest: sha256(content) })),
  manifests: new Map(),
  running: null,
  applied: `${wanted} /csync -`,
  nodeVersion: '20.19.0',
  runtimeVersion: null,
  leftovers: [],
};
const stale: DirectoryFacts = {
  ...upToDate,
  files: [{ name: 'csync.sh', mode: 0o755, digest: sha256('old') }],
  manifests: manifest({ 'csync.sh': sha256('old') }),
};
const running: PackageStatus = {
  ...runningOn('m2'),
  switching: new Map([
    ['m1', true],
    ['m2', true],
  ]),
};
const down: PackageStatus = { ...running, status: 'down', state: 'halted', owner: null, autoRun: false };

interface Given {
  readonly m1?: DirectoryFacts | string;
  readonly m2?: DirectoryFacts | string;
  readonly applied?: Definition | null;
  readonly status?: PackageStatus | null;
  readonly wish?: Partial<ApplyWish>;
}

function plan({ m1 = upToDate, m2 = upToDate, applied = configuration, status = running, wish = {} }: Given) {
  const observe = (member: string, facts: DirectoryFacts | string) =>
    typeof facts === 'string'
      ? ({ member, reached: false, why: facts, remedy: 'is it up?' } as const)
      : ({ member, reached: true, ...facts } as const);
  const observation: ClusterObservation = {
    members: [observe('m1', m1), observe('m2', m2)],
    commandMember: typeof m1 === 'string' ? null : 'm1',
    applied,
    status,
    memberStates: null,
    unprotected: [],
  };
  const set = { files: [{ name: 'history/0001.json', mode: 0o600, content: Buffer.from('set') }], removals: [] };
  const usual = { place, files, configuration, run: false, halt: false, takeRendered: false, runtime: null, carry: null, set };
  return planApply({ ...usual, ...wish }, observation);
}

const check = 'on m1: cmcheckconf -v -P $SGCONF/csync/csync.conf';
const applyIt = 'on m1: cmapplyconf -f -P $SGCONF/csync/csync.conf';
const again = 'verify every member and the package';
const set = ['distribute to m1: history/0001.json', 'distribute to m2: history/0001.json'];
const otherAddress = conf('auto_run yes\nip_address 10.9.0.99\n');

describe('the steps of an apply', () => {
  it.each<[string, Given, string[]]>([
    ['all as wanted', { wish: { set: null } }, []],
    ['all as wanted, but an apply was killed before it was remembered', {}, set],
    ['one member behind', { m2: stale }, [`distribute to m2: csync.conf csync.sh ${inside}`, check, again, ...set]],
    [
      'a wrong mode',
      { m1: { ...upToDate, files: upToDate.files.map((one) => ({ ...one, mode: 0o644 })) } },
      ['distribute to m1: csync.sh', check, again, ...set],
    ],
    ['nothing applied yet', { applied: null, status: null }, [check, applyIt, again, ...set]],
    ['a switch changed', { applied: conf('auto_run no\nip_address 10.9.0.100\n') }, [check, applyIt, again, ...set]],
    [
      'a default cmgetconf spells out',
      { applied: conf('auto_run yes\nip_address 10.9.0.100\nlog_level 0\n'), wish: { set: null } },
      [],
    ],
    [
      'down, and to run: on the first member',
      { status: down, wish: { run: true, set: null } },
      ['on m1: cmrunpkg -n m1 csync', 'on m1: cmmodpkg -e csync', again],
    ],
    [
      'down, to run, the first member switched off',
      { status: { ...down, switching: new Map([['m1', false]]) }, wish: { run: true, set: null } },
      ['on m1: cmrunpkg -n m2 csync', 'on m1: cmmodpkg -e csync', again],
    ],
    [
      'running, but with its switch off',
      { status: { ...running, autoRun: false }, wish: { run: true, set: null } },
      ['on m1: cmmodpkg -e csync', again],
    ],
    [
      'what requires a halt: only when all else was done and checked, in one go, and back to where it ran',
      { m1: stale, applied: otherAddress, wish: { halt: true } },
      [
        `distribute to m1: csync.conf csync.sh ${inside}`,
        check,
        'on m1, in one script: cmhaltpkg csync; cmapplyconf -f -P $SGCONF/csync/csync.conf; cmrunpkg -n m2 csync; cmmodpkg -e csync',
        again,
        ...set,
      ],
    ],
    [
      'back as it was before an earlier halt: on that member, with its switch',
      { applied: otherAddress, wish: { halt: true, set: null, before: { owner: 'm1', autoRun: false } } },
      [check, 'on m1, in one script: cmhaltpkg csync; cmapplyconf -f -P $SGCONF/csync/csync.conf; cmrunpkg -n m1 csync', again],
    ],
    [
      'the same, halted by the one that was killed',
      { status: down, wish: { run: true, set: null, before: { owner: 'm2', autoRun: true } } },
      ['on m1: cmrunpkg -n m2 csync', 'on m1: cmmodpkg -e csync', again],
    ],
    [
      'the same, but that member is switched off by now',
      {
        status: { ...down, switching: new Map([['m2', false]]) },
        wish: { run: true, set: null, before: { owner: 'm2', autoRun: false } },
      },
      ['on m1: cmrunpkg -n m1 csync', again],
    ],
    [
      'what requires a halt while it is down: no halt, and it stays down',
      { applied: otherAddress, status: down },
      [check, applyIt, again, ...set],
    ],
  ])('%s', (_title, given, expected) => {
    expect(demand(plan(given)).steps.map(stepText)).toEqual(expected);
  });

  it.each<[string, Given, string[]]>([
    [
      'unreachable members, all of them named',
      { m1: 'no route', m2: 'refused' },
      ['cluster-unreachable m1', 'cluster-unreachable m2'],
    ],
    ['what requires a halt', { applied: otherAddress }, ['change-needs-halt -']],
    ['the owner left the list', { status: { ...running, owner: 'm9' } }, ['change-needs-halt -']],
    ['maintenance mode', { m1: stale, status: { ...running, state: 'maintenance' } }, ['change-maintenance -']],
    ['no Node.js', { m1: { ...upToDate, nodeVersion: null } }, ['change-no-node m1']],
    ['an old Node.js', { m2: { ...upToDate, nodeVersion: '20.18.9' } }, ['change-no-node m2']],
    [
      'an edit on a member',
      { m2: { ...stale, manifests: manifest({ 'csync.sh': sha256('older') }) } },
      ['render-hand-edited m2'],
    ],
    ['a file of unknown origin', { m2: { ...stale, manifests: new Map() } }, ['render-hand-edited m2']],
    [
      'all of it at once',
      { m1: { ...upToDate, nodeVersion: null }, m2: { ...stale, manifests: new Map() }, applied: otherAddress },
      ['change-no-node m1', 'render-hand-edited m2', 'change-needs-halt -'],
    ],
  ])('refuses: %s', (_title, given, expected) => {
    const { ok, problems } = plan(given);
    expect(ok).toBe(false);
    expect(problems.map(({ code, member }) => `${code} ${member ?? '-'}`)).toEqual(expected);
    expect(problems.every(({ remedy }) => remedy !== '')).toBe(true);
  });

  it('an edit may be given up', () => {
    expect(plan({ m2: { ...stale, manifests: new Map() }, wish: { takeRendered: true } }).ok).toBe(true);
  });

  it('after its steps there is nothing left to do, with any files on the members', () => {
    const text = fc.constantFrom('conf', 'script', 'compiled', 'old', 'other');
    const lying = fc.dictionary(fc.constantFrom('csync.conf', 'csync.sh', inside, 'stray'), text);
    fc.assert(
      fc.property(lying, lying, (one, two) => {
        const facts = (texts: Record<string, string>): DirectoryFacts => ({
          ...upToDate,
          files: Object.entries(texts).map(([name, content]) => ({ name, mode: 0o644, digest: sha256(content) })),
        });
        const [m1, m2] = [facts(one), facts(two)];
        const { steps } = demand(plan({ m1, m2, wish: { takeRendered: true } }));
        const afterwards = (member: string, before: DirectoryFacts): DirectoryFacts => {
          const sent = steps.flatMap((step) => (step.do === 'distribute' && step.member === member ? step.files : []));
          const names = new Set(sent.map(({ name }) => name));
          const arrived = sent.map(({ name, mode, content }) => ({ name, mode, digest: sha256(content) }));
          return { ...before, files: [...before.files.filter(({ name }) => !names.has(name)), ...arrived] };
        };
        expect(demand(plan({ m1: afterwards('m1', m1), m2: afterwards('m2', m2), wish: { set: null } })).steps).toEqual([]);
      }),
    );
  });
});

describe('what lies on a member', () => {
  it.each<[string, DirectoryFacts, string[]]>([
    ['as wanted', upToDate, ['same', 'same', 'same']],
    ['nothing', { ...upToDate, files: [] }, ['missing', 'missing', 'missing']],
    ['what an earlier render wrote', stale, ['missing', 'changed', 'missing']],
    [
      'an edit that was taken over once',
      {
        ...stale,
        manifests: new Map([['flat', JSON.stringify({ files: { 'csync.sh': sha256('old') }, edited: ['csync.sh'] })]]),
      },
      ['missing', 'edited', 'missing'],
    ],
    ['a damaged manifest', { ...stale, manifests: new Map([['flat', '{"files":']]) }, ['missing', 'edited', 'missing']],
    [
      'files of others; sets and hidden ones are ignored',
      {
        ...upToDate,
        files: [
          ...upToDate.files,
          ...['customer-defined', 'history/0001.json', '.csync-lock', 'applied', `sets/${older}/settings.json`].map((name) => ({
            name,
            mode: 0o644,
            digest: '',
          })),
        ],
      },
      ['same', 'same', 'same', 'extra'],
    ],
  ])('%s', (_title, facts, expected) => {
    expect(compareDirectory(files, facts, null, 'flat').map(({ is }) => is)).toEqual(expected);
  });
});

it('many files of a set are printed as one', () => {
  const of = (set: string, count: number) => Array.from({ length: count }, (_, at) => `sets/${set}/${at}`);
  expect(inBrief(['csync.conf', ...of(wanted, 3), ...of(former, 2)])).toEqual([
    'csync.conf',
    `sets/${wanted} (3 files)`,
    ...of(former, 2),
  ]);
});

describe('what is applied', () => {
  it.each<[string, string, string, string[]]>([
    ['the same', 'vg a\nvg b\n', 'vg a\nvg b\n', []],
    ['another order of what has an order', 'node_name m1\nnode_name m2\n', 'node_name m2\nnode_name m1\n', ['node_name']],
    ['a default that only one side spells out', 'failback_policy manual\n', '', []],
    ['a value that only the applied one has', 'pev_x 1\n', '', ['pev_x']],
    ['versions of modules are the cluster’s own', 'module_name sg/failover\nmodule_version 1\n', '', []],
  ])('%s', (_title, applied, wanted, expected) => {
    expect(definition.differences(conf(applied), conf(wanted)).map(({ keyword }) => keyword)).toEqual(expected);
  });
});

describe('sets', () => {
  const pev = (name: string) =>
    conf(`auto_run yes\nip_address 10.9.0.100\npev_csync_set_digest ${name}\npev_csync_settings_digest aa\n`);
  const legacy = (path: string) => demand(definition.parse(`PACKAGE_NAME csync\nRUN_SCRIPT ${path}\n`, 'csync.conf'));
  const ofSet = (name: string, text = 'compiled') => ({
    name: `sets/${name}/csync-start.cjs`,
    mode: 0o644,
    digest: sha256(text),
  });
  const withSets = (...names: readonly string[]): DirectoryFacts => ({
    ...upToDate,
    files: [...upToDate.files, ...names.map((name) => ofSet(name))],
  });
  const texts = (given: Given) =>
    demand(plan({ ...given, wish: { configuration: pev(wanted), set: null, ...given.wish } })).steps.map(stepText);

  it.each<[string, Definition, string | null]>([
    ['a modular package names its own', pev(former), former],
    ['a legacy one has it in the path of its control script', legacy(`/conf/csync/sets/${former}/csync_control.sh`), former],
    ['version 0.1.0, modular', conf('pev_csync_settings_digest aa\n'), 'flat'],
    ['version 0.1.0, legacy', legacy('/conf/csync/csync_control.sh'), 'flat'],
    ['a package that is none of ours', conf(''), null],
    ['a name that leads elsewhere', conf('pev_csync_set_digest ../../../tmp\n'), null],
  ])('applied is: %s', (_title, applied, expected) => {
    expect(applied.set).toBe(expected);
  });

  it('a new one goes beside the others, is applied, and only then is anything removed', () => {
    const lying = withSets(former, older, oldest);
    const before = { ...lying, files: lying.files.filter(({ name }) => name !== inside), applied: `${former} /csync ${older}` };
    expect(texts({ m1: before, m2: { ...before, running: former }, applied: pev(former) })).toEqual([
      `distribute to m1: ${inside}`,
      `distribute to m2: ${inside}`,
      check,
      applyIt,
      again,
      'distribute to m1: applied',
      'distribute to m2: applied',
      `on m1: remove unused files: sets/${older} sets/${oldest}`,
      `on m2: remove unused files: sets/${older} sets/${oldest}`,
    ]);
  });

  it.each<[string, Partial<DirectoryFacts>, readonly string[]]>([
    ['the applied and the previous one', { applied: `${wanted} /csync ${former}` }, [older, oldest]],
    ['one that runs there', { applied: `${wanted} /csync ${former}`, running: older }, [oldest]],
    ['all but the applied one, where no other is known of', { applied: null }, [former, older, oldest]],
  ])('stays: %s', (_title, facts, swept) => {
    const change = { set: wanted, before: wanted, mountPoint: '/csync', style: 'modular' } as const;
    const member = { ...withSets(wanted, former, older, oldest), ...facts };
    expect(sweepable(change, member, appliedFile(change, [member]), false).sets).toEqual(swept);
  });

  it('files of version 0.1.0 go when they neither are applied nor run, and the launchers of the same name stay', () => {
    const flat = ['csync.conf', 'csync.sh', 'csync-start.cjs', 'settings.json'];
    const digests = Object.fromEntries(flat.map((name) => [name, sha256(name)]));
    const lying = [...flat, 'manifest.json', 'roster.json'].map((name) => ({ name, mode: 0o644, digest: sha256(name) }));
    const member = { ...upToDate, files: [...lying, ofSet(wanted)], manifests: manifest(digests) };
    const change = { set: wanted, before: 'flat', mountPoint: '/csync', style: 'modular' } as const;
    const applied = appliedFile(change, [member]);
    expect(sweepable(change, member, applied, false).flat).toEqual(['csync-start.cjs', 'settings.json', 'manifest.json']);
    expect(sweepable(change, member, applied, true).flat).toEqual([]);
  });

  it('files of version 0.1.0 stay where they are what is applied, for the return to it', () => {
    const lying = ['settings.json', 'manifest.json'].map((name) => ({ name, mode: 0o644, digest: sha256(name) }));
    const member = { ...upToDate, files: lying, manifests: manifest({ 'settings.json': sha256('settings.json') }) };
    const change = { set: 'flat', before: former, mountPoint: '/csync', style: 'modular' } as const;
    const applied = appliedFile(change, [member]);
    expect([applied.content.toString(), sweepable(change, member, applied, false).flat]).toEqual([`flat /csync ${former}\n`, []]);
  });

  it('over version 0.1.0, the record of a set that an earlier start left is checked before the launchers are written', () => {
    const flat = conf('auto_run yes\nip_address 10.9.0.100\npev_csync_settings_digest aa\n');
    const left = { ...upToDate, files: upToDate.files.filter(({ name }) => name !== inside), applied: null, running: older };
    expect(texts({ m1: left, applied: flat }).slice(0, 2)).toEqual([
      `on m1: remove the record that set ${older} runs, if it does not`,
      `distribute to m1: ${inside}`,
    ]);
    expect(texts({ m1: left, applied: pev(former) })[0], 'a start of this version wrote it').toBe(`distribute to m1: ${inside}`);
  });

  it('a manifest of a newer csync is refused by member and file: what was edited there is unknown', () => {
    const newer = { ...upToDate, manifests: new Map([[wanted, JSON.stringify({ version: 2, content: {} })]]) };
    const { ok, problems } = plan({ m2: newer });
    expect([ok, problems.map(({ code, member }) => `${code} ${member}`)]).toEqual([false, ['file-newer m2']]);
    expect(problems[0]?.text).toMatch(`/conf/csync/sets/${wanted}/manifest.json has format 2: a newer csync wrote it`);
  });

  it('an edit in the applied one is not lost to another', () => {
    const manifests = manifest({ 'csync-start.cjs': sha256('compiled') }, former);
    const lying = upToDate.files.filter(({ name }) => name !== inside);
    const edited = { ...upToDate, files: [...lying, ofSet(former, 'mine')], manifests };
    const { ok, problems } = plan({ m1: edited, m2: edited, applied: pev(former), wish: { configuration: pev(wanted) } });
    expect([ok, problems[0]?.code, problems[0]?.text]).toEqual([
      false,
      'render-hand-edited',
      expect.stringContaining(`sets/${former}/csync-start.cjs`),
    ]);
    const mine = files.map((file) => (file.name === inside ? { ...file, content: Buffer.from('mine') } : file));
    expect(plan({ m1: edited, m2: edited, applied: pev(former), wish: { configuration: pev(wanted), files: mine } }).ok).toBe(
      true,
    );
  });
});
