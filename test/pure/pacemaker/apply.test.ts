/** An apply with Pacemaker: fencing first, then what crm_simulate says, then one transaction. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { type ApplyWish, planApply, stepText } from '../../../src/cluster/apply/apply-plan.ts';
import { asSent, distributeScript } from '../../../src/cluster/apply/package-write.ts';
import { simulationScript } from '../../../src/cluster/remote/forecast.ts';
import type { ClusterObservation } from '../../../src/cluster/remote/observation.ts';
import { type RenderedFile, sha256 } from '../../../src/contract/package-directory.ts';
import type { PackageStatus } from '../../../src/engine/engine.ts';
import { definition, readDefinition } from '../../../src/engine/pacemaker/definition.ts';
import { unprotected } from '../../../src/engine/pacemaker/hazards.ts';
import { readView } from '../../../src/engine/pacemaker/status.ts';
import { codeEntries } from '../../../src/explain/codes.ts';
import { repository, serviceguardWords, settingsFor } from '../../support.ts';

const recorded = (name: string): string => readFileSync(join(repository, `test/recorded/pacemaker/${name}.xml`), 'utf8');
const golden = (name: string): string => readFileSync(join(repository, `test/golden/csync-pacemaker/${name}`), 'utf8');
const settings = settingsFor({ engine: 'pacemaker', members: ['m1', 'm2'] });
const agent = '/usr/lib/ocf/resource.d/csync/master';

const group = golden('csync.group.xml');
const otherSet = group.replace(/name="set" value="[0-9a-f]+"/g, 'name="set" value="0123456789abcdef"');
const defined = (text: string) => demand(definition.parse(text, 'csync.group.xml'));
const wanted = defined(otherSet);
const rendered: RenderedFile[] = [
  { name: 'csync.group.xml', mode: 0o644, text: otherSet },
  ...definition.companions(otherSet),
  { name: 'csync.sh', mode: 0o755, text: 'entry' },
  { name: 'sets/0123456789abcdef/csync.sh', mode: 0o755, text: 'launcher' },
];
const files = asSent(rendered, settings);
const forecast = (name: string) => definition.simulation?.read(recorded(`crm_simulate-${name}`), wanted, wanted) ?? null;
const halted: PackageStatus = {
  status: 'down',
  state: 'halted',
  owner: null,
  autoRun: false,
  switching: new Map(),
};

interface Given {
  /** Names of files that differ on m2. */
  readonly stale?: readonly string[];
  readonly applied?: string | null;
  readonly status?: PackageStatus | null;
  /** Of crm_mon; for fencing. */
  readonly view?: string;
  readonly wish?: Partial<ApplyWish>;
}

function plan({ stale = [], applied = group, status, view = recorded('crm_mon-serving'), wish = {} }: Given) {
  const observed = (member: string, differs: readonly string[]) => ({
    member,
    reached: true as const,
    directory: '/etc/csync',
    files: files.map(({ name, mode, content }) => ({ name, mode, digest: differs.includes(name) ? 'other' : sha256(content) })),
    manifests: new Map(),
    running: null,
    applied: '0123456789abcdef /csync -',
    nodeVersion: '20.19.0',
    runtimeVersion: null,
    leftovers: [],
  });
  const observation: ClusterObservation = {
    members: [observed('m1', []), observed('m2', stale)],
    commandMember: 'm1',
    applied: applied === null ? null : readDefinition(applied),
    status: status === undefined ? (readView(view).packages.get('csync') ?? null) : status,
    memberStates: null,
    unprotected: unprotected(view),
  };
  const usual: ApplyWish = {
    place: settings,
    files,
    configuration: wanted,
    run: false,
    halt: false,
    takeRendered: false,
    runtime: null,
    carry: null,
    set: null,
    forecast: forecast('restart'),
  };
  return planApply({ ...usual, ...wish }, observation);
}

