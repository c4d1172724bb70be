import type { JournalEntry } from '../lab/emulation/journal.ts';
import { clientOutages, failoverAfter } from '../lab/trials/timeline.ts';
import type { Mark, MomentName, Moments, Outage, Span, Story } from './model.ts';

/** ms drawn before the fault. */
export const leadMs = 1000;

/** Then the error is at most half the distance of the samples. */
function placed(entry: JournalEntry): JournalEntry {
  const isLook = /^(mounted|address)-o/.test(entry.what);
  return isLook && entry.sinceMs !== undefined ? { ...entry, at: entry.at - entry.sinceMs / 2 } : entry;
}

const isDeed = ({ kind, what }: JournalEntry): boolean => (kind === 'fault' && what !== 'published') || kind === 'command';

/** Of [mark, end); earlier entries are the initial state. Throws a RangeError without an action. */
export function storyOf(all: readonly JournalEntry[], mark: number, end: number): Story {
  const entries = all.slice(0, end).map(placed);
  const first = entries.findIndex((entry, index) => index >= mark && isDeed(entry));
  const fault = entries[first];
  if (fault === undefined) throw new RangeError('the trace has no action');
  const zero = fault.at;
  const after = entries.slice(first);
  const failover = failoverAfter(entries, first);
  const outages = clientOutages(after).map(({ client, from, to }) => ({
    client,
    from: from - zero,
    to: to === null ? null : to - zero,
  }));
  const last = Math.max(...after.map(({ at }) => at)) - zero;
  const looks = after.filter(({ what }) => /^(mounted|address)-o/.test(what));
  return {
    from: failover.from,
    to: failover.to,
    moments: momentsOf(after, zero, failover, outages),
    spans: spansOf(entries, zero),
    outages,
    marks: marksOf(after, zero),
    length: last + Math.max(500, last * 0.04),
    exactness: Math.max(0, ...looks.map(({ sinceMs }) => (sinceMs ?? 0) / 2)),
  };
}

function momentsOf(
  after: readonly JournalEntry[],
  zero: number,
  failover: ReturnType<typeof failoverAfter>,
  outages: readonly Outage[],
): Moments {
  const { detected, halted, mounted, address, started, from } = failover;
  const unmounted = after.find(({ what, member }) => what === 'mounted-off' && (from === null || member === from));
  // A client may have had a master in between.
  const back = outages.flatMap(({ to }) => (to !== null && to >= (address ?? 0) ? [to] : []));
  const moments: Record<MomentName, number | null> = {
    detect: detected,
    halt: halted,
    unmount: unmounted === undefined ? null : unmounted.at - zero,
    mount: mounted,
    address,
    prove: started,
    client: back.length === 0 ? null : Math.min(...back),
  };
  return moments;
}

const beginnings: Readonly<Record<string, Span['what']>> = {
  'mounted-on': 'mounted',
  'address-on': 'address',
  halting: 'halting',
  starting: 'starting',
  'machine-down': 'down',
};
const endings: Readonly<Record<string, Span['what']>> = {
  'mounted-off': 'mounted',
  'address-off': 'address',
  'halt-ended': 'halting',
  'start-ended': 'starting',
  'machine-up': 'down',
};

/** Earlier ones begin at the left edge. */
function spansOf(entries: readonly JournalEntry[], zero: number): Span[] {
  const open = new Map<string, { member: string; what: Span['what']; from: number }>();
  const spans: Span[] = [];
  const end = (key: string, at: number): void => {
    const found = open.get(key);
    open.delete(key);
    if (found !== undefined && at > -leadMs) spans.push({ ...found, from: Math.max(found.from, -leadMs), to: at });
  };
  for (const { what, member, at } of entries) {
    if (member === undefined) continue;
    const begun = beginnings[what];
    const ended = endings[what];
    // Without power: no mount, address or script.
    if (begun === 'down') for (const key of [...open.keys()]) if (key.startsWith(`${member} `)) end(key, at - zero);
    if (begun !== undefined && !open.has(`${member} ${begun}`))
      open.set(`${member} ${begun}`, { member, what: begun, from: at - zero });
    if (ended !== undefined) end(`${member} ${ended}`, at - zero);
  }
  const left = [...open.values()].map((span) => ({ ...span, from: Math.max(span.from, -leadMs), to: null }));
  return [...spans, ...left].sort((a, b) => a.from - b.from);
}

function marksOf(after: readonly JournalEntry[], zero: number): Mark[] {
  return after.flatMap(({ kind, what, at, member, text }): Mark[] =>
    (kind === 'fault' && what !== 'published') || kind === 'command' || kind === 'violation'
      ? [{ at: at - zero, member: member ?? null, kind, text }]
      : [],
  );
}
