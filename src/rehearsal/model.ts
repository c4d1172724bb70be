/**
 * What a rehearsal is: a document of plain data, kept as JSON, drawn as a page. Times of a drill are ms after its fault, or
 * after its first command; clock times are ISO 8601.
 */
import type { JournalEntry } from '../lab/emulation/journal.ts';

/** What the engine says of the package and where it may start. */
export interface Flags {
  readonly owner: string | null;
  /** As PackageStatus has them. */
  readonly status: string;
  readonly state: string;
  readonly autoRun: boolean;
  /** By member: whether the package may start there. */
  readonly switching: Readonly<Record<string, boolean>>;
}

/** The moments of a failover. */
export const momentNames = ['detect', 'halt', 'unmount', 'mount', 'address', 'prove', 'client'] as const;
export type MomentName = (typeof momentNames)[number];

export const momentText: Readonly<Record<MomentName, string>> = {
  detect: 'the cluster acts on it',
  halt: 'halted where it ran',
  unmount: 'policy file system unmounted',
  mount: 'mounted on the next member',
  address: 'address on the next member',
  prove: 'start script ended: it is proved a master',
  client: 'first success of a client',
};

/** ms after the fault; null: the drill has no such moment, or the trace does not show it. */
export type Moments = Readonly<Record<MomentName, number | null>>;

/** Those that came, in the order in which they did, numbered from 1. */
export function orderedMoments(moments: Moments): { readonly name: MomentName; readonly at: number; readonly number: number }[] {
  return momentNames
    .flatMap((name) => (moments[name] === null ? [] : [{ name, at: moments[name] }]))
    .sort((a, b) => a.at - b.at)
    .map((one, index) => ({ ...one, number: index + 1 }));
}

/** Something that lasted on a member; `to` null: it still did at the end of the trace. */
export interface Span {
  readonly member: string;
  readonly what: 'mounted' | 'address' | 'halting' | 'starting' | 'down';
  readonly from: number;
  readonly to: number | null;
}

/** A time in which a client had no master. */
export interface Outage {
  readonly client: string;
  readonly from: number;
  /** null: it had none at the end of the drill either. */
  readonly to: number | null;
}

export interface Mark {
  readonly at: number;
  /** Lane; null: the cluster as a whole. */
  readonly member: string | null;
  readonly kind: 'fault' | 'command' | 'violation';
  readonly text: string;
}

/** Milliseconds that a drill may take; null: there is no such limit. */
export interface Budget {
  readonly detect: number | null;
  /** For the client that was without a master longest; 0: no client may notice. */
  readonly outage: number | null;
}

export interface DrillResult {
  readonly name: string;
  readonly title: string;
  readonly verdict: 'pass' | 'fail';
  /** One sentence, without a full stop at its end. */
  readonly sentence: string;
  readonly startedAt: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly budget: Budget;
  readonly moments: Moments;
  readonly spans: readonly Span[];
  readonly outages: readonly Outage[];
  readonly marks: readonly Mark[];
  /** End of the drawing. */
  readonly length: number;
  /** Nothing was looked at more seldom than this, in ms: how exact moments of mounts and addresses are. */
  readonly exactness: number;
  readonly before: Flags;
  readonly after: Flags | null;
  /** What is not as it was before, in words; empty: it ended clean, and that was looked at. */
  readonly unclean: readonly string[];
  /** What the drill had to wait for in vain, or what was violated. */
  readonly faults: readonly string[];
  readonly trace: readonly JournalEntry[];
}

/** One look of the safe mode at one member. */
export interface Look {
  readonly name: string;
  readonly member: string;
  /** left out: could not be looked at; never counted as good. */
  readonly is: 'good' | 'bad' | 'left out';
  readonly text: string;
  /** The fix; empty when good. */
  readonly remedy: string;
}

export interface Readiness {
  readonly member: string;
  readonly verdict: 'ready' | 'not ready' | 'not known';
  /** Looks that were good, and all that were wanted. */
  readonly good: number;
  readonly wanted: number;
  readonly sentence: string;
  readonly looks: readonly Look[];
}

export interface ReadyReport {
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  /** As csync status has it. */
  readonly condition: string;
  readonly members: readonly Readiness[];
  /** What is wrong and belongs to no single member, with its remedy. */
  readonly general: readonly { readonly text: string; readonly remedy: string }[];
}

export interface Rehearsal {
  readonly format: 1;
  readonly at: string;
  readonly toolkit: string;
  readonly place: 'lab' | 'cluster';
  /** Made up, to show what the page looks like. */
  readonly synthetic?: true;
  readonly packageName: string;
  readonly members: readonly string[];
  readonly clients: readonly string[];
  /** How a client's success is known. */
  readonly probe: string;
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  readonly ready: ReadyReport | null;
  readonly drills: readonly DrillResult[];
}

/** The longest a client was without a master, in ms; Infinity where one never got it back, null where none lost it. */
export function worstOutage({ outages }: Pick<DrillResult, 'outages'>): number | null {
  if (outages.length === 0) return null;
  return Math.max(...outages.map(({ from, to }) => (to === null ? Number.POSITIVE_INFINITY : to - from)));
}

/** Such as `3.21 s`; seconds with two decimals, `no end` for what has none, a dash for null. */
export function inSeconds(ms: number | null): string {
  if (ms === null) return '-';
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : 'no end';
}

/** Sentences are kept without their ends, to be put together; this is one as it is printed. */
export function asSentence(text: string): string {
  const [first = '', ...rest] = text;
  return `${first.toUpperCase()}${rest.join('')}.`;
}
