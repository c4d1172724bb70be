/** What cmviewcl derives from the state: summaries, failover targets. Pure. */
import { packagesOf } from '../manager/draft.ts';
import type { ClusterState, MemberName, PackageState } from '../manager/model.ts';
import { eligibleMembers } from '../manager/placement.ts';

export type Summary = 'ok' | 'degraded' | 'critical';

/** Whether it would move if its member failed now. */
export function highlyAvailable(state: ClusterState, pkg: PackageState): boolean {
  return pkg.status === 'up' && pkg.autoRun && eligibleMembers(state, pkg).some((member) => member !== pkg.owner);
}

/** down: critical; up without a failover target: degraded [MIG p.11][GH-hpe]; the rest is ours. */
export function packageSummary(state: ClusterState, pkg: PackageState): Summary {
  if (pkg.owner === null) return 'critical';
  return highlyAvailable(state, pkg) && pkg.services.every((service) => service.status === 'up') ? 'ok' : 'degraded';
}

export function memberSummary(state: ClusterState, member: MemberName): Summary {
  const about = state.members[member];
  if (about?.status !== 'up') return 'critical';
  return Object.values(about.subnets).every((status) => status === 'up') ? 'ok' : 'degraded';
}

export function clusterSummary(state: ClusterState): Summary {
  if (!state.running) return 'critical';
  const parts = [
    ...state.memberOrder.map((member) => memberSummary(state, member)),
    ...packagesOf(state).map((pkg) => packageSummary(state, pkg)),
  ];
  return parts.every((part) => part === 'ok') ? 'ok' : 'degraded';
}

/** starting: the remaining members re-form [U18 p.322]. */
export function clusterStatus(state: ClusterState): 'up' | 'down' | 'starting' {
  if (!state.running) return 'down';
  return Object.values(state.members).some((member) => member.state === 'unknown') ? 'starting' : 'up';
}

export function enabled(value: boolean): 'enabled' | 'disabled' {
  return value ? 'enabled' : 'disabled';
}
