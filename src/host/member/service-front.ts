/**
 * The small program in front of the monitor (member/monitor/csync-front.pl), from the monitor's side. It is the service's process as
 * Serviceguard sees it, hears of the end of another process by a pidfd, sees every two seconds whether it is stopped, can
 * be gone at once, and replaces a monitor that does not answer. What it tells is a hint to look, never a verdict. A monitor that
 * was started without it looks for itself, and ends as any Node.js does.
 */
import { openSync, readSync, writeSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { isRefused } from './log-writer.ts';

/** The service of the package has exited: the datagram is in syslog, and what this process does now keeps nothing waiting. */
type Leave = (status: number, datagram: string) => void;

export interface EndWatch {
  /** Whether an end will be told; before that, while the program in front is stopped, and where nobody can tell, somebody has to poll. */
  isArmed(): boolean;
  close(): void;
}

export interface ServiceFront {
  /** The process that Serviceguard started; what it waits for. */
  readonly pid: number;
  /**
   * `look` is called when the watch has been armed (the process may have ended before), when the process ends, every two
   * seconds while it is stopped, and when it turns out that nothing can be told. A pid that was taken over meanwhile is for
   * the one who looks to notice.
   */
  watchEnd(pid: number, look: () => void): EndWatch;
  readonly leave: Leave;
  /** Why this monitor was started in the place of another one; null: it is the first. */
  readonly replaced: string | null;
  /** This monitor runs, and judges. To be called at least every ten seconds; more often it costs nothing. */
  alive(): void;
  /** Where the program in front logs a failure of the monitor itself, and how the line begins. */
  logTo(file: string, packageName: string, name: string): void;
}

/** What leads to the end of the service, in this order: a front that is stopped is not asked in vain. */
export function actsOfLeaving(): readonly ('ask' | 'kill')[] {
  return ['ask', 'kill'];
}

const standardInput = 0;
/** A front that does not end within this is stopped, or out of order. */
const endLimitMs = 250;
/** The program in front waits for 20 s. */
const aliveEveryMs = 5000;

/** null: there is none. One at a time, since it talks over standard input. */
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
      // What was said of another process before it heard of this one counts no more.
      if (watch !== null && Number(about) === watch.pid) {
        watch.armed = word === 'armed' || word === 'stopped';
        watch.look();
      }
      channel.write('alive -\n');
    }
  };
  const buffer = Buffer.alloc(1024);
  // Into a buffer of ours: a stream in between costs some tenth of the time from the kill of the daemon to the verdict.
  const onread = {
    buffer,
    callback: (length: number): boolean => {
      heard(buffer.toString('latin1', 0, length));
      return true;
    },
  };
  const channel = new Socket({ fd: standardInput, readable: true, writable: true, onread } as SocketConstructorOpts);
  const gone = (): never => process.exit(0);
  // Its end is the end of the service, whoever ended it.
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
      for (const act of actsOfLeaving()) attempt(acts[act]);
    },
  };
}

/** One that fails must not keep the next from being done. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The end of this process is the end of the conversation, and so of the service as well.
  }
}

/** Whether a process is stopped. */
function stopWatch(pid: number): () => boolean {
  const buffer = Buffer.alloc(1024);
  try {
    const descriptor = openSync(`/proc/${pid}/stat`, 'r');
    return () => {
      try {
        return /\) [Tt] [^)]*$/.test(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0)));
      } catch {
        // Gone; the end of the conversation says so.
        return false;
      }
    };
  } catch {
    return () => false;
  }
}

/** Without going back to the event loop: nothing else may happen any more. */
function waitFor(isSo: () => boolean): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !isSo() && waited < endLimitMs; waited += 1) Atomics.wait(cell, 0, 0, 1);
}
