/**
 * A rehearsal: a document of plain data, stored as JSON and drawn as a page. Times of a drill are ms after its fault, or after its first
 * command; clock times are ISO 8601.
 */
import type { JournalEntry } from '../lab/emulation/journal.ts';

/** State of the package and its switches, as the engine reports them. */
export interface Flags {
  readonly owner: string | null;
  /** As in PackageStatus. */
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
  detect: 'detected: the cluster acts',
  halt: 'package halted on the old member',
  unmount: 'policy file system unmounted',
  mount: 'policy file system mounted on the new member',
  address: 'address added on the new member',
  prove: 'start complete, new master proved',
  client: 'first answer to a client',
};

/** ms after the fault. null: no such moment in this drill, or no evidence of it. */
export type Moments = Readonly<Record<MomentName, number | null>>;

/** The moments that occurred, in order of time, numbered from 1. */
export function orderedMoments(moments: Moments): { readonly name: MomentName; readonly at: number; readonly number: number }[] {
  return momentNames
    .flatMap((name) => (moments[name] === null ? [] : [{ name, at: moments[name] }]))
    .sort((a, b) => a.at - b.at)
    .map((one, index) => ({ ...one, number: index + 1 }));
}

/** A state that lasted on a member; `to` null: until the end of the trace. */
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
  /** null: none until the end of the drill. */
  readonly to: number | null;
}

export interface Mark {
  readonly at: number;
  /** Lane; null: the whole cluster. */
  readonly member: string | null;
  readonly kind: 'fault' | 'command' | 'violation';
  readonly text: string;
}

/** Limits in milliseconds; null: no limit. */
export interface Budget {
  readonly detect: number | null;
  /** For the longest outage of a client; 0: no client may notice. */
  readonly outage: number | null;
}

/** What a trace shows of one drill. */
export interface Story {
  readonly from: string | null;
  readonly to: string | null;
  readonly moments: Moments;
  readonly spans: readonly Span[];
  readonly outages: readonly Outage[];
  readonly marks: readonly Mark[];
  readonly length: number;
  /** The longest sampling interval, in ms: the exactness of mounts and addresses. */
  readonly exactness: number;
}

export interface DrillResult extends Story {
  readonly name: string;
  readonly title: string;
  readonly verdict: 'pass' | 'fail';
  /** One sentence, without a final full stop. */
  readonly sentence: string;
  readonly startedAt: string;
  readonly budget: Budget;
  readonly before: Flags;
  readonly after: Flags | null;
  /** What differs from the state before, in words. Empty: verified to be the same. */
  readonly unclean: readonly string[];
  /** Timeouts of the drill, and violations. */
  readonly faults: readonly string[];
  readonly trace: readonly JournalEntry[];
}

/** One check of the safe mode on one member. */
export interface Look {
  readonly name: string;
  readonly member: string;
  /** skipped: could not be checked; never counted as passed. */
  readonly is: 'good' | 'bad' | 'skipped';
  readonly text: string;
  /** The fix; empty if good. */
  readonly remedy: string;
}

export interface Readiness {
  readonly member: string;
  readonly verdict: 'ready' | 'not ready' | 'unknown';
  /** Passed checks, and all checks. */
  readonly good: number;
  readonly wanted: number;
  readonly sentence: string;
  readonly looks: readonly Look[];
}

export interface ReadyReport {
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  /** As in csync status. */
  readonly condition: string;
  readonly members: readonly Readiness[];
  /** Problems that belong to no single member, with their remedies. */
  readonly general: readonly { readonly text: string; readonly remedy: string }[];
}

export interface Rehearsal {
  readonly format: 1;
  readonly at: string;
  readonly toolkit: string;
  readonly place: 'lab' | 'cluster';
  /** Made-up data, to show the page. */
  readonly synthetic?: true;
  readonly packageName: string;
  readonly members: readonly string[];
  readonly clients: readonly string[];
  /** How a success of a client is detected. */
  readonly probe: string;
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  readonly ready: ReadyReport | null;
  readonly drills: readonly DrillResult[];
}

/**
 * The outage of a drill: the longest time that a client was without a master, in ms. Infinity: it got none back; null: no client noticed.
 */
export function worstOutage(drill: Pick<DrillResult, 'outages'>): number | null {
  const longest = longestOutage(drill);
  return longest === null ? null : lengthOf(longest);
}

export const lengthOf = ({ from, to }: Outage): number => (to === null ? Number.POSITIVE_INFINITY : to - from);

/** The outage that a drill is judged by. null: no client noticed. */
export function longestOutage({ outages }: Pick<DrillResult, 'outages'>): Outage | null {
  return [...outages].sort((a, b) => lengthOf(b) - lengthOf(a))[0] ?? null;
}

const centiseconds = (ms: number): number => Math.round(ms / 10) * 10;

export const outagePartNames = ['detect', 'halt', 'mount', 'address', 'first answer'] as const;

/**
 * The longest outage in parts, from that client's last answer to its next one. They are rounded to 10 ms so that they add up to the printed
 * outage. Empty: no outage, or one without an end.
 */
export function outageParts({
  outages,
  moments,
}: Pick<DrillResult, 'outages' | 'moments'>): { readonly name: (typeof outagePartNames)[number]; readonly ms: number }[] {
  const { from, to } = longestOutage({ outages }) ?? { from: 0, to: null };
  if (to === null) return [];
  let at = from;
  return outagePartNames.flatMap((name) => {
    const end = Math.min(to, name === 'first answer' ? to : (moments[name] ?? at));
    const ms = centiseconds(end - from) - centiseconds(at - from);
    at = Math.max(at, end);
    return ms > 0 ? [{ name, ms }] : [];
  });
}

/** For example `3.21 s`; two decimals, `no end` for Infinity, a dash for null. */
export function inSeconds(ms: number | null): string {
  if (ms === null) return '-';
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : 'no end';
}

/** Sentences are stored without capital and full stop; this adds both. */
export function asSentence(text: string): string {
  const [first = '', ...rest] = text;
  return `${first.toUpperCase()}${rest.join('')}.`;
}
