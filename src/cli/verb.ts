/** What a verb is: one row with all that help, completion and docs/reference/verbs.md print about it, and the function that carries it out. */
import type { ArgumentsCamelCase, InferredOptionTypes, Options } from 'yargs';
import { type Effect, type ExitName, type ExitRow, exitTable } from '../base/problem.ts';
import type { Document } from '../verbs/outputs/outputs.ts';

export type OptionTable = Readonly<Record<string, Options>>;

/** What an administrator is about to do, in the order of help. */
export const verbTasks = {
  'Set up': 'settings, templates, package files',
  Operate: 'every day',
  Change: 'package, members, clients, keys',
  Investigate: 'changes nothing',
  Lab: 'a cluster on this machine, to try and to test; needs root',
} as const;

export interface VerbFacts {
  /** As it is typed behind csync: `apply`, `member add`. */
  readonly words: string;
  readonly task: keyof typeof verbTasks;
  /** One line of help; the first page of help has room for 52 characters. */
  readonly does: string;
  /** More for the reference, in sentences of Markdown. */
  readonly details?: string;
  readonly effect: Effect;
  /** Of a verb that changes a cluster: the forms of it that the failover audit tests, each as it is typed. */
  readonly changes?: readonly string[];
  /** Pairs of options of which only one may be given. */
  readonly conflicts?: readonly (readonly [string, string])[];
  /** Exit statuses besides those that its effect implies; an empty text means what the table of exit statuses says. */
  readonly exits?: Readonly<Partial<Record<ExitName, string>>>;
  /** Statuses of its own, which take the place of those of the table. */
  readonly ownExits?: Readonly<Record<number, string>>;
  /** Command behind `csync`, and what it is good for. */
  readonly examples: readonly (readonly [string, string])[];
}

interface Row<P extends OptionTable, O extends OptionTable> extends VerbFacts {
  /** Names behind the verb, in their order. */
  readonly positionals?: P;
  readonly options?: O;
  /** `rest`: what stands behind `--`. `all`: the rows of all verbs. */
  readonly run: (
    args: ArgumentsCamelCase<InferredOptionTypes<P & O>>,
    rest: readonly string[],
    all: readonly Verb[],
  ) => Promise<number>;
}

/** Schemas of what it prints with --json where it succeeds. Where it fails it prints its problems. */
type Documents = () => Promise<readonly Document[]>;

export interface Verb extends VerbFacts {
  readonly positionals: OptionTable;
  readonly options: OptionTable;
  readonly json?: Documents;
  readonly run: (args: never, rest: readonly string[], all: readonly Verb[]) => Promise<number>;
}

/** A verb, with the types of its arguments inferred from its options. One that has --json names the documents that it prints. */
export function verb<const P extends OptionTable = Record<never, never>, const O extends OptionTable = Record<never, never>>(
  row: Row<P, O> & (O extends { readonly json: unknown } ? { readonly json: Documents } : { readonly json?: never }),
): Verb {
  return { positionals: {}, options: {}, ...row };
}

/** Statuses that every verb can end with. */
export const alwaysPossible = ['ok', 'usage', 'internal', 'interrupted'] as const satisfies readonly ExitName[];

/** Statuses that every verb with this effect can end with, too. */
export const possibleBy = (effect: Effect): ExitName[] =>
  Object.entries<ExitRow>(exitTable).flatMap(([name, { of = [] }]) => (of.includes(effect) ? [name as ExitName] : []));

/** Words of a verb that has parts, such as `member` in `member add`. */
export interface VerbGroup {
  readonly does: string;
  /** Options that may stand before the second word, too. */
  readonly options?: OptionTable;
}
