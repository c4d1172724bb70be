/** Made-up rehearsals, from made-up traces through the real reading of them. Nothing here was measured. */
import type { JournalEntry, JournalKind } from '../../../src/lab/emulation/journal.ts';
import { drillNamed } from '../../../src/rehearsal/drill-table.ts';
import type { Drill } from '../../../src/rehearsal/drills/drill-model.ts';
import { drillResult, rehearsalVerdict } from '../../../src/rehearsal/judgement.ts';
import type { DrillResult, Flags, ReadyReport, Rehearsal } from '../../../src/rehearsal/model.ts';

const began = Date.UTC(2026, 10, 28, 3, 0, 0);

type Line = readonly [at: number, kind: JournalKind, what: string, member: string, text: string, sinceMs?: number];

export function traceOf(lines: readonly Line[]): JournalEntry[] {
  return lines.map(([at, kind, what, member, text, sinceMs]) => ({
    at: began + at,
    kind,
    what,
    member,
    text,
    ...(sinceMs === undefined ? {} : { sinceMs }),
  }));
}

export const flagsOn = (owner: string | null, off: readonly string[] = []): Flags => ({
  owner,
  status: owner === null ? 'down' : 'up',
  state: owner === null ? 'halted' : 'running',
  autoRun: owner !== null,
  switching: Object.fromEntries(['m1', 'm2', 'm3'].map((member) => [member, !off.includes(member)])),
});

/** Before the drill: m1 serves both clients. */
export const servedBefore: readonly Line[] = [
  [-60_000, 'event', 'starting', 'm1', 'start of csync begins'],
  [-59_000, 'seen', 'mounted-on', 'm1', '/csync mounted', 20],
  [-58_900, 'seen', 'address-on', 'm1', 'address 10.9.0.100 added', 20],
  [-57_000, 'event', 'start-ended', 'm1', 'start of csync finished (exit status 0)'],
  [-57_000, 'seen', 'client-served', 'c1', 'reaches a master again'],
  [-57_000, 'seen', 'client-served', 'c2', 'reaches a master again'],
];

/** A failover from m1 to m2 after SIGKILL; every time behind the fault is multiplied by `pace`. */
export function failoverLines(pace = 1): Line[] {
  const lines: Line[] = [
    [0, 'fault', 'kill-daemon', 'm1', 'cf-serverd gets SIGKILL'],
    [64, 'event', 'service-died', 'm1', 'service csync_monitor of csync exited (exit status 1)'],
    [70, 'event', 'halting', 'm1', 'halt of csync begins (service failed)'],
    [140, 'seen', 'client-lost', 'c1', 'reaches no master (refused)', 110],
    [152, 'seen', 'client-lost', 'c2', 'reaches no master (refused)', 130],
    [610, 'seen', 'address-off', 'm1', 'address 10.9.0.100 removed', 20],
    [760, 'seen', 'mounted-off', 'm1', '/csync unmounted', 20],
    [1180, 'event', 'halt-ended', 'm1', 'halt of csync finished (exit status 0)'],
    [1190, 'event', 'starting', 'm2', 'start of csync begins'],
    [1500, 'seen', 'mounted-on', 'm2', '/csync mounted', 20],
    [1620, 'seen', 'address-on', 'm2', 'address 10.9.0.100 added', 20],
    [1700, 'seen', 'client-served', 'c1', 'reaches a master again'],
    [1764, 'seen', 'client-served', 'c2', 'reaches a master again'],
    [2310, 'event', 'start-ended', 'm2', 'start of csync finished (exit status 0)'],
  ];
  return lines.map(([at, ...rest]) => [at * pace, ...rest]);
}

interface Told {
  readonly drill: string;
  readonly lines: readonly Line[];
  readonly after?: Flags;
  readonly faults?: readonly string[];
  readonly unclean?: readonly string[];
}

