/**
 * All events of a lab in order, with the time of observation: the source for the timeline, the tests and `lab status`. One JSON object a
 * line in the lab's home, and live for followers.
 */
import { type JsonLog, openJsonLog } from '../../host/lab/json-log.ts';

export type JournalKind =
  /** A deliberate action: a fault, or a command of an administrator. */
  | 'fault'
  | 'command'
  /** An event of the package manager, or its reaction. */
  | 'event'
  | 'log'
  /** An observation from outside: mounts, addresses, clients. */
  | 'seen'
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
   * How long ago it may have begun, in ms, for a late observation: since a client's last success before it lost the master; since the
   * previous check of a mount or an address.
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

  /** Calls back for every later entry; returns a function that stops this. */
  follow(follower: (entry: JournalEntry) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}
