/** Taken from the deciding code. A missing row does not compile. Pure. */
import { type Cause, eventTable, type FailFast, type Row } from '../lab/manager/event-table.ts';
import { type FailureCode, failureTable } from '../member/failures.ts';
import { conclusions, type Verdict } from '../member/monitor/judge.ts';

export interface FindingRow {
  readonly finding: FailureCode;
  readonly start: 1 | 2;
  readonly means: string;
  readonly remedy: string;
}

export interface VerdictRow {
  readonly reason: Verdict['reason'];
  readonly sentence: string;
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
  /** The page of the manual, or "ours". */
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

/** A halt has no 2: the volume group decides. */
const exits: { readonly start: Record<0 | 1 | 2, string>; readonly halt: Record<0 | 1, string> } = {
  start: {
    0: 'this member is the master: proved through the package address',
    1: 'no other member can correct it; the package stays down until an administrator acts',
    2: 'this member cannot start it; the cluster tries the next one',
  },
  halt: {
    0: "nothing of the package is active here; the daemon keeps running as this member's own",
    1: 'parts of the package are still active here; it may start elsewhere only after csync recover',
  },
};

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] => Object.keys(record) as Key[];

/** In the order of the code. */
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
