/** From wanted and observed to steps: what is done, in which order, and what is refused before anything is done. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ApplyWish, planApply, stepText } from '../../src/cluster/apply-plan.ts';
import { compareConfiguration, compareDirectory } from '../../src/cluster/comparison.ts';
import type { DirectoryFacts, FileToSend } from '../../src/cluster/member-scripts.ts';
import type { ClusterObservation } from '../../src/cluster/observation.ts';
import { demand } from '../../src/problem.ts';
import { sha256 } from '../../src/render/package.ts';
import { type PackageFile, parsePackageFile } from '../../src/serviceguard/package-file.ts';
import type { PackageStatus } from '../../src/serviceguard/view.ts';

const place = { packageName: 'csync', members: ['m1', 'm2'], packageDirectory: '$SGCONF/csync', nodePath: '/usr/bin/node' };
const files: FileToSend[] = [
  { name: 'csync.conf', mode: 0o644, content: Buffer.from('conf') },
  { name: 'csync.sh', mode: 0o755, content: Buffer.from('script') },
];
const conf = (text: string): PackageFile => demand(parsePackageFile(`package_name csync\n${text}`, 'csync.conf'));
const configuration = conf('auto_run yes\nip_address 10.9.0.100\n');
const manifest = (digests: Record<string, string>) => JSON.stringify({ files: digests });

const upToDate: DirectoryFacts = {
  directory: '/conf/csync',
  files: files.map(({ name, mode, content }) => ({ name, mode, digest: sha256(content) })),
  manifest: null,
  nodeVersion: '20.19.0',
  runtimeVersion: null,
  leftovers: [],
};
const stale: DirectoryFacts = {
  ...upToDate,
  files: [{ name: 'csync.sh', mode: 0o755, digest: sha256('old') }],
  manifest: manifest({ 'csync.sh': sha256('old') }),
};
const running: PackageStatus = {
  status: 'up',
  state: 'running',
  owner: 'm2',
  autoRun: true,
  switching: new Map([
    ['m1', true],
    ['m2', true],
  ]),
};
const down: PackageStatus = { ...running, status: 'down', state: 'halted', owner: null, autoRun: false };

interface Given {
  readonly m1?: DirectoryFacts | string;
  readonly m2?: DirectoryFacts | string;
  readonly applied?: PackageFile | null;
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
  };
  const set = { files: [{ name: 'history/0001.json', mode: 0o600, content: Buffer.from('set') }], removals: [] };
  const usual = { place, files, configuration, run: false, halt: false, takeRendered: false, runtime: null, carry: null, set };
  return planApply({ ...usual, ...wish }, observation);
}

const check = 'on m1: cmcheckconf -v -P $SGCONF/csync/csync.conf';
const applyIt = 'on m1: cmapplyconf -f -P $SGCONF/csync/csync.conf';
const again = 'look at every member and at the package again';
const set = ['distribute to m1: history/0001.json', 'distribute to m2: history/0001.json'];
const otherAddress = conf('auto_run yes\nip_address 10.9.0.99\n');

describe('the steps of an apply', () => {
  it.each<[string, Given, string[]]>([
    ['all as wanted', { wish: { set: null } }, []],
    ['all as wanted, but an apply was killed before it was remembered', {}, set],
    ['one member behind', { m2: stale }, ['distribute to m2: csync.conf csync.sh', check, again, ...set]],
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
      'what wants a halt: before anything is distributed, and back to where it ran',
      { m1: stale, applied: otherAddress, wish: { halt: true } },
      [
        'on m1: cmhaltpkg csync',
        'distribute to m1: csync.conf csync.sh',
        check,
        applyIt,
        'on m1: cmrunpkg -n m2 csync',
        'on m1: cmmodpkg -e csync',
        again,
        ...set,
      ],
    ],
    [
      'the same while it is down: no halt, and it stays down',
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
    ['what wants a halt', { applied: otherAddress }, ['change-needs-halt -']],
    ['the owner left the list', { status: { ...running, owner: 'm9' } }, ['change-needs-halt -']],
    ['maintenance mode', { m1: stale, status: { ...running, state: 'maintenance' } }, ['change-maintenance -']],
    ['no Node.js', { m1: { ...upToDate, nodeVersion: null } }, ['change-no-node m1']],
    ['an old Node.js', { m2: { ...upToDate, nodeVersion: '20.18.9' } }, ['change-no-node m2']],
    ['an edit on a member', { m2: { ...stale, manifest: manifest({ 'csync.sh': sha256('older') }) } }, ['render-hand-edited m2']],
    ['a file of unknown origin', { m2: { ...stale, manifest: null } }, ['render-hand-edited m2']],
    [
      'all of it at once',
      { m1: { ...upToDate, nodeVersion: null }, m2: { ...stale, manifest: null }, applied: otherAddress },
      ['change-no-node m1', 'render-hand-edited m2', 'change-needs-halt -'],
    ],
  ])('refuses: %s', (_title, given, expected) => {
    const { ok, problems } = plan(given);
    expect(ok).toBe(false);
    expect(problems.map(({ code, member }) => `${code} ${member ?? '-'}`)).toEqual(expected);
    expect(problems.every(({ remedy }) => remedy !== '')).toBe(true);
  });

  it('an edit may be given up', () => {
    expect(plan({ m2: { ...stale, manifest: null }, wish: { takeRendered: true } }).ok).toBe(true);
  });

  it('after its steps there is nothing left to do, whatever lay on the members', () => {
    const text = fc.constantFrom('conf', 'script', 'old', 'other');
    const lying = fc.dictionary(fc.constantFrom('csync.conf', 'csync.sh', 'stray'), text);
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
    ['as wanted', upToDate, ['same', 'same']],
    ['nothing', { ...upToDate, files: [] }, ['missing', 'missing']],
    ['what an earlier render wrote', stale, ['missing', 'changed']],
    [
      'an edit that was taken over once',
      { ...stale, manifest: JSON.stringify({ files: { 'csync.sh': sha256('old') }, edited: ['csync.sh'] }) },
      ['missing', 'edited'],
    ],
    ['a damaged manifest', { ...stale, manifest: '{"files":' }, ['missing', 'edited']],
    [
      'files of others; sets and hidden ones are nobody’s business',
      {
        ...upToDate,
        files: [
          ...upToDate.files,
          ...['customer-defined', 'history/0001.json', '.csync-lock'].map((name) => ({ name, mode: 0o644, digest: '' })),
        ],
      },
      ['same', 'same', 'extra'],
    ],
  ])('%s', (_title, facts, expected) => {
    expect(compareDirectory(files, facts).map(({ is }) => is)).toEqual(expected);
  });
});

describe('what is applied', () => {
  it.each<[string, string, string, string[]]>([
    ['the same', 'vg a\nvg b\n', 'vg a\nvg b\n', []],
    ['another order of what has an order', 'node_name m1\nnode_name m2\n', 'node_name m2\nnode_name m1\n', ['node_name']],
    ['a default that only one side spells out', 'failback_policy manual\n', '', []],
    ['a value that only the applied one has', 'pev_x 1\n', '', ['pev_x']],
    ['versions of modules are the cluster’s own', 'module_name sg/failover\nmodule_version 1\n', '', []],
  ])('%s', (_title, applied, wanted, expected) => {
    expect(compareConfiguration(conf(applied), conf(wanted)).map(({ keyword }) => keyword)).toEqual(expected);
  });
});