export function syntheticDrill({ drill, lines, after = flagsOn('m2'), faults = [], unclean = [] }: Told): DrillResult {
  const trace = traceOf([...servedBefore, ...lines]);
  return drillResult({
    drill: drillNamed(drill) as Drill,
    startedAt: new Date(began).toISOString(),
    trace,
    mark: servedBefore.length,
    end: trace.length,
    before: flagsOn('m1'),
    after,
    faults,
    unclean,
    missing: [],
    clients: ['c1', 'c2'],
    moved: after.owner === null || after.owner === 'm1' ? null : { from: 'm1', to: after.owner },
  });
}

export const syntheticReady: ReadyReport = {
  verdict: 'fail',
  sentence: 'the package would start on 2 of 3 members, not on m3',
  condition: 'serving',
  general: [{ text: '1 of 2 clients have not connected for over an hour: c2', remedy: 'does the agent run there?' }],
  members: [
    { member: 'm1', verdict: 'ready', good: 9, wanted: 9, sentence: 'the package runs here', looks: [] },
    {
      member: 'm2',
      verdict: 'ready',
      good: 8,
      wanted: 9,
      sentence: 'it would start here',
      looks: [{ name: 'keys', member: 'm2', is: 'skipped', text: 'no roster yet', remedy: 'csync members sync' }],
    },
    {
      member: 'm3',
      verdict: 'not ready',
      good: 7,
      wanted: 9,
      sentence: 'it would not start here: mount-point',
      looks: [
        {
          name: 'mount-point',
          member: 'm3',
          is: 'bad',
          text: "/csync is not empty while unmounted: clients of this member's daemon would take its content for the policy",
          remedy: 'inspect it and move it elsewhere: ls -A /csync',
        },
        { name: 'switching', member: 'm3', is: 'bad', text: 'switched off for the package', remedy: 'cmmodpkg -e -n m3 csync' },
      ],
    },
  ],
};

export function syntheticRehearsal(drills: readonly DrillResult[], changes: Partial<Rehearsal> = {}): Rehearsal {
  const ready = changes.ready === undefined ? null : changes.ready;
  return {
    format: 1,
    at: new Date(began).toISOString(),
    toolkit: '0.1.0',
    place: 'lab',
    synthetic: true,
    packageName: 'csync',
    members: ['m1', 'm2', 'm3'],
    clients: ['c1', 'c2'],
    probe: "it fetches the sentinel of the policy file system through the package address, in cfengine's protocol",
    ...rehearsalVerdict({ drills, ready }),
    ready,
    drills,
    ...changes,
  };
}

/** Three drills: one that is well, one in which nothing may happen, one that fails in every way. */
export function fullRehearsal(pace = 1): Rehearsal {
  return syntheticRehearsal(
    [
      syntheticDrill({ drill: 'kill-daemon', lines: failoverLines(pace) }),
      syntheticDrill({
        drill: 'switch-off-on',
        lines: [
          [0, 'command', 'cmmodpkg', 'm1', 'cmmodpkg -d csync'],
          [2080, 'command', 'cmmodpkg', 'm1', 'cmmodpkg -e csync'],
        ],
        after: flagsOn('m1'),
      }),
      syntheticDrill({
        drill: 'crash',
        lines: [
          [0, 'fault', 'crash', 'm1', 'power is cut'],
          [4, 'event', 'machine-down', 'm1', 'machine is down'],
          [330, 'seen', 'client-lost', 'c1', 'reaches no master (timed out)', 350],
          [5200, 'event', 'starting', 'm2', 'start of csync begins'],
          [5400, 'seen', 'mounted-on', 'm2', '/csync mounted', 20],
          [5600, 'violation', 'I1', 'm2', 'I1: the policy file system is mounted on m2 and m3 at once'],
        ],
        after: flagsOn(null, ['m1']),
        unclean: [
          'the package is down (halted); before, it was up (running)',
          'm1 is disabled for the package; before, it was enabled',
        ],
      }),
    ],
    { ready: syntheticReady },
  );
}
