/** A directory tree of plain files as a whole: what an administrator edits and hands in, and gets. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

export interface TreeFile {
  /** Relative to the directory. */
  readonly name: string;
  /** null: something else than a plain file, such as a symbolic link. */
  readonly content: Buffer | null;
}

/** Everything below a directory but what is hidden, sorted by name. Throws the errno error. */
export function readTree(directory: string): TreeFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(directory, path) }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.')))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ path, name }) => ({ name, content: lstatSync(path).isFile() ? readFileSync(path) : null }));
}

/** What is at a path; null: nothing. */
export function kindOf(path: string): 'file' | 'directory' | 'other' | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  return found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other';
}

/** Content of a plain file; null where there is none that can be read. */
export function readBytes(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/**
 * Makes a directory with these files in it, all at once: it is made beside its place and renamed. It must not be there, or be
 * empty. Throws the errno error, and what is at the place is as before; what a kill left beside it goes with the next try.
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
