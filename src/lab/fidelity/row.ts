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
  /** Folders of src that imitate it. */
  readonly parts: readonly string[];
  /** The test that proves it; null only for what is not imitated and has nothing to prove. */
  readonly provedBy: { readonly file: string; readonly title: string } | null;
}

/** `provedBy`: the title of a test in the chapter's own file, or behind `file > ` in another one. */
type Entry = readonly [behaviour: string, status: Fidelity, source: string, provedBy: string | null];

/** `tests`: a file below test/, without its ending. */
interface Chapter {
  readonly parts: readonly string[];
  readonly tests: string;
}

export function chapter(name: string, { parts, tests }: Chapter, entries: readonly Entry[]): FidelityRow[] {
  return entries.map(([behaviour, status, source, test]) => {
    const [, file = tests, title = ''] = /^(?:(\S+) > )?(.*)$/.exec(test ?? '') ?? [];
    const provedBy = test === null ? null : { file: `test/${file}.test.ts`, title };
    return { chapter: name, behaviour, status, source, parts, provedBy };
  });
}
