/**
 * Writes to files and a syslog that may hang through other processes, because a stuck thread keeps Node.js from exiting. Pending lines are
 * written when the disk accepts them, also after this exit. The launcher starts such a process for a supervised script.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, statfsSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { attempt } from '../../base/attempt.ts';
import { closeInherited } from '../inherited.ts';
import { appendText, refuseStrangers } from '../safe-file.ts';
import { supervisor } from './supervisor.ts';

/** Runs a shell script; `given`: `$0`, `$1`... Keeps no process running. null: no process, memory or descriptor left. */
function startHelper(script: string, given: readonly string[], more: readonly 'pipe'[] = []): ChildProcess | null {
  closeInherited();
  return attempt(() => {
    const child = spawn('/bin/sh', ['-c', script, ...given], {
      cwd: '/',
      // A kill of the script's group must not lose its last lines.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', ...more],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    child.on('error', () => {});
    for (const pipe of child.stdio) pipe?.on('error', () => {});
    child.unref();
    return child.pid === undefined ? null : child;
  }, null);
}

/** Writers of one file that hang, before lines are dropped. */
const hangingAtMost = 3;
const waitingBytes = 256 * 1024;
/** Before the next write to a full pipe. */
const fullPipeMs = 5;

export interface LogFaults {
  /** The file has not accepted all lines yet. */
  readonly late: string;
  readonly unwritten: string;
  /** Syslog has accepted no line. */
  readonly dumb: string;
}

export interface LogWriter {
  write(text: string): void;
  input(): { readonly output: Writable | number; given(): void } | null;
  /** Waits `limitMs` at most for the file; does not wait for syslog. */
  close(limitMs: number, tag: string, lines: readonly string[], faults: LogFaults): Promise<void>;
}

const missing = (lines: number): string =>
  lines === 0 ? '' : `(${lines} lines are missing here: this file did not accept them)\n`;

/** Descriptor 3: tag, note, lines for syslog. Standard input: the file. */
const writeScript = `umask 022
{ read -r tag && read -r note && { timeout 2 logger -t "$tag" -p daemon.notice || { [ -f "$0" ] && echo "$note" >> "$0"; }; }; } <&3 &
{ [ ! -e "$0" ] || [ -f "$0" ]; } && exec cat >> "$0" 3<&-`;

const writers = new Map<string, LogWriter>();

/** The file's only writer. `idleMs`: its process exits after so long without lines. */
export function logWriter(file: string, idleMs = Number.POSITIVE_INFINITY): LogWriter {
  const known = writers.get(file) ?? (writers.size === 0 ? launchersWriter(file) : null) ?? openLogWriter(file, idleMs);
  writers.set(file, known);
  return known;
}

function openLogWriter(file: string, idleMs: number): LogWriter {
  let child: ChildProcess | null = null;
  /** Its own socket: another process would delay a failover by some ms. */
  let syslog: Socket | null = null;
  let idle: NodeJS.Timeout | undefined;
  let running = 0;
  let lost = 0;
  let hasFailed = false;

  const start = (): ChildProcess | null => {
    if (running >= hangingAtMost) return null;
    hasFailed = isRefused(file);
    if (hasFailed) return null;
    const started = startHelper(writeScript, [file], ['pipe']);
    if (started === null) return null;
    syslog?.end();
    syslog = (started.stdio[3] as Socket).unref();
    running += 1;
    started.once('exit', (status) => {
      running -= 1;
      hasFailed = status !== 0;
      if (child === started) child = null;
    });
    return started;
  };
  const end = (): void => {
    child?.stdin?.end();
    child = null;
  };
  const endAll = (): void => {
    end();
    syslog?.end();
    syslog = null;
  };
  const input = (): Writable | null => {
    child ??= start();
    return child?.stdin ?? null;
  };
  const ended = (limitMs: number): Promise<'written' | 'failed' | 'late'> => {
    const ending = child;
    if (ending === null) return Promise.resolve(lost > 0 ? 'late' : hasFailed ? 'failed' : 'written');
    end();
    return endOf(ending, limitMs);
  };
  return {
    input: () => {
      const output = input();
      return output === null ? null : { output, given: () => {} };
    },
    write: (text) => {
      const stream = input();
      if (stream === null && running === 0) {
        hasFailed = !writeHere(file, text);
        return;
      }
      if (stream === null || stream.writableLength > waitingBytes) {
        lost += 1;
        return;
      }
      stream.write(missing(lost) + text);
      lost = 0;
      clearTimeout(idle);
      if (idleMs !== Number.POSITIVE_INFINITY) idle = setTimeout(endAll, idleMs).unref();
    },
    close: async (limitMs, tag, lines, { late, unwritten, dumb }) => {
      const how = await ended(limitMs);
      const text = [...lines, ...(how === 'written' ? [] : [how === 'late' ? late : unwritten]), ''].join('\n');
      if (syslog === null) toSyslog(tag, 'daemon.notice', text, file, dumb);
      else syslog.end(`${tag}\n${dumb}\n${text}`);
      syslog = null;
    },
  };
}

function endOf(helper: ChildProcess, limitMs: number): Promise<'written' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), limitMs);
    helper.once('exit', (status) => {
      clearTimeout(timer);
      resolve(status === 0 ? 'written' : 'failed');
    });
  });
}

