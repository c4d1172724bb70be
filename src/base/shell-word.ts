/** Taken literally by a POSIX shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Between blanks and line ends. */
export function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
