/** `csync check`: everything that can be checked before an apply. */

import { errorProblem, exitCodes, type Problem } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import type { CheckedMember, CheckInput } from '../../cluster/condition/check-model.ts';
import { type CheckReport, checkLook, judgeChecks } from '../../cluster/condition/checks.ts';
import { clientsOf, parseReach, peerLook, reachLimit, reachScript } from '../../cluster/condition/clients.ts';
import { nodeLines } from '../../cluster/condition/node-checks.ts';
import { clockBetween } from '../../cluster/remote/answers.ts';
import { inParallel, noAnswerOf, observeAnd } from '../../cluster/remote/observation.ts';
import { launcherLines } from '../../cluster/remote/package-look.ts';
import { commandScript, directoryWord, script } from '../../cluster/remote/shell-text.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Argv, Definition } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { type NoAnswer, rootRemedy, whyNoAnswer } from '../../host/admin/no-answer.ts';
import { out } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { type PackageSources, preparePackage } from '../common/package-sources.ts';
import { printProblems } from '../common/problems.ts';
import { thisBuild } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import { asPlugin, inOneLine, type NagiosResult, tellNagios } from '../outputs/nagios.ts';
import * as shape from '../outputs/outputs.ts';

export const checkDocument = shape.document({
  problems: shape.problems,
  notes: shape.texts,
  nodes: shape.many(
    shape.object({
      member: shape.text,
      version: shape.maybe,
      file: shape.text,
      supportedUntil: shape.maybe,
      hasEnded: shape.yesNo,
    }),
  ),
  looks: shape.number,
  leftOut: shape.many(shape.object({ name: shape.text, member: shape.text, why: shape.text })),
});

export interface CheckOptions extends PackageSources {
  readonly offline: boolean;
  readonly json: boolean;
  readonly nagios?: boolean | undefined;
}

const limitMs = 60_000;

/** Status 1 with any error; 0 with warnings only. Throws a Failure for problems of settings and templates. */
export async function check(options: CheckOptions): Promise<number> {
  return options.nagios === true ? asPlugin(() => checkOnce(options)) : checkOnce(options);
}

async function checkOnce(options: CheckOptions): Promise<number> {
  const { settings, files } = await preparePackage(options);
  const { definition } = engineFor(settings);
  const name = definition.fileName(settings.packageName);
  const offline = definition.check(files.find((file) => file.name === name)?.text ?? '', name);
  if (options.offline) return report(options, offline, { problems: [], notes: [], nodes: [], looks: 0, leftOut: [] });
  return onMembers(settings, 'once', async (shell) => report(options, offline, await lookAtCluster(shell, settings)));
}

function report(options: CheckOptions, offline: readonly Problem[], cluster: CheckReport): number {
  const whole = { ...cluster, problems: [...offline, ...cluster.problems] };
  if (options.nagios === true) return tellNagios(checkForNagios(whole));
  const { problems, notes, nodes, looks, leftOut } = whole;
  const errors = errorsOf(whole);
  if (options.json) printJson<typeof checkDocument>(whole);
  else {
    printProblems(problems, 'out');
    for (const note of [...notes, ...nodeLines(nodes)]) out(`note: ${note}\n`);
    for (const { name: check, member, why } of leftOut) out(`skipped: ${check} on ${member} (${why})\n`);
    const where = options.offline
      ? 'settings, templates and package file'
      : `settings, templates, package file and ${looks} checks of the cluster`;
    out(`${where}: ${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}, ${leftOut.length} skipped\n`);
  }
  return errors > 0 ? exitCodes.different : exitCodes.ok;
}

const errorsOf = ({ problems }: CheckReport): number => problems.filter(({ severity }) => severity === 'error').length;

/** A skipped check is a figure and no state, because it would be skipped each day. */
export function checkForNagios(report: CheckReport): NagiosResult {
  const { problems, looks, leftOut } = report;
  const errors = errorsOf(report);
  const warnings = problems.length - errors;
  const worst = [...problems].sort((one, other) => Number(other.severity === 'error') - Number(one.severity === 'error'));
  return {
    state: errors > 0 ? 'CRITICAL' : warnings > 0 ? 'WARNING' : 'OK',
    text:
      inOneLine(
        worst.map(({ member, text, remedy }) => ({ text: member === undefined ? text : `${member}: ${text}`, remedy })),
      ) || 'no problem found',
    figures: { checks: looks, errors, warnings, skipped: leftOut.length },
  };
}

/** Every check on every member, and validate if the engine's own check does not call it. */
export async function lookAtCluster(shell: MemberShell, settings: Settings): Promise<CheckReport> {
  const checks = judgeChecks(await look(shell, settings));
  if (settings.packageStyle === 'modular') return checks;
  const own = await inParallel(settings.members, (member) => validated(shell, settings, member));
  return {
    notes: checks.notes,
    nodes: checks.nodes,
    problems: [...checks.problems, ...own.flatMap(({ problems }) => problems)],
    looks: checks.looks + own.filter(({ leftOut }) => leftOut.length === 0).length,
    leftOut: [...checks.leftOut, ...own.flatMap(({ leftOut }) => leftOut)],
  };
}

/** The engine's own check calls validate of a modular package, but none of a legacy one [serviceguard.md 2.7]. */
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
  // 1 is validate's answer; others mean that the script is missing or the member did not answer.
  if (exitCode !== 1)
    return { problems: [], leftOut: [{ name: 'validate', member, why: stderr.trim() || 'it cannot be called' }] };
  const text = `the control script's validate reports: ${stdout.trim()}`;
  const remedy = 'correct on that member what it reports; csync apply distributes the files again';
  return { problems: [errorProblem('check-validate', text, remedy, member)], leftOut: [] };
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** What only root may read looks missing to another user. */
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
    const tried = await shell.run(one.member, reachScript(others, settings.cfenginePort), limitMs);
    if (tried.exitCode !== 0) return { ...one, reach: [], noReach: whyNoAnswer(one.member, tried, limitMs).why };
    return { ...one, reach: parseReach(tried.stdout) };
  });
  const { commandMember, status, memberStates } = observation;
  const clusterMembers = [...(memberStates?.keys() ?? [])];
  const packages =
    commandMember === null
      ? { others: [], hazards: [], unreadOthers: [`no member answers commands of ${engineFor(settings).title}`] }
      : await otherPackages(shell, commandMember, settings);
  const toolkit = thisBuild().build;
  return { settings, members, clusterMembers, toolkit, ...packages, owner: status?.owner ?? null, clients, now: new Date() };
}

async function otherPackages(
  shell: MemberShell,
  member: string,
  settings: Settings,
): Promise<Pick<CheckInput, 'others' | 'unreadOthers' | 'hazards'>> {
  const { observation, words } = engineFor(settings);
  const ask = (argv: Argv) => shell.run(member, commandScript(argv, settings.packageDirectory), limitMs);
  const said = await ask(observation.view);
  if (said.exitCode !== 0) return { others: [], hazards: [], unreadOthers: [`${words.viewer} fails on ${member}`] };
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
  const hazards = observation.hazards(said.stdout);
  const told = settings.testCluster ? hazards.map((one) => ({ ...one, severity: 'warning' as const })) : hazards;
  return { others, unreadOthers, hazards: told };
}
