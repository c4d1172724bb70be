/** Failures of a failover package: the manual's table [A12 p.59][L9 p.70]; failures.ts carries it out. A missing pair does not compile. */
import type { ScriptEnd } from './model.ts';

export type Cause =
  | 'service-failed'
  | 'start-exit-1'
  | 'start-exit-2'
  | 'start-timeout'
  | 'halt-exit-1'
  | 'halt-exit-2'
  | 'halt-exit-3'
  | 'halt-timeout'
  | 'subnet-lost';

/** service_fail_fast_enabled for a service, node_fail_fast_enabled for all others. */
export type FailFast = 'failFast' | 'plain';

export interface Row {
  readonly member: 'reset' | 'stays';
  readonly haltScript: 'runs' | 'does not run';
  /** Whether it may run here again. */
  readonly memberSwitch: 'off' | 'unchanged';
  /** Whether it may run elsewhere. */
  readonly autoRun: 'off' | 'unchanged';
  /** Only exit status 3 leaves it partly halted. */
  readonly leaves: 'nothing' | 'package here';
  readonly sentence: string;
  readonly source: string;
}

const stays = {
  member: 'stays',
  haltScript: 'does not run',
  memberSwitch: 'unchanged',
  autoRun: 'unchanged',
  leaves: 'nothing',
} as const;
const table = 'A12 p.59, L9 p.70';
const reset = (what: string, source = table, keyword = 'node_fail_fast_enabled'): Row => ({
  ...stays,
  member: 'reset',
  sentence: `${what} and ${keyword} is set; this member is reset.`,
  source,
});

const startExit1: Row = {
  ...stays,
  autoRun: 'off',
  sentence: 'The start failed with an error that affects every member (exit 1); switching of the package is disabled.',
  source: `${table}; L9 p.67`,
};
const haltExit1: Row = {
  ...stays,
  autoRun: 'off',
  sentence: 'The halt failed (exit 1); switching is disabled because this member may still have resources of the package.',
  source: `${table}; A12 p.58`,
};
const haltExit3: Row = {
  ...stays,
  autoRun: 'off',
  leaves: 'package here',
  sentence: 'A script aborted the halt (exit 3); the package stays partly halted on this member, switching is disabled.',
  source: 'A1120b p.210',
};

export const eventTable: Record<Cause, Record<FailFast, Row>> = {
  'service-failed': {
    failFast: reset('A service failed', table, 'service_fail_fast_enabled'),
    plain: {
      ...stays,
      haltScript: 'runs',
      memberSwitch: 'off',
      sentence: 'A service failed and its restarts are used up; the package leaves this member and cannot come back by itself.',
      source: table,
    },
  },
  'start-exit-1': { failFast: startExit1, plain: startExit1 },
  'start-exit-2': {
    failFast: reset('The start failed here (exit 2)'),
    plain: {
      ...stays,
      memberSwitch: 'off',
      sentence: 'The start failed on this member (exit 2); the member is disabled for the package, and another one is tried.',
      source: `${table}; A12 p.57`,
    },
  },
  'start-timeout': {
    failFast: reset('The start script timed out'),
    plain: {
      ...stays,
      autoRun: 'off',
      sentence:
        'The start script timed out and was killed without cleanup; switching is disabled until an administrator checks it.',
      source: `${table}; A12 p.280`,
    },
  },
  'halt-exit-1': { failFast: haltExit1, plain: haltExit1 },
  'halt-exit-2': {
    failFast: reset(
      'The halt failed (exit 2)',
      'ours (GAP: the table has no row with node_fail_fast_enabled yes); by analogy with the start',
    ),
    plain: { ...stays, sentence: 'The halt failed (exit 2); the package may run on another member.', source: 'A12 p.59' },
  },
  'halt-exit-3': {
    failFast: { ...haltExit3, source: 'ours (GAP: the table has no row with node_fail_fast_enabled yes); as without' },
    plain: haltExit3,
  },
  'halt-timeout': {
    failFast: reset('The halt script timed out'),
    plain: {
      ...stays,
      autoRun: 'off',
      sentence:
        'The halt script timed out and was killed; this member may still have resources of the package, switching is disabled.',
      source: `${table}; A12 p.280`,
    },
  },
  'subnet-lost': {
    failFast: reset('A monitored subnet is down'),
    plain: {
      ...stays,
      haltScript: 'runs',
      sentence: 'A monitored subnet is down on this member; the package leaves it and may come back when the subnet is up.',
      source: table,
    },
  },
};

/** null: succeeded. An unknown status counts as 1 (INFERRED, 3.3). */
export function startCause(end: ScriptEnd): Cause | null {
  if (end.kind === 'timeout') return 'start-timeout';
  const causes = { 0: null, 1: 'start-exit-1', 2: 'start-exit-2', 3: 'start-exit-1' } as const;
  return causes[end.code];
}

/** null: succeeded. */
export function haltCause(end: ScriptEnd): Cause | null {
  if (end.kind === 'timeout') return 'halt-timeout';
  const causes = { 0: null, 1: 'halt-exit-1', 2: 'halt-exit-2', 3: 'halt-exit-3' } as const;
  return causes[end.code];
}
