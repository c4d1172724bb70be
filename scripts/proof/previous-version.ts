/** Version 0.1.0, from which sites upgrade: built from its commit, which test/fixtures/version-0.1.0/commit names. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

export const previousCommit = readFileSync(join(repository, 'test/fixtures/version-0.1.0/commit'), 'utf8').trim();

/** Why it cannot be built here, in words. null: it can. A shallow clone lacks the commit. */
export function whyNoPreviousVersion(): string | null {
  const git = (...words: readonly string[]) => spawnSync('git', words, { cwd: repository, encoding: 'utf8', maxBuffer: 1 << 26 });
  const found = git('show', `${previousCommit}:package-lock.json`);
  if (found.error !== undefined) return 'git is not installed';
  if (found.status !== 0)
    return `this clone lacks commit ${previousCommit.slice(0, 12)} of version 0.1.0 (git fetch --unshallow)`;
  const { packages } = JSON.parse(found.stdout) as LockFile;
  const present = (JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as LockFile).packages;
  const other = Object.keys(packages).find((name) => name !== '' && present[name]?.version !== packages[name]?.version);
  return other === undefined
    ? null
    : `version 0.1.0 needs ${other} ${packages[other]?.version}, which package-lock.json no longer has`;
}

/** Builds it below `directory`, with the packages of this repository; returns its dist/. */
export function buildPreviousVersion(directory: string): string {
  const source = join(directory, 'version-0.1.0');
  mkdirSync(source, { recursive: true });
  if (!existsSync(join(source, 'package.json'))) {
    const archive = execFileSync('git', ['archive', previousCommit], { cwd: repository, maxBuffer: 1 << 28 });
    execFileSync('tar', ['-x', '-C', source], { input: archive });
    symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  }
  execFileSync(join(repository, 'node_modules/.bin/tsx'), ['scripts/build.ts'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(source, 'dist');
}
