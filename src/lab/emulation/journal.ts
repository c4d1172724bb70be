/** All events of a lab with their times: live, and one JSON object a line in the lab's home. */
import { type JsonLog, openJsonLog } from '../../host/lab/json-log.ts';

export type JournalKind =
  /** Or an administrator's command. */
  | 'fault'
  | 'command'
  /** Or the package manager's reaction. */
  | 'event'
  | 'log'
  | 'seen'
  | 'violation'
  | 'progress';

export interface JournalEntry {
  readonly at: number;
  readonly kind: JournalKind;
  readonly what: string;
  readonly member?: string | undefined;
  readonly text: string;
  /** A late observation: ms since a client's last success, or since the previous check of a mount or address. */
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

  /** Returns a function that stops it. */
  follow(follower: (entry: JournalEntry) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}
