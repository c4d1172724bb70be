/** Problems of the administrator's side. A stage reports its problems together, and does not throw at the first. */

import { type ProblemCode, problemCodes } from './codes/problem-codes.ts';

export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/**
 * Each verb that reads, writes or changes has --json. `prints`: a text to be saved. `agents`: starts agents or hooks, which have their own
 * locks. `changes`: changes a cluster; the failover audit has a row for each form.
 */
export type Effect = 'reads' | 'prints' | 'writes here' | 'agents' | 'changes' | 'lab';

export interface ExitRow {
  readonly status: number;
  readonly means: string;
  /** Verbs with these effects; another verb says so in its row. */
  readonly of?: readonly Effect[];
}

export const exitTable = {
  ok: { status: 0, means: 'done' },
  different: { status: 1, means: 'a check failed, something differs, or csync refused' },
  usage: { status: 2, means: 'wrong verb, option or name' },
  badInput: {
    status: 3,
    means: 'settings, templates or package files have problems',
    of: ['writes here', 'agents', 'changes', 'lab'],
  },
  cannotRunHere: {
    status: 4,
    means: 'cannot run here: no root, a member is unreachable, or something is not installed',
    of: ['agents', 'changes'],
  },
  changeFailed: {
    status: 5,
    means: 'a change failed or is refused; csync prints what was done, and the same command completes the rest',
    of: ['agents', 'changes'],
  },
  internal: { status: 70, means: 'internal error of csync' },
  interrupted: { status: 130, means: 'interrupted by Ctrl-C; cleaned up' },
  unread: { status: 141, means: 'the reader of the output exited, such as head' },
} as const satisfies Readonly<Record<string, ExitRow>>;
export type ExitName = keyof typeof exitTable;
export type ExitCode = (typeof exitTable)[ExitName]['status'];

export const exitCodes = Object.fromEntries(Object.entries(exitTable).map(([name, { status }]) => [name, status])) as {
  readonly [Name in ExitName]: (typeof exitTable)[Name]['status'];
};

export interface Problem {
  /** Programs match on it. */
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  /** Quotes what was typed. */
  readonly text: string;
  /** A command or an edit. */
  readonly remedy: string;
  readonly place?: Place | undefined;
  readonly member?: string | undefined;
}

/** A value, perhaps with warnings, or all problems. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Only the outermost boundary makes text and exit status of it. */
export class Failure extends Error {
  readonly problems: readonly Problem[];
  readonly exit: number;
  /** `exit`: for a verb with its own statuses. */
  constructor(problems: readonly Problem[], exit: number = exitCodeOf(problems)) {
    super(problems.map((problem) => problem.text).join('; '));
    this.problems = problems;
    this.exit = exit;
  }
}

/** Ctrl-C, or a reader that exited: everything pending is rejected with it. */
export class Interrupted extends Error {}

/** Throws a Failure with all problems. */
export function demand<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value;
  throw new Failure(checked.problems);
}

export function formatProblem(problem: Problem): string {
  const { place, member, code, severity } = problem;
  const position =
    place === undefined ? '' : [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
  const where = [position, member === undefined ? '' : `member ${member}`].filter((part) => part !== '').join(', ');
  const head = `${severity} [${code}]${where === '' ? '' : ` ${where}`}`;
  return `${head}\n  ${problem.text}\n  Fix: ${problem.remedy}`;
}

/** Of the first error. */
export function exitCodeOf(problems: readonly Problem[]): ExitCode {
  const first = problems.find((problem) => problem.severity === 'error');
  if (first === undefined) return exitCodes.ok;
  return exitCodes[problemCodes[first.code].exit];
}

/** `where`: a host, or a place in a file. */
export function errorProblem(code: ProblemCode, text: string, remedy: string, where?: string | Place): Problem {
  return { code, severity: 'error', text, remedy, ...(typeof where === 'object' ? { place: where } : { member: where }) };
}

export function failure(...error: Parameters<typeof errorProblem>): Failure {
  return new Failure([errorProblem(...error)]);
}
