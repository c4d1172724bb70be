/** Lines of at most `width` columns, if words allow; all but the first indented. Keeps a command in backticks on one line, to be copied. */
export function folded(text: string, width: number, indent = 0): string {
  const lines = [''];
  for (const word of text.trimEnd().match(/^\s+|(?:`[^`]*`|\S)+\s*/g) ?? []) {
    const last = lines.at(-1) ?? '';
    if (last.trim() === '' || `${last}${word}`.trimEnd().length <= width) lines[lines.length - 1] = `${last}${word}`;
    else lines.push(`${' '.repeat(indent)}${word}`);
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}
