/** A verb is one row: its function, and what help, completion and docs/reference/verbs.md print. */
import type { ArgumentsCamelCase, InferredOptionTypes, Options } from 'yargs';
import { type Effect, type ExitName, type ExitRow, exitTable } from '../base/problem.ts';
import type { Document } from '../verbs/outputs/outputs.ts';

export type OptionTable = Readonly<Record<string, Options>>;

export const verbTasks = {
  'Set up': 'settings, templates, package files',
  Operate: 'every day',
  Change: 'package, members, clients, keys',
  Investigate: 'changes nothing',
  Lab: 'a cluster on this machine, to try and to test; needs root',
} as const;

export interface VerbFacts {
  /** As typed after csync: `apply`, `member add`. */
  readonly words: string;
  readonly task: keyof typeof verbTasks;
  /** At most 52 characters. */
  readonly does: string;
  /** In Markdown. */
  readonly details?: string;
  readonly effect: Effect;
  /** Tested by the failover audit, as typed. */
  readonly changes?: readonly string[];
  /** Only one of each pair may be given. */
  readonly conflicts?: readonly (readonly [string, string])[];
  /** Beside those of its effect; an empty text: as in the table. */
  readonly exits?: Readonly<Partial<Record<ExitName, string>>>;
  /** In place of the table's. */
  readonly ownExits?: Readonly<Record<number, string>>;
  readonly examples: readonly (readonly [string, string])[];
}

interface Row<P extends OptionTable, O extends OptionTable> extends VerbFacts {
  readonly positionals?: P;
  readonly options?: O;
  /** `rest`: after `--`. `all`: the rows of all verbs. */
  readonly run: (
    args: ArgumentsCamelCase<InferredOptionTypes<P & O>>,
    rest: readonly string[],
    all: readonly Verb[],
  ) => Promise<number>;
}

/** With --json on success; a failure prints problems. */
type Documents = () => Promise<readonly Document[]>;

export interface Verb extends VerbFacts {
  readonly positionals: OptionTable;
  readonly options: OptionTable;
  readonly json?: Documents;
  readonly run: (args: never, rest: readonly string[], all: readonly Verb[]) => Promise<number>;
}

/** Types of arguments follow from the options. A verb with --json names its documents. */
export function verb<const P extends OptionTable = Record<never, never>, const O extends OptionTable = Record<never, never>>(
  row: Row<P, O> & (O extends { readonly json: unknown } ? { readonly json: Documents } : { readonly json?: never }),
): Verb {
  return { positionals: {}, options: {}, ...row };
}

export const alwaysPossible = ['ok', 'usage', 'internal', 'interrupted'] as const satisfies readonly ExitName[];

export const possibleBy = (effect: Effect): ExitName[] =>
  Object.entries<ExitRow>(exitTable).flatMap(([name, { of = [] }]) => (of.includes(effect) ? [name as ExitName] : []));

/** Such as `member` in `member add`. */
export interface VerbGroup {
  readonly does: string;
  /** Options that may also stand before the second word. */
  readonly options?: OptionTable;
}
