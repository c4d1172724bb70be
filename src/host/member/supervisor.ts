/**
 * The supervisor of a member script is the launcher that started it. It is told what is done, and gives the script up when that
 * takes too long: a read that hangs keeps this whole process from noticing anything, its own timers included.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** Where the launcher listens. */
const inherited = 3;

export interface Supervisor {
  begin(step: string, limitSeconds: number): void;
  /** The file that is opened, read or written next: what hangs, if anything does. */
  touch(path: string): void;
}

const none: Supervisor = { begin: () => {}, touch: () => {} };

/** Without one nothing is told. */
export function openSupervisor(): Supervisor {
  if (process.env.CSYNC_SUPERVISED !== '1') return none;
  delete process.env.CSYNC_SUPERVISED;
  try {
    // Under a number of our own, that no program we start inherits; and one that is never waited for.
    const descriptor = openSync(`/proc/self/fd/${inherited}`, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(inherited);
    const tell = (line: string): void => {
      try {
        writeSync(descriptor, `${line.replaceAll('\n', ' ')}\n`);
      } catch {
        // It is gone, or does not listen.
      }
    };
    return {
      begin: (step, limitSeconds) => tell(`step ${limitSeconds} ${step}`),
      touch: (path) => {
        if (!path.startsWith('/proc/')) tell(`file ${path}`);
      },
    };
  } catch {
    return none;
  }
}
