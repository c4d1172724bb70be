/**
 * The model check proves itself: bugs are planted in the very modules that ship, and the search has to find each of them with
 * a shortest counterexample. The stories lie in docs/proof/planted-bugs.md; vitest's --update writes them anew.
 */
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Draft } from '../../src/lab/manager/draft.ts';
import { type Cause, eventTable, type Row } from '../../src/lab/manager/event-table.ts';
import type { PackageState } from '../../src/lab/manager/model.ts';
import type { ControlContext } from '../../src/member/legacy/legacy-steps.ts';
import type { Others, Situation } from '../../src/member/monitor/brake.ts';
import type { Limits, Sample, Watch } from '../../src/member/monitor/judge.ts';
import type { Step } from '../../src/member/steps/step.ts';
import { Search } from '../../src/model-check/search.ts';
import { simulateMany } from '../../src/model-check/simulation/simulation-run.ts';
import { labSettings, repository, settingsFor } from '../support.ts';

// biome-ignore lint/suspicious/noExplicitAny: any exported function of the core, of any type
type AnyFunction = (...given: any[]) => any;
type Alterations = Record<string, (original: AnyFunction) => AnyFunction>;

const planted = vi.hoisted(() => ({
  now: {} as Alterations,
  /** Every exported function asks at each call whether a bug is planted in it. */
  in: async <Module extends object>(load: () => Promise<Module>): Promise<Module> => {
    const altered = Object.entries(await load()).map(([name, value]) => [
      name,
      typeof value !== 'function'
        ? value
        : (...given: unknown[]) => (planted.now[name]?.(value as AnyFunction) ?? (value as AnyFunction))(...given),
    ]);
    return Object.fromEntries(altered) as Module;
  },
}));

vi.mock('../../src/member/steps/steps.ts', (load) => planted.in(load as never));
vi.mock('../../src/member/legacy/legacy-steps.ts', (load) => planted.in(load as never));
vi.mock('../../src/member/monitor/judge.ts', (load) => planted.in(load as never));
vi.mock('../../src/member/steps/step.ts', (load) => planted.in(load as never));
vi.mock('../../src/member/monitor/brake.ts', (load) => planted.in(load as never));
vi.mock('../../src/host/member/service-front.ts', (load) => planted.in(load as never));
vi.mock('../../src/model-check/world/supervised.ts', (load) => planted.in(load as never));
vi.mock('../../src/lab/manager/placement.ts', (load) => planted.in(load as never));
vi.mock('../../src/lab/manager/requests.ts', (load) => planted.in(load as never));
vi.mock('../../src/lab/manager/failures.ts', (load) => planted.in(load as never));

/** Steps that are skipped: they check nothing, do nothing, and hold. */
function without(...names: readonly string[]): Alterations {
  return Object.fromEntries(
    names.map((name) => [name, (make: AnyFunction) => (context: unknown) => ({ ...(make(context) as Step), look: () => null })]),
  );
}

/** The monitor takes samples of these kinds for good ones. */
function blind(...kinds: readonly string[]): Alterations {
  return {
    judge: (judge) => (watch: Watch, sample: Sample, limits: unknown) =>
      kinds.includes(sample.kind === 'layer' ? sample.layer : sample.kind) ? watch : (judge(watch, sample, limits) as Watch),
  };
}

/** The brake reads something else out of cmviewcl. */
function told(alter: (others: Others) => Others): Alterations {
  return {
    othersFrom:
      (read) =>
      (...given: unknown[]) => {
        const others = read(...given) as Others | null;
        return others && alter(others);
      },
  };
}

/** The brake judges another situation. */
function situation(changes: Partial<Situation>): Alterations {
  return { whyStay: (judge) => (given: Situation) => judge({ ...given, ...changes }) as string | null };
}

type Rows = Record<Cause, Record<'plain' | 'failFast', Row>>;
const rows = eventTable as Rows;

interface Bug {
  readonly name: string;
  readonly alter?: Alterations;
  /** A row of the event table that is wrong. */
  readonly row?: readonly [Cause, Partial<Row>];
  readonly style?: 'legacy' | 'modular';
  readonly events: number;
  /** I7 is asked with two events, too. */
  readonly leadsBack?: boolean;
}

const nothing = () => {};