const parameters = wanted.lines
  .filter(({ keyword }) => keyword.startsWith('csync_main parameter '))
  .map(({ keyword, value }) => `OCF_RESKEY_${keyword.split(' ')[2]}=${value}`)
  .join(' ');
const validate = (member: string) =>
  `on ${member}: env OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 ${parameters} ${agent} validate-all`;
const check = 'on m1: /etc/csync/csync.change.sh check /etc/csync/csync.group.xml';
const transaction = [
  'on m1: /etc/csync/csync.change.sh apply /etc/csync/csync.group.xml',
  'on m1: crm_resource --wait --timeout=600s',
];
const again = 'verify every member and the package';
/** For a rollback. */
const previous = ['distribute to m1: applied', 'distribute to m2: applied'];
const restart = 'restart on m1: csync_pre, csync_fs, csync_ip, csync_main';

describe('an apply with Pacemaker', () => {
  it.each<[string, Given, string[], string[]]>([
    ['that changes nothing', { applied: otherSet, wish: { forecast: null } }, [], []],
    [
      'of the agent on one member: no transaction',
      { applied: otherSet, stale: [agent], wish: { forecast: null } },
      [`distribute to m2: ${agent}`, validate('m1'), validate('m2'), check, again],
      ['csync keeps running; its monitor uses the new scripts and settings from the next start'],
    ],
    [
      'with --halt: the resources restart by one transaction, without a halt of the group',
      { wish: { halt: true } },
      [validate('m1'), validate('m2'), check, ...transaction, again, ...previous],
      [`only these resources stop and start: ${restart}`],
    ],
    [
      'that restarts nothing',
      { wish: { forecast: forecast('same') } },
      [validate('m1'), validate('m2'), check, ...transaction, again, ...previous],
      [],
    ],
    [
      'to a halted group, which stays halted',
      { status: halted },
      [validate('m1'), validate('m2'), check, ...transaction, again, ...previous],
      [],
    ],
    [
      'of a new group, which is to run',
      { applied: null, status: null, wish: { run: true, forecast: forecast('same') } },
      [
        ...[validate('m1'), validate('m2'), check, ...transaction],
        'on m1: crm_resource --resource csync --move --node m1 --lifetime=PT15M',
        'on m1: crm_resource --resource csync --meta --set-parameter target-role --parameter-value Started',
        'on m1: crm_resource --wait --timeout=600s',
        'on m1: crm_resource --resource csync --clear --node m1',
        'on m1: crm_resource --resource csync --meta --set-parameter target-role --parameter-value Started',
        again,
      ],
      [],
    ],
  ])('%s', (_, given, steps, notes) => {
    const { steps: planned, notes: said } = demand(plan(given));
    expect([planned.map(stepText), said]).toEqual([steps, notes]);
  });

  it('says nothing of Serviceguard', () => {
    const givens: Given[] = [
      {},
      { wish: { halt: true } },
      { wish: { forecast: 'no such file' } },
      { status: halted, wish: { run: true } },
      { stale: files.map(({ name }) => name) },
      { view: '', applied: null },
      { status: { ...halted, status: 'up', state: 'maintenance' } },
      { wish: { runtime: { digest: 'ab', size: 1 } } },
    ];
    const said = givens.flatMap((given) => {
      const planned = plan(given);
      if (planned.ok) return [...planned.value.steps.map(stepText), ...planned.value.notes];
      return planned.problems.flatMap(({ code, text, remedy }) => {
        const entry = codeEntries.find((one) => one.code === code);
        return [
          text,
          remedy,
          ...Object.values(entry ?? {})
            .flat()
            .map(String),
        ];
      });
    });
    expect(said.length).toBeGreaterThan(60);
    expect(said.filter((text) => serviceguardWords.test(text))).toEqual([]);
  });

  it('proves afterwards that a group serves which served before, and not a halted one', () => {
    const proof = (given: Given) => demand(plan(given)).steps.find((step) => step.do === 'verify');
    expect(proof({ wish: { halt: true } })).toEqual({ do: 'verify', serves: true });
    expect(proof({ status: halted })).toEqual({ do: 'verify', serves: false });
  });

  const off = recorded('crm_mon-serving').replaceAll('stonith-enabled="true"', 'stonith-enabled="false"');
  it.each<[string, Given, string, string]>([
    ['a restart without --halt', {}, 'change-needs-halt', restart],
    ['a move without --halt', { wish: { forecast: forecast('move') } }, 'change-needs-halt', 'move on m1: csync_vg, csync_pre'],
    ['fencing that is off', { view: off, status: halted }, 'change-fencing', 'fencing is off'],
    [
      'no fence device',
      { view: recorded('crm_mon-serving').replaceAll('stonith:', 'ocf:'), status: halted },
      'change-fencing',
      'no fence device',
    ],
    ['a cluster that prints nothing', { view: '', status: null, applied: null }, 'change-fencing', 'nothing is known'],
    ['a simulation that failed', { wish: { forecast: 'no such file' } }, 'change-simulate', 'no such file'],
  ])('is refused for %s', (_, given, code, text) => {
    const refused = plan(given);
    expect(refused).toEqual({ ok: false, problems: [expect.objectContaining({ code, text: expect.stringContaining(text) })] });
  });

  it('goes on without fencing on a cluster for tests, and where it changes nothing', () => {
    expect(plan({ view: off, status: halted, wish: { place: { ...settings, testCluster: true } } }).ok).toBe(true);
    expect(plan({ view: off, applied: otherSet, wish: { forecast: null } })).toMatchObject({ ok: true, value: { steps: [] } });
  });
});

