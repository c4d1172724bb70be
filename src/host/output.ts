/**
 * The only way to standard output and standard error. It does two things:
 *
 * - Text of other hosts (errors, names, policy, logs) must not control root's terminal: control characters are printed as \uXXXX.
 * - A reader that exits (`csync check | head`) ends the output, never the work: a verb that changes the cluster continues. Code that only
 *   prints, and would print for ever, can register a listener.
 */

import { styleText } from 'node:util';

/** Characters that a terminal acts on or that reorder text: C0 except line feed and tab, DEL, C1, direction marks, line separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant.
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text that a terminal only displays. Valid JSON stays the same JSON: in its strings \uXXXX is the character. */
export function harmless(text: string): string {
  return text.replaceAll(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The reader of a pipe, or the terminal itself. */
const readerErrors: readonly (string | undefined)[] = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

let readerGone = false;
let unwritten: string | null = null;
const listeners = new Set<() => void>();
const guarded = new Set<NodeJS.WriteStream>();

/** A stream that survives the exit of its reader. */
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

/** Calls once when the reader of standard output exits, at once if it already has; returns a function that removes the listener. */
export function onReaderGone(listener: () => void): () => void {
  listeners.add(listener);
  if (readerGone) listener();
  return () => void listeners.delete(listener);
}

/** Why a part of the output is missing although the reader runs (a full disk); null: complete. */
export function outputFault(): string | null {
  return unwritten;
}

type Style = 'bold' | 'red' | 'yellow' | 'green';

/** No colour off a terminal, on a dumb one, or where NO_COLOR is set: styleText asks the stream. */
function styled(stream: NodeJS.WriteStream, style: Style, text: string): string {
  return styleText(style, harmless(text), { stream });
}

/** To standard output; `style` on a terminal that has colours. */
export function out(text: string, style?: Style): void {
  if (readerGone) return;
  guardedStream(process.stdout).write(style === undefined ? harmless(text) : styled(process.stdout, style, text));
}

export function err(text: string, style?: Style): void {
  guardedStream(process.stderr).write(style === undefined ? harmless(text) : styled(process.stderr, style, text));
}

/** Replaces the last line of the terminal on standard error. */
export function redraw(text: string): void {
  guardedStream(process.stderr).write(`\r${harmless(text)}\u001b[K`);
}

let quiet = false;

/** From now on without progress (--quiet). */
export function quieten(): void {
  quiet = true;
}

/** To standard error, unless --quiet. */
export function aside(text: string, style?: Style): void {
  if (!quiet) err(text, style);
}

/** The result of a change, on standard output; nothing with --quiet. */
export function summarize(text: string): void {
  if (!quiet) out(text);
}

/** A progress line to standard error, unless --quiet. */
export function progress(line: string): void {
  aside(`${line}\n`);
}

/** Columns that a line of help may have: those of the terminal, 80 off one. */
export function outputWidth(): number {
  return Math.min(100, Math.max(40, process.stdout.columns || 80));
}
