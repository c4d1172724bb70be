/** With the previous rehearsal. Pure. */
import { type DrillResult, inSeconds, type Rehearsal, worstOutage } from './model.ts';

export interface ComparedDrill {
  readonly name: string;
  readonly now: string;
  readonly before: string;
  /** new: not in the previous one. */
  readonly change: 'new' | 'same' | 'better' | 'worse';
  readonly text: string;
}

export interface Comparison {
  readonly with: string;
  readonly drills: readonly ComparedDrill[];
  readonly members: readonly { readonly member: string; readonly text: string }[];
}

/** Noise: smaller, or below a tenth. */
const noiseMs = 250;

/** null: no earlier one. */
export function compareRehearsals(now: Rehearsal, last: Rehearsal | null): Comparison | null {
  if (last === null) return null;
  const drills = now.drills.map((drill) => {
    const former = last.drills.find(({ name }) => name === drill.name);
    return former === undefined ? newDrill(drill) : compareDrill(drill, former);
  });
  const was = new Map(last.ready?.members.map(({ member, verdict }) => [member, verdict]) ?? []);
  const members = (now.ready?.members ?? []).flatMap(({ member, verdict }) => {
    const before = was.get(member);
    return before === undefined || before === verdict ? [] : [{ member, text: `${verdict}, was ${before}` }];
  });
  return { with: last.at, drills, members };
}

function newDrill(drill: DrillResult): ComparedDrill {
  return { name: drill.name, now: outcome(drill), before: '-', change: 'new', text: 'new' };
}

function outcome(drill: DrillResult): string {
  const worst = worstOutage(drill);
  return `${drill.verdict === 'pass' ? 'passed' : 'failed'}, ${worst === null ? 'no outage' : inSeconds(worst)}`;
}

function compareDrill(drill: DrillResult, former: DrillResult): ComparedDrill {
  const row = { name: drill.name, now: outcome(drill), before: outcome(former) };
  if (drill.verdict !== former.verdict)
    return drill.verdict === 'pass'
      ? { ...row, change: 'better', text: 'passed now' }
      : { ...row, change: 'worse', text: 'failed now' };
  const [one, other] = [worstOutage(drill) ?? 0, worstOutage(former) ?? 0];
  // Both never ended.
  if (one === other) return { ...row, change: 'same', text: 'unchanged' };
  const difference = one - other;
  if (Math.abs(difference) < Math.max(noiseMs, other * 0.1)) return { ...row, change: 'same', text: 'about the same' };
  const by = Number.isFinite(difference) ? inSeconds(Math.abs(difference)) : 'an unknown time';
  return difference > 0 ? { ...row, change: 'worse', text: `${by} slower` } : { ...row, change: 'better', text: `${by} faster` };
}

/** Of each drill and of the members. `earlier`: oldest first. null: none. */
export function lastOf(earlier: readonly Rehearsal[]): Rehearsal | null {
  const newestFirst = [...earlier].reverse();
  const [newest] = newestFirst;
  if (newest === undefined) return null;
  const drills = new Map<string, DrillResult>();
  for (const { drills: done } of newestFirst)
    for (const drill of done) if (!drills.has(drill.name)) drills.set(drill.name, drill);
  return { ...newest, drills: [...drills.values()], ready: newestFirst.find(({ ready }) => ready !== null)?.ready ?? null };
}