describe('what crm_simulate prints', () => {
  it.each([
    ['same', { own: [], others: [] }],
    ['restart', { own: [restart], others: [] }],
    ['move', { own: ['move on m1: csync_vg, csync_pre, csync_fs, csync_ip, csync_main'], others: [] }],
  ])('%s', (name, expected) => {
    expect(forecast(name)).toEqual(expected);
  });

  it('of another resource has its own list', () => {
    const text = recorded('crm_simulate-restart').replaceAll('resource="csync_ip"', 'resource="web"');
    expect(definition.simulation?.read(text, wanted, wanted)).toEqual({
      own: ['restart on m1: csync_pre, csync_fs, csync_main'],
      others: ['restart on m1: web'],
    });
  });

  it.each(['', 'no XML', recorded('crm_simulate-same').replace('code="0"', 'code="78"'), recorded('crm_mon-serving')])(
    'is unknown where it is something else',
    (text) => {
      expect(definition.simulation?.read(text, wanted, wanted)).toBeNull();
    },
  );
});

describe('the files of Pacemaker', () => {
  it('the agent is sent to its place, complete or not at all', () => {
    const sent = files.filter(({ name }) => name === agent);
    expect(sent.map(({ mode, content }) => [mode, content.toString()])).toEqual([
      [0o755, readFileSync(join(repository, 'src/pacemaker/master.sh'), 'utf8')],
    ]);
    const lines = distributeScript('/etc/csync', sent, []).split('\n');
    const renamed = lines.findIndex(
      (line) => line === `mv -f -- '${agent}.csync-new' '${agent}'` || line === `mv -f -- ${agent}.csync-new ${agent}`,
    );
    expect(renamed).toBeGreaterThan(-1);
    expect(lines[renamed - 1]).toMatch(/^sync /);
    expect(lines.filter((line) => line.includes(`"$directory"/${agent}`) || line.includes(`$directory"/'${agent}`))).toEqual([]);
  });

  it('a simulation takes the files beside the set, and leaves nothing', () => {
    const text = simulationScript(rendered, ['sh', '$scratch/csync.change.sh', 'simulate', '$scratch/csync.group.xml']);
    expect(text).toContain('sh "$scratch/csync.change.sh" simulate "$scratch/csync.group.xml" < /dev/null');
    expect(text).toContain(`trap 'rm -rf -- "$scratch"' EXIT`);
    expect(text).not.toContain('sets/0123456789abcdef');
  });
});
