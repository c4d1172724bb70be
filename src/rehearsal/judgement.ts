import type { PackageStatus } from '../engine/engine.ts';
import type { JournalEntry } from '../lab/emulation/journal.ts';
import type { Drill } from './drills/drill-model.ts';
import { type Budget, type DrillResult, type Flags, inSeconds, type Rehearsal, type Story, worstOutage } from './model.ts';
import { storyOf } from './timeline.ts';

export function flagsOf({ owner, status, state, autoRun, switching }: PackageStatus): Flags {
  return { owner, status, state, autoRun, switching: Object.fromEntries(switching) };
}

export function notFit(before: Flags): string[] {
  const off = Object.entries(before.switching).flatMap(([member, on]) => (on ? [] : [member]));
  return [
    ...(before.status === 'up' && before.state === 'running' ? [] : [`the package is ${before.status} (${before.state})`]),
    ...(before.owner === null ? ['it runs on no member'] : []),
    ...(before.autoRun ? [] : ['package switching is disabled']),
    ...(off.length === 0 ? [] : [`${off.join(', ')} ${off.length === 1 ? 'is' : 'are'} disabled for the package`]),
  ];
}

/** Flags that differ; the package may run on another member. */
export function uncleanFlags(before: Flags, after: Flags): string[] {
  const differ = Object.entries(before.switching).filter(([member, on]) => after.switching[member] !== on);
  return [
    ...(after.status === before.status && after.state === before.state
      ? []
      : [`the package is ${after.status} (${after.state}); before, it was ${before.status} (${before.state})`]),
    ...(after.owner === null ? ['it runs on no member'] : []),
    ...(after.autoRun === before.autoRun
      ? []
      : [`package switching is ${word(after.autoRun)}; before, it was ${word(before.autoRun)}`]),
    ...differ.map(
      ([member, on]) => `${member} is ${word(after.switching[member] ?? false)} for the package; before, it was ${word(on)}`,
    ),
  ];
}

const word = (on: boolean): string => (on ? 'enabled' : 'disabled');

/** In words, with outages where none is allowed. */
export function overBudget(story: Pick<Story, 'outages' | 'moments'>, budget: Budget): string[] {
  const { detect } = story.moments;
  const worst = worstOutage(story);
  const late =
    budget.detect !== null && (detect === null || detect > budget.detect)
      ? [`the cluster ${detect === null ? 'did not act' : `acted after ${inSeconds(detect)}`}, limit ${budget.detect / 1000} s`]
      : [];
  if (budget.outage === null || worst === null || worst <= budget.outage) return late;
  const clients = story.outages.filter(({ from, to }) => (to ?? Number.POSITIVE_INFINITY) - from > (budget.outage ?? 0));
  const who = [...new Set(clients.map(({ client }) => client))].join(', ');
  const allowed = budget.outage === 0 ? 'but no client may notice' : `limit ${budget.outage / 1000} s`;
  return [
    ...late,
    `${who} had no master for ${worst === Number.POSITIVE_INFINITY ? 'the rest of the drill' : inSeconds(worst)}, ${allowed}`,
  ];
}

type Told = Pick<DrillResult, 'from' | 'to' | 'outages' | 'budget' | 'faults' | 'unclean' | 'before' | 'after'>;

export function drillSentence({ from, outages, budget, faults, unclean, before, after, to }: Told): string {
  if (faults.length > 0) return faults.join('; ');
  if (unclean.length > 0) return `the final state differs: ${unclean.join('; ')}`;
  const worst = worstOutage({ outages });
  const noticed = worst === null ? 'no client noticed' : `outage ${inSeconds(worst)}`;
  const allowed = worst === null || budget.outage === null ? '' : `, limit ${budget.outage / 1000} s`;
  const source = before.owner ?? from;
  const target = to ?? after?.owner ?? null;
  const where =
    target === null || target === source
      ? `the package ${to === null ? 'stayed' : 'runs again'} on ${source}`
      : `the package moved from ${source} to ${target}`;
  return `${where}; ${noticed}${allowed}`;
}