/** The writer that the launcher started; null: none. */
function launchersWriter(file: string): LogWriter | null {
  const { log: pipe, reportLog } = supervisor();
  if (pipe === null || file.includes('\n')) return null;
  const refused = isRefused(file);
  let waiting = Buffer.from(refused ? '' : `${file}\n`);
  let lost = 0;
  let isOver = refused;
  if (!refused) reportLog([['log', file]]);
  const push = (): void => {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSync(pipe, waiting));
    } catch (error) {
      isOver = (error as NodeJS.ErrnoException).code !== 'EAGAIN';
    }
  };
  return {
    write: (text) => {
      if (isOver) return;
      if (waiting.length > waitingBytes) {
        lost += 1;
        return;
      }
      waiting = Buffer.concat([waiting, Buffer.from(missing(lost) + text)]);
      lost = 0;
      push();
    },
    input: () => {
      if (isOver) return null;
      push();
      try {
        // Opened again, because a program's output must block.
        const output = openSync(`/proc/self/fd/${pipe}`, constants.O_WRONLY);
        return { output, given: () => closeSync(output) };
      } catch {
        return null;
      }
    },
    close: async (limitMs, _tag, lines, { late, unwritten, dumb }) => {
      const end = performance.now() + limitMs;
      while (!isOver && waiting.length > 0 && performance.now() < end) {
        await new Promise((done) => setTimeout(done, fullPipeMs));
        push();
      }
      isOver = true;
      closeSync(pipe);
      const faults = [
        ['late', late],
        ['unwritten', unwritten],
        ['dumb', dumb],
      ] as const;
      reportLog([...faults, ...lines.map((line) => ['syslog', line] as const)]);
    },
  };
}

/** Whether a user other than root could redirect the file. */
export function isRefused(file: string): boolean {
  return attempt(() => {
    refuseStrangers(file);
    return false;
  }, true);
}

/** In this process: the lack of another is no fault of the disk. */
function writeHere(file: string, text: string): boolean {
  return attempt(() => {
    appendText(file, text);
    return true;
  }, false);
}

/** If syslog does not accept the lines, the note goes to the package log; `-`: no log. */
const syslogScript = 'timeout 2 logger -t "$1" -p "$2" && exit; [ "$0" = - ] || echo "$3" >> "$0"';

/** Does not wait. After 2 s the note goes to `log`. */
export function toSyslog(tag: string, priority: string, lines: string, log: string | null, note: string): void {
  startHelper(syslogScript, [log === null || isRefused(log) ? '-' : log, tag, priority, note])?.stdin?.end(lines);
}

const memoryTypes: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** tmpfs or ramfs: a write never waits. */
export function isInMemory(file: string): boolean {
  return attempt(() => memoryTypes.has(statfsSync(dirname(file)).type), false);
}

const replaceScript =
  'umask 022; new=$(mktemp "$1") || exit; { cat > "$new" && chmod 644 "$new" && mv -f "$new" "$0"; } || { rm -f "$new"; exit 1; }';

/** Does not wait; during a write only the newest text follows. `isLast`: this process exits. */
export function fileReplacer(file: string, failed: () => void): (text: string, isLast?: boolean) => void {
  let isWriting = false;
  let next: string | null = null;
  const template = `${dirname(file)}/.${basename(file)}.csync-XXXXXXXXXX`;
  const write = (text: string): void => {
    const child = isRefused(file) ? null : startHelper(replaceScript, [file, template]);
    if (child === null) {
      failed();
      return;
    }
    isWriting = true;
    const ended = (status: number | null): void => {
      isWriting = false;
      if (status !== 0) failed();
      if (next !== null) write(next);
    };
    next = null;
    child.once('exit', ended);
    child.stdin?.end(text);
  };
  return (text, isLast = false) => {
    if (isWriting && !isLast) next = text;
    else write(text);
  };
}
