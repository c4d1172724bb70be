/**
 * Members and clients come and go: who shall belong, what the roster says afterwards, and the stages in the order of the
 * guide's seven steps [dsau-csync.md 6.2]. Pure.
 */
import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { clusterKeys, type Roster, type RosterClient } from '../../contract/roster.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Settings } from '../../settings/settings.ts';
import type { ApplyPlan, ApplyWish } from '../apply/apply-plan.ts';
import { type HostFacts, staleInputs } from '../hosts/host-look.ts';
import { type HostStep, noChange } from '../hosts/host-setup.ts';
import { wantedKeys } from '../hosts/key-layout.ts';
import type { ClientChange } from './client-change.ts';
import type { SetupView } from './look.ts';
import { excludedBy, type MemberGoal } from './roster-change.ts';
import { type HostGoal, type PublishStep, planHost, project, type SeenHost, type SetupPlan, type Stage } from './setup-plan.ts';

export interface MemberWish {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

type Known = Pick<SetupView, 'roster' | 'clusterMembers' | 'owner'>;

/**
 * Who shall be a member: what was set up before, with what the administrator wishes and what came to or went from the
 * cluster since. Nobody is taken in or thrown out while the cluster does not say who belongs to it.
 */
export function memberGoal({ roster, clusterMembers, owner }: Known, settings: Settings, wish: MemberWish): Checked<MemberGoal> {
  const engine = engineFor(settings);
  const isFirst = roster.members.length === 0;
  const before = isFirst ? settings.members : roster.members.map(({ name }) => name);
  const inCluster = (name: string): boolean => clusterMembers?.includes(name) !== false;
  const problems = [
    ...wish.add.flatMap((name) => addProblems(name, clusterMembers, engine)),
    ...wish.remove.flatMap((name) => removeProblems(name, [...before, ...roster.leftOut], owner, engine)),
  ];
  const leftOut = [
    ...(isFirst ? (clusterMembers ?? []).filter((name) => !settings.members.includes(name)) : roster.leftOut),
    ...wish.remove.filter(inCluster),
  ].filter((name) => inCluster(name) && !wish.add.includes(name));
  const came = (clusterMembers ?? []).filter((name) => !before.includes(name) && !leftOut.includes(name));
  const stays = before.filter((name) => inCluster(name) && !wish.remove.includes(name));
  const members = [...new Set([...stays, ...wish.add, ...came])];
  if (members.length === 0 && problems.length === 0) problems.push(noMembers(clusterMembers ?? [], engine));
  if (problems.length > 0) return { ok: false, problems };
  const value = {
    members,
    added: members.filter((name) => isFirst || !before.includes(name)),
    removed: before.filter((name) => !members.includes(name)),
    leftOut: [...new Set(leftOut)],
  };
  return { ok: true, value, problems };
}

function addProblems(name: string, clusterMembers: readonly string[] | null, { title, words }: Engine): Problem[] {
  if (clusterMembers === null)
    return [
      errorProblem(
        'cluster-silent',
        `${words.viewer} does not say who belongs to the cluster, so ${name} cannot be taken in`,
        words.viewer,
        name,
      ),
    ];
  if (clusterMembers.includes(name)) return [];
  return [errorProblem('cluster-no-member', `is no member of the ${title} cluster`, words.join(name, clusterMembers), name)];
}

function removeProblems(name: string, known: readonly string[], owner: string | null, { words }: Engine): Problem[] {
  if (!known.includes(name))
    return [
      errorProblem('usage-no-member', `is not set up as a member (${known.join(', ')} are)`, 'csync members   lists them', name),
    ];
  if (name !== owner) return [];
  return [errorProblem('change-owner', 'the package runs there', words.moveAway(name), name)];
}

function noMembers(clusterMembers: readonly string[], { title, words }: Engine): Problem {
  const text = `none of the members of the settings belongs to the ${title} cluster (${clusterMembers.join(', ')})`;
  return errorProblem('settings-members', text, `correct members in csync.yaml; ${words.viewer} shows the names`);
}

/** As the administrator's own words for it come and go: those of the settings first, as they stand there. */
export function inOrder(members: readonly string[], settings: Settings): string[] {
  const listed = settings.members.filter((name) => members.includes(name));
  return [...listed, ...members.filter((name) => !listed.includes(name))];
}

/** The policy as the roster wants it. */
export interface PolicyPart {
  /** null: the master copies are as they should be, or cannot be reached now. */
  readonly publish: PublishStep | null;
  /** The whole policy afterwards, by name: what a host begins with. */
  readonly inputs: ReadonlyMap<string, string>;
  /** The files of the master could be read, and are among them. */
  readonly served: boolean;
  readonly notes: readonly string[];
}

export interface MembershipInput {
  readonly view: SetupView;
  readonly goal: MemberGoal;
  /** As rosterFor gave it. */
  readonly roster: Roster;
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  readonly policy: PolicyPart;
  /** Files and configuration of the package for these members; null: none is applied yet, or nothing is to be changed. */
  readonly package: { readonly plan: ApplyPlan; readonly wish: ApplyWish } | null;
  /** Why it cannot be changed now. */
  readonly packageProblems: readonly Problem[];
  /** What is wrong with what hosts answered; one with an error is left as it is. */
  readonly answers: readonly Problem[];
  readonly clients: ClientChange;
}

export interface MembershipPlan extends SetupPlan {
  /** Hosts with a problem are left as they are. */
  readonly problems: readonly Problem[];
}

/** The same look as it would be once the plan was carried out. */
export function projectView(view: SetupView, plan: SetupPlan, goal: Pick<HostGoal, 'roster' | 'inputs'>): SetupView {
  const hosts = new Map(view.hosts);
  let { masterFiles } = view;
  for (const stage of plan.stages) {
    if (stage.stage === 'publish' && masterFiles !== null) {
      const removed = new Set(stage.publish.remove);
      const kept = [...masterFiles].filter(([name]) => !removed.has(name));
      masterFiles = new Map([...kept, ...stage.publish.write.map(({ name, text }) => [name, text] as const)]);
    }
    if (stage.stage !== 'hosts') continue;
    for (const [name, steps] of stage.chains) {
      const seen = hosts.get(name);
      if (seen?.facts != null) hosts.set(name, { ...seen, startsAtBoot: true, facts: project(seen.facts, steps, goal) });
    }
  }
  return { ...view, hosts, masterFiles };
}

const packageDown = (settings: Settings): string =>
  `${typed(engineFor(settings).orders.switchOn('PACKAGE'))} starts it; csync members sync   does what is left (the package start does that by itself)`;

/** What each member wants by itself. */
function memberChains({ hosts }: SetupView, members: readonly string[], goal: HostGoal) {
  const problems: Problem[] = [];
  const waits: SetupPlan['waits'][number][] = [];
  const chains = new Map<string, readonly HostStep[]>();
  for (const name of members) {
    const seen = hosts.get(name);
    if (seen?.facts == null) {
      const { why = 'was not looked at', remedy = 'csync members sync' } = seen?.noAnswer ?? {};
      waits.push({ host: name, why, remedy });
      continue;
    }
    const planned = planHost(seen, seen.facts, goal);
    problems.push(...planned.problems);
    if (planned.problems.length === 0 && planned.steps.length > 0) chains.set(name, planned.steps);
  }
  return { problems, waits, chains };
}

/**
 * Hosts of which the policy of the master is not what it has to be, and cannot be now [dsau-csync.md 6.3]: those that wait since an
 * earlier verb, too. What is removed has no record of its own; the first member keeps it.
 */
function withoutPolicy({ view, goal, clients }: MembershipInput, setUp: readonly string[]): string[] {
  if (view.owner !== null || view.observation.applied === null) return [];
  const waited = view.roster.waiting.flatMap(({ host, what }) => (what === 'deleted member' ? [] : [host]));
  const isLess = goal.removed.length + clients.remove.length > 0;
  const hosts = new Set([...goal.added, ...setUp, ...waited, ...(isLess ? goal.members.slice(0, 1) : [])]);
  return [...hosts].filter((name) => view.hosts.get(name)?.facts != null && !clients.remove.includes(name));
}

/** Everything a membership wants, in the guide's order; nothing where all is as it should be. */
export function planMembership(input: MembershipInput): MembershipPlan {
  const { view, goal, roster, settings, adapter, policy } = input;
  const { hosts, owner } = view;
  const hostGoal: HostGoal = { settings, adapter, roster, inputs: policy.inputs, served: policy.served, owner };
  const excluded = excludedBy(input.answers);
  const members = goal.members.filter((name) => !excluded.has(name));
  const planned = memberChains(view, members, hostGoal);
  const { chains, waits } = planned;
  const problems = [...input.packageProblems, ...input.answers, ...planned.problems];
  const { remove } = input.clients;
  const setUp = input.clients.setUp.filter((name) => !excluded.has(name));
  const clients = new Map<string, readonly HostStep[]>();
  for (const name of setUp) {
    const seen = hosts.get(name);
    if (seen?.facts == null) {
      waits.push({
        host: name,
        why: seen?.noAnswer?.why ?? 'was not looked at',
        remedy: 'csync client sync   takes it up again',
      });
      continue;
    }
    const planned = planHost(seen, seen.facts, hostGoal);
    problems.push(...planned.problems);
    // Its first run fetches what the master has, and shows that the whole way is open.
    const waited = view.roster.waiting.some(({ host, what }) => host === name && what === 'client');
    const isStale = staleInputs(policy.inputs, seen.facts.inputs).length > 0;
    const fetches = owner !== null && input.clients.fetch && (planned.steps.length > 0 || waited || (policy.served && isStale));
    const steps = [...planned.steps, ...(fetches ? [{ do: 'agent', host: name } as const] : [])];
    if (planned.problems.length === 0 && steps.length > 0) clients.set(name, steps);
  }
  for (const name of remove) {
    const seen = hosts.get(name);
    const steps = seen?.facts == null ? [] : dismissal(seen, seen.facts, view.roster);
    if (steps.length > 0) clients.set(name, steps);
  }
  const blocked = excludedBy(problems);
  for (const host of withoutPolicy(input, setUp))
    waits.push({ host, why: 'the package is down: the policy of the master waits for its start', remedy: packageDown(settings) });
  const news = goal.added.filter((name) => hosts.get(name)?.facts != null && !blocked.has(name));
  const agents = agentStages(policy, owner, news, members, hosts);
  const revoked = revokeStage(goal, roster, view);
  const stages: Stage[] = [
    // First, since nobody is to get a policy that its parser refuses.
    ...(policy.publish === null ? [] : [{ stage: 'publish', publish: policy.publish } as const]),
    ...(chains.size > 0 ? [{ stage: 'hosts', chains } as const] : []),
    ...(input.package === null ? [] : [{ stage: 'package', ...input.package } as const]),
    ...agents,
    ...(revoked === null ? [] : [revoked]),
    ...(clients.size > 0 ? [{ stage: 'hosts', chains: clients } as const] : []),
    ...clientStage(
      policy,
      owner,
      roster.clients.filter(({ name }) => !setUp.includes(name)),
      goal,
    ),
  ];
  return { stages, notes: [...policy.notes, ...strangerNotes(goal, roster, view, settings)], waits, problems };
}

/** Whoever was a client before and is not registered would be turned away without a word. */
function strangerNotes({ members }: MemberGoal, roster: Roster, { hosts }: SetupView, settings: Settings): string[] {
  const wanted = new Set(wantedKeys('member', roster, settings).map(({ name }) => name));
  const gone = new Set(roster.gone.map(({ digest }) => digest));
  const strangers = new Set(
    members.flatMap((member) =>
      (hosts.get(member)?.facts?.keys ?? []).flatMap(({ name, digest }) =>
        name.startsWith('root-') && digest !== null && !wanted.has(name) && !gone.has(digest) && !roster.retired.includes(digest)
          ? [name]
          : [],
      ),
    ),
  );
  if (strangers.size === 0) return [];
  const [first = ''] = strangers;
  return [
    `members trust ${strangers.size} keys of hosts that are not registered (${first}${strangers.size > 1 ? ' and others' : ''}); those hosts may connect only from client_networks: csync client add HOST`,
  ];
}

/** Steps 6 and 7: the agent on the master, which fills its own inputs, then on those that are new. */
function agentStages(
  { publish, inputs }: PolicyPart,
  owner: string | null,
  news: readonly string[],
  members: readonly string[],
  hosts: SetupView['hosts'],
): Stage[] {
  if (owner === null) return [];
  const isStale = (name: string): boolean => {
    const facts = hosts.get(name)?.facts;
    return facts != null && staleInputs(inputs, facts.inputs).length > 0;
  };
  const run = (names: readonly string[]): Stage[] =>
    names.length === 0 ? [] : [{ stage: 'hosts', chains: new Map(names.map((host) => [host, [{ do: 'agent', host }]])) }];
  const first = publish !== null || news.length > 0 || isStale(owner) ? [owner] : [];
  return [...run(first), ...run(members.filter((name) => name !== owner && (news.includes(name) || isStale(name))))];
}

/** What a member that is gone has of the cluster is taken from it, where it still answers. */
function revokeStage({ removed }: MemberGoal, { key }: Roster, { hosts }: SetupView): Stage | null {
  const has = (name: string): boolean => key !== null && hosts.get(name)?.facts?.own?.digest === key.digest;
  // Killed before the restart, its daemon still has in memory what is in no file any more.
  const holders = removed.filter((name) => has(name) || hosts.get(name)?.facts?.owed === 'restart');
  if (holders.length === 0) return null;
  const chain = (host: string): readonly HostStep[] => [
    ...(has(host) ? [{ do: 'keys', host, own: { pair: 'revoked' }, change: noChange } as const] : []),
    { do: 'daemon', host, how: 'restart' },
  ];
  return { stage: 'hosts', chains: new Map(holders.map((host) => [host, chain(host)])) };
}

/** A client that goes keeps its policy; its daemon ends, and the cluster's keys are no longer trusted there. */
function dismissal({ name: host, startsAtBoot }: SeenHost, { keys, daemons }: HostFacts, roster: Roster): HostStep[] {
  const ofCluster = new Set(clusterKeys(roster).map(({ digest }) => digest));
  const remove = keys
    .filter(({ digest }) => digest !== null && ofCluster.has(digest))
    .map(({ name }) => ({ name, why: 'it is no client any more' }));
  return [
    ...(startsAtBoot ? [{ do: 'configure', host, configured: false } as const] : []),
    ...(daemons > 0 ? [{ do: 'daemon', host, how: 'stop' } as const] : []),
    ...(remove.length > 0 ? [{ do: 'keys', host, own: null, change: { ...noChange, remove } } as const] : []),
  ];
}

/** What a change of members means for clients should not wait for their next run of their own. */
function clientStage(
  { publish }: PolicyPart,
  owner: string | null,
  clients: readonly RosterClient[],
  { added, removed }: MemberGoal,
): Stage[] {
  if (publish === null || owner === null || clients.length === 0 || added.length + removed.length === 0) return [];
  return [{ stage: 'remote run', member: owner, hosts: clients.map(({ name }) => name) }];
}
