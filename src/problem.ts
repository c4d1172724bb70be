/**
 * Every problem the toolkit can report on the administrator's side. One row a code: the text, the remedy and the exit
 * status stand together, so that adding a problem touches one place. Problems of one stage are collected and reported
 * together; nothing is thrown at the first one.
 */
export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line?: number;
  readonly column?: number;
}

export interface Problem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** What happened and what it means, quoting what was typed. */
  readonly text: string;
  /** The command or edit that helps. */
  readonly remedy: string;
  readonly place?: Place;
  readonly member?: string;
}

/** Either the value or all problems of the stage. Warnings may accompany a value. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };
