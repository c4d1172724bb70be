/** The package's member list in a change of members. */
import { errorProblem, type Problem } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import { flatSet, type RenderedFile, settingsName } from '../../contract/package-directory.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { setOf, setText, withMembers, withRuntime } from '../../render/package.ts';
import { parseSettingsJson, type Settings } from '../../settings/settings.ts';
import { type ApplyWish, planApply } from '../apply/apply-plan.ts';
import { digestOfFiles, newSet, type SetAbout } from '../apply/history.ts';
import { asSent } from '../apply/package-write.ts';
import { runApplyPlan } from '../apply/run.ts';
import { runtimeInUse } from '../apply/runtime.ts';
import { definitionIn, fetchApplied, fetchSet, readHistory } from '../apply/sets.ts';
import { forecastOf } from '../remote/forecast.ts';
import type { ClusterObservation } from '../remote/observation.ts';
import type { SetupPlace } from './change-model.ts';
import type { SetupView } from './look.ts';
import { inOrder } from './membership.ts';
import type { MemberGoal } from './roster-change.ts';
import type { SetupRun } from './run.ts';
import type { Stage } from './setup-plan.ts';

export interface PackagePart {
  readonly change: Extract<Stage, { stage: 'package' }> | null;
  readonly problems: readonly Problem[];
}

/** In its list, with its files on all. null: nothing to change. */
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
  const listed = observation.applied.members;
  const kept = await keptSet(shell, observation, settings, sets);
  const before = kept === null ? '' : parseSettingsJson(setText(kept, settingsName) ?? '');
  const isListed = [...goal.members].sort().join() === [...listed].sort().join();
  if (kept === null || typeof before === 'string')
    return isListed ? none : { ...none, problems: [unlisted(settings, goal.members, listed)] };
  const members = inOrder(goal.members, before);
  const same = members.join() === listed.join();
  if ((setOf(kept) ?? flatSet) !== observation.applied.set) return same ? none : { ...none, problems: [unfinished(before)] };
  // A change of members converts the package of version 0.1.0; nothing else does.
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
  const configuration = definitionIn(wanted, place);
  const wish: ApplyWish = {
    place,
    files: asSent(wanted, place),
    configuration,
    forecast: await forecastOf(shell, place, wanted, configuration, observation),
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

/**
 * The newest set of the history. A change of members that was killed before it was applied left a set that is not the applied one: then the
 * applied one, from which the change is made again. Not if the newest set has any other change, which another command must finish.
 */
async function keptSet(
  shell: MemberShell,
  observation: ClusterObservation,
  settings: Settings,
  sets: readonly SetAbout[],
): Promise<RenderedFile[] | null> {
  const about = sets.at(-1);
  if (about === undefined) return fetchApplied(shell, observation, settings);
  const newest = await fetchSet(shell, observation, settings, about);
  const changed = parseSettingsJson(setText(newest, settingsName) ?? '');
  const applied = observation.applied?.set ?? flatSet;
  if ((setOf(newest) ?? flatSet) === applied || applied === flatSet || typeof changed === 'string') return newest;
  for (const earlier of sets.slice(0, -1).reverse()) {
    const before = await fetchSet(shell, observation, settings, earlier);
    if (setOf(before) !== applied) continue;
    const made = withRuntime(withMembers(before, changed.members), runtimeInUse(observation));
    return digestOfFiles(made) === about.digest ? before : newest;
  }
  return newest;
}

/** The source of the applied package is unknown: a guess. */
function unlisted({ packageName }: Settings, members: readonly string[], listed: readonly string[]): Problem {
  const text = `pending: the applied package ${packageName} lists ${listed.join(' ')}, not ${members.join(' ')}; its set is damaged or missing on every member that answers`;
  const remedy = `csync apply, with members: [${members.join(', ')}] in csync.yaml`;
  return errorProblem('change-pending', text, remedy);
}

/** The previous set would undo the apply. */
function unfinished({ packageName }: Settings): Problem {
  const text = `the newest set of the history is not the applied one: an apply of ${packageName} did not finish`;
  return errorProblem('change-pending', text, 'csync apply   (finishes it); then run this command again');
}

export function runPackage(
  shell: MemberShell,
  { afterwards }: SetupPlace,
  { plan, wish }: Extract<Stage, { stage: 'package' }>,
  { say, begin }: Pick<SetupRun, 'say' | 'begin'>,
): Promise<void> {
  return runApplyPlan(plan, { shell, wish, say, begin, onCarried: () => {}, afterwards });
}