const bugs: readonly Bug[] = [
  { name: 'the halt does not unmount', alter: without('fileSystemUnmounted'), events: 1 },
  {
    name: 'the halt looks neither at the mount nor at the volume group',
    alter: without('fileSystemUnmounted', 'policyFileSystemGone', 'groupInactive'),
    events: 1,
  },
  { name: 'the halt leaves the volume group to this member', alter: without('groupInactive'), events: 1 },
  { name: 'the halt leaves the address', alter: without('addressRemoved'), events: 1 },
  {
    name: 'the start promotes before the mount',
    alter: without(
      'groupActive',
      'fileSystemChecked',
      'fileSystemMounted',
      'policyFileSystemMounted',
      'policyPresent',
      'sentinelWritten',
      'roleProved',
    ),
    events: 0,
  },
  { name: 'the start adds no address', alter: without('addressAdded', 'addressPresent', 'roleProved'), events: 0 },
  { name: 'the start writes no sentinel', alter: without('sentinelWritten'), events: 0 },
  { name: 'the start forgets the service', alter: without('serviceStarted'), events: 0 },
  { name: 'no step starts the daemon', alter: without('daemonRunning', 'daemonRevived', 'roleProved'), events: 1 },
  { name: 'every start ends with 0', alter: { startExit: () => () => 0 }, events: 1 },
  {
    name: 'the start takes away the tag of a member that is up',
    alter: {
      groupActive: (make) => (context: ControlContext) => {
        const step = make(context) as Step;
        const run = async (finding: never) => {
          for (const name of context.settings.members)
            if (name !== context.host.nodeName)
              await context.host.attend(['vgchange', '--deltag', name, context.settings.volumeGroup], null);
          await step.action?.run(finding);
        };
        return { ...step, action: { what: step.action?.what ?? '', run } };
      },
    },
    events: 2,
  },
  { name: 'the monitor overlooks that the daemon has ended', alter: blind('process', 'port', 'protocol'), events: 1 },
  { name: 'the monitor overlooks that the daemon hangs', alter: blind('protocol'), events: 1 },
  { name: 'the monitor overlooks that the disk is gone', alter: blind('storage'), events: 1 },
  { name: 'the monitor overlooks that the address is gone', alter: blind('address', 'port', 'protocol'), events: 1 },
  {
    name: 'the monitor writes its log before it leaves',
    alter: { actsOfVerdict: () => () => ['log', 'state', 'leave'] },
    events: 2,
  },
  {
    name: 'a program in front that is stopped is asked to leave, and no more',
    alter: { actsOfLeaving: () => () => ['ask'] },
    events: 2,
  },
  { name: 'the brake never lets go', alter: { whyStay: () => () => 'the package stays' }, events: 1 },
  {
    name: 'the brake lets the package leave the last member',
    alter: told((others) => ({ ...others, eligible: ['m9'] })),
    events: 2,
  },
  {
    name: 'the brake takes a disabled member for eligible',
    alter: told((others) => ({ ...others, eligible: others.switchedOff })),
    events: 2,
  },
  { name: 'the brake overlooks a load', alter: situation({ connections: { total: 0, most: null } }), events: 1 },
  {
    name: 'no command releases the brake',
    alter: told((others) => ({ ...others, remedies: [] })),
    events: 2,
    leadsBack: true,
  },
  {
    name: 'the package moves where another host has its address',
    alter: {
      judge:
        (judge) =>
        (watch: Watch, sample: Sample, { layers, ...limits }: Limits) =>
          judge(watch, sample, { ...limits, layers: { ...layers, owner: { failures: 2, weight: 'fail' } } }) as Watch,
    },
    events: 1,
  },
  {
    name: 'a read that hangs in a start ends it with 1',
    alter: {
      givenUpExit:
        (exit) =>
        (word: string, ...rest: unknown[]) =>
          word === 'start' ? 1 : exit(word, ...rest),
    },
    events: 1,
  },
  {
    name: 'a read that hangs in a halt ends it with 1',
    alter: {
      givenUpExit:
        (exit) =>
        (word: string, ...rest: unknown[]) =>
          word === 'halt' ? 1 : exit(word, ...rest),
    },
    style: 'modular',
    events: 2,
  },
  {
    name: 'a failed service leaves the switch of the member on',
    row: ['service-failed', { memberSwitch: 'unchanged' }],
    events: 1,
  },
  {
    name: 'a start that ends with 2 leaves the switch of the member on',
    row: ['start-exit-2', { memberSwitch: 'unchanged' }],
    events: 2,
  },
  { name: 'a start that ends with 1 leaves switching on', row: ['start-exit-1', { autoRun: 'unchanged' }], events: 1 },
  { name: 'a start that times out leaves switching on', row: ['start-timeout', { autoRun: 'unchanged' }], events: 1 },
  { name: 'a halt that ends with 1 leaves switching on', row: ['halt-exit-1', { autoRun: 'unchanged' }], events: 2 },
  { name: 'a halt that times out leaves switching on', row: ['halt-timeout', { autoRun: 'unchanged' }], events: 2 },
  {
    name: 'no start waits until the cluster has re-formed',
    alter: { isReforming: () => () => false },
    events: 2,
    leadsBack: true,
  },
  {
    name: 'the package is placed where it is switched off',
    alter: { choosePlace: () => (state: { members: object }) => Object.keys(state.members)[0] },
    events: 1,
  },
  { name: 'no command leads to recovery', alter: { wayBack: () => () => [] }, events: 1 },
  {
    name: 'cmhaltpkg leaves switching on',
    alter: {
      packageHalt: (original) => (draft: Draft, event: { packages: readonly string[] }) => {
        original(draft, event);
        for (const name of event.packages) draft.setPackage(name, { autoRun: true });
      },
    },
    events: 1,
  },
  {
    name: 'a halt that failed is taken for a good one',
    alter: {
      haltEnded: (original) => (draft: Draft, event: object) => original(draft, { ...event, end: { kind: 'exit', code: 0 } }),
    },
    events: 2,
  },
  {
    name: 'a start that failed is taken for a good one',
    alter: {
      startEnded: (original) => (draft: Draft, event: object) => original(draft, { ...event, end: { kind: 'exit', code: 0 } }),
    },
    events: 1,
  },
  { name: 'the end of the service is overlooked', alter: { serviceDied: () => nothing }, events: 1 },
  { name: 'the crash of a member is overlooked', alter: { memberCrashed: () => nothing }, events: 1 },
  {
    name: 'a member that failed once is never chosen again',
    alter: {
      choosePlace: (original) => (state: unknown, pkg: PackageState) => (pkg.state === 'failed' ? null : original(state, pkg)),
    },
    events: 1,
  },
];

