/**
 * The launcher supervises the member script that it started. The script reports each step, and the launcher stops it after the limit of
 * that step: a read that hangs blocks this whole process, its timers included.
 */

import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';

/** The launcher listens here. */
const inherited = 3;

export interface Supervisor {
  begin(step: string, limitSeconds: number): void;
  /** The next file to be opened, read or written: it would be what hangs. */
  touch(path: string): void;
}

const none: Supervisor = { begin: () => {}, touch: () => {} };

/** Without a supervisor nothing is reported. */
export function openSupervisor(): Supervisor {
  if (process.env.CSYNC_SUPERVISED !== '1') return none;
  delete process.env.CSYNC_SUPERVISED;
  return attempt(() => {
    // Moved to a descriptor that our programs do not inherit; non-blocking.
    const descriptor = openSync(`/proc/self/fd/${inherited}`, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(inherited);
    const tell = (line: string): void => {
      try {
        writeSync(descriptor, `${line.replaceAll('\n', ' ')}\n`);
      } catch {
        // It has exited, or does not listen.
      }
    };
    return {
      begin: (step, limitSeconds) => tell(`step ${limitSeconds} ${step}`),
      touch: (path) => {
        if (!path.startsWith('/proc/')) tell(`file ${path}`);
      },
    };
  }, none);
}
