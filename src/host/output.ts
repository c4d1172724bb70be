/**
 * The only way to standard output and error.
 * - Text of other hosts must not control root's terminal: control characters are printed as \\uXXXX.
 * - A reader that exits (`csync check | head`) ends the output, not the work. Code that only prints can register a listener.
 */

import { styleText } from 'node:util';

/** C0 except line feed and tab, DEL, C1, direction marks, line separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant.
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Valid JSON keeps its meaning. */
export function harmless(text: string): string {
  return text.replaceAll(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A pipe's reader exited, or the terminal. */
const readerErrors: readonly (string | undefined)[] = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

let readerGone = false;
let unwritten: string | null = null;
const listeners = new Set<() => void>();
const guarded = new Set<NodeJS.WriteStream>();

/** Survives the exit of its reader. */
export function guardedStream(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (guarded.has(stream)) return stream;
  guarded.add(stream);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!readerErrors.includes(error.code)) unwritten ??= error.message;
    else if (stream === process.stdout && !readerGone) {
      readerGone = true;
      for (const listener of listeners) listener();
    }
  });
  return stream;
}

/** Called once, now if the reader already exited. Returns a function that removes it. */
export function onReaderGone(listener: () => void): () => void {
  listeners.add(listener);
  if (readerGone) listener();
  return () => void listeners.delete(listener);
}

/** Why output is incomplete, such as a full disk; not an exited reader. */
export function outputFault(): string | null {
  return unwritten;
}

type Style = 'bold' | 'red' | 'yellow' | 'green';

export function out(text: string): void {
  if (readerGone) return;
  guardedStream(process.stdout).write(harmless(text));
}

/** styleText respects NO_COLOR. */
export function err(text: string, style?: Style): void {
  const plain = harmless(text);
  guardedStream(process.stderr).write(style === undefined ? plain : styleText(style, plain, { stream: process.stderr }));
}

export function redraw(text: string): void {
  guardedStream(process.stderr).write(`\r${harmless(text)}\u001b[K`);
}

let quiet = false;

export function quieten(): void {
  quiet = true;
}

export function aside(text: string, style?: Style): void {
  if (!quiet) err(text, style);
}

/** Prints unless --quiet. */
export function summarize(text: string): void {
  if (!quiet) out(text);
}

export function progress(line: string): void {
  aside(`${line}\n`);
}

/** Columns, 40 to 100; 80 without a terminal. */
export function outputWidth(): number {
  return Math.min(100, Math.max(40, process.stdout.columns || 80));
}
