/** csync itself at `toolkit_program` of every member. */

import { type ExitCode, errorProblem, exitCodes, failure, Interrupted, type Problem } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { type ToolkitBuild, toolkitLook, toolkitOrigin, toolkitRemark, toolkitState } from '../../cluster/apply/toolkit.ts';
import {
  planBack,
  planInstall,
  planRemove,
  type SeenToolkit,
  type ToolkitPlan,
  type ToolkitStep,
  unreachableToolkit,
} from '../../cluster/apply/toolkit-plan.ts';
import { untimed } from '../../cluster/remote/answers.ts';
import { inParallel } from '../../cluster/remote/observation.ts';
import { rootLine, script } from '../../cluster/remote/shell-text.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords, whyNoAnswer } from '../../host/admin/no-answer.ts';
import { out, summarize } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { confirmPlan, planText } from '../common/confirm.ts';
import { changingMembers, onMembers } from '../common/connections.ts';
import { printProblems } from '../common/problems.ts';
import { openSteps } from '../common/steps.ts';
import { settingsHere, thisBuild } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import { document, many, maybe, object, picklist, problems as problemList, text, texts } from '../outputs/outputs.ts';
import type { ProcedureOptions } from './recover.ts';

export const toolkitDocument = document({
  outcome: picklist(['unchanged', 'would be done', 'done', 'incomplete']),
  steps: texts,
  problems: problemList,
});

export const toolkitStatusDocument = document({
  program: text,
  here: object({ version: text, digest: text }),
  members: many(
    object({
      member: text,
      state: picklist(['same', 'different', 'missing', 'broken', 'unknown']),
      version: maybe,
      digest: maybe,
      file: maybe,
      from: text,
      previous: maybe,
    }),
  ),
  problems: problemList,
});

const lookLimitMs = 60_000;
const stepLimitMs = 180_000;

async function lookAtMembers(shell: MemberShell, settings: Settings, first: readonly string[] = []): Promise<SeenToolkit[]> {
  const { lines, read } = toolkitLook(settings);
  return inParallel(settings.members, async (member) => {
    const answer = await shell.run(member, script(...first, ...lines), lookLimitMs);
    const facts = answer.exitCode === 0 ? read(untimed(answer.stdout)) : null;
    return { member, facts, noAnswer: whyNoAnswer(member, answer, lookLimitMs) };
  });
}

/** Status 1: a member has another csync. */
export async function toolkitStatus({ settings: file, json }: Pick<ProcedureOptions, 'settings' | 'json'>): Promise<ExitCode> {
  const settings = settingsHere(file);
  const { build } = thisBuild();
  return onMembers(settings, 'once', async (shell) => reportStatus(await lookAtMembers(shell, settings), settings, build, json));
}

function reportStatus(seen: readonly SeenToolkit[], settings: Settings, build: ToolkitBuild, json: boolean): ExitCode {
  const problems = seen.flatMap((one): Problem[] => {
    if (one.facts === null) return [unreachableToolkit(one)];
    const remark = toolkitRemark(one.facts, build, settings);
    return remark === null ? [] : [{ ...remark, code: 'check-toolkit', severity: 'warning', member: one.member }];
  });
  const members = seen.map(({ member, facts }) => ({
    member,
    state: facts === null ? ('unknown' as const) : toolkitState(facts, build),
    version: facts?.version ?? null,
    digest: facts?.digest ?? null,
    file: facts?.target ?? null,
    from: facts === null ? 'unknown' : toolkitOrigin(facts),
    previous: facts?.previous ?? null,
  }));
  const { toolkitProgram: program } = settings;
  if (json) printJson<typeof toolkitStatusDocument>({ program, here: build, members, problems });
  else {
    const titles = ['member', 'version', 'state', 'from', 'file', 'previous'];
    const cells = members.map(({ member, version, state, from, file, previous }) => [
      member,
      version,
      state,
      from,
      file,
      previous,
    ]);
    const rows = cells.map((row) => row.map((cell) => cell ?? '-'));
    out(`This csync is version ${build.version}. ${program} on each member:\n\n${columns([titles, ...rows]).join('\n')}\n`);
    printProblems(problems);
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.different;
}

/** `previous`: back to what each member had. */
export async function toolkitInstall(options: ProcedureOptions & { readonly previous: boolean }): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const { build, files } = thisBuild();
  return changingMembers({ verb: 'toolkit install', ...options }, settings, async (shell) => {
    const seen = await lookAtMembers(shell, settings, [rootLine]);
    const plan = options.previous ? planBack(seen, settings) : planInstall(seen, settings, build, files);
    const nothing = options.previous ? 'No member has a previous version.' : `Every member has csync ${build.version}.`;
    return carryOut('toolkit install', { ...options, shell, settings, plan, nothing });
  });
}

