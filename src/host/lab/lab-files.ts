/** File operations of the lab. A missing file is null, never an exception. */

import {
  close as closeDescriptor,
  closeSync,
  cpSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { attempt } from '../../base/attempt.ts';

// Does not wait for the writer of a member's FIFO.
export { regularText as readText } from '../safe-file.ts';

/** As writeText, for a file system that may hang. False: failed, or exceeded the limit. */
export async function writeTextWithin(limitMs: number, path: string, text: string, mode = 0o644): Promise<boolean> {
  const partial = `${path}.partial`;
  const written = writeFile(partial, text, { mode })
    .then(() => rename(partial, path))
    .then(
      () => true,
      () => false,
    );
  return within(limitMs, written, false);
}

async function within<T>(limitMs: number, work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), limitMs);
  });
  const first = await Promise.race([work, late]);
  clearTimeout(timer);
  return first;
}

/** Appends in order. Nothing waits longer than the limit for a file system that hangs. */
export class PatientLog {
  readonly #path: string;
  readonly #limitMs: number;
  #written: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #hangs = false;

  constructor(path: string, limitMs: number) {
    this.#path = path;
    this.#limitMs = limitMs;
  }

  append(text: string): void {
    void this.#behind(() => appendFile(this.#path, text));
  }

  async flushed(): Promise<void> {
    if (this.#waiting > 0 && !this.#hangs) await within(this.#limitMs, this.#written, undefined);
    this.#hangs = this.#waiting > 0;
  }

  /** For the writer of the next lines; the caller closes it. null: it cannot be opened now. */
  async open(): Promise<number | null> {
    await this.flushed();
    if (this.#hangs) return null;
    let late = false;
    const opening = this.#behind(
      () =>
        new Promise<number | null>((resolve) => {
          open(this.#path, 'a', (error, descriptor) => {
            if (error !== null) resolve(null);
            else if (late) closeDescriptor(descriptor, () => resolve(null));
            else resolve(descriptor);
          });
        }),
    );
    const descriptor = await within(this.#limitMs, opening, null);
    late = true;
    return descriptor;
  }

  #behind<T>(work: () => Promise<T>): Promise<T | null> {
    this.#waiting += 1;
    const done = this.#written.then(work).catch(() => null);
    this.#written = done.finally(() => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#hangs = false;
    });
    return done;
  }
}

/**
 * Creates parent directories; mode applies to a new file. Not below /proc, where Node.js's recursive mkdir loops for ever once the process
 * exited: a missing directory is an error there.
 */
export function writeText(path: string, text: string | Uint8Array, mode = 0o644): void {
  if (!path.startsWith('/proc/')) mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  writeFileSync(partial, text, { mode });
  renameSync(partial, path);
}

export function makeDirectory(path: string, mode = 0o755): void {
  mkdirSync(path, { recursive: true, mode });
}

export function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
}

export function removeTree(path: string): void {
  // Two processes may remove the same leftovers at once.
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/** Keeps a directory that another process still uses. */
export function removeIfEmpty(path: string): void {
  attempt(() => rmdirSync(path));
}

export function listDirectory(path: string): string[] {
  return attempt(() => readdirSync(path), []);
}

/** Of that size. */
export function makeSparseFile(path: string, bytes: number): void {
  writeFileSync(path, '', { mode: 0o600 });
  truncateSync(path, bytes);
}

export function openForReading(path: string): number {
  return openSync(path, 'r');
}

export function openForAppending(path: string): number {
  return openSync(path, 'a');
}

export function close(descriptor: number): void {
  closeSync(descriptor);
}

/** Creates or replaces a symbolic link. */
export function makeLink(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}
