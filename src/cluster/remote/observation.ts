/** Observes every member's package directory, the applied configuration, and the package, before and after a change. */
import pMap from 'p-map';
import { isSameHost } from '../../base/network.ts';
import { errorProblem, type Problem } from '../../base/problem.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { Argv, Definition, EngineChoice, PackageStatus } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { type NoAnswer, whyNoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Answer } from './answers.ts';
import { type DirectoryFacts, lookScript, parseLook } from './package-look.ts';
import { commandScript } from './shell-text.ts';

export type MemberObservation =
  | ({ readonly member: string; readonly reached: true } & DirectoryFacts)
  | ({ readonly member: string; readonly reached: false } & NoAnswer);

export interface ClusterObservation {
  readonly members: readonly MemberObservation[];
  /** Runs the engine's commands: this host if it is a member, else the first that answers. */
  readonly commandMember: string | null;
  /** The definition in force. null: no package of that name. */
  readonly applied: Definition | null;
  /** null: not applied, or the cluster does not run. */
  readonly status: PackageStatus | null;
  /** By member. null: the engine does not answer. */
  readonly memberStates: ReadonlyMap<string, string> | null;
  /** Why the engine cannot protect the file system; also that nothing is known of it. */
  readonly unprotected: readonly Problem[];
}

export type PackagePlace = EngineChoice &
  Pick<Settings, 'packageName' | 'members' | 'packageDirectory' | 'nodePath' | 'mountPoint'> &
  Partial<Pick<Settings, 'testCluster'>>;

const lookLimitMs = 20_000;
const commandLimitMs = 60_000;
const atOnce = 8;

/** Results in order. Starts no job after a failure. */
export function inParallel<T, R>(items: readonly T[], job: (item: T) => Promise<R>, most = atOnce): Promise<R[]> {
  return pMap(items, (item) => job(item), { concurrency: most });
}

/** Never throws; unobserved parts have the reason. */
export async function observe(shell: MemberShell, place: PackagePlace): Promise<ClusterObservation> {
  return (await observeAnd(shell, place, [])).observation;
}

/** With more lines on the same connections, which cost the most time. */
export async function observeAnd(
  shell: MemberShell,
  place: PackagePlace,
  lines: readonly string[],
  limitMs = lookLimitMs,
): Promise<{ readonly observation: ClusterObservation; readonly answers: ReadonlyMap<string, Answer> }> {
  const script = lookScript(place.packageDirectory, place.nodePath, lines);
  const answers = new Map<string, Answer>();
  const members = await inParallel(place.members, async (member): Promise<MemberObservation> => {
    const asked = Date.now() / 1000;
    const answer = await shell.run(member, script, limitMs);
    answers.set(member, { text: answer.stdout, asked, answered: Date.now() / 1000 });
    const facts = answer.exitCode === 0 ? parseLook(answer.stdout) : null;
    return facts === null
      ? { member, reached: false, ...whyNoAnswer(member, answer, limitMs) }
      : { member, reached: true, ...facts };
  });
  return { observation: await observeCluster(shell, place, members), answers };
}

async function saidBy(shell: MemberShell, place: PackagePlace, member: string, argv: Argv): Promise<string | null> {
  const answer = await shell.run(member, commandScript(argv, place.packageDirectory), commandLimitMs);
  return answer.exitCode === 0 ? answer.stdout : null;
}

/** Finds the package on this host if it is a member, else asks each; the first answer decides. null: no answer, or no such package. */
export async function locate(shell: MemberShell, place: PackagePlace): Promise<PackageStatus | null> {
  const { view, readView } = engineFor(place).observation;
  const ask = (member: string): Promise<string | null> => saidBy(shell, place, member, view);
  const own = place.members.find((member) => isSameHost(member, shell.here));
  const others = place.members.filter((member) => member !== own);
  const here = own === undefined ? null : await ask(own);
  const said = here ?? (await inParallel(others, ask)).find((text) => text !== null) ?? null;
  return said === null ? null : (readView(said).packages.get(place.packageName) ?? null);
}

async function observeCluster(
  shell: MemberShell,
  place: PackagePlace,
  members: readonly MemberObservation[],
): Promise<ClusterObservation> {
  const reached = members.filter((one) => one.reached).map((one) => one.member);
  const commandMember = reached.find((member) => isSameHost(member, shell.here)) ?? reached[0] ?? null;
  const { observation: questions } = engineFor(place);
  if (commandMember === null)
    return { members, commandMember, applied: null, status: null, memberStates: null, unprotected: questions.unprotected('') };
  const ask = (argv: Argv): Promise<string | null> => saidBy(shell, place, commandMember, argv);
  const [definition, said] = await Promise.all([ask(questions.definition(place.packageName)), ask(questions.view)]);
  const view = said === null ? null : questions.readView(said);
  return {
    members,
    commandMember,
    applied: definition === null ? null : questions.readDefinition(definition),
    status: view?.packages.get(place.packageName) ?? null,
    memberStates: view?.members ?? null,
    unprotected: questions.unprotected(said ?? ''),
  };
}

const cutShort: NoAnswer = { why: 'its answer was cut short', remedy: 'run the same command again' };

export function noAnswerOf(one: MemberObservation): NoAnswer {
  return one.reached ? cutShort : one;
}

/** One for each member. */
export function unreachableProblems(observation: ClusterObservation): Problem[] {
  return observation.members.flatMap((one): Problem[] =>
    one.reached ? [] : [errorProblem('cluster-unreachable', `cannot be checked: ${one.why}`, one.remedy, one.member)],
  );
}
