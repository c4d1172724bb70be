/** Which events are due to be reported. Pure. */
import type { AlertEvent, AlertState, Lasting } from '../../contract/alerts.ts';

/** A lasting event, about a member, or the package: ''. */
export interface Sighting {
  readonly subject: string;
  readonly text: string;
  readonly fix: string;
}

/** An event of one moment. */
export interface Happening {
  readonly mark: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly text: string;
  readonly fix: string;
}

export interface Facts {
  /** undefined: unknown; null: none. */
  readonly happened: Readonly<Partial<Record<AlertEvent, Happening | null>>>;
  /** Missing: unknown. `elsewhere`: only another member can see it now. */
  readonly seen: Readonly<Partial<Record<AlertEvent, readonly Sighting[] | 'elsewhere'>>>;
}

export interface Due {
  readonly event: AlertEvent;
  readonly subject: string;
  readonly state: 'raised' | 'repeated' | 'cleared';
  readonly text: string;
  readonly fix: string;
  readonly since: number;
}

export interface Moment {
  /** Wall clock, ms: it may jump. */
  readonly now: number;
  /** 0: reported once. */
  readonly repeatMs: number;
  /** This member's place among those that are up: the first reports at once, each next one later, if the event still lasts. */
  readonly rank: number;
}

const minute = 60_000;

/** Duration before the report. `byRank`: every member sees it. */
export const lastingEvents = {
  // A failover, or the halt of an apply, takes less.
  'package-down': { graceMs: minute, byRank: true },
  'key-rotation': { graceMs: 60 * minute, byRank: true },
  space: { graceMs: 0, byRank: false },
  // The reboot of a member takes less.
  readiness: { graceMs: 10 * minute, byRank: true },
  rehearsal: { graceMs: 0, byRank: false },
} as const satisfies Readonly<Partial<Record<AlertEvent, { graceMs: number; byRank: boolean }>>>;
type LastingEvent = keyof typeof lastingEvents;

/** Between two members that report the same event. */
export const rankMs = 5 * minute;
/** The first run does not report older events. */
const freshMs = 60 * minute;

export type Remembered = Pick<AlertState, 'marks' | 'lasting'>;

export const keyOf = (event: string, subject: string): string => (subject === '' ? event : `${event}/${subject}`);

const eventOf = (key: string): string => key.split('/')[0] ?? '';

/** What to report, and to remember. */
export function dueNow(before: Remembered, facts: Facts, moment: Moment): { readonly after: Remembered; readonly due: Due[] } {
  const single = dueOnce(before.marks, facts, moment);
  const lasting = (Object.keys(lastingEvents) as LastingEvent[]).map((event) => dueWhileLasting(event, before, facts, moment));
  return {
    after: { marks: single.marks, lasting: Object.fromEntries(lasting.flatMap(({ after }) => after)) },
    due: [...single.due, ...lasting.flatMap(({ due }) => due)],
  };
}

function dueOnce(before: Remembered['marks'], { happened }: Facts, { now }: Moment) {
  const marks = { ...before };
  const due: Due[] = [];
  for (const [name, happening] of Object.entries(happened)) {
    const event = name as AlertEvent;
    const known = marks[event];
    if (happening === undefined) continue;
    marks[event] = happening?.mark ?? known ?? null;
    if (happening === null || happening.mark === known) continue;
    if (known === undefined && now - happening.at > freshMs) continue;
    due.push({ event, subject: happening.mark, state: 'raised', text: happening.text, fix: happening.fix, since: happening.at });
  }
  return { marks, due };
}

type Kept = [key: string, lasting: Lasting];

function dueWhileLasting(event: LastingEvent, { lasting }: Remembered, { seen }: Facts, moment: Moment) {
  const known = Object.entries(lasting).filter(([key]) => eventOf(key) === event);
  const now = seen[event];
  if (now === undefined) return { after: known, due: [] };
  if (now === 'elsewhere') return { after: [], due: [] };
  const present = now.map((sighting) => dueSighting(event, sighting, lasting[keyOf(event, sighting.subject)], moment));
  const keys = new Set(now.map(({ subject }) => keyOf(event, subject)));
  const over = known.flatMap(([key, { told, since, text, fix }]): Due[] =>
    keys.has(key) || told === null
      ? []
      : [{ event, subject: key.slice(event.length + 1), state: 'cleared', text: `over: ${text}`, fix, since }],
  );
  return { after: present.map(({ after }) => after), due: [...over, ...present.flatMap(({ due }) => due)] };
}

function dueSighting(
  event: LastingEvent,
  { subject, text, fix }: Sighting,
  was: Lasting | undefined,
  { now, repeatMs, rank }: Moment,
): { readonly after: Kept; readonly due: readonly Due[] } {
  const { graceMs, byRank } = lastingEvents[event];
  // A clock that was set back must not silence it.
  const since = Math.min(was?.since ?? now, now);
  const told = was === undefined || was.told === null ? null : Math.min(was.told, now);
  const isDue = told === null ? now - since >= graceMs + (byRank ? rank * rankMs : 0) : repeatMs > 0 && now - told >= repeatMs;
  const after: Kept = [keyOf(event, subject), { since, told: isDue ? now : told, text, fix }];
  const state = told === null ? 'raised' : 'repeated';
  return { after, due: isDue ? [{ event, subject, state, text, fix, since }] : [] };
}
