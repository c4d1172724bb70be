/** The resulting roster, its rounds, and their execution, without user interface. */
import { failure, type Problem } from '../../base/problem.ts';
import type { BeginStep } from '../../base/progress.ts';
import { shellWord } from '../../base/shell-word.ts';
import type { KeyPair } from '../../cfengine/keys.ts';
import { clusterKeys, type NamedKey, nextRoster, type Roster, type Waiting, withWaiting } from '../../contract/roster.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import type { Settings } from '../../settings/settings.ts';
import { disputedHosts, settleAddresses } from '../hosts/host-addresses.ts';
import { agentLimitSeconds, type Materials } from '../hosts/host-setup.ts';
import { hostScript } from '../remote/shell-text.ts';
import { demandAll, quickLimitMs, type Round, type SetupPlace, type SetupRequest } from './change-model.ts';
import { withClients } from './client-change.ts';
import { engineVersion, type SetupView } from './look.ts';
import { type MembershipPlan, planMembership, projectView } from './membership.ts';
import { type PackagePart, runPackage } from './package-part.ts';
import { pairsFor } from './pairs.ts';
import { addressClaims, type MemberGoal, withOwnAddresses } from './roster-change.ts';
import { runSetup, saveRoster } from './run.ts';

/** Some engines cannot add and remove members as this requires. */
export async function demandVersion(shell: MemberShell, member: string, settings: Settings): Promise<void> {
  const version = await engineVersion(shell, member, settings);
  const { title, words } = engineFor(settings);
  const why = version === null ? null : words.tooOld(version);
  if (why === null) return;
  const text = `${title} has version ${version} there; ${why}`;
  throw failure('cluster-old-serviceguard', text, `update ${title}`, member);
}

/** Each host's answer is judged alone; problems name their host. */
export async function settledRoster(
  shell: MemberShell,
  view: SetupView,
  roster: Roster,
  { clients, keys }: SetupRequest,
  made: ReadonlyMap<string, NamedKey>,
  now: string,
): Promise<{ base: Roster; answers: readonly Problem[] }> {
  const checked = withClients(roster, view, clients, { ...keys, made }, now);
  const withAll = demandAll(checked);
  const claims = addressClaims(withAll, view.roster);
  const settled = settleAddresses(claims, await resolvedHere(shell, disputedHosts(claims)));
  return { base: withOwnAddresses(withAll, view.roster, settled), answers: [...checked.problems, ...settled.problems] };
}

/** Only for hosts that claim the same address. */
async function resolvedHere(shell: MemberShell, names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (names.length === 0) return new Map();
  const lines = names.map((name) => `timeout 5 getent ahostsv4 ${shellWord(name)} | sed 's/^/name ${name} /'`);
  const { stdout } = await shell.run(shell.here, hostScript(...lines, ':'), quickLimitMs);
  const found = [...stdout.matchAll(/^name (\S+) (\S+)/gm)];
  return new Map(names.map((name) => [name, found.flatMap(([, of, address = '']) => (of === name ? [address] : []))]));
}

export function isOutdated({ hosts, roster }: SetupView): boolean {
  return [...hosts.values()].some(
    ({ kind, facts }) => kind === 'member' && facts !== null && !(facts.roster ?? '').includes(`"serial": ${roster.serial},`),
  );
}

/** Each on the result of the previous one. */
export function planRounds(
  place: SetupPlace,
  request: SetupRequest,
  goal: MemberGoal,
  view: SetupView,
  rosters: readonly Roster[],
  packagePart: PackagePart,
  answers: readonly Problem[],
): Round[] {
  const rounds: Round[] = [];
  let seen = view;
  for (const [index, roster] of rosters.entries()) {
    const policy = place.policyFor(roster, seen);
    const plan = planMembership({
      view: seen,
      goal: index === 0 ? goal : { ...goal, added: [], removed: [] },
      roster,
      settings: place.settings,
      adapter: place.adapter,
      policy,
      package: index === 0 ? packagePart.change : null,
      packageProblems: index === 0 ? packagePart.problems : [],
      answers,
      clients: request.clients,
    });
    rounds.push({ roster, plan, inputs: policy.inputs, view: seen });
    seen = projectView(seen, plan, { roster, inputs: policy.inputs });
  }
  return rounds;
}

export interface SetupProgress {
  readonly say: (line: string) => void;
  readonly begin: BeginStep;
  readonly onHosts: (done: number, all: number, failed: number) => void;
  readonly end: () => void;
}

interface Carrying {
  readonly goal: MemberGoal;
  readonly view: SetupView;
  readonly rounds: readonly Round[];
  readonly pairs: ReadonlyMap<string, KeyPair>;
  readonly now: string;
  readonly problems: readonly Problem[];
  readonly waits: MembershipPlan['waits'];
  readonly withoutFailedClients: boolean;
  readonly progress: SetupProgress;
}

