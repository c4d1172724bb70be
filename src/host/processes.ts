/** Each process has its own group: a limit or halt reaches all children, also across pid namespaces (a group kill uses kernel ids). */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { attempt } from '../base/attempt.ts';
import type { CommandResult } from './host.ts';

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** errno name if it could not start. */
  readonly errorCode: string | null;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** 'pipe': open until the caller closes it. */
  readonly stdin?: 'ignore' | 'pipe';
  /** Each complete line of output. Without it output goes to `outputFd` or nowhere. */
  readonly onLine?: (line: string, stream: 'out' | 'err') => void;
  readonly outputFd?: number;
  /** With `onLine`: kills the group if it prints more, and reports that as a last error line. */
  readonly outputLimitBytes?: number;
}

export interface RunningProcess {
  readonly pid: number | undefined;
  readonly child: ChildProcess;
  readonly ended: Promise<ProcessEnd>;
  /** A missing group is no error. */
  kill(signal: NodeJS.Signals): void;
}

/** Never throws: a failed start shows in `ended`. */
export function startProcess(argv: readonly string[], options: StartOptions = {}): RunningProcess {
  const [file = '', ...rest] = argv;
  const output = options.onLine !== undefined ? 'pipe' : (options.outputFd ?? 'ignore');
  const child = spawn(file, rest, {
    cwd: options.cwd ?? '/',
    env: { ...options.env },
    detached: true,
    stdio: [options.stdin ?? 'ignore', output, output],
  });
  const { onLine } = options;
  if (onLine !== undefined) {
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => onLine(line, 'out'));
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => onLine(line, 'err'));
  }
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ exitCode: null, signal: null, errorCode: error.code ?? 'UNKNOWN' }),
    );
    // 'exit', not 'close': a daemon that inherited a pipe would delay 'close' for ever.
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal, errorCode: null }));
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // EPERM: sudo made it root's. It exits when its input closes, or stays, like a command on another host.
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  };
  limitOutput(child, options, kill);
  return { pid: child.pid, child, ended, kill };
}

function limitOutput(child: ChildProcess, { onLine, outputLimitBytes }: StartOptions, kill: RunningProcess['kill']): void {
  if (onLine === undefined || outputLimitBytes === undefined) return;
  let room = outputLimitBytes;
  const count = (chunk: Buffer): void => {
    room -= chunk.length;
    if (room >= 0) return;
    for (const stream of [child.stdout, child.stderr]) stream?.off('data', count).destroy();
    kill('SIGKILL');
    onLine(`killed: it printed more than ${outputLimitBytes / 1024 ** 2} MB`, 'err');
  };
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', count);
}

export interface RunOptions extends StartOptions {
  readonly timeoutMs: number;
  readonly input?: string | AsyncIterable<Buffer>;
  readonly stop?: AbortSignal;
}

const stopLimitMs = 1000;

/** Collects the output; the time limit kills the group. */
export async function runProcess(argv: readonly string[], options: RunOptions): Promise<CommandResult> {
  const out: string[] = [];
  const err: string[] = [];
  const running = startProcess(argv, {
    ...options,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    onLine: (line, stream) => {
      (stream === 'out' ? out : err).push(line);
      options.onLine?.(line, stream);
    },
  });
  // A program may exit without reading its input; its exit status suffices.
  running.child.stdin?.on('error', () => {});
  const { stdin } = running.child;
  if (typeof options.input === 'object' && stdin !== null) pipeline(options.input, stdin).catch(() => {});
  else stdin?.end(options.input);
  const end = await endWithin(running, options.timeoutMs, options.stop);
  await drained(running.child);
  const join = (lines: readonly string[]): string => (lines.length === 0 ? '' : `${lines.join('\n')}\n`);
  return { ...end, stdout: join(out), stderr: join(err) };
}

/** Unless it is stuck in the kernel. */
const killedLimitMs = 1000;

/**
 * Waits for the exit. The limit kills the group; `stop` does so after a SIGTERM. A process that is stuck in the kernel, or that sudo made
 * root's, counts as killed.
 */
export async function endWithin(
  running: RunningProcess,
  limitMs: number,
  stop?: AbortSignal,
): Promise<ProcessEnd & { readonly timedOut: boolean }> {
  let timedOut = false;
  let timer: NodeJS.Timeout | undefined;
  let stopNow = (): void => {};
  const hangs = new Promise<ProcessEnd>((resolve) => {
    const killAfter = (ms: number, isLate: boolean): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timedOut = isLate;
        running.kill('SIGKILL');
        timer = setTimeout(() => {
          running.child.unref();
          resolve({ exitCode: null, signal: 'SIGKILL', errorCode: null });
        }, killedLimitMs);
      }, ms);
    };
    // A script of ours then removes what it staged.
    stopNow = () => {
      running.kill('SIGTERM');
      killAfter(stopLimitMs, false);
    };
    killAfter(limitMs, true);
  });
  if (stop?.aborted) stopNow();
  stop?.addEventListener('abort', stopNow);
  const end = await Promise.race([running.ended, hangs]);
  clearTimeout(timer);
  stop?.removeEventListener('abort', stopNow);
  return { ...end, timedOut };
}

/** Between two of them everything that arrived is read. */
const quietLooks = 4;

/** Reads the rest of the output. Limited, because a daemon may keep the pipe open. */
export async function drained(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.readableEnded);
  if (streams.length === 0 || child.pid === undefined) return;
  const closed = Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream?.once('close', () => resolve()))));
  let isMoving = false;
  for (const stream of streams)
    stream?.on('data', () => {
      isMoving = true;
    });
  let timer: NodeJS.Timeout | undefined;
  // After a pause of this process, one long timer would fire before the output is read.
  const quiet = new Promise<void>((resolve) => {
    const look = (looks: number): void => {
      timer = setTimeout(() => {
        if (!isMoving && looks === quietLooks) return resolve();
        const next = isMoving ? 1 : looks + 1;
        isMoving = false;
        look(next);
      }, 50);
    };
    look(1);
  });
  await Promise.race([closed, quiet]);
  clearTimeout(timer);
  for (const stream of streams) stream?.destroy();
}

/** Direct children, by pid in this namespace; none if it exited. */
export function childrenOf(pid: number): number[] {
  return attempt(() => {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '')
      .map(Number);
  }, []);
}
