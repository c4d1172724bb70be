/** A tree of plain files that an administrator edits and commits. */

import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { attempt } from '../../base/attempt.ts';

export interface TreeFile {
  readonly name: string;
  /** null: no regular file, or its name is not UTF-8. */
  readonly content: Buffer | null;
}

/** Stands for bytes that are not UTF-8; the file cannot be opened under that name. */
const lostByte = '\uFFFD';

/** Why the file has no content. */
export function whyNotPlain({ name }: TreeFile): string {
  return name.includes(lostByte) ? 'has a name that is not UTF-8' : 'is not a regular file';
}

/** All files below, sorted, without hidden ones. Throws the errno error. */
export function readTree(directory: string): TreeFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(directory, path) }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.')))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ path, name }) => ({
      name,
      content: !name.includes(lostByte) && lstatSync(path).isFile() ? readFileSync(path) : null,
    }));
}

/** null: missing. */
export function kindOf(path: string): 'file' | 'directory' | 'other' | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  return found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other';
}

/** null: missing, unreadable, or no file. */
export function readBytes(path: string): Buffer | null {
  return attempt(() => readFileSync(path), null);
}

/**
 * Writes all files or none: beside the target, which must be missing or empty, then renames. Throws the errno error; then the target is
 * unchanged, and the next attempt removes leftovers.
 */
export function writeTree(directory: string, files: ReadonlyMap<string, Buffer>): void {
  if (kindOf(directory) !== null && readdirSync(directory).length > 0)
    throw Object.assign(new Error(`${directory} is not empty`), { code: 'ENOTEMPTY' });
  const place = resolve(directory);
  const unfinished = join(dirname(place), `.${basename(place)}.csync-new`);
  rmSync(unfinished, { recursive: true, force: true });
  try {
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    for (const [name, content] of files) {
      mkdirSync(join(unfinished, dirname(name)), { recursive: true, mode: 0o700 });
      writeFileSync(join(unfinished, name), content, { mode: 0o600 });
    }
    renameSync(unfinished, place);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}