export function rehearsalVerdict({
  drills,
  ready,
}: Pick<Rehearsal, 'drills' | 'ready'>): Pick<Rehearsal, 'verdict' | 'sentence'> {
  const failed = drills.filter(({ verdict }) => verdict === 'fail');
  const isReady = ready === null || ready.verdict === 'pass';
  if (drills.length === 0) return { verdict: ready?.verdict ?? 'fail', sentence: ready?.sentence ?? 'nothing was rehearsed' };
  const outages = drills.flatMap((drill) => worstOutage(drill) ?? []);
  const worst = outages.length === 0 ? 'no client noticed' : `longest outage ${inSeconds(Math.max(...outages))}`;
  const count = `${drills.length - failed.length} of ${drills.length} ${drills.length === 1 ? 'drill' : 'drills'} passed`;
  const [one] = failed;
  const bad = one === undefined ? '' : `; ${one.name}: ${one.sentence}`;
  const readiness = isReady ? '' : `; ${ready?.sentence}`;
  return { verdict: failed.length === 0 && isReady ? 'pass' : 'fail', sentence: `${count}, ${worst}${bad}${readiness}` };
}

export interface DrillEvidence {
  readonly drill: Pick<Drill, 'name' | 'title' | 'budget' | 'follows'>;
  readonly startedAt: string;
  readonly trace: readonly JournalEntry[];
  readonly mark: number;
  readonly end: number;
  readonly before: Flags;
  readonly after: Flags | null;
  /** Of the drill, except exceeded limits. */
  readonly faults: readonly string[];
  readonly unclean: readonly string[];
  /** Hosts with incomplete evidence, and why. */
  readonly missing: readonly string[];
  readonly clients: readonly string[];
  /** By the engine. null: it did not move. */
  readonly moved: { readonly from: string; readonly to: string } | null;
}

/** Otherwise nothing was measured: mount and address must move along, and every client must notice. */
function notMeasured(
  { drill: { follows }, trace, mark, end, missing, clients, moved }: DrillEvidence,
  { outages }: Pick<Story, 'outages'>,
): string[] {
  const seen = new Set(trace.slice(mark, end).map(({ what, member }) => `${what} ${member ?? ''}`));
  const wanted =
    moved === null
      ? []
      : [
          ...['mounted-on', 'address-on', 'start-ended'].map((what) => [`${what} ${moved.to}`] as const),
          // A machine without power loses mount and address.
          ...['mounted-off', 'address-off'].map((what) => [`${what} ${moved.from}`, `machine-down ${moved.from}`] as const),
        ];
  const unseen = wanted.flatMap(([one, ...others]) => ([one, ...others].some((word) => seen.has(word)) ? [] : [one]));
  const silent = follows === 'stays' ? [] : clients.filter((name) => !outages.some(({ client }) => client === name));
  return [
    ...missing,
    ...(clients.length === 0 ? ['no client was watched'] : []),
    ...(unseen.length === 0 ? [] : [`no evidence of ${unseen.join(', ')}, although the package moved`]),
    ...(silent.length === 0 ? [] : [`${silent.join(', ')} noticed nothing, although the package moved`]),
  ];
}

const nothingSeen: Story = {
  from: null,
  to: null,
  moments: { detect: null, halt: null, unmount: null, mount: null, address: null, prove: null, client: null },
  spans: [],
  outages: [],
  marks: [],
  length: 1000,
  exactness: 0,
};

export function drillResult(evidence: DrillEvidence): DrillResult {
  const { drill, startedAt, trace, mark, end, before, after, unclean } = evidence;
  const begun = trace.slice(mark, end).some(({ kind }) => kind === 'fault' || kind === 'command');
  const story = begun ? storyOf(trace, mark, end) : nothingSeen;
  const limit = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
  const budget: Budget = { detect: limit(drill.budget.detect), outage: limit(drill.budget.outage) };
  const violations = trace.slice(mark).flatMap(({ kind, text }) => (kind === 'violation' ? [text] : []));
  const wrong = [...evidence.faults, ...new Set(violations), ...(begun ? overBudget(story, budget) : [])];
  // A failure explains itself; a pass must be measured.
  const blind = wrong.length === 0 ? notMeasured(evidence, story) : [];
  const faults = blind.length === 0 ? wrong : [`not measured: ${blind.join('; ')}`];
  const told = { ...story, budget, faults, unclean, before, after };
  return {
    name: drill.name,
    title: drill.title,
    verdict: faults.length === 0 && unclean.length === 0 ? 'pass' : 'fail',
    sentence: drillSentence(told),
    startedAt,
    ...story,
    budget,
    before,
    after,
    unclean,
    faults,
    trace: trace.slice(mark),
  };
}
