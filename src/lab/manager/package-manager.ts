/**
 * The emulated package manager: one pure function from what it knows and what happens to what it knows then and what it
 * wants done [serviceguard.md chapter 6]. Any event in any state gives a state; what cannot be is logged and ignored.
 */
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

/** One event; never throws, never changes what it is given. Effects are in the order they are to be carried out. */
export function reduce(state: ClusterState, event: LabEvent): Transition {
  const draft = new Draft(state);
  const handler = handlers[event.kind] as (draft: Draft, event: LabEvent) => void;
  handler(draft, event);
  settle(draft);
  adviseAboutStranded(state, draft);
  return draft.transition();
}

/**
 * After every event: a package that is down with switching enabled starts as soon as a member is eligible, and automatic
 * failback brings home what runs elsewhere [L6 p.292][L9 p.60]. Ends, because every failed start has cleared a switch.
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

/** Nobody comes back to a package that ended nowhere, unless told how: the log names the commands. */
function adviseAboutStranded(before: ClusterState, draft: Draft): void {
  for (const pkg of draft.packages) {
    const was = before.packages[pkg.name];
    if (was === undefined || !isStranded(pkg) || (isStranded(was) && was.autoRun === pkg.autoRun)) continue;
    if (membership.isClusterBeingHalted(draft) || (pkg.state === 'halted' && !pkg.autoRun) || pkg.maintenance.on) continue;
    const commands = wayBack(draft.state, pkg);
    draft.log(`Package ${pkg.name} runs nowhere (${pkg.state}). To bring it back: ${commands.join('; ')}`, { package: pkg.name });
  }
}

function isStranded(pkg: PackageState): boolean {
  return pkg.status === 'down' || pkg.status === 'partially_down';
}

export interface InitialCluster {
  readonly name: string;
  /** In the order of the cluster configuration. */
  readonly members: readonly MemberName[];
  /** Machines that can become members. */
  readonly spares?: readonly MemberName[];
  /** Subnet addresses that every member is on; up. */
  readonly subnets: readonly string[];
  readonly options?: Partial<LabOptions>;
}

/** A configured cluster that does not run, with no package; all machines are up. */
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

/** What must hold in every state; an empty list when it does. Used by the tests and by the lab's own watch. */
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
