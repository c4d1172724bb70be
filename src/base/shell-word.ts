/** A word that a POSIX shell takes literally. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The words of a text: what stands between blanks and line ends. */
export function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
