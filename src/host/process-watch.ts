/**
 * Looks at one process through a descriptor of its /proc/PID/stat that is kept open: after the process has been reaped the
 * read fails with ESRCH, whatever has taken its pid since [monitor.md 1].
 */
import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { ProcessState } from './host.ts';
import { parseProcessStat } from './member-host.ts';

export interface ProcessWatch {
  /** null: it is gone. */
  look(): ProcessState | null;
  close(): void;
}

/** null when the process is gone, or another one has its pid by now. Throws the errno error when that is unknown, such as EMFILE. */
export function watchProcess(wanted: ProcessState): ProcessWatch | null {
  let descriptor: number;
  try {
    descriptor = openSync(`/proc/${wanted.pid}/stat`, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const buffer = Buffer.alloc(1024);
  const directory = `/proc/${wanted.pid}`;
  const look = (): ProcessState | null => {
    // Mostly it has been reaped by now; an exception takes a millisecond, which is the time that counts here.
    if (!existsSync(directory)) return null;
    try {
      const length = readSync(descriptor, buffer, 0, buffer.length, 0);
      return parseProcessStat(buffer.toString('latin1', 0, length));
    } catch {
      return null;
    }
  };
  const first = look();
  if (first === null || first.startTime !== wanted.startTime) {
    closeSync(descriptor);
    return null;
  }
  return { look, close: () => closeSync(descriptor) };
}

/**
 * Whether a process still has the socket of an inode, for one link's reading instead of a table of all connections. `false`
 * also when it cannot be told: then who has the port has to be looked up.
 */
export function watchSocket(pid: number, inode: string): () => boolean {
  const directory = `/proc/${pid}/fd`;
  const isIt = (descriptor: string): boolean => {
    try {
      return readlinkSync(`${directory}/${descriptor}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  };
  const find = (): string | null => {
    try {
      return readdirSync(directory).find(isIt) ?? null;
    } catch {
      return null;
    }
  };
  let found = find();
  return () => {
    if (found !== null && isIt(found)) return true;
    found = find();
    return found !== null;
  };
}
