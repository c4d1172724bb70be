/** Where a package may start, and where it does [serviceguard.md 6.3]. Pure. */
import { packagesOf } from './draft.ts';
import type { ClusterState, MemberName, PackageState } from './model.ts';
import { policyIn } from './package-policy.ts';

/** Then no package starts. */
export function isReforming(state: ClusterState): boolean {
  return Object.values(state.members).some((member) => member.state === 'unknown');
}

export function isBeingHalted(state: ClusterState, member: MemberName): boolean {
  return state.operations.some((operation) => operation.members.includes(member));
}

/** null: eligible. */
export function whyNotEligible(state: ClusterState, pkg: PackageState, member: MemberName): string | null {
  const about = state.members[member];
  const policy = policyIn(state, pkg.config);
  if (about === undefined || !state.memberOrder.includes(member)) return `${member} is not a member of the cluster`;
  if (!policy.members.includes(member)) return `${member} is not in the node_name list of ${pkg.name}`;
  if (about.status !== 'up') return `${member} does not run in the cluster`;
  if (isBeingHalted(state, member)) return `${pkg.name} is disabled for ${member}`;
  if (pkg.nodeSwitch[member] !== true) return `${pkg.name} is switched off for ${member}`;
  const down = policy.subnets.filter((subnet) => (about.subnets[subnet] ?? 'up') !== 'up');
  if (down.length > 0) return `monitored subnet ${down.join(', ')} is down on ${member}`;
  if (pkg.maintenance.on && pkg.maintenance.member !== member)
    return `${pkg.name} is in maintenance mode on ${pkg.maintenance.member}`;
  return null;
}

/** In the order of node_name. */
export function eligibleMembers(state: ClusterState, pkg: PackageState): MemberName[] {
  return policyIn(state, pkg.config).members.filter((member) => whyNotEligible(state, pkg, member) === null);
}

/** null: none is eligible [L7 p.50]. */
export function choosePlace(state: ClusterState, pkg: PackageState): MemberName | null {
  const eligible = eligibleMembers(state, pkg);
  if (policyIn(state, pkg.config).failover !== 'min_package_node') return eligible[0] ?? null;
  // Ties by list order: INFERRED.
  const fewest = Math.min(...eligible.map((member) => packageCount(state, member, pkg)));
  return eligible.find((member) => packageCount(state, member, pkg) === fewest) ?? null;
}

function packageCount(state: ClusterState, member: MemberName, except: PackageState): number {
  return packagesOf(state).filter((pkg) => pkg.owner === member && pkg.name !== except.name).length;
}

/** null: it stays. With min_package_node it moves only if the primary member would have fewer packages [L10 p.210]. */
export function failbackPlace(state: ClusterState, pkg: PackageState): MemberName | null {
  const policy = policyIn(state, pkg.config);
  const [primary] = policy.members;
  if (primary === undefined || policy.failback !== 'automatic' || !pkg.autoRun || pkg.maintenance.on) return null;
  if (pkg.status !== 'up' || pkg.owner === null || pkg.owner === primary) return null;
  if (whyNotEligible(state, pkg, primary) !== null) return null;
  const fewer = packageCount(state, primary, pkg) < packageCount(state, pkg.owner, pkg);
  return policy.failover === 'min_package_node' && !fewer ? null : primary;
}

/** Commands for the operator, in order. */
export function wayBack(state: ClusterState, pkg: PackageState): string[] {
  const policy = policyIn(state, pkg.config);
  const members = policy.members.filter((member) => state.memberOrder.includes(member));
  if (!state.running) return ['cmruncl -v'];
  if (pkg.status === 'partially_down') return [`cmhaltpkg -f ${pkg.name}`, `cmmodpkg -e ${pkg.name}`];
  const commands: string[] = [];
  for (const member of members) {
    const about = state.members[member];
    if (about?.machine === 'up' && about.status === 'down') commands.push(`cmrunnode ${member}`);
    if (pkg.nodeSwitch[member] !== true) commands.push(`cmmodpkg -e -n ${member} ${pkg.name}`);
  }
  // Always: harmless, and shows the switch.
  commands.push(`cmmodpkg -e ${pkg.name}`);
  return commands;
}
