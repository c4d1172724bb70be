/** Many files in one answer, with a few processes for all of them: starting one for each file would take seconds for a large policy. Pure. */

export interface PrintedFile {
  /** As `names` printed it. */
  readonly entry: string;
  readonly content: Buffer;
}

/** Of a file; enough for the toolkit's mark. */
const headBytes = 300;

/**
 * For the end of a find: prints what printedFiles reads, of as many files as a command takes. `names` prints an entry for each of "$@", each
 * with a NUL at its end. `contents`: all bytes, not only the first ones.
 */
export function printFiles(names: string, contents: boolean): string {
  // In a pipe, since a shell would keep the whole policy in memory.
  const encoded = (word: string, program: string): string => `printf "${word} "; ${program} | base64 -w 0; echo`;
  const read = contents ? encoded('contents', 'cat -- "$@"') : encoded('heads', `head -q -c ${headBytes} -- "$@"`);
  return `-exec sh -c '${encoded('names', names)}; echo sizes $(stat -c %s -- "$@"); ${read}' sh {} +`;
}

/** `lines`: words of each line. null: some are missing, or changed meanwhile. */
export function printedFiles(lines: readonly (readonly string[])[]): PrintedFile[] | null {
  const found: PrintedFile[] = [];
  let [entries, sizes]: [string[], number[]] = [[], []];
  for (const [word, text = '', ...more] of lines) {
    if (word === 'names')
      entries = Buffer.from(text, 'base64')
        .toString('utf8')
        .split('\0')
        .filter((entry) => entry !== '');
    if (word === 'sizes') sizes = [text, ...more].map(Number);
    if (word !== 'contents' && word !== 'heads') continue;
    const bytes = Buffer.from(text, 'base64');
    const lengths = word === 'heads' ? sizes.map((size) => Math.min(size, headBytes)) : sizes;
    if (entries.length !== lengths.length || bytes.length !== lengths.reduce((sum, length) => sum + length, 0)) return null;
    let at = 0;
    for (const [index, entry] of entries.entries()) {
      const end = at + (lengths[index] ?? 0);
      found.push({ entry, content: bytes.subarray(at, end) });
      at = end;
    }
    [entries, sizes] = [[], []];
  }
  return entries.length === 0 ? found : null;
}
