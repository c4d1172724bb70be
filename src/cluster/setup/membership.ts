/** Who belongs, the resulting roster, and the stages in the order of the guide's seven steps [dsau-csync.md 6.2]. Pure. */
import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { clusterKeys, type Roster, type RosterClient } from '../../contract/roster.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Settings } from '../../settings/settings.ts';
import type { ApplyPlan, ApplyWish } from '../apply/apply-plan.ts';
import { type HostFacts, type PolicyContent, staleInputs } from '../hosts/host-look.ts';
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

/** Those set up before, the request, and changes of the cluster. Without the cluster's own list, none is added or removed. */
export function memberGoal({ roster, clusterMembers, owner }: Known, settings: Settings, wish: MemberWish): Checked<MemberGoal> {
  const engine = engineFor(settings);
  const isFirst = roster.members.length === 0;
  const before = isFirst ? settings.members : roster.members.map(({ name }) => name);
  const inCluster = (name: string): boolean => clusterMembers?.includes(name) !== false;
  const problems = [
    ...wish.add.flatMap((name) => addProblems(name, clusterMembers, engine)),
    ...wish.remove.flatMap((name) => removeProblems(name, [...before, ...roster.leftOut], owner, settings)),
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
        `${words.viewer} does not report who belongs to the cluster, so ${name} cannot be added`,
        words.viewer,
        name,
      ),
    ];
  if (clusterMembers.includes(name)) return [];
  return [errorProblem('cluster-no-member', `is not a member of the ${title} cluster`, words.join(name, clusterMembers), name)];
}

function removeProblems(name: string, known: readonly string[], owner: string | null, settings: Settings): Problem[] {
  if (!known.includes(name))
    return [
      errorProblem('usage-no-member', `is not set up as a member (members: ${known.join(', ')})`, 'csync members list', name),
    ];
  if (name !== owner) return [];
  const other = known.find((member) => member !== name) ?? 'OTHER';
  const remedy = engineFor(settings).words.moveAway(name, settings.packageName, other);
  return [errorProblem('change-owner', 'the package runs there', remedy, name)];
}

function noMembers(clusterMembers: readonly string[], { title, words }: Engine): Problem {
  const text = `none of the members in csync.yaml belongs to the ${title} cluster (${clusterMembers.join(', ')})`;
  return errorProblem('settings-members', text, `correct members in csync.yaml; ${words.viewer} prints the names`);
}

export function inOrder(members: readonly string[], settings: Settings): string[] {
  const listed = settings.members.filter((name) => members.includes(name));
  return [...listed, ...members.filter((name) => !listed.includes(name))];
}

export interface PolicyPart {
  /** null: correct, or out of reach. */
  readonly publish: PublishStep | null;
  /** By name: the first policy of a new host. */
  readonly inputs: ReadonlyMap<string, PolicyContent>;
  /** The master's files were readable. */
  readonly served: boolean;
  readonly notes: readonly string[];
}

export interface MembershipInput {
  readonly view: SetupView;
  readonly goal: MemberGoal;
  readonly roster: Roster;
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  readonly policy: PolicyPart;
  /** null: none is applied, or nothing to change. */
  readonly package: { readonly plan: ApplyPlan; readonly wish: ApplyWish } | null;
  /** Why the package cannot be changed now. */
  readonly packageProblems: readonly Problem[];
  /** A host with an error is skipped. */
  readonly answers: readonly Problem[];
  readonly clients: ClientChange;
}

export interface MembershipPlan extends SetupPlan {
  readonly problems: readonly Problem[];
}

/** After the plan, for the next round. */
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
  `${typed(engineFor(settings).orders.switchOn('PACKAGE'))} starts it; then csync members sync completes the set-up (a package start does that, too)`;

