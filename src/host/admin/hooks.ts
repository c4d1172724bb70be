/**
 * Runs the administrator's programs, which may hang, fork, fill their output or fail. Each has a process group, a time limit, and a mark in
 * its environment that finds the processes it leaves.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';
import { strangersTo } from '../ownership.ts';
import { endWithin, runProcess, startProcess } from '../processes.ts';

export interface Hook {
  readonly name: string;
  /** SHA-256; null: unreadable. */
  readonly digest: string | null;
  /** Why it is skipped; null: it runs. */
  readonly refused: string | null;
}

export interface HookDirectory {
  readonly hooks: readonly Hook[];
  /** Copies of editors and package managers. */
  readonly ignored: readonly string[];
  /** Why no hook runs; null: they run. */
  readonly problem: string | null;
}

/** As Debian's run-parts(8). */
const hookName = /^[A-Za-z0-9_-]+$/;
const mostHooks = 16;
const mostBytes = 1 << 24;

/** The hooks, sorted by name. */
export function hooksIn(directory: string): HookDirectory {
  const none = (problem: string): HookDirectory => ({ hooks: [], ignored: [], problem });
  const names = attempt(() => readdirSync(directory).sort(), null);
  if (names === null) return none(`${directory} is missing, or no directory`);
  const strangers = strangersTo(directory);
  if (strangers.length > 0) return none(strangers.join('; '));
  const named = names.filter((name) => hookName.test(name));
  return {
    hooks: named.slice(0, mostHooks).map((name) => hookAt(directory, name)),
    ignored: [...names.filter((name) => !hookName.test(name)), ...named.slice(mostHooks)],
    problem: null,
  };
}

function hookAt(directory: string, name: string): Hook {
  const path = `${directory}/${name}`;
  const stat = attempt(() => statSync(path), null);
  const refused =
    stat === null
      ? 'it cannot be read'
      : !stat.isFile()
        ? 'it is no regular file'
        : (stat.mode & 0o111) === 0
          ? 'it is not executable'
          : strangersTo(path).join('; ') || null;
  const isRead = stat?.isFile() === true && stat.size <= mostBytes;
  const digest = isRead ? attempt(() => createHash('sha256').update(readFileSync(path)).digest('hex'), null) : null;
  return { name, digest, refused };
}

export interface HookRun {
  readonly ok: boolean;
  readonly result: string;
}

const outputLimitBytes = 1 << 20;
const mark = 'CSYNC_ALERT_RUN';

/** Runs a hook with lower priority than a failover. Never throws. */
export async function runHook(
  path: string,
  { env, input, limitMs }: { env: Readonly<Record<string, string>>; input: string; limitMs: number },
): Promise<HookRun> {
  const token = randomBytes(8).toString('hex');
  const ended = await runProcess(['nice', '-n', '10', path], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...env, [mark]: token },
    input,
    timeoutMs: limitMs,
    outputLimitBytes,
  });
  killMarked(token);
  if (ended.exitCode === 0) return { ok: true, result: 'succeeded' };
  const said = `${ended.stdout}${ended.stderr}`.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  const how = ended.timedOut
    ? `killed after ${limitMs / 1000} s`
    : ended.exitCode === null
      ? `ended by ${ended.signal ?? ended.errorCode ?? 'an unknown cause'}`
      : `exit status ${ended.exitCode}`;
  return { ok: false, result: said === '' ? how : `${how}: ${said}` };
}

/** A process that forks needs several passes. */
const looks = 3;

function killMarked(token: string): void {
  const isMarked = (pid: string): boolean =>
    attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${mark}=${token}\0`), false);
  for (let look = 0; look < looks; look += 1) {
    const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isMarked(name));
    if (left.length === 0) return;
    for (const pid of left) attempt(() => process.kill(Number(pid), 'SIGKILL'));
  }
}

/** Runs `work` while it holds the lock, which ends with this process. null: another process held it for `waitSeconds`. */
export async function holding<T>(file: string, waitSeconds: number, work: () => Promise<T>): Promise<T | null> {
  let stands: (is: boolean) => void = () => {};
  const standing = new Promise<boolean>((resolve) => {
    stands = resolve;
  });
  const holder = startProcess(['flock', '-w', `${waitSeconds}`, file, 'sh', '-c', 'echo held; exec cat'], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdin: 'pipe',
    onLine: () => stands(true),
  });
  holder.child.stdin?.on('error', () => {});
  void holder.ended.then(() => stands(false));
  if (!(await standing)) return null;
  try {
    return await work();
  } finally {
    holder.child.stdin?.end();
    await endWithin(holder, 1000);
  }
}