export async function toolkitRemove(options: ProcedureOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  return changingMembers({ verb: 'toolkit remove', ...options }, settings, async (shell) => {
    const plan = planRemove(await lookAtMembers(shell, settings, [rootLine]), settings);
    return carryOut('toolkit remove', { ...options, shell, settings, plan, nothing: 'csync toolkit put nothing on any member.' });
  });
}

interface Carrying extends Pick<ProcedureOptions, 'yes' | 'dryRun' | 'json'> {
  readonly shell: MemberShell;
  readonly settings: Settings;
  readonly plan: ToolkitPlan;
  readonly nothing: string;
}

async function carryOut(verb: 'toolkit install' | 'toolkit remove', carrying: Carrying): Promise<ExitCode> {
  const { shell, settings, plan, nothing, yes, dryRun, json } = carrying;
  const texts = plan.phases.flat().map(stepText);
  type Outcome = 'unchanged' | 'would be done' | 'done' | 'incomplete';
  const report = (outcome: Outcome, problems: readonly Problem[], done = ''): ExitCode => {
    if (json) printJson<typeof toolkitDocument>({ outcome, steps: texts, problems });
    else {
      if (outcome === 'would be done') out(planText(texts));
      else if (outcome === 'incomplete') out('Incomplete: members were excluded. Run the same command again to finish.\n');
      else summarize(outcome === 'unchanged' ? `${nothing}\n` : `Done: ${done}.\n`);
      printProblems(problems);
    }
    return problems.length === 0 ? exitCodes.ok : exitCodes.changeFailed;
  };
  const excluded = plan.problems;
  if (texts.length === 0) return report(excluded.length === 0 ? 'unchanged' : 'incomplete', excluded);
  if (dryRun) return report('would be done', excluded);
  if (!yes) await confirmPlan(verb, planText(texts), shell.stop);
  const shown = openSteps(texts.length, !yes);
  const failed = new Map<string, Problem>();
  try {
    for (const phase of plan.phases)
      await inParallel(
        phase.filter(({ member }) => !failed.has(member)),
        async (step) => {
          const end = shown.begin(stepText(step));
          const ended = await shell.run(step.member, step.script, stepLimitMs);
          end(ended.exitCode === 0 ? 'done' : 'failed');
          if (ended.exitCode === 0) return;
          const why = `${step.text} failed: ${printedWords(ended) || `status ${ended.exitCode ?? ended.signal}`}`;
          failed.set(step.member, errorProblem('change-toolkit', why, againRemedy(verb), step.member));
        },
      );
    const seen = await lookAtMembers(shell, settings);
    const took = new Set(plan.phases.flat().map(({ member }) => member));
    for (const one of seen.filter(({ member }) => took.has(member) && !failed.has(member)))
      if (one.facts === null || !plan.isDone(one.facts))
        failed.set(
          one.member,
          errorProblem('change-unverified', 'the check afterwards found another csync', againRemedy(verb), one.member),
        );
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const said = 'interrupted: each member has its old or its new version, and may still finish a step';
    throw failure('interrupted', said, againRemedy(verb));
  } finally {
    shown.end();
  }
  const problems = [...excluded, ...failed.values()];
  return report(problems.length === 0 ? 'done' : 'incomplete', problems, shown.summary());
}

const stepText = ({ member, text }: ToolkitStep): string => `on ${member}: ${text}`;

const againRemedy = (verb: string): string => `run csync ${verb} again: it completes the remaining steps`;