function memberChains({ hosts }: SetupView, members: readonly string[], goal: HostGoal) {
  const problems: Problem[] = [];
  const waits: SetupPlan['waits'][number][] = [];
  const chains = new Map<string, readonly HostStep[]>();
  for (const name of members) {
    const seen = hosts.get(name);
    if (seen?.facts == null) {
      const { why = 'was not checked', remedy = 'csync members sync' } = seen?.noAnswer ?? {};
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
 * Hosts whose policy on the master cannot be changed now [dsau-csync.md 6.3], also from earlier verbs. The first member stores that of a
 * removed host.
 */
function withoutPolicy({ view, goal, clients }: MembershipInput, setUp: readonly string[]): string[] {
  if (view.owner !== null || view.observation.applied === null) return [];
  const waited = view.roster.waiting.flatMap(({ host, what }) => (what === 'deleted member' ? [] : [host]));
  const isLess = goal.removed.length + clients.remove.length > 0;
  const hosts = new Set([...goal.added, ...setUp, ...waited, ...(isLess ? goal.members.slice(0, 1) : [])]);
  return [...hosts].filter((name) => view.hosts.get(name)?.facts != null && !clients.remove.includes(name));
}

/** In the guide's order. No stages: everything is as wanted. */
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
        why: seen?.noAnswer?.why ?? 'was not checked',
        remedy: 'csync client sync   (completes the set-up)',
      });
      continue;
    }
    const planned = planHost(seen, seen.facts, hostGoal);
    problems.push(...planned.problems);
    // The first run fetches the policy, and proves the whole path.
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
    waits.push({
      host,
      why: 'the package is down: the policy step runs when the package next starts',
      remedy: packageDown(settings),
    });
  const news = goal.added.filter((name) => hosts.get(name)?.facts != null && !blocked.has(name));
  const agents = agentStages(policy, owner, news, members, hosts);
  const revoked = revokeStage(goal, roster, view);
  const stages: Stage[] = [
    // No host may get a policy that its parser rejects.
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

/** An unregistered former client would be denied silently. */
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
    `members trust ${strangers.size} keys of hosts that are not registered (${first}${strangers.size > 1 ? ' and others' : ''}). These hosts may connect only from client_networks; to register one: csync client add HOST`,
  ];
}

/** Steps 6 and 7: the agent on the master, then on the new hosts. */
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

/** Revokes the keys of a removed member that still answers. */
function revokeStage({ removed }: MemberGoal, { key }: Roster, { hosts }: SetupView): Stage | null {
  const has = (name: string): boolean => key !== null && hosts.get(name)?.facts?.own?.digest === key.digest;
  // Killed before the restart: its daemon has the removed keys in memory.
  const holders = removed.filter((name) => has(name) || hosts.get(name)?.facts?.owed === 'restart');
  if (holders.length === 0) return null;
  const chain = (host: string): readonly HostStep[] => [
    ...(has(host) ? [{ do: 'keys', host, own: { pair: 'revoked' }, change: noChange } as const] : []),
    { do: 'daemon', host, how: 'restart' },
  ];
  return { stage: 'hosts', chains: new Map(holders.map((host) => [host, chain(host)])) };
}

/** It keeps its policy; its daemon stops, and it trusts the cluster no longer. */
function dismissal({ name: host, startsAtBoot }: SeenHost, { keys, daemons }: HostFacts, roster: Roster): HostStep[] {
  const ofCluster = new Set(clusterKeys(roster).map(({ digest }) => digest));
  const remove = keys
    .filter(({ digest }) => digest !== null && ofCluster.has(digest))
    .map(({ name }) => ({ name, why: 'it is no longer a client' }));
  return [
    ...(startsAtBoot ? [{ do: 'configure', host, configured: false } as const] : []),
    ...(daemons > 0 ? [{ do: 'daemon', host, how: 'stop' } as const] : []),
    ...(remove.length > 0 ? [{ do: 'keys', host, own: null, change: { ...noChange, remove } } as const] : []),
  ];
}

/** Now: they need the change before their next own run. */
function clientStage(
  { publish }: PolicyPart,
  owner: string | null,
  clients: readonly RosterClient[],
  { added, removed }: MemberGoal,
): Stage[] {
  if (publish === null || owner === null || clients.length === 0 || added.length + removed.length === 0) return [];
  return [{ stage: 'remote run', member: owner, hosts: clients.map(({ name }) => name) }];
}