export async function carryOut(
  shell: MemberShell,
  place: SetupPlace,
  { goal, view, rounds, pairs, now, problems, waits, withoutFailedClients, progress: told }: Carrying,
): Promise<{ failed: ReadonlyMap<string, Problem>; said: readonly Problem[] }> {
  const { settings } = place;
  const holders = goal.members.filter((name) => view.hosts.get(name)?.facts != null);
  const by = `${place.user}@${shell.here}`;
  let before = view.roster;
  const save = async (roster: Roster): Promise<void> => {
    const next = nextRoster(before, roster, new Date().toISOString(), by) ?? before;
    await saveRoster(shell, holders, settings.packageDirectory, next);
    before = next;
  };
  const failed = new Map<string, Problem>();
  const said: Problem[] = [];
  for (const round of rounds) {
    const hosts = round.plan.stages.flatMap((stage) => (stage.stage === 'hosts' ? [...stage.chains.keys()] : []));
    // First: the next run knows of it after a kill.
    const underWay = new Map(hosts.map((host) => [host, `begun ${now} by ${by}, not finished`]));
    await save(remember(round.roster, [round], problems, waits, underWay, now));
    const given = await pairsFor(shell, settings, round, pairs);
    const materials: Materials = {
      settings,
      adapter: place.adapter,
      bootScript: place.bootScript,
      agentSeconds: agentLimitSeconds,
      inputs: round.inputs,
      pairFor: (host) => given.get(host) ?? null,
    };
    const result = await runSetup(round.plan.stages, {
      shell,
      materials,
      say: told.say,
      begin: told.begin,
      onHosts: told.onHosts,
      runPackage: (stage) => runPackage(shell, place, stage, told),
      runRemotely: (member, some) => place.runRemotely(shell, member, some),
      finish: (host) => (goal.members.includes(host) ? 'csync members sync' : `csync client sync ${host}`),
    });
    for (const [host, why] of result.failed) failed.set(host, why);
    said.push(...result.problems);
    told.end();
    const refused = result.problems.find(({ code }) => code === 'change-policy');
    const left = new Map([
      ...(refused === undefined ? [] : hosts.map((host) => [host, refused.text] as const)),
      ...[...result.failed].map(([host, { text }]) => [host, text] as const),
    ]);
    await save(remember(round.roster, [round], problems, waits, left, now));
    // What the next round removes must be replaced everywhere before.
    const isMember = (host: string): boolean => goal.members.includes(host);
    const stops = withoutFailedClients ? [...failed.keys()].some(isMember) : failed.size > 0;
    if (stops || said.some(({ severity }) => severity === 'error')) break;
  }
  return { failed, said };
}

/** With the pending work, and the keys of each client. */
export function remember(
  roster: Roster,
  rounds: readonly Round[],
  problems: readonly Problem[],
  waits: MembershipPlan['waits'],
  left: ReadonlyMap<string, string>,
  now: string,
): Roster {
  const clients = new Set([
    ...roster.clients.map(({ name }) => name),
    // Unreachable hosts are no clients yet, but pending.
    ...rounds.flatMap(({ view }) => [...view.hosts.values()].flatMap(({ name, kind }) => (kind === 'client' ? [name] : []))),
  ]);
  const touched = new Set(rounds.flatMap(({ view }) => [...view.hosts.keys()]));
  const why = new Map<string, string>([
    ...waits.map(({ host, why: text }) => [host, text] as const),
    ...problems.flatMap(({ member, severity, text }) =>
      member === undefined || severity === 'warning' ? [] : [[member, text] as const],
    ),
    ...left,
  ]);
  let next = roster;
  for (const host of new Set([...touched, ...why.keys()])) {
    const what: Waiting['what'] = clients.has(host) ? 'client' : 'member';
    next = withWaiting(next, { host, what }, why.get(host) ?? null, now);
  }
  const round = rounds.at(-1);
  if (round === undefined) return next;
  const after = projectView(round.view, round.plan, round);
  const ours = new Set(clusterKeys(roster).map(({ digest }) => digest));
  return {
    ...next,
    clients: next.clients.map((client) => {
      const facts = left.has(client.name) ? round.view.hosts.get(client.name)?.facts : after.hosts.get(client.name)?.facts;
      if (facts == null) return client;
      const digests = facts.keys.flatMap(({ digest }) => (digest === null ? [] : [digest]));
      return { ...client, holds: [...new Set(digests)].filter((digest) => ours.has(digest)) };
    }),
  };
}

export async function tellSyslog(
  shell: MemberShell,
  { owner, observation }: SetupView,
  { packageName }: Settings,
  verb: string,
  steps: number,
  problems: readonly Problem[],
): Promise<void> {
  const member = owner ?? observation.commandMember;
  if (member === null) return;
  const lines = problems.map(({ severity, member: of, text, remedy }) => {
    const priority = severity === 'error' ? 'daemon.err' : 'daemon.warning';
    return [priority, `csync ${verb}: ${of === undefined ? '' : `${of}: `}${text}. Fix: ${remedy}`] as const;
  });
  const ended = lines.length === 0 ? [['daemon.notice', `csync ${verb}: done, ${steps} steps`] as const] : lines;
  const commands = ended.map(
    ([priority, line]) => `logger -t ${shellWord(packageName)} -p ${priority} -- ${shellWord(line.replaceAll('\n', ' '))}`,
  );
  // No longer delay by a blocked syslog.
  await shell.run(member, hostScript(`timeout 2 sh -c ${shellWord(commands.join('\n'))} || :`), quickLimitMs);
}
