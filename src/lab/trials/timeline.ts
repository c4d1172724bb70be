/** A journal as a story: a fault, the time of each part, the outages of clients. Pure. */
import type { JournalEntry } from '../emulation/journal.ts';

export interface Failover {
  readonly fault: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly detected: number | null;
  readonly halted: number | null;
  readonly mounted: number | null;
  readonly address: number | null;
  readonly started: number | null;
  /** ms by client, from its last answer to its next one. */
  readonly outages: Readonly<Record<string, number>>;
}

export function isGoodStart({ what, text }: JournalEntry): boolean {
  return what === 'start-ended' && text.includes('exit status 0');
}

const detections = new Set(['service-died', 'machine-down', 'halting']);

/** After the fault at `index`. */
export function failoverAfter(entries: readonly JournalEntry[], index: number): Failover {
  const fault = entries[index];
  if (fault === undefined) throw new RangeError(`no journal entry ${index}`);
  const after = entries.slice(index + 1);
  const first = (what: string | ReadonlySet<string>, member?: string | null): JournalEntry | undefined =>
    after.find(
      (entry) =>
        (typeof what === 'string' ? entry.what === what : what.has(entry.what)) && (member == null || entry.member === member),
    );
  const since = (entry: JournalEntry | undefined): number | null => (entry === undefined ? null : entry.at - fault.at);
  const started = after.findLast(isGoodStart);
  const to = started?.member ?? null;
  const lastOf = (what: string): JournalEntry | undefined =>
    after.findLast((entry) => entry.what === what && (to === null || entry.member === to));
  return {
    fault: fault.text,
    from: fault.member ?? null,
    to,
    detected: since(first(detections)),
    halted: since(first('halt-ended', fault.member)),
    mounted: since(lastOf('mounted-on')),
    address: since(lastOf('address-on')),
    started: since(started),
    outages: outagesIn(after),
  };
}

/** Only the halt of a member without power may be missing. */
export function unmeasured(failover: Failover, clients: readonly string[]): string[] {
  const parts = (['from', 'to', 'detected', 'mounted', 'address', 'started'] as const).filter((part) => failover[part] === null);
  const silent = clients.filter((client) => failover.outages[client] === undefined);
  return [
    ...(parts.length === 0 ? [] : [`not measured: ${parts.join(', ')}`]),
    ...(silent.length === 0 ? [] : [`not measured: ${silent.join(', ')} noticed nothing of a failover`]),
  ];
}

/** By the journal's clock; `to` null: until the end. */
export interface ClientOutage {
  readonly client: string;
  readonly from: number;
  readonly to: number | null;
}

/** In the order of their ends. A late answer ends one, too: an address that moves within a question's limit only delays its answer. */
export function clientOutages(entries: readonly JournalEntry[]): ClientOutage[] {
  const lostAt = new Map<string, number>();
  const ended: ClientOutage[] = [];
  for (const entry of entries) {
    const client = entry.member ?? '';
    if (entry.what === 'client-lost' && !lostAt.has(client)) lostAt.set(client, entry.at - (entry.sinceMs ?? 0));
    if (entry.what === 'client-waited') ended.push({ client, from: entry.at - (entry.sinceMs ?? 0), to: entry.at });
    const from = lostAt.get(client);
    if (entry.what === 'client-served' && from !== undefined) {
      ended.push({ client, from, to: entry.at });
      lostAt.delete(client);
    }
  }
  return [...ended, ...[...lostAt].map(([client, from]) => ({ client, from, to: null }))];
}

export function outagesIn(entries: readonly JournalEntry[]): Record<string, number> {
  const worst: Record<string, number> = {};
  for (const { client, from, to } of clientOutages(entries))
    if (to !== null) worst[client] = Math.max(worst[client] ?? 0, to - from);
  return worst;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Three decimals, or a dash. */
export function seconds(ms: number | null): string {
  return ms === null ? '-' : `${(ms / 1000).toFixed(3)} s`;
}

/** With the time since `origin`. */
export function storyLine(entry: JournalEntry, origin: number): string {
  const time = ((entry.at - origin) / 1000).toFixed(3).padStart(9);
  const mark: Partial<Record<JournalEntry['kind'], string>> = {
    fault: '!!',
    command: '$ ',
    violation: 'XX',
    seen: ' .',
    event: ' >',
  };
  return `${time} s  ${mark[entry.kind] ?? '  '} ${(entry.member ?? '').padEnd(4)} ${entry.text}`;
}
