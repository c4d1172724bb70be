import { type ExitCode, exitCodes } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import { type ApplyPlan, type ApplyWish, stepText } from '../../cluster/apply/apply-plan.ts';
import { newSet, type SetAbout } from '../../cluster/apply/history.ts';
import { asSent } from '../../cluster/apply/package-write.ts';
import { runApplyPlan } from '../../cluster/apply/run.ts';
import { runtimeInUse } from '../../cluster/apply/runtime.ts';
import { definitionIn } from '../../cluster/apply/sets.ts';
import { forecastOf } from '../../cluster/remote/forecast.ts';
import type { ClusterObservation, PackagePlace } from '../../cluster/remote/observation.ts';
import type { RenderedFile, Runtime } from '../../contract/package-directory.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { loginName } from '../../host/admin/terminal.ts';
import { out, summarize } from '../../host/output.ts';
import { withRuntime } from '../../render/package.ts';
import { printJson } from '../outputs/json.ts';
import type { applyDocument } from '../outputs/outputs.ts';
import { confirmPlan, planText, progressNotes } from './confirm.ts';
import { afterwards, type WaySettings } from './connections.ts';
import type { PackageSources } from './package-sources.ts';
import { carryMeter, chooseRuntime, type RuntimeOptions } from './runtime.ts';
import { openSteps } from './steps.ts';

export interface ApplyOptions extends PackageSources, RuntimeOptions {
  readonly run: boolean;
  readonly halt: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait?: number | undefined;
  readonly takeRendered: boolean;
  readonly takeMine: boolean;
  readonly json: boolean;
}

interface ApplyRequest {
  readonly place: PackagePlace;
  readonly files: readonly RenderedFile[];
  readonly observation: ClusterObservation;
  readonly sets: readonly SetAbout[];
  readonly options: Pick<ApplyOptions, 'run' | 'halt' | 'takeRendered'> & RuntimeOptions;
  readonly note: string;
}

/** The files with their runtime, and the resulting set with its number in the history. */
export async function applyWish(
  shell: MemberShell,
  request: ApplyRequest,
): Promise<{ wish: ApplyWish; number: number | undefined }> {
  const { place, files: rendered, observation, sets, options, note: noted } = request;
  const { runtime, carry } = await chooseRuntime(shell, observation, place, options);
  const files = withRuntime(rendered, runtime);
  const note = [noted, runtimeNote(runtimeInUse(observation), runtime)].filter(Boolean).join(', ');
  const about = { at: new Date().toISOString(), by: `${loginName()}@${shell.here}`, toolkitVersion, note };
  const set = newSet(about, files, sets);
  const configuration = definitionIn(files, place);
  const forecast = await forecastOf(shell, place, files, configuration, observation);
  const sent = asSent(files, place);
  const wish: ApplyWish = { ...options, place, files: sent, configuration, set, runtime, carry, forecast };
  return { wish, number: set?.about.number ?? sets.at(-1)?.number };
}

interface Planned {
  readonly settings: WaySettings;
  readonly wish: ApplyWish;
  readonly plan: ApplyPlan;
  readonly number: number | undefined;
  readonly options: Pick<ApplyOptions, 'yes' | 'dryRun' | 'json'>;
  readonly verb: string;
  /** A local step after all others succeeded. */
  readonly last?: { readonly text: string; readonly run: () => void } | null;
}

/** Prints the plan, asks, runs the steps and reports. */
export async function applySteps(
  shell: MemberShell,
  { settings, wish, number, plan, options, verb, last = null }: Planned,
): Promise<ExitCode> {
  const { dryRun, json, yes } = options;
  const steps = [...plan.steps.map(stepText), ...(last === null ? [] : [last.text])];
  const report = (outcome: 'unchanged' | 'would be applied' | 'applied', done = ''): void => {
    if (json) printJson<typeof applyDocument>({ outcome, set: outcome === 'applied' ? number : null, steps, notes: plan.notes });
    else if (outcome === 'unchanged') summarize('Every member and the applied configuration are up to date; nothing to do.\n');
    else if (outcome === 'applied') summarize(`Applied as set ${number} and verified on every member: ${done}.\n`);
    else out(planText(steps, plan.notes));
  };
  if (steps.length === 0) report('unchanged');
  else if (dryRun) report('would be applied');
  else {
    if (yes) progressNotes(plan.notes);
    else await confirmPlan(verb, planText(steps, plan.notes), shell.stop);
    const shown = openSteps(steps.length, !yes);
    await runApplyPlan(plan, {
      shell,
      wish,
      begin: shown.begin,
      say: shown.note,
      onCarried: carryMeter(shown.show),
      afterwards: (work) => afterwards(settings, work),
    }).finally(shown.end);
    if (last !== null) {
      const end = shown.begin(last.text);
      last.run();
      end('done');
    }
    report('applied', shown.summary());
  }
  return exitCodes.ok;
}

/** Empty: the runtime did not change. */
function runtimeNote(before: Runtime | null, now: Runtime | null): string {
  if (before?.digest === now?.digest) return '';
  return now === null ? 'without the Node.js runtime' : `with Node.js runtime ${now.digest.slice(0, 12)}`;
}
