/** The few file operations the lab needs; absent things come back as null, never as an exception. */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Makes parent directories; mode applies to a new file. Not below /proc: there Node's recursive mkdir turns for ever when
 * the process has just gone, so a missing directory on a lab host is an error.
 */
export function writeText(path: string, text: string | Uint8Array, mode = 0o644): void {
  if (!path.startsWith('/proc/')) mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  writeFileSync(partial, text, { mode });
  renameSync(partial, path);
}

export function appendText(path: string, text: string): void {
  appendFileSync(path, text);
}

export function makeDirectory(path: string, mode = 0o755): void {
  mkdirSync(path, { recursive: true, mode });
}

export function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
}

export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** A directory somebody else still uses stays. */
export function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not empty, or not there.
  }
}

export function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** A file of that size without allocated blocks. */
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

/** A symbolic link; one that is there already is replaced. */
export function makeLink(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
