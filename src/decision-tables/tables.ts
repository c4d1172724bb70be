/**
 * The decisions as tables, taken from the code that decides: what a start and a halt conclude from a finding, what makes the
 * monitor end, what the package manager does next. Each is total over its keys, so a row that is missing does not compile. Pure.
 */
import { type Cause, eventTable, type FailFast, type Row } from '../lab/manager/event-table.ts';
import { type FailureCode, failureTable } from '../member/failures.ts';
import { conclusions, type Verdict } from '../member/monitor/judge.ts';

export interface FindingRow {
  readonly finding: FailureCode;
  /** Exit status of a start. */
  readonly start: 1 | 2;
  readonly means: string;
  readonly remedy: string;
}

export interface VerdictRow {
  readonly reason: Verdict['reason'];
  readonly sentence: string;
  /** What it takes to conclude it. */
  readonly evidence: string;
}

export interface ConsequenceRow {
  readonly cause: Cause;
  readonly failFast: boolean;
  readonly member: Row['member'];
  readonly haltScript: boolean;
  readonly memberSwitchOff: boolean;
  readonly autoRunOff: boolean;
  readonly sentence: string;
  /** Page of the manual, or that it is ours. */
  readonly source: string;
}

export interface ExitRow {
  readonly script: 'start' | 'halt';
  readonly status: 0 | 1 | 2;
  readonly sentence: string;
}

export interface DecisionTables {
  readonly exits: readonly ExitRow[];
  readonly findings: readonly FindingRow[];
  readonly verdicts: readonly VerdictRow[];
  readonly consequences: readonly ConsequenceRow[];
}

/** A halt has no 2: whether another member may start is for the volume group to say. */
const exits: { readonly start: Record<0 | 1 | 2, string>; readonly halt: Record<0 | 1, string> } = {
  start: {
    0: 'this member is the master: it was proved through the package address',
    1: 'no other member can cure it; the package stays down until somebody has looked',
    2: 'this member cannot; the next one is tried',
  },
  halt: {
    0: "nothing of the package is held here any more; the daemon runs on as this member's own",
    1: 'something of the package is still held here; it may not start elsewhere until csync recover has cleaned up',
  },
};

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] => Object.keys(record) as Key[];

/** All of them, in the order of the code. */
export function decisionTables(): DecisionTables {
  const both: readonly FailFast[] = ['plain', 'failFast'];
  return {
    exits: (['start', 'halt'] as const).flatMap((script) =>
      Object.entries(exits[script]).map(([status, sentence]) => ({ script, status: Number(status) as 0 | 1 | 2, sentence })),
    ),
    findings: keysOf(failureTable).map((finding) => ({ finding, ...failureTable[finding] })),
    verdicts: keysOf(conclusions).map((reason) => {
      const { means, evidence } = conclusions[reason];
      return { reason, sentence: means, evidence };
    }),
    consequences: keysOf(eventTable).flatMap((cause) =>
      both.map((failFast) => {
        const { member, haltScript, memberSwitch, autoRun, sentence, source } = eventTable[cause][failFast];
        return {
          cause,
          failFast: failFast === 'failFast',
          member,
          haltScript: haltScript === 'runs',
          memberSwitchOff: memberSwitch === 'off',
          autoRunOff: autoRun === 'off',
          sentence,
          source,
        };
      }),
    ),
  };
}
