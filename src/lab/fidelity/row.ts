/** A row: a behaviour, how the lab imitates it, its source, and the test that proves it. */

export type Fidelity =
  | 'imitated'
  /** No page documents it: our choice. */
  | 'ours'
  /** Refused with a sentence, or missing. */
  | 'not imitated';

export interface FidelityRow {
  readonly chapter: string;
  readonly behaviour: string;
  readonly status: Fidelity;
  /** The page, or why there is none. */
  readonly source: string;
  /** Folders of src that imitate it. */
  readonly parts: readonly string[];
  /** The test that proves it; null only if it is not imitated and needs no proof. */
  readonly provedBy: { readonly file: string; readonly title: string } | null;
}

/** `provedBy`: the title of a test in the chapter's own file, or after `file > ` in another one. */
type Entry = readonly [behaviour: string, status: Fidelity, source: string, provedBy: string | null];

/** `tests`: a file below test/, without its extension. */
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
