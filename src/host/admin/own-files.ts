/** Files that are never half written, short commands, temporary directories. */

import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import { execa } from 'execa';
import psList from 'ps-list';
import tmp from 'tmp';
import { attempt } from '../../base/attempt.ts';
import type { CommandResult } from '../host.ts';

export interface FileToWrite {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

const stagingPrefix = '.csync-staging';

export function readTextFile(path: string): string | null {
  return attempt(() => readFileSync(path, 'utf8'), null);
}

/** The path without links; unchanged if missing. */
export function realPath(path: string): string {
  return attempt(() => realpathSync(path), path);
}

/** Its files, with permission bits; none if missing. */
export function readDirectory(directory: string): { readonly name: string; readonly mode: number; readonly text: string }[] {
  const names = filesBelow(directory).filter((path) => dirname(path) === normalize(directory));
  return names.map((path) => ({ name: basename(path), mode: statSync(path).mode & 0o7777, text: readFileSync(path, 'utf8') }));
}

/** Its directories, sorted; none if missing. */
export function directoriesBelow(directory: string): string[] {
  return attempt(
    () =>
      readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(directory, entry.name))
        .sort(),
    [],
  );
}

/** Its files, sorted; none if missing. */
export function filesBelow(directory: string): string[] {
  return attempt(
    () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort(),
    [],
  );
}

/**
 * Writes all files or none: stages and syncs them beside the targets, then renames in order. A full disk fails before any change; a later
 * failure is undone. A kill between two renames leaves whole files, the first ones new. Throws the errno error.
 */
export function writeFilesAtomically(files: readonly FileToWrite[]): void {
  const directories = [...new Set(files.map((file) => dirname(file.path)))];
  for (const directory of directories) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    sweepLeftOver(directory, stagingPrefix);
  }
  const staging = directories.map((directory) => {
    const made = tmp.dirSync({ tmpdir: directory, prefix: stagingPrefix, unsafeCleanup: true, mode: 0o700 });
    return [directory, made] as const;
  });
  const stagedIn = new Map(staging.map(([directory, made]) => [directory, made.name]));
  const stagedPath = (file: FileToWrite): string => join(stagedIn.get(dirname(file.path)) ?? '', basename(file.path));
  const sweep = (): void => {
    for (const [, made] of staging) {
      attempt(() => rmSync(made.name, { recursive: true, force: true }));
    }
  };
  // tmp cleans up only at a normal exit.
  const onSignal = (signal: NodeJS.Signals): void => {
    sweep();
    process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    for (const file of files) {
      writeFileSync(stagedPath(file), file.text, { mode: file.mode, flush: true });
      chmodSync(stagedPath(file), file.mode);
    }
    settle(files, stagedPath, directories);
  } finally {
    sweep();
    for (const signal of signals) process.removeListener(signal, onSignal);
  }
}

function settle(files: readonly FileToWrite[], stagedPath: (file: FileToWrite) => string, directories: readonly string[]): void {
  const former = (file: FileToWrite): string => `${stagedPath(file)}.former`;
  for (const file of files) if (existsSync(file.path)) keep(file.path, former(file));
  const settled: FileToWrite[] = [];
  try {
    for (const file of files) {
      renameSync(stagedPath(file), file.path);
      settled.push(file);
    }
    for (const directory of directories) syncDirectory(directory);
  } catch (error) {
    for (const file of settled.reverse()) {
      if (existsSync(former(file))) renameSync(former(file), file.path);
      else rmSync(file.path, { force: true });
    }
    throw error;
  }
}

/** A hard link, or a copy (VFAT, another user's file). */
function keep(path: string, as: string): void {
  try {
    linkSync(path, as);
  } catch {
    copyFileSync(path, as);
  }
}

/** A directory for this user only; null: cannot be made. */
export function privateDirectory(prefix: string): { readonly path: string; remove(): void } | null {
  return attempt(() => {
    sweepLeftOver(tmpdir(), prefix);
    const made = tmp.dirSync({ tmpdir: tmpdir(), prefix, unsafeCleanup: true, mode: 0o700 });
    return { path: made.name, remove: () => rmSync(made.name, { recursive: true, force: true }) };
  }, null);
}

/** tmp puts the process id after the prefix. */
function sweepLeftOver(directory: string, prefix: string): void {
  for (const name of readdirSync(directory)) {
    const pid = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || readTextFile(`/proc/${pid}/stat`) !== null) continue;
    const path = join(directory, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    // Another owner could put a link in root's path.
    if (found?.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

export function hasProgram(name: string): boolean {
  return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((directory) => {
    return attempt(() => {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    }, false);
  });
}

/** Runs with a fixed environment. Never throws. */
export async function runCommand(argv: readonly string[], timeoutMs: number): Promise<CommandResult> {
  const [file = '', ...rest] = argv;
  const result = await execa(file, rest, {
    reject: false,
    timeout: timeoutMs,
    stdin: 'ignore',
    extendEnv: false,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    cwd: '/',
  });
  return {
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    timedOut: result.timedOut,
    errorCode: 'code' in result && typeof result.code === 'string' ? result.code : null,
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

/** Runs /bin/sh with a fixed environment. Never throws. */
export function runShell(script: string, words: readonly string[]): Pick<CommandResult, 'exitCode' | 'stdout' | 'stderr'> {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script, 'sh', ...words], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    cwd: '/',
    timeout: shellLimitMs,
    encoding: 'utf8',
  });
  return { exitCode: status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

const shellLimitMs = 5000;

/** Processes whose command line contains `text`. Runs ps, so only for rare checks. */
export async function processesNaming(text: string): Promise<{ pid: number; command: string }[]> {
  const all = await psList();
  return all.filter((one) => one.cmd?.includes(text) ?? false).map((one) => ({ pid: one.pid, command: one.cmd ?? one.name }));
}
