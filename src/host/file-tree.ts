/** A directory tree of plain files as a whole: what an administrator edits and hands in, and gets. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

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

/** Makes a directory with these files in it; it must not be there, or be empty. Throws the errno error; nothing is left then. */
export function writeTree(directory: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (readdirSync(directory).length > 0) throw Object.assign(new Error(`${directory} is not empty`), { code: 'ENOTEMPTY' });
  try {
    for (const [name, content] of files) {
      mkdirSync(join(directory, dirname(name)), { recursive: true, mode: 0o700 });
      writeFileSync(join(directory, name), content, { mode: 0o600 });
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}
