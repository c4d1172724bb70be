/** `csync alert test`: a test event on each member, by its own csync, settings and hooks. */

import { type ExitCode, errorProblem, exitCodes, type Problem } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { columns } from '../../base/tables.ts';
import { inParallel } from '../../cluster/remote/observation.ts';
import { directoryWord, script } from '../../cluster/remote/shell-text.ts';
import { settingsName } from '../../contract/package-directory.ts';
import { readJson } from '../../contract/read-json.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { whyNoAnswer } from '../../host/admin/no-answer.ts';
import { out } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { printProblems } from '../common/problems.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { alertRunDocument, refused, reported } from './alert.ts';

export const alertTestDocument = shape.document({
  members: shape.many(shape.object({ member: shape.text, hooks: reported, refused })),
  problems: shape.problems,
});

export interface AlertTestOptions {
  readonly settings: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

type Tried = shape.Parts<typeof alertTestDocument>['members'][number] & { readonly problems: readonly Problem[] };

/** Beside the hook itself: the start of csync, its wait for another run, ssh. */
const besideMs = 90_000;

/** Status 5: on some member a hook failed, or none ran. */
export async function alertTest({ settings: file, dryRun, json }: AlertTestOptions): Promise<ExitCode> {
  const settings = settingsHere(file);
  return onMembers(settings, 'once', async (shell) => {
    const tried = await inParallel(settings.members, (member) => tryOn(shell, member, settings, dryRun));
    const problems = tried.flatMap((one) => one.problems);
    const members = tried.map(({ member, hooks, refused }) => ({ member, hooks, refused }));
    if (json) printJson<typeof alertTestDocument>({ members, problems });
    else {
      const rows = members.flatMap(({ member, hooks, refused }) => [
        ...hooks.map(({ hook, ok, result }) => [member, hook, dryRun ? 'would run' : ok ? 'ran' : 'failed', ok ? '' : result]),
        ...refused.map(({ hook, why }) => [member, hook, 'not run', why]),
        ...(hooks.length + refused.length === 0 ? [[member, '-', 'none ran', '']] : []),
      ]);
      out(`${columns([['member', 'hook', 'result', ''], ...rows]).join('\n')}\n`);
      printProblems(problems);
    }
    return problems.length === 0 ? exitCodes.ok : exitCodes.changeFailed;
  });
}

/** By the settings applied there, which its timer uses. */
async function tryOn(shell: MemberShell, member: string, settings: Settings, dryRun: boolean): Promise<Tried> {
  const { packageDirectory, toolkitProgram, alertTimeoutSeconds } = settings;
  const call = script(
    `directory=${directoryWord(packageDirectory)}`,
    `exec ${shellWord(toolkitProgram)} alert run --test --json${dryRun ? ' --dry-run' : ''} --settings "$directory/${settingsName}" < /dev/null`,
  );
  const limitMs = alertTimeoutSeconds * 1000 + besideMs;
  const answer = await shell.run(member, call, limitMs);
  const said = readJson(alertRunDocument, answer.stdout);
  if (said !== null) return { member, hooks: said.hooks, refused: said.refused, problems: said.problems as Problem[] };
  const told = readJson(shape.problemsDocument, answer.stdout);
  return {
    member,
    hooks: [],
    refused: [],
    problems:
      told === null
        ? [unrun(member, settings, whyNoAnswer(member, answer, limitMs))]
        : foreign(told.problems as Problem[], member),
  };
}

const foreign = (problems: readonly Problem[], member: string): Problem[] => problems.map((one) => ({ ...one, member }));

const unrun = (member: string, { toolkitProgram }: Settings, { why, remedy }: { why: string; remedy: string }): Problem =>
  errorProblem(
    'alert-unrun',
    `${toolkitProgram} alert run cannot be called: ${why}`,
    why.includes('not found') ? 'csync toolkit install' : remedy,
    member,
  );
