/** Files of root among other users and hanging disks. Refuses FIFOs and devices, follows no link in writing, uses unguessable names. */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { strangersToWriting } from './ownership.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

function refused(path: string, why: string): Error {
  return Object.assign(new Error(`${path} ${why}`), { code: why });
}

/** Never waits for a FIFO or terminal line. Throws the errno error. */
function openRegular(path: string, flags: number, mode?: number): number {
  const descriptor = openSync(path, flags | O_NONBLOCK | O_NOCTTY, mode);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw refused(path, 'is not a regular file');
}

export function openToRead(path: string): number {
  return openRegular(path, O_RDONLY);
}

/** null: unreadable. */
export function regularText(path: string): string | null {
  // Cheaper than an exception: the monitor's files usually do not exist.
  if (!existsSync(path)) return null;
  try {
    const descriptor = openToRead(path);
    try {
      return readFileSync(descriptor, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

/** Creates it if missing. Refuses paths that other users could redirect. Throws the errno error. */
function openToAppend(path: string): number {
  refuseStrangers(path);
  return openRegular(path, O_WRONLY | O_APPEND | O_CREAT, 0o644);
}

export function appendText(path: string, text: string): void {
  const descriptor = openToAppend(path);
  try {
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

/** Throws if a user other than root or this one could put a link in the path. */
export function refuseStrangers(path: string): void {
  const [stranger] = strangersToWriting(path);
  if (stranger !== undefined) throw refused(path, `is not written as root: ${stranger}`);
}

const partialName = /^\..+\.csync-[0-9a-f]{16}$/;
/** No running process has an older one. */
const leftOverMs = 60_000;

/** Not `node:crypto`, which takes 4 ms to load. */
function randomName(): string {
  const bytes = Buffer.alloc(8);
  const descriptor = openSync('/dev/urandom', O_RDONLY);
  try {
    readSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
  return bytes.toString('hex');
}

/**
 * Writes beside the target, then renames; concurrent writers are safe. `flush` waits for the disk. Throws the errno error and leaves
 * nothing.
 */
export function replaceFile(path: string, text: string, mode: number, flush: boolean): void {
  const partial = `${dirname(path)}/.${basename(path)}.csync-${randomName()}`;
  const descriptor = openSync(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      // The umask changes open's mode.
      fchmodSync(descriptor, mode);
      writeWhole(descriptor, text);
      if (flush) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Syncs, and creates directories. Throws the errno error. */
export function writeDurably(path: string, text: string, mode: number): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  sweep(directory);
  replaceFile(path, text, mode, true);
  const descriptor = openSync(directory, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function sweep(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!partialName.test(name)) continue;
    const path = `${directory}/${name}`;
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY);
    if (age > leftOverMs) rmSync(path, { force: true });
  }
}

/** A disk writes a sector completely or not at all. */
const sectorBytes = 512;

/**
 * For a full file system: writes into the file's blocks, with sync. Pads with blanks to the old size: one write replaces everything. Throws
 * the errno error; RangeError beyond one sector.
 */
export function overwriteLine(path: string, line: string): void {
  const descriptor = openRegular(path, O_WRONLY | O_NOFOLLOW);
  try {
    const bytes = Buffer.from(`${line.trimEnd().padEnd(fstatSync(descriptor).size - 1)}\n`);
    if (bytes.length > sectorBytes) throw new RangeError(`${path} would exceed one sector`);
    writeSync(descriptor, bytes, 0, bytes.length, 0);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
