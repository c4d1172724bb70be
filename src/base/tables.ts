/** Tables for a terminal and for a page. Pure. */
import stringWidth from 'string-width';

interface Look {
  readonly right?: readonly number[];
  readonly indent?: number;
}

/** Columns as wide as their widest cell, two blanks apart; wide characters count as two. `right`: columns aligned to the right. */
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

/** `align` as in Markdown, such as `---:`. */
export function pageTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  align: readonly string[] = head.map(() => '---'),
): string {
  return [head, align, ...rows]
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
