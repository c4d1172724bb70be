/** A behaviour, how the lab imitates it, its source and its test. */

export type Fidelity =
  | 'imitated'
  /** Our choice: no page documents it. */
  | 'ours'
  /** Refused with a sentence, or missing. */
  | 'not imitated';

export interface FidelityRow {
  readonly chapter: string;
  readonly behaviour: string;
  readonly status: Fidelity;
  readonly source: string;
  /** Folders of src. */
  readonly parts: readonly string[];
  /** null: not imitated. */
  readonly provedBy: { readonly file: string; readonly title: string } | null;
}

/** `provedBy`: a title in the chapter's own file, or `file > title`. */
type Entry = readonly [behaviour: string, status: Fidelity, source: string, provedBy: string | null];

/** `tests`: below test/, without extension. */
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
