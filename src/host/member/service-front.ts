/**
 * The monitor's side of csync-front.pl, the service process that Serviceguard watches. The front has a pidfd of the daemon, checks every 2
 * s whether it is stopped, exits when the monitor requests it, and replaces a monitor that hangs. Its lines are only hints; without it the
 * monitor polls.
 */

import { openSync, readSync, writeSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { attempt } from '../../base/attempt.ts';
import { isRefused } from './log-writer.ts';

/** The front sends the datagram to syslog; nothing waits for it. */
type Leave = (status: number, datagram: string) => void;

export interface EndWatch {
  /** False (not yet, front stopped, no pidfd): poll. */
  isArmed(): boolean;
  close(): void;
}

export interface ServiceFront {
  readonly pid: number;
  /**
   * Calls `look` when armed (it may have exited before), at the exit, every 2 s while stopped, and without a pidfd. The caller must detect
   * a reused pid.
   */
  watchEnd(pid: number, look: () => void): EndWatch;
  readonly leave: Leave;
  /** Why the previous monitor was replaced; null: this is the first. */
  readonly replaced: string | null;
  /** Call it every ten seconds at least. */
  alive(): void;
  logTo(file: string, packageName: string, name: string): void;
}

/** In this order: a stopped front does not answer. */
export function actsOfLeaving(): readonly ('ask' | 'kill')[] {
  return ['ask', 'kill'];
}

const standardInput = 0;
/** A front that needs longer is stopped or broken. */
const endLimitMs = 250;
/** csync-front.pl waits for 20 s. */
const aliveEveryMs = 5000;

/** null: no csync-front.pl. Call it once: it uses standard input. */
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
      // An older answer may be about another process.
      if (watch !== null && Number(about) === watch.pid) {
        watch.armed = word === 'armed' || word === 'stopped';
        watch.look();
      }
      channel.write('alive -\n');
    }
  };
  const buffer = Buffer.alloc(1024);
  // A stream would take a tenth of the time to the verdict.
  const onread = {
    buffer,
    callback: (length: number): boolean => {
      heard(buffer.toString('latin1', 0, length));
      return true;
    },
  };
  const channel = new Socket({ fd: standardInput, readable: true, writable: true, onread } as SocketConstructorOpts);
  const gone = (): never => process.exit(0);
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
      // A failed act must not prevent the next. This exit ends the service, too.
      for (const act of actsOfLeaving()) attempt(acts[act]);
    },
  };
}

function stopWatch(pid: number): () => boolean {
  const buffer = Buffer.alloc(1024);
  const descriptor = attempt(() => openSync(`/proc/${pid}/stat`, 'r'));
  if (descriptor === undefined) return () => false;
  const read = (): string => buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  // The closed socket shows an exit.
  return () => /\) [Tt] [^)]*$/.test(attempt(read, ''));
}

/** Blocks on purpose: nothing else may happen. */
function waitFor(isSo: () => boolean): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !isSo() && waited < endLimitMs; waited += 1) Atomics.wait(cell, 0, 0, 1);
}
