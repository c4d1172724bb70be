/**
 * Writes to files whose disk may hang, and to a syslog that may not take anything. Each write is made by a process of its own:
 * a thread of Node.js that is stuck in the kernel keeps the whole process from exiting, and nothing on the way of a failover
 * may wait for a disk. What has been handed over is written as soon as the disk takes it, also after this process has exited.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { statfsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { closeInherited } from '../inherited.ts';
import { appendText, refuseStrangers } from '../safe-file.ts';

/**
 * Runs a shell text that reads standard input; `$0`, `$1` and so on are `given`. Keeps no process running. null: no process, memory
 * or descriptor is left for it.
 */
function startHelper(script: string, given: readonly string[], more: readonly 'pipe'[] = []): ChildProcess | null {
  closeInherited();
  try {
    const child = spawn('/bin/sh', ['-c', script, ...given], {
      cwd: '/',
      // A session of its own: whatever kills the script's group does not kill its last words.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', ...more],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    child.on('error', () => {});
    for (const pipe of child.stdio) pipe?.on('error', () => {});
    child.unref();
    return child.pid === undefined ? null : child;
  } catch {
    return null;
  }
}

/** Processes that may hang on one file before lines are dropped. */
const hangingAtMost = 3;
/** What one of them may have to be read. */
const waitingBytes = 256 * 1024;

export interface LogWriter {
  write(text: string): void;
  /** Standard output for a program whose output goes into the file, too. null: there is none. */
  input(): Writable | null;
  /** Whether all of it is in the file; waits for that no longer than the limit. */
  close(limitMs: number): Promise<'written' | 'failed' | 'late'>;
  /** As toSyslog, with this file for the note. */
  toSyslog(tag: string, lines: string, note: string): void;
}

/** What reads the pipe that is passed to it as descriptor 3: the tag, the note, and the lines for syslog. The rest writes the file. */
const writeScript = `umask 022
{ read -r tag && read -r note && { timeout 2 logger -t "$tag" -p daemon.notice || { [ -f "$0" ] && echo "$note" >> "$0"; }; }; } <&3 &
{ [ ! -e "$0" ] || [ -f "$0" ]; } && exec cat >> "$0" 3<&-`;

const writers = new Map<string, LogWriter>();

/** The one writer of a file. `idleMs`: its process exits when it has had nothing to write for so long. */
export function logWriter(file: string, idleMs = Number.POSITIVE_INFINITY): LogWriter {
  const known = writers.get(file) ?? openLogWriter(file, idleMs);
  writers.set(file, known);
  return known;
}

function openLogWriter(file: string, idleMs: number): LogWriter {
  let child: ChildProcess | null = null;
  /** Of a helper that was started already: another process costs the way of a failover some milliseconds. */
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
  return {
    input,
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
      stream.write(lost === 0 ? text : `(${lost} lines are missing here: this file did not take them)\n${text}`);
      lost = 0;
      clearTimeout(idle);
      if (idleMs !== Number.POSITIVE_INFINITY) idle = setTimeout(endAll, idleMs).unref();
    },
    close: (limitMs) => {
      const ending = child;
      if (ending === null) return Promise.resolve(lost > 0 ? 'late' : hasFailed ? 'failed' : 'written');
      end();
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve('late'), limitMs);
        ending.once('exit', (status) => {
          clearTimeout(timer);
          resolve(status === 0 ? 'written' : 'failed');
        });
      });
    },
    toSyslog: (tag, lines, note) => {
      if (syslog === null) toSyslog(tag, 'daemon.notice', lines, file, note);
      else syslog.end(`${tag}\n${note}\n${lines}`);
      syslog = null;
    },
  };
}

/** Whether others than root could lead elsewhere what is written there. */
export function isRefused(file: string): boolean {
  try {
    refuseStrangers(file);
    return false;
  } catch {
    return true;
  }
}

/** Where no process is left for it, the disk is not what fails. */
function writeHere(file: string, text: string): boolean {
  try {
    appendText(file, text);
    return true;
  } catch {
    return false;
  }
}

/** The note is for the package log, where syslog does not take the lines; `-` there is none. */
const syslogScript = 'timeout 2 logger -t "$1" -p "$2" && exit; [ "$0" = - ] || echo "$3" >> "$0"';

/** Hands lines to syslog, and waits for nothing. A syslog that does not take them within two seconds costs a line in `log`. */
export function toSyslog(tag: string, priority: string, lines: string, log: string | null, note: string): void {
  startHelper(syslogScript, [log === null || isRefused(log) ? '-' : log, tag, priority, note])?.stdin?.end(lines);
}

const memoryTypes: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Whether the files of a directory lie in memory (tmpfs, ramfs), where a write never waits. */
export function isInMemory(file: string): boolean {
  try {
    return memoryTypes.has(statfsSync(dirname(file)).type);
  } catch {
    return false;
  }
}

const replaceScript =
  'umask 022; new=$(mktemp "$1") || exit; { cat > "$new" && chmod 644 "$new" && mv -f "$new" "$0"; } || { rm -f "$new"; exit 1; }';

/**
 * Replaces a file as a whole, and waits for nothing; while a text is being written, the newest of the later ones follows.
 * `isLast`: this process exits, so that there is no later.
 */
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
