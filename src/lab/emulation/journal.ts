/**
 * Everything that happened in a lab, in order, with the time it was seen: what the timeline, the tests and `lab status`
 * read. One JSON object a line in the lab's home, and live to whoever follows.
 */
import { type JsonLog, openJsonLog } from '../../host/lab/json-log.ts';

export type JournalKind =
  /** Something done to the cluster on purpose: a fault, or a command an administrator typed. */
  | 'fault'
  | 'command'
  /** What the package manager was told, and what it did about it. */
  | 'event'
  | 'log'
  /** What was seen from outside: mounts, addresses, clients. */
  | 'seen'
  /** An invariant did not hold. */
  | 'violation'
  | 'progress';

export interface JournalEntry {
  /** Milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly kind: JournalKind;
  /** Stable word for programs, e.g. 'mounted', 'service-died'. */
  readonly what: string;
  readonly member?: string | undefined;
  readonly text: string;
  /**
   * How long ago it may have begun, in ms, where it is noticed late: a client's last success before it lost the master; the look
   * before the one that saw a mount or an address come or go.
   */
  readonly sinceMs?: number | undefined;
}

export type NewEntry = Omit<JournalEntry, 'at'>;

export class Journal {
  readonly #log: JsonLog;
  readonly #followers = new Set<(entry: JournalEntry) => void>();
  readonly entries: JournalEntry[] = [];

  constructor(path: string) {
    this.#log = openJsonLog(path);
  }

  add(entry: NewEntry): void {
    const full = { at: performance.timeOrigin + performance.now(), ...entry };
    this.entries.push(full);
    this.#log.write(full);
    for (const follower of this.#followers) follower(full);
  }

  /** Calls back for every later entry; returns the way to end that. */
  follow(follower: (entry: JournalEntry) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}
