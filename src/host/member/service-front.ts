/**
 * The monitor's side of csync-front.pl, the small program in front of it. That program is the service process for Serviceguard: it gets the
 * exit of another process from a pidfd, checks every two seconds whether that process is stopped, can exit at once, and replaces a monitor
 * that does not answer. Its lines are only hints to check. Without it the monitor polls, and exits as any Node.js program.
 */

import { openSync, readSync, writeSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { attempt } from '../../base/attempt.ts';
import { isRefused } from './log-writer.ts';

/** The service has exited: the datagram is in syslog, and nothing waits for this process any more. */
type Leave = (status: number, datagram: string) => void;

export interface EndWatch {
  /** Whether the exit will be an event. If not (not armed yet, csync-front.pl stopped, no pidfd), poll. */
  isArmed(): boolean;
  close(): void;
}

export interface ServiceFront {
  /** The process that Serviceguard started and watches. */
  readonly pid: number;
  /**
   * `look` is called when the watch is armed (the process may have exited before), when the process exits, every two seconds while it is
   * stopped, and when no pidfd is available. The caller must notice a reused pid.
   */
  watchEnd(pid: number, look: () => void): EndWatch;
  readonly leave: Leave;
  /** Why this monitor replaces another one; null: it is the first. */
  readonly replaced: string | null;
  /** Reports that this monitor runs. Call it at least every ten seconds. */
  alive(): void;
  /** Where csync-front.pl logs a failure of the monitor itself, and the head of that line. */
  logTo(file: string, packageName: string, name: string): void;
}

/** How the service exits, in this order: a stopped front does not answer. */
export function actsOfLeaving(): readonly ('ask' | 'kill')[] {
  return ['ask', 'kill'];
}

const standardInput = 0;
/** A front that does not exit within this time is stopped or broken. */
const endLimitMs = 250;
/** csync-front.pl waits for 20 s. */
const aliveEveryMs = 5000;

/** null: started without csync-front.pl. One at a time, since it talks over standard input. */
export function openServiceFront(): ServiceFront | null {
  const { CSYNC_FRONT: why = '' } = process.env;
  if (why === '') return null;
  delete process.env.CSYNC_FRONT;
  const pid = process.ppid;
  const isStopped = stopWatch(pid);
  let aliveAt = Number.NEGATIVE_INFINITY;
  let watch: { readonly pid: number; readonly look: () => void; armed: boolean } | null = null;
  let pending = '';
  const heard = (piece: string): void => {
    pending += piece;
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n')) {
      const [word, about] = pending.slice(0, end).split(' ');
      pending = pending.slice(end + 1);
      // An older answer may concern the previous process.
      if (watch !== null && Number(about) === watch.pid) {
        watch.armed = word === 'armed' || word === 'stopped';
        watch.look();
      }
      channel.write('alive -\n');
    }
  };
  const buffer = Buffer.alloc(1024);
  // A buffer of our own: a stream would take some tenth of the time from the kill of the daemon to the verdict.
  const onread = {
    buffer,
    callback: (length: number): boolean => {
      heard(buffer.toString('latin1', 0, length));
      return true;
    },
  };
  const channel = new Socket({ fd: standardInput, readable: true, writable: true, onread } as SocketConstructorOpts);
  const gone = (): never => process.exit(0);
  // When it exits, the service has exited.
  channel.on('error', gone).on('close', gone);
  return {
    pid,
    watchEnd: (watched, look) => {
      const own = { pid: watched, look, armed: false };
      watch = own;
      channel.write(`watch ${watched}\n`);
      return {
        isArmed: () => own.armed && !isStopped(),
        close: () => {
          if (watch !== own) return;
          watch = null;
          channel.write('watch 0\n');
        },
      };
    },
    replaced: why.startsWith('replaced: ') ? why.slice('replaced: '.length) : null,
    alive: () => {
      if (performance.now() - aliveAt < aliveEveryMs) return;
      aliveAt = performance.now();
      channel.write('alive -\n');
    },
    logTo: (file, packageName, name) => {
      if (!isRefused(file)) channel.write(`log ${file}\t${packageName}\t${name}\n`);
    },
    leave: (status, datagram) => {
      const acts = {
        ask: () => {
          writeSync(standardInput, `say ${datagram.replaceAll('\n', ' ')}\nexit ${status}\n`);
          waitFor(() => process.ppid !== pid);
        },
        kill: () => {
          if (process.ppid === pid) process.kill(pid, 'SIGKILL');
        },
      };
      // A failed act must not prevent the next one; the exit of this process closes the socket, and so ends the service as well.
      for (const act of actsOfLeaving()) attempt(acts[act]);
    },
  };
}

/** Returns a check whether a process is stopped. */
function stopWatch(pid: number): () => boolean {
  const buffer = Buffer.alloc(1024);
  const descriptor = attempt(() => openSync(`/proc/${pid}/stat`, 'r'));
  if (descriptor === undefined) return () => false;
  const read = (): string => buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  // Where it has exited, the closed socket shows that.
  return () => /\) [Tt] [^)]*$/.test(attempt(read, ''));
}

/** Blocks the event loop on purpose: nothing else may happen any more. */
function waitFor(isSo: () => boolean): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !isSo() && waited < endLimitMs; waited += 1) Atomics.wait(cell, 0, 0, 1);
}
