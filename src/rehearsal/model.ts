/** A rehearsal as plain data, for JSON and page. Times are ms after the fault, or after the first command; clock times ISO 8601. */
import type { JournalEntry } from '../lab/emulation/journal.ts';

export interface Flags {
  readonly owner: string | null;
  readonly status: string;
  readonly state: string;
  readonly autoRun: boolean;
  readonly switching: Readonly<Record<string, boolean>>;
}

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

/** ms after the fault. null: none, or no evidence. */
export type Moments = Readonly<Record<MomentName, number | null>>;

export function orderedMoments(moments: Moments): { readonly name: MomentName; readonly at: number; readonly number: number }[] {
  return momentNames
    .flatMap((name) => (moments[name] === null ? [] : [{ name, at: moments[name] }]))
    .sort((a, b) => a.at - b.at)
    .map((one, index) => ({ ...one, number: index + 1 }));
}

/** `to` null: to the end. */
export interface Span {
  readonly member: string;
  readonly what: 'mounted' | 'address' | 'halting' | 'starting' | 'down';
  readonly from: number;
  readonly to: number | null;
}

export interface Outage {
  readonly client: string;
  readonly from: number;
  /** null: to the end. */
  readonly to: number | null;
}

export interface Mark {
  readonly at: number;
  /** null: the whole cluster. */
  readonly member: string | null;
  readonly kind: 'fault' | 'command' | 'violation';
  readonly text: string;
}

/** ms; null: no limit. */
export interface Budget {
  readonly detect: number | null;
  /** The longest of a client; 0: none may notice. */
  readonly outage: number | null;
}

export interface Story {
  readonly from: string | null;
  readonly to: string | null;
  readonly moments: Moments;
  readonly spans: readonly Span[];
  readonly outages: readonly Outage[];
  readonly marks: readonly Mark[];
  readonly length: number;
  /** ms between samples of mounts and addresses. */
  readonly exactness: number;
}

export interface DrillResult extends Story {
  readonly name: string;
  readonly title: string;
  readonly verdict: 'pass' | 'fail';
  /** Without a full stop. */
  readonly sentence: string;
  readonly startedAt: string;
  readonly budget: Budget;
  readonly before: Flags;
  readonly after: Flags | null;
  /** Differences from the state before. Empty: verified. */
  readonly unclean: readonly string[];
  /** Timeouts of the drill, and violations. */
  readonly faults: readonly string[];
  readonly trace: readonly JournalEntry[];
}

export interface Look {
  readonly name: string;
  readonly member: string;
  /** skipped: never counts as passed. */
  readonly is: 'good' | 'bad' | 'skipped';
  readonly text: string;
  readonly remedy: string;
}

export interface Readiness {
  readonly member: string;
  readonly verdict: 'ready' | 'not ready' | 'unknown';
  readonly good: number;
  readonly wanted: number;
  readonly sentence: string;
  readonly looks: readonly Look[];
}

export interface ReadyReport {
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  readonly condition: string;
  readonly members: readonly Readiness[];
  readonly general: readonly { readonly text: string; readonly remedy: string }[];
}

export interface Rehearsal {
  readonly format: 1;
  readonly at: string;
  readonly toolkit: string;
  readonly place: 'lab' | 'cluster';
  /** Made up, to show the page. */
  readonly synthetic?: true;
  readonly packageName: string;
  readonly members: readonly string[];
  readonly clients: readonly string[];
  /** How a client's success is detected. */
  readonly probe: string;
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  readonly ready: ReadyReport | null;
  readonly drills: readonly DrillResult[];
}

/** ms. Infinity: it never ended; null: no client noticed. */
export function worstOutage(drill: Pick<DrillResult, 'outages'>): number | null {
  const longest = longestOutage(drill);
  return longest === null ? null : lengthOf(longest);
}

export const lengthOf = ({ from, to }: Outage): number => (to === null ? Number.POSITIVE_INFINITY : to - from);

/** null: no client noticed. */
export function longestOutage({ outages }: Pick<DrillResult, 'outages'>): Outage | null {
  return [...outages].sort((a, b) => lengthOf(b) - lengthOf(a))[0] ?? null;
}

const centiseconds = (ms: number): number => Math.round(ms / 10) * 10;

export const outagePartNames = ['detect', 'halt', 'mount', 'address', 'first answer'] as const;

/** From the client's last answer to its next one, rounded to 10 ms so that parts add up. Empty: no outage, or one that never ended. */
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

export function inSeconds(ms: number | null): string {
  if (ms === null) return '-';
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : 'no end';
}

export function asSentence(text: string): string {
  const [first = '', ...rest] = text;
  return `${first.toUpperCase()}${rest.join('')}.`;
}
