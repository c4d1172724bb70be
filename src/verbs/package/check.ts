/** `csync check`: everything that can be checked before an apply, in one list. */

import { type ExitCode, errorProblem, exitCodes, type Problem } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import type { CheckedMember, CheckInput } from '../../cluster/condition/check-model.ts';
import { type CheckReport, checkLook, judgeChecks } from '../../cluster/condition/checks.ts';
import { clientsOf, parseReach, peerLook, reachLimit, reachScript } from '../../cluster/condition/clients.ts';
import { clockBetween } from '../../cluster/remote/answers.ts';
import { inParallel, noAnswerOf, observeAnd } from '../../cluster/remote/observation.ts';
import { launcherLines } from '../../cluster/remote/package-look.ts';
import { commandScript, directoryWord, script } from '../../cluster/remote/shell-text.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Argv, Definition } from '../../engine/engine.ts';
import { type MemberShell, type NoAnswer, rootRemedy } from '../../host/admin/member-shell.ts';
import { out } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { type PackageSources, preparePackage } from '../common/package-sources.ts';
import { printProblems } from '../common/problems.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

export const checkDocument = shape.document({
  problems: shape.problems,
  notes: shape.texts,
  looks: shape.number,
  leftOut: shape.many(shape.object({ name: shape.text, member: shape.text, why: shape.text })),
});

export interface CheckOptions extends PackageSources {
  /** Settings and templates only. */
  readonly offline: boolean;
  readonly json: boolean;
}

const limitMs = 60_000;

/** Status 1 with any error; 0 with warnings only. Problems of settings and templates are a separate Failure. */
export async function check(options: CheckOptions): Promise<ExitCode> {
  const { settings, files } = await preparePackage(options);
  const { definition } = engineFor(settings);
  const name = definition.fileName(settings.packageName);
  const offline = definition.check(files.find((file) => file.name === name)?.text ?? '', name);
  if (options.offline) return report(options, offline, { problems: [], notes: [], looks: 0, leftOut: [] });
  return onMembers('once', async (shell) => report(options, offline, await lookAtCluster(shell, settings)));
}

function report(options: CheckOptions, offline: readonly Problem[], cluster: CheckReport): ExitCode {
  const problems = [...offline, ...cluster.problems];
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (options.json) printJson<typeof checkDocument>({ ...cluster, problems });
  else {
    printProblems(problems, 'out');
    for (const note of cluster.notes) out(`note: ${note}\n`);
    for (const { name: check, member, why } of cluster.leftOut) out(`skipped: ${check} on ${member} (${why})\n`);
    const where = options.offline
      ? 'settings, templates and package file'
      : `settings, templates, package file and ${cluster.looks} checks of the cluster`;
    out(
      `${where}: ${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}, ${cluster.leftOut.length} skipped\n`,
    );
  }
  return errors > 0 ? exitCodes.different : exitCodes.ok;
}

/** Every check on every member, and the output of validate where the engine's own check does not call it. */
export async function lookAtCluster(shell: MemberShell, settings: Settings): Promise<CheckReport> {
  const checks = judgeChecks(await look(shell, settings));
  if (settings.packageStyle === 'modular') return checks;
  const own = await inParallel(settings.members, (member) => validated(shell, settings, member));
  return {
    notes: checks.notes,
    problems: [...checks.problems, ...own.flatMap(({ problems }) => problems)],
    looks: checks.looks + own.filter(({ leftOut }) => leftOut.length === 0).length,
    leftOut: [...checks.leftOut, ...own.flatMap(({ leftOut }) => leftOut)],
  };
}

/** The engine's own check calls validate of a modular package; of a legacy package it calls none [serviceguard.md 2.7]. */
async function validated(
  shell: MemberShell,
  settings: Settings,
  member: string,
): Promise<Pick<CheckReport, 'problems' | 'leftOut'>> {
  const call = script(
    `directory=${directoryWord(settings.packageDirectory)}`,
    ...launcherLines('legacy'),
    'exec "$launcher" validate < /dev/null',
  );
  const { exitCode, stdout, stderr } = await shell.run(member, call, limitMs);
  if (exitCode === 0) return { problems: [], leftOut: [] };
  // 1 is its own answer; other values mean that the script is missing or the member did not answer.
  if (exitCode !== 1)
    return { problems: [], leftOut: [{ name: 'validate', member, why: stderr.trim() || 'it cannot be called' }] };
  const text = `the control script's validate reports: ${stdout.trim()}`;
  const remedy = 'correct on that member what it reports; csync apply distributes the files again';
  return { problems: [errorProblem('check-validate', text, remedy, member)], leftOut: [] };
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** To another user, what only root may read looks as if it were missing. */
const notRoot = (member: string): NoAnswer => ({ why: 'ssh connects, but not as root', remedy: rootRemedy(member) });

async function look(shell: MemberShell, settings: Settings): Promise<CheckInput> {
  const { lastSeenList, programs } = adapterFor(settings);
  const check = checkLook(settings, programs.daemon, lastSeenList);
  const peers = peerLook(lastSeenList);
  const { observation, answers } = await observeAnd(shell, settings, check.lines, limitMs);
  const looked = observation.members.map((one) => {
    const { member } = one;
    const answer = answers.get(member) ?? { text: '', asked: 0, answered: 0 };
    const seen = one.reached ? check.read(answer) : null;
    const isRoot = seen?.get('uid')?.[0] === '0';
    const facts = isRoot ? seen : null;
    const clock = clockBetween(facts?.get('clock')?.[0], answer);
    return {
      checked: { member, facts, noAnswer: seen === null || isRoot ? noAnswerOf(one) : notRoot(member), clock },
      member,
      ...peers.read(answer),
    };
  });
  const clients = clientsOf(looked)?.slice(-reachLimit) ?? null;
  const targets = [...settings.members, ...(clients ?? []).map(({ address }) => address)];
  const members = await inParallel(looked, async ({ checked: one }): Promise<CheckedMember> => {
    const others = targets.filter((target) => target !== one.member);
    if (one.facts === null || others.length === 0) return { ...one, reach: [] };
    const { stdout } = await shell.run(one.member, reachScript(others, settings.cfenginePort), limitMs);
    return { ...one, reach: parseReach(stdout) };
  });
  const { commandMember, status } = observation;
  const packages =
    commandMember === null
      ? { others: [], unreadOthers: [`no member answers commands of ${engineFor(settings).title}`] }
      : await otherPackages(shell, commandMember, settings);
  return { settings, members, ...packages, owner: status?.owner ?? null, clients };
}

async function otherPackages(
  shell: MemberShell,
  member: string,
  settings: Settings,
): Promise<Pick<CheckInput, 'others' | 'unreadOthers'>> {
  const { observation, words } = engineFor(settings);
  const ask = (argv: Argv) => shell.run(member, commandScript(argv, settings.packageDirectory), limitMs);
  const said = await ask(observation.view);
  if (said.exitCode !== 0) return { others: [], unreadOthers: [`${words.viewer} fails on ${member}`] };
  const names = [...observation.readView(said.stdout).packages.keys()];
  const others: Definition[] = [];
  const unreadOthers: string[] = [];
  await inParallel(
    names.filter((name) => name !== settings.packageName),
    async (name) => {
      const argv = observation.definition(name);
      const { exitCode, stdout } = await ask(argv);
      const definition = exitCode === 0 ? observation.readDefinition(stdout) : null;
      if (definition !== null) others.push(definition);
      else unreadOthers.push(`${typed([argv])} ${exitCode === 0 ? 'prints no package' : 'fails'} on ${member}`);
    },
  );
  return { others, unreadOthers };
}
