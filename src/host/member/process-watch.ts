/** Watches a process through open descriptors in /proc/PID: once reaped, reads fail with ESRCH even for a reused pid [monitor.md 1]. */

import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';
import type { ProcessState } from '../host.ts';
import { parseProcessStat } from './member-host.ts';

export interface ProcessWatch {
  look(): ProcessState | null;
  /** Changes whenever the process runs. null: unknown. */
  activity(): string | null;
  close(): void;
}

/** null: exited. Throws the errno error if unknown, such as EMFILE. */
export function watchProcess(wanted: ProcessState): ProcessWatch | null {
  const descriptors: number[] = [];
  const close = (): void => descriptors.forEach(closeSync);
  try {
    for (const name of ['stat', 'status']) descriptors.push(openSync(`/proc/${wanted.pid}/${name}`, 'r'));
  } catch (error) {
    close();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const [stat = -1, status = -1] = descriptors;
  const buffer = Buffer.alloc(4096);
  const read = (descriptor: number): string => buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  const directory = `/proc/${wanted.pid}`;
  const look = (): ProcessState | null => {
    // An exception would take 1 ms of the failover.
    if (!existsSync(directory)) return null;
    return attempt(() => parseProcessStat(read(stat)), null);
  };
  const activity = (): string | null => {
    return attempt(() => (read(status).match(/^(?:non)?voluntary_ctxt_switches:\s*\d+$/gm) ?? []).join(' ') || null, null);
  };
  const first = look();
  if (first === null || first.startTime !== wanted.startTime) {
    close();
    return null;
  }
  return { look, activity, close };
}

/** Reads one link instead of all connections. `false`: gone or unknown; find the port's owner. */
export function watchSocket(pid: number, inode: string): () => boolean {
  const directory = `/proc/${pid}/fd`;
  const isIt = (descriptor: string): boolean => {
    return attempt(() => readlinkSync(`${directory}/${descriptor}`) === `socket:[${inode}]`, false);
  };
  const find = (): string | null => {
    return attempt(() => readdirSync(directory).find(isIt) ?? null, null);
  };
  let found = find();
  return () => {
    if (found !== null && isIt(found)) return true;
    found = find();
    return found !== null;
  };
}
