/** An administrator's copy for editing. A hidden file has the base, so that concurrent edits are detected. */
import { dirname, join, relative, resolve } from 'node:path';
import { failure } from '../../base/problem.ts';
import type { CommitPlan, LocalFile } from '../../cluster/policy/commit.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { kindOf, readBytes, readTree, whyNotPlain, writeTree } from '../../host/admin/file-tree.ts';
import { readTextFile, writeFilesAtomically } from '../../host/admin/own-files.ts';

const baseName = '.csync-base.json';

/** By name; several after a commit without an answer. null: no such file. */
type Base = ReadonlyMap<string, readonly (string | null)[]>;

export interface WorkingCopy {
  readonly files: readonly LocalFile[];
  /** Its result counts as a base, too. */
  willCommit(plan: CommitPlan): void;
  committed(plan: CommitPlan): void;
}

const refuse = (text: string, remedy: string): never => {
  throw failure('usage', text, remedy);
};

/** Throws a Failure if the directory cannot be used. */
export function makeWorkingCopy(directory: string, contents: ReadonlyMap<string, Buffer>): void {
  const visible = new Map([...contents].filter(([name]) => !name.split('/').some((part) => part.startsWith('.'))));
  const base: Base = new Map([...visible].map(([name, content]) => [name, [sha256(content)]]));
  try {
    writeTree(directory, new Map([...visible, [baseName, Buffer.from(baseText(base))]]));
  } catch (error) {
    refuse(`no working copy was made in ${directory}: ${(error as Error).message}`, 'name a directory that does not exist yet');
  }
}

/** Throws a Failure of usage for files that cannot be committed. */
export function readWorkingCopy(paths: readonly string[]): WorkingCopy {
  const found = paths.length === 0 ? ['.'] : paths;
  const roots = [...new Set(found.map((path) => rootOf(path)))];
  if (roots.length > 1) refuse(`${roots.join(' and ')} are different working copies`, 'commit them one by one');
  const root = roots[0] ?? null;
  const base = root === null ? null : readBase(root);
  const files = found.flatMap((path) => filesOf(path, root, base));
  const note = (change: (base: Map<string, readonly (string | null)[]>) => void): void => {
    if (root === null || base === null) return;
    const next = new Map(base);
    change(next);
    writeFilesAtomically([{ path: join(root, baseName), mode: 0o600, text: baseText(next) }]);
  };
  return {
    files,
    willCommit: (plan) =>
      note((next) => {
        for (const [name, digest] of outcome(plan)) next.set(name, [...new Set([...(next.get(name) ?? [null]), digest])]);
      }),
    committed: (plan) =>
      note((next) => {
        for (const [name, digest] of outcome(plan)) next.set(name, [digest]);
      }),
  };
}

const outcome = ({ write, remove }: CommitPlan): [string, string | null][] => [
  ...write.map(({ name, content }): [string, string] => [name, sha256(content)]),
  ...remove.map((name): [string, null] => [name, null]),
];

/** null: none. */
function rootOf(path: string): string | null {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (readTextFile(join(at, baseName)) !== null) return at;
    if (at === dirname(at)) return null;
  }
}

function readBase(root: string): Base {
  try {
    const read = JSON.parse(readTextFile(join(root, baseName)) ?? '') as Record<string, (string | null)[]>;
    return new Map(
      Object.entries(read).map(([name, digests]) => [name, digests.filter((one) => one === null || typeof one === 'string')]),
    );
  } catch {
    return refuse(`${join(root, baseName)} is damaged`, 'csync policy show --copy DIR   (makes another working copy)');
  }
}

function baseText(base: Base): string {
  return `${JSON.stringify(Object.fromEntries(base), null, 1)}\n`;
}

function filesOf(path: string, root: string | null, base: Base | null): LocalFile[] {
  const kind = kindOf(path);
  const at = root ?? (kind === 'directory' ? resolve(path) : process.cwd());
  const name = relative(at, resolve(path));
  if (name.startsWith('..'))
    return refuse(`${path} is not below ${at}, so its name in the policy is unknown`, 'cd to the top of its policy tree first');
  const local = (file: string, content: Buffer | null): LocalFile => ({
    name: file,
    content,
    ...(base === null ? {} : { base: base.get(file) ?? [null] }),
  });
  if (kind === 'directory') {
    const tree = readTree(path).map((file) => ({ ...file, name: join(name, file.name) }));
    const other = tree.find(({ content }) => content === null);
    if (other !== undefined)
      return refuse(
        `${other.name} ${whyNotPlain(other)}`,
        'rename or remove it; hosts get copies of regular files whose names are UTF-8',
      );
    const there = new Set(tree.map((file) => file.name));
    const below = name === '' ? '' : `${name}/`;
    // Only a working copy shows a removal.
    const removed = [...(base?.entries() ?? [])].filter(
      ([file, [first]]) => first !== null && file.startsWith(below) && !there.has(file),
    );
    return [...tree.map((file) => local(file.name, file.content)), ...removed.map(([file]) => local(file, null))];
  }
  if (kind === 'file') return [local(name, readBytes(path))];
  if (kind === null && (base?.get(name)?.[0] ?? null) !== null) return [local(name, null)];
  return refuse(`${path} ${kind === null ? 'is missing' : 'is not a regular file'}`, 'csync policy commit FILE... or DIR');
}
