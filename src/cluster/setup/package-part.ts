/** What a change of members changes in the package: its list of members, applied with the change. */
import type { Problem } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import { flatSet, type RenderedFile, settingsName } from '../../contract/package-directory.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { setOf, setText, withMembers, withRuntime } from '../../render/package.ts';
import { parseSettingsJson, type Settings } from '../../settings/settings.ts';
import { type ApplyWish, planApply } from '../apply/apply-plan.ts';
import { newSet } from '../apply/history.ts';
import { asSent } from '../apply/package-write.ts';
import { runApplyPlan } from '../apply/run.ts';
import { runtimeInUse } from '../apply/runtime.ts';
import { definitionIn, fetchApplied, fetchSet, readHistory } from '../apply/sets.ts';
import type { SetupPlace } from './change-model.ts';
import type { SetupView } from './look.ts';
import { inOrder } from './membership.ts';
import type { MemberGoal } from './roster-change.ts';
import type { Stage } from './setup-plan.ts';

export interface PackagePart {
  readonly change: Extract<Stage, { stage: 'package' }> | null;
  readonly problems: readonly Problem[];
}

/** The package with these members in its list, and its files on all of them; null where nothing of that is to be done. */
export async function packageFor(
  shell: MemberShell,
  { settings, renderHere, user }: SetupPlace,
  view: SetupView,
  goal: MemberGoal,
): Promise<PackagePart> {
  const none: PackagePart = { change: null, problems: [] };
  const { observation } = view;
  if (observation.applied === null) return none;
  const sets = await readHistory(shell, observation, settings);
  const about = sets.at(-1);
  const listed = observation.applied.members;
  const kept =
    about === undefined ? await fetchApplied(shell, observation, settings) : await fetchSet(shell, observation, settings, about);
  const before = kept === null ? '' : parseSettingsJson(setText(kept, settingsName) ?? '');
  const isListed = [...goal.members].sort().join() === [...listed].sort().join();
  if (kept === null || typeof before === 'string')
    return isListed ? none : { ...none, problems: [unlisted(settings, goal.members, listed)] };
  const members = inOrder(goal.members, before);
  const same = members.join() === listed.join();
  if ((setOf(kept) ?? flatSet) !== observation.applied.set) return same ? none : { ...none, problems: [unfinished(before)] };
  // Version 0.1.0 had no sets, and is not changed behind an administrator's back; for other members its package becomes one of this version.
  if (same && setOf(kept) === null) return none;
  const files = setOf(kept) === null ? await renderHere(before) : kept;
  const lacks = observation.members.some(
    (one) =>
      one.reached && members.includes(one.member) && files.some(({ name }) => !one.files.some((file) => file.name === name)),
  );
  if (same && !lacks) return none;
  const place: Settings = { ...before, members };
  const runtime = runtimeInUse(observation);
  const wanted: readonly RenderedFile[] = withRuntime(same ? files : withMembers(files, members), runtime);
  const note = same ? '' : `members ${listed.join(' ')} -> ${members.join(' ')}`;
  const at = { at: new Date().toISOString(), by: `${user}@${shell.here}`, toolkitVersion, note };
  const wish: ApplyWish = {
    place,
    files: wanted.map(asSent),
    configuration: definitionIn(wanted, place),
    run: false,
    halt: false,
    takeRendered: false,
    runtime,
    carry: null,
    set: newSet(at, wanted, sets),
  };
  const some = { ...observation, members: observation.members.filter(({ member }) => members.includes(member)) };
  const plan = planApply(wish, some);
  if (!plan.ok) return { change: null, problems: plan.problems };
  return { change: plan.value.steps.length === 0 ? null : { stage: 'package', plan: plan.value, wish }, problems: [] };
}

/** Nothing there tells what the package was made from, so another list of members would be a guess at all the rest. */
function unlisted({ packageName }: Settings, members: readonly string[], listed: readonly string[]): Problem {
  const text = `pending: the applied package ${packageName} lists ${listed.join(' ')}, and not ${members.join(' ')}; the set that it names is whole on no member that answers`;
  const remedy = `csync apply   completes it, with a csync.yaml that has members: [${members.join(', ')}]`;
  return { code: 'change-pending', severity: 'error', text, remedy };
}

/** What is applied was not remembered yet; whoever took the set before it would take the package back. */
function unfinished({ packageName }: Settings): Problem {
  const text = `the newest set of the history is not the one that is applied: an apply of ${packageName} did not come to its end`;
  return { code: 'change-pending', severity: 'error', text, remedy: 'csync apply   finishes it; then this again' };
}

export function runPackage(
  shell: MemberShell,
  { afterwards }: SetupPlace,
  { plan, wish }: Extract<Stage, { stage: 'package' }>,
  say: (line: string) => void,
): Promise<void> {
  return runApplyPlan(plan, { shell, wish, say, onCarried: () => {}, afterwards });
}
