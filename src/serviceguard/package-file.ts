/**
 * The ASCII package file of a modular package: lines of `keyword value`, `#` comments, values with blanks in double
 * quotes, keywords in either case [serviceguard.md 2.3]. No continuation lines (gap 14). Pure.
 */
export interface PackageLine {
  /** As typed, lower-cased (modular style); pev_ names keep what follows the prefix as typed. */
  readonly keyword: string;
  /** Without the quotes. */
  readonly value: string;
  /** 1-based line in the file it came from. */
  readonly line: number;
}

export interface PackageFile {
  readonly name: string;
  readonly lines: readonly PackageLine[];
}
