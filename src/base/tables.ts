/** Tables for a terminal and for a page. Pure. */
import stringWidth from 'string-width';

interface Look {
  /** Columns whose cells stand at the right, by number. */
  readonly right?: readonly number[];
  /** Blanks before each line. */
  readonly indent?: number;
}

/** Rows as lines, in columns as wide as their widest cell, two blanks apart. Wide characters count as the two places they take. */
export function columns(rows: readonly (readonly (string | number)[])[], { right = [], indent = 0 }: Look = {}): string[] {
  const texts = rows.map((row) => row.map(String));
  const widths: number[] = [];
  for (const row of texts)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell));
  const padded = (cell: string, column: number): string => {
    const blanks = ' '.repeat((widths[column] ?? 0) - stringWidth(cell));
    return right.includes(column) ? blanks + cell : cell + blanks;
  };
  return texts.map((row) => `${' '.repeat(indent)}${row.map(padded).join('  ')}`.trimEnd());
}

/** A table of a Markdown page; `align` as Markdown writes it, such as `---:`. */
export function pageTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  align: readonly string[] = head.map(() => '---'),
): string {
  return [head, align, ...rows]
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
