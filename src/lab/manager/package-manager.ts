/** A pure function from state and event to the next state and effects [serviceguard.md chapter 6]. Logs and ignores impossible events. */
import { Draft, packagesOf } from './draft.ts';
import * as failures from './failures.ts';
import * as membership from './membership.ts';
import type { ClusterState, LabEvent, LabOptions, MemberName, MemberState, PackageState, Transition } from './model.ts';
import { haltPackage, startPackage } from './operations.ts';
import { policyIn } from './package-policy.ts';
import { choosePlace, failbackPlace, isReforming, wayBack } from './placement.ts';
import * as requests from './requests.ts';

type Handlers = { readonly [Kind in LabEvent['kind']]: (draft: Draft, event: Extract<LabEvent, { kind: Kind }>) => void };

const handlers: Handlers = {
  'cluster-run': membership.clusterRun,
  'cluster-halt': membership.clusterHalt,
  'member-run': membership.memberRun,
  'member-halt': membership.memberHalt,
  'member-booted': membership.memberBooted,
  'package-run': requests.packageRun,
  'package-halt': requests.packageHalt,
  'package-switch': requests.packageSwitch,
  'package-maintenance': requests.packageMaintenance,
  'service-reset': requests.serviceReset,
  'configuration-applied': requests.configurationApplied,
  'package-deleted': requests.packageDeleted,
  'start-ended': failures.startEnded,
  'halt-ended': failures.haltEnded,
  'service-run': failures.serviceRun,
  'service-died': failures.serviceDied,
  'member-crashed': failures.memberCrashed,
  'cluster-reformed': failures.clusterReformed,
  'subnet-changed': failures.subnetChanged,
};

/** Never throws, never modifies its input. Effects are in order. */
export function reduce(state: ClusterState, event: LabEvent): Transition {
  const draft = new Draft(state);
  const handler = handlers[event.kind] as (draft: Draft, event: LabEvent) => void;
  handler(draft, event);
  settle(draft);
  adviseAboutStranded(state, draft);
  return draft.transition();
}

/**
 * A halted, enabled package starts when a member is eligible; automatic failback [L6 p.292][L9 p.60]. Terminates, as every failed start
 * clears a switch.
 */
function settle(draft: Draft): void {
  if (!draft.state.running || isReforming(draft.state)) return;
  for (const { name } of draft.packages) {
    const pkg = draft.package(name);
    if (pkg === undefined || pkg.status !== 'down' || !pkg.autoRun) continue;
    const place = choosePlace(draft.state, pkg);
    if (place !== null) startPackage(draft, pkg, place);
  }
  for (const { name } of draft.packages) {
    const pkg = draft.package(name);
    if (pkg !== undefined && failbackPlace(draft.state, pkg) !== null) haltPackage(draft, name, 'failback');
  }
}

/** Logs the commands for a package that needs an administrator. */
function adviseAboutStranded(before: ClusterState, draft: Draft): void {
  for (const pkg of draft.packages) {
    const was = before.packages[pkg.name];
    if (was === undefined || !isStranded(pkg) || (isStranded(was) && was.autoRun === pkg.autoRun)) continue;
    if (membership.isClusterBeingHalted(draft) || (pkg.state === 'halted' && !pkg.autoRun) || pkg.maintenance.on) continue;
    const commands = wayBack(draft.state, pkg);
    draft.log(`Package ${pkg.name} runs nowhere (${pkg.state}). To start it again: ${commands.join('; ')}`, {
      package: pkg.name,
    });
  }
}

function isStranded(pkg: PackageState): boolean {
  return pkg.status === 'down' || pkg.status === 'partially_down';
}

export interface InitialCluster {
  readonly name: string;
  /** In the order of the configuration. */
  readonly members: readonly MemberName[];
  readonly spares?: readonly MemberName[];
  /** Of every member; all are up. */
  readonly subnets: readonly string[];
  readonly options?: Partial<LabOptions>;
}

export function initialState({ name, members, spares = [], subnets, options }: InitialCluster): ClusterState {
  const member = (one: MemberName): MemberState => ({
    name: one,
    status: 'down',
    state: 'halted',
    machine: 'up',
    subnets: Object.fromEntries(subnets.map((subnet) => [subnet, 'up'])),
  });
  return {
    name,
    running: false,
    memberOrder: members,
    members: Object.fromEntries(members.map((one) => [one, member(one)])),
    spares: Object.fromEntries(spares.map((one) => [one, member(one)])),
    packages: {},
    options: { timeoutDisablesMember: false, onlineAddEnablesAutoRun: false, rejoinEnablesMember: true, ...options },
    operations: [],
  };
}

/** Those that are broken. */
export function invariants(state: ClusterState): string[] {
  const broken = [...memberInvariants(state), ...packagesOf(state).flatMap((pkg) => packageInvariants(state, pkg))];
  const running = Object.values(state.members).some((member) => member.status === 'up');
  if (running !== state.running) broken.push(`the cluster is ${state.running ? 'up without' : 'down with'} a member that is up`);
  for (const operation of state.operations) {
    const idle = operation.waiting.filter((name) => state.packages[name]?.pending == null);
    if (idle.length > 0)
      broken.push(`${operation.command} ${operation.request} waits for ${idle.join(', ')}, where no script runs`);
  }
  return broken;
}

function memberInvariants({ memberOrder, members, spares }: ClusterState): string[] {
  const known = Object.keys(members);
  const rules: readonly (readonly [boolean, string])[] = [
    [[...memberOrder].sort().join() === known.sort().join(), `the order of members is ${memberOrder}, known are ${known}`],
    [known.every((name) => !Object.hasOwn(spares, name)), 'a spare machine is a member'],
    [
      Object.values(spares).every((spare) => spare.status === 'down' && spare.state === 'halted'),
      'a spare machine is in the cluster',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, text]) => text);
}

const owned = new Set(['up', 'starting', 'halting', 'failing', 'partially_down']);
const scripted = new Set(['starting', 'halting', 'failing']);

function packageInvariants(state: ClusterState, pkg: PackageState): string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [(pkg.owner !== null) === owned.has(pkg.status), `is ${pkg.status} with owner ${pkg.owner}`],
    [
      (pkg.pending !== null) === scripted.has(pkg.status),
      `is ${pkg.status} ${pkg.pending === null ? 'without' : 'with'} a script`,
    ],
    [pkg.owner === null || state.members[pkg.owner]?.status === 'up', `is owned by ${pkg.owner}, which is not up`],
    [!pkg.maintenance.on || !pkg.autoRun, 'is in maintenance mode with switching enabled'],
    [
      Object.keys(pkg.nodeSwitch).sort().join() === [...policyIn(state, pkg.config).members].sort().join(),
      `has switches for ${Object.keys(pkg.nodeSwitch)}`,
    ],
    [Object.keys(pkg.nodeSwitch).every((name) => state.memberOrder.includes(name)), 'may run on a host that is no member'],
    [
      pkg.maintenance.member === null || state.memberOrder.includes(pkg.maintenance.member),
      `is in maintenance mode on ${pkg.maintenance.member}, which is no member`,
    ],
    [pkg.status !== 'down' || pkg.services.every((service) => service.status !== 'up'), 'is down with a service up'],
  ];
  return rules.filter(([holds]) => !holds).map(([, text]) => `package ${pkg.name} ${text}`);
}
