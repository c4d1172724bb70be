/** `csync recover | remove`: procedures that an administrator would type from the manual. */

import { demand, type ExitCode, exitCodes, Failure, failure, Interrupted } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { leftoversLook, type ProcedureStep, planRecovery, planRemoval } from '../../cluster/procedures/recovery.ts';
import { untimed } from '../../cluster/remote/answers.ts';
import { noAnswerOf, observe, observeAnd, unreachableProblems } from '../../cluster/remote/observation.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords } from '../../host/admin/no-answer.ts';
import { out, summarize } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { confirmPlan, planText } from '../common/confirm.ts';
import { changingMembers } from '../common/connections.ts';
import { openSteps } from '../common/steps.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import type { procedureDocument } from '../outputs/outputs.ts';

export interface ProcedureOptions {
  readonly settings: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait?: number | undefined;
  readonly json: boolean;
}

const limitMs = 2 * 4294 * 1000;

/** Removes what a failed script left on members where the package does not run, and enables these members. */
export async function recover(options: ProcedureOptions & { readonly run: boolean }): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  return changingMembers({ verb: 'recover', ...options }, settings, (shell) => recoverOn(shell, settings, options));
}

async function recoverOn(
  shell: MemberShell,
  settings: Settings,
  options: ProcedureOptions & { readonly run: boolean },
): Promise<ExitCode> {
  const look = leftoversLook(settings);
  const { observation, answers } = await observeAnd(shell, settings, look.lines);
  const { status, memberStates, commandMember } = observation;
  const clusterAnswers = memberStates !== null;
  const members = observation.members.map((one) => {
    const left = one.reached ? look.read(answers.get(one.member) ?? untimed('')) : null;
    return { member: one.member, left, noAnswer: noAnswerOf(one) };
  });
  const input = { settings, adapter: adapterFor(settings), status, clusterAnswers, members, run: options.run };
  const steps = demand(planRecovery({ ...input, commandMember: commandMember ?? '' }));
  return carryOut('recover', shell, steps, options, 'Nothing is left over, and no member is disabled.');
}

/** Removes the package from the cluster. Daemons, policy, keys and package files stay. */
export async function remove(options: ProcedureOptions & { readonly unconfigure: boolean }): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  return changingMembers({ verb: 'remove', ...options }, settings, (shell) => removeOn(shell, settings, options));
}

async function removeOn(
  shell: MemberShell,
  settings: Settings,
  options: ProcedureOptions & { readonly unconfigure: boolean },
): Promise<ExitCode> {
  const observation = await observe(shell, settings);
  const { status, commandMember } = observation;
  if (commandMember === null) throw new Failure(unreachableProblems(observation));
  const steps = planRemoval(settings, { status, commandMember, unconfigure: options.unconfigure });
  const ended = await carryOut('remove', shell, steps, options, `${settings.packageName} is not configured in this cluster.`);
  const { packageDirectory, volumeGroup, logicalVolume, cfengineWorkDirectory } = settings;
  const left = [
    `the package directory ${packageDirectory} with its history, and a carried Node.js, on every member`,
    ...[...engineFor(settings).definition.installs.values()].map((path) => `${path} on every member`),
    `the policy on /dev/${volumeGroup}/${logicalVolume}`,
    `cfengine's daemons, and keys and inputs below ${cfengineWorkDirectory}`,
  ];
  if (!options.json && !options.dryRun && steps.length > 0) out(`Not removed:\n${left.map((one) => `  ${one}\n`).join('')}`);
  return ended;
}

/** Prints the steps, asks, and runs them. Stops at the first failure, and lists the remaining steps. */
export async function carryOut(
  verb: 'recover' | 'remove' | 'maintenance on' | 'maintenance off',
  shell: MemberShell,
  steps: readonly ProcedureStep[],
  { yes, dryRun, json }: ProcedureOptions,
  nothing: string,
): Promise<ExitCode> {
  const kind = verb === 'recover' || verb === 'remove' ? verb : 'maintenance';
  const texts = steps.map(({ member, text }) => `on ${member}: ${text}`);
  const plan = planText(texts);
  const report = (outcome: 'unchanged' | 'would be done' | 'done', done = ''): void => {
    if (json) printJson<typeof procedureDocument>({ outcome, steps: texts });
    else if (steps.length === 0) summarize(`${nothing}\n`);
    else if (dryRun) out(plan);
    else summarize(`Done: ${done}.\n`);
  };
  if (steps.length === 0 || dryRun) {
    report(steps.length === 0 ? 'unchanged' : 'would be done');
    return exitCodes.ok;
  }
  if (!yes) await confirmPlan(verb, plan, shell.stop);
  const shown = openSteps(steps.length, !yes);
  for (const [index, step] of steps.entries()) {
    const end = shown.begin(texts[index] ?? '');
    const left = texts.slice(index + 1).map((text) => `\n    ${text}`);
    const ended = await shell.run(step.member, step.script, limitMs).catch((error: unknown) => {
      if (!(error instanceof Interrupted)) throw error;
      const text = `interrupted during the step of ${step.member}: ${step.text}; the member may still finish it\n  not done:${left.join('') || ' nothing else'}`;
      throw failure(`interrupted-${kind}`, text, `run csync ${verb} again: it completes the remaining steps`);
    });
    end(ended.exitCode === 0 ? 'done' : 'failed');
    if (ended.exitCode === 0) continue;
    shown.end();
    const said = printedWords(ended);
    const text = `${step.text} failed with ${ended.exitCode ?? ended.signal}: ${said}\n  not done:${left.join('') || ' nothing else'}`;
    const remedy = `correct the cause, then run csync ${verb} again: it completes the remaining steps`;
    throw failure(`change-${kind}`, text, remedy, step.member);
  }
  report('done', shown.summary());
  return exitCodes.ok;
}
