/** A row of the lab's fidelity: a behaviour, how the lab has it, its source, and the test that proves it. */

export type Fidelity =
  /** As a page describes it. */
  | 'imitated'
  /** No page says it; this is our choice, kept in one place. */
  | 'ours'
  /** Refused with a sentence, or left out. */
  | 'not imitated';

export interface FidelityRow {
  readonly chapter: string;
  readonly behaviour: string;
  readonly status: Fidelity;
  /** The page, or why there is none. */
  readonly source: string;
  /** Title of the test that proves it; null only for what is not imitated and has nothing to prove. */
  readonly provedBy: string | null;
}

type Entry = readonly [behaviour: string, status: Fidelity, source: string, provedBy: string | null];

export function chapter(name: string, entries: readonly Entry[]): FidelityRow[] {
  return entries.map(([behaviour, status, source, provedBy]) => ({ chapter: name, behaviour, status, source, provedBy }));
}
