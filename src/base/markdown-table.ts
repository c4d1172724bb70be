/** Tables in the Markdown of generated pages. */

/** Text of a cell: a bar would end it. */
export const cell = (text: string): string => text.replaceAll('|', '\\|');

/** A table as Markdown: the names of its columns, and its rows. */
export function inRows(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
