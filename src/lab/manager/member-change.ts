/** Online changes of members: refusals and effects [serviceguard.md 8.2]. Pure. */
import { errorProblem, type Problem } from '../../base/problem.ts';
import { allValues, type PackageFile } from '../../serviceguard/package-file.ts';
import type { Draft } from './draft.ts';
import type { ClusterState, MemberName, MemberState, PackageState } from './model.ts';
import { policyIn } from './package-policy.ts';
import { isReforming } from './placement.ts';

export interface MemberChange {
  readonly added: readonly MemberName[];
  readonly removed: readonly MemberName[];
}

/** In the lists' order. */
export function memberChange(before: readonly MemberName[], after: readonly MemberName[]): MemberChange {
  return {
    added: after.filter((member) => !before.includes(member)),
    removed: before.filter((member) => !after.includes(member)),
  };
}

/** Empty: they can change. `given`: packages applied with them, checked separately. */
export function refuseMembers(state: ClusterState, wanted: readonly MemberName[], given: readonly string[]): Problem[] {
  const { added, removed } = memberChange(state.memberOrder, wanted);
  if (wanted.length === 0)
    return [errorProblem('cluster-no-member', 'NODE_NAME lists no node.', `Name at least one of: ${hostsOf(state).join(', ')}`)];
  if (added.length + removed.length === 0) return [];
  if (isReforming(state))
    return [
      errorProblem(
        'cluster-reforming',
        'A member was lost and the others are re-forming.',
        'Wait until cmviewcl shows it failed.',
      ),
    ];
  return [...hostProblems(state, added), ...removed.flatMap((member) => removeProblems(state, member, given))];
}

function hostsOf(state: ClusterState): MemberName[] {
  return [...state.memberOrder, ...Object.keys(state.spares)];
}

/** Checks only new members. */
export function hostProblems(state: ClusterState, named: readonly MemberName[]): Problem[] {
  return named.filter((member) => !state.memberOrder.includes(member)).flatMap((member) => addProblem(state, member));
}

function addProblem(state: ClusterState, member: MemberName): Problem[] {
  const spare = Object.hasOwn(state.spares, member) ? state.spares[member] : undefined;
  if (spare === undefined) {
    const text = `${member} is neither a member nor a spare machine of the lab.`;
    return [
      errorProblem('cluster-host-unknown', text, `The lab has ${hostsOf(state).join(', ')}; csync lab up --spares adds more.`),
    ];
  }
  if (spare.machine === 'up') return [];
  return [errorProblem('cluster-host-unreachable', `${member} is unreachable.`, `Switch it on first: csync lab boot ${member}`)];
}

function removeProblems(state: ClusterState, member: MemberName, given: readonly string[]): Problem[] {
  if (state.members[member]?.status === 'up') {
    const text = `${member} is active; only a node that is halted can be removed.`;
    return [errorProblem('cluster-member-active', text, `Halt it first: cmhaltnode -f ${member}`)];
  }
  return Object.values(state.packages).flatMap((pkg) => [
    ...(pkg.maintenance.on && pkg.maintenance.member === member ? [maintained(pkg, member)] : []),
    ...(!given.includes(pkg.name) && lists(pkg.config, member) ? [stillListed(pkg, member)] : []),
  ]);
}

function maintained(pkg: PackageState, member: MemberName): Problem {
  const text = `Package ${pkg.name} is in maintenance mode on ${member}.`;
  return errorProblem('cluster-member-maintenance', text, `End it first: cmmodpkg -m off ${pkg.name}`);
}

function stillListed(pkg: PackageState, member: MemberName): Problem {
  const text = `Package ${pkg.name} lists ${member} in node_name.`;
  const remedy = `Change it with the same command: cmgetconf -p ${pkg.name} FILE, remove the line, cmapplyconf -C CLUSTER_FILE -P FILE`;
  return errorProblem('cluster-member-listed', text, remedy);
}

/** `*` and a missing node_name follow the cluster. */
function lists(file: PackageFile, member: MemberName): boolean {
  return allValues(file, 'node_name').includes(member) && !allValues(file, 'node_name').includes('*');
}

/** Present members keep their state, new ones are down. */
export function withMembers(state: ClusterState, wanted: readonly MemberName[]): ClusterState {
  const { added, removed } = memberChange(state.memberOrder, wanted);
  if (added.length + removed.length === 0) return state;
  const outside: Record<MemberName, MemberState> = { ...state.spares };
  const inside: Record<MemberName, MemberState> = { ...state.members };
  for (const name of added) move(name, outside, inside);
  for (const name of removed) move(name, inside, outside);
  const memberOrder = [...state.memberOrder.filter((name) => !removed.includes(name)), ...added];
  const after = { ...state, memberOrder, members: inside, spares: outside };
  const packages = Object.values(state.packages).map(
    (pkg) => [pkg.name, { ...pkg, nodeSwitch: switchesIn(after, pkg) }] as const,
  );
  return { ...after, packages: Object.fromEntries(packages) };
}

function move(name: MemberName, from: Record<MemberName, MemberState>, to: Record<MemberName, MemberState>): void {
  const about = from[name];
  if (about === undefined) return;
  delete from[name];
  to[name] = { ...about, status: 'down', state: 'halted' };
}

/** For each member it may run on; new ones are on. */
export function switchesIn(state: ClusterState, { config, nodeSwitch }: Pick<PackageState, 'config' | 'nodeSwitch'>) {
  return Object.fromEntries(policyIn(state, config).members.map((member) => [member, nodeSwitch[member] ?? true]));
}

export function changeMembers(draft: Draft, wanted: readonly MemberName[]): void {
  const { added, removed } = memberChange(draft.state.memberOrder, wanted);
  draft.setCluster(withMembers(draft.state, wanted));
  for (const member of removed) draft.log(`${member} is removed from the cluster.`, { member });
  for (const member of added) draft.log(`${member} is added to the cluster; cmrunnode ${member} starts it.`, { member });
}