const stories: string[] = [
  '# Planted bugs',
  '',
  'Does the model check find bugs? For readers who want evidence. Each of these bugs was planted in the shipped code, and the model check found it.',
  'The history below each is the shortest one that shows it. Written by `npx vitest run test/proof/planted.test.ts --update`.',
];

afterEach(() => {
  planted.now = {};
});

describe('the search', () => {
  it('finds nothing where no bug is planted', { timeout: 240_000 }, async () => {
    for (const style of ['legacy', 'modular'] as const) {
      const sound = await new Search(settingsFor({ members: ['m1', 'm2'], package_style: style }), { events: 1 }).run();
      expect(sound.counterexample).toBeNull();
      expect(sound.isComplete).toBe(true);
      expect(sound.states).toBeGreaterThan(400);
    }
  });

  it.each(bugs)(
    'finds that $name',
    { timeout: 240_000 },
    async ({ name, alter = {}, row, style = 'legacy', events, leadsBack = events < 2 }) => {
      planted.now = alter;
      const kept = row === undefined ? null : rows[row[0]].plain;
      if (row !== undefined) rows[row[0]].plain = { ...rows[row[0]].plain, ...row[1] };
      try {
        const settings = settingsFor({ members: ['m1', 'm2'], package_style: style });
        const { counterexample } = await new Search(settings, { events, leadsBack }).run();
        expect(counterexample, 'the planted bug is found').not.toBeNull();
        const lines = counterexample?.story.map((line, index) => `${index + 1}. ${line}`) ?? [];
        stories.push('', `## ${name} (${style})`, '', ...lines, '', `**${counterexample?.broken}**`);
      } finally {
        if (row !== undefined && kept !== null) rows[row[0]].plain = kept;
      }
    },
  );

  it('is not the only one: lives in virtual time fail for a planted bug, and again with the same seed', {
    timeout: 240_000,
  }, async () => {
    planted.now = without('addressRemoved');
    const [failure] = (await simulateMany(1, 40, labSettings())).failures;
    expect(failure?.broken).toMatch(/^I3: the halt succeeds/);
    const again = await simulateMany(failure?.seed ?? 0, 1, labSettings());
    expect(again.failures).toEqual([failure]);
  });

  it('describes each as a story, which the page has', async () => {
    await expect(`${stories.join('\n')}\n`).toMatchFileSnapshot(join(repository, 'docs/proof/planted-bugs.md'));
  });
});
