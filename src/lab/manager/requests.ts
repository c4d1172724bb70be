/** cmrunpkg, cmhaltpkg, cmmodpkg, new configurations [serviceguard.md 5.7-5.9, 6.10]. */

import { startOrder } from '../../serviceguard/modules.ts';
import { type PackageFile, styleOf } from '../../serviceguard/package-file.ts';
import type { Draft } from './draft.ts';
import { changeMembers, refuseMembers, switchesIn, withMembers } from './member-change.ts';
import { say } from './messages.ts';
import type { ClusterState, LabEvent, MemberName, PackageName, PackageState, ServiceState } from './model.ts';
import { answerFinished, haltWhenPossible, startPackage } from './operations.ts';
import { policyIn, servicesAtRest } from './package-policy.ts';
import { choosePlace, isReforming, whyNotEligible } from './placement.ts';

type EventOf<Kind extends LabEvent['kind']> = Extract<LabEvent, { kind: Kind }>;

function unavailable(draft: Draft, command: string): string | null {
  if (!draft.state.running) return say('clusterDown', command);
  return isReforming(draft.state) ? say('clusterForming', command) : null;
}

export function packageRun(draft: Draft, event: EventOf<'package-run'>) {
  const { request, upToModule, exceptModule } = event;
  const refused = unavailable(draft, 'cmrunpkg');
  if (refused !== null) return draft.reply(request, [], [refused]);
  const waiting: PackageName[] = [];
  const lines: string[] = [];
  const errorLines: string[] = [];
  for (const name of new Set(event.packages)) {
    const pkg = draft.package(name);
    const member = pkg === undefined ? '' : placeAskedFor(draft, pkg, event);
    const refusal = pkg === undefined ? say('unknownPackage', name) : runRefusal(draft, pkg, event, member);
    if (refusal !== null || pkg === undefined) {
      errorLines.push(refusal ?? '');
      continue;
    }
    startPackage(draft, pkg, member, {
      ...(upToModule === undefined ? {} : { upToModule }),
      ...(exceptModule === undefined ? {} : { exceptModule }),
    });
    waiting.push(name);
    lines.push(say('runBegins', name, member));
  }
  draft.setOperation({ request, command: 'cmrunpkg', waiting, members: [], lines, errorLines });
  answerFinished(draft);
}

function placeAskedFor(draft: Draft, pkg: PackageState, event: EventOf<'package-run'>): MemberName {
  if (event.anyMember) return choosePlace(draft.state, pkg) ?? event.issuedOn;
  return event.members[0] ?? (pkg.maintenance.on ? pkg.maintenance.member : null) ?? event.issuedOn;
}

/** It starts nothing in the lab. */
const startedModules: readonly string[] = startOrder.filter((name) => name !== 'sg/pr_cntl');

function runRefusal(draft: Draft, pkg: PackageState, event: EventOf<'package-run'>, member: MemberName): string | null {
  const { failover } = policyIn(draft.state, pkg.config);
  if (event.members.length > 1) return say('runOneMember', pkg.name, String(event.members.length));
  if (event.anyMember && failover.startsWith('site_')) return say('runSitePolicy', pkg.name, failover);
  if ((event.upToModule ?? event.exceptModule) !== undefined && !pkg.maintenance.on)
    return say('runModulesOnlyInMaintenance', pkg.name);
  const module = event.upToModule ?? event.exceptModule;
  if (module !== undefined && !startedModules.includes(module))
    return say('runUnknownModule', pkg.name, module, startedModules.join(', '));
  if (pkg.status !== 'down') return say('runNotHalted', pkg.name, pkg.status);
  return whyNotEligible(draft.state, pkg, member) === null ? null : say('runNotEligible', pkg.name, member);
}

export function packageHalt(draft: Draft, event: EventOf<'package-halt'>) {
  const { request, members, force } = event;
  const refused = unavailable(draft, 'cmhaltpkg');
  if (refused !== null) return draft.reply(request, [], [refused]);
  const waiting: PackageName[] = [];
  const errorLines: string[] = [];
  for (const name of new Set(event.packages)) {
    const pkg = draft.package(name);
    if (pkg === undefined) errorLines.push(say('unknownPackage', name));
    else if (pkg.owner === null) errorLines.push(say('haltNotRunning', name, ''));
    else if (members.length > 0 && !members.includes(pkg.owner))
      errorLines.push(say('haltNotRunning', name, ` on ${members.join(', ')}`));
    else waiting.push(name);
  }
  const lines = waiting.map((name) => say('haltBegins', name));
  draft.setOperation({ request, command: 'cmhaltpkg', waiting, members: [], lines, errorLines });
  for (const name of waiting) {
    draft.setPackage(name, { autoRun: false });
    const pkg = draft.package(name);
    if (pkg !== undefined) haltWhenPossible(draft, pkg, 'user', force && pkg.status === 'partially_down');
  }
  answerFinished(draft);
}

type Change = (pkg: PackageState) => string | null;

function modify(draft: Draft, request: string, packages: readonly PackageName[], change: Change) {
  if (!draft.state.running) return draft.reply(request, [], [say('clusterDown', 'cmmodpkg')]);
  const errorLines: string[] = [];
  for (const name of new Set(packages)) {
    const pkg = draft.package(name);
    const refusal = pkg === undefined ? say('unknownPackage', name) : change(pkg);
    if (refusal !== null) errorLines.push(refusal);
  }
  if (errorLines.length === 0) draft.reply(request, [say('switchAllDone')], []);
  else draft.reply(request, [], [...errorLines, say('switchSomeFailed')]);
}

export function packageSwitch(draft: Draft, { request, packages, members, enable }: EventOf<'package-switch'>) {
  modify(draft, request, packages, (pkg) => {
    const stranger = members.find((member) => !Object.hasOwn(pkg.nodeSwitch, member));
    if (stranger !== undefined) return say('switchUnknownMember', pkg.name, stranger);
    if (members.length === 0 && enable && pkg.maintenance.on) return say('switchInMaintenance', pkg.name);
    const word = enable ? 'enabled' : 'disabled';
    if (members.length === 0) {
      draft.setPackage(pkg.name, { autoRun: enable });
      draft.log(`Switching of ${pkg.name} is ${word}.`, { package: pkg.name });
    } else {
      const changed = Object.fromEntries(members.map((member) => [member, enable]));
      draft.setPackage(pkg.name, { nodeSwitch: { ...pkg.nodeSwitch, ...changed } });
      draft.log(`${pkg.name} is ${word} for ${members.join(', ')}.`, { package: pkg.name });
    }
    return null;
  });
}

export function packageMaintenance(draft: Draft, { request, packages, members, on }: EventOf<'package-maintenance'>): void {
  modify(draft, request, packages, (pkg) => (on ? enterMaintenance(draft, pkg, members) : leaveMaintenance(draft, pkg)));
}

function enterMaintenance(draft: Draft, pkg: PackageState, members: readonly MemberName[]): string | null {
  if (styleOf(pkg.config) === 'legacy') return say('maintenanceNeedsModular', pkg.name);
  if (pkg.autoRun) return say('maintenanceNeedsDisabled', pkg.name);
  if (pkg.status !== 'up' && pkg.status !== 'down') return say('maintenanceBusy', pkg.name, pkg.status);
  if (members.length > 1)
    return say('maintenanceElsewhere', pkg.name, members.join(', '), 'maintenance mode is on one node only');
  const member = members[0] ?? pkg.owner;
  if (member === null) return say('maintenanceNeedsMember', pkg.name);
  if (pkg.owner !== null && member !== pkg.owner) return say('maintenanceElsewhere', pkg.name, member, `it runs on ${pkg.owner}`);
  const active = draft.member(member)?.status === 'up' && policyIn(draft.state, pkg.config).members.includes(member);
  if (!active) return say('maintenanceElsewhere', pkg.name, member, 'the node must be up and in node_name');
  const { partial } = pkg.maintenance;
  draft.setPackage(pkg.name, {
    maintenance: { on: true, member, partial },
    ...(pkg.status === 'up' ? { state: 'maintenance' } : {}),
  });
  draft.log(`Package ${pkg.name} is in maintenance mode on ${member}; its failures are ignored.`, { member, package: pkg.name });
  return null;
}

function leaveMaintenance(draft: Draft, pkg: PackageState): string | null {
  if (!pkg.maintenance.on) return null;
  if (pkg.status !== 'up' && pkg.status !== 'down') return say('maintenanceBusy', pkg.name, pkg.status);
  const ailments = pkg.status === 'up' ? ailmentsOf(draft, pkg) : [];
  if (ailments.length > 0) return say('maintenanceUnhealthy', pkg.name, ailments.join(', '));
  const maintenance = { on: false, member: null, partial: false };
  draft.setPackage(pkg.name, { maintenance, ...(pkg.status === 'up' ? { state: 'running' } : {}) });
  draft.log(`Package ${pkg.name} has left maintenance mode.`, { package: pkg.name });
  return null;
}

function ailmentsOf(draft: Draft, pkg: PackageState): string[] {
  const subnets = draft.member(pkg.owner ?? '')?.subnets ?? {};
  const down = policyIn(draft.state, pkg.config).subnets.filter((subnet) => subnets[subnet] === 'down');
  return [
    ...(pkg.maintenance.partial ? ['not all modules were started'] : []),
    ...pkg.services.filter((service) => service.status !== 'up').map((service) => `service ${service.name} is ${service.status}`),
    ...down.map((subnet) => `subnet ${subnet} is down`),
  ];
}

export function serviceReset(draft: Draft, { request, packages, service }: EventOf<'service-reset'>) {
  modify(draft, request, packages, (pkg) => {
    if (!pkg.services.some((one) => one.name === service)) return say('unknownService', pkg.name, service);
    const services = pkg.services.map((one) => (one.name === service ? { ...one, restarts: 0 } : one));
    draft.setPackage(pkg.name, { services });
    return null;
  });
}

/** The configuration is checked; new packages are halted. */
export function configurationApplied(draft: Draft, { request, packages, members }: EventOf<'configuration-applied'>) {
  const wanted = members ?? draft.state.memberOrder;
  // Checked again, because time has passed.
  const given = packages.map((config) => config.name);
  const after = withMembers(draft.state, wanted);
  const refused = [
    ...refuseMembers(draft.state, wanted, given).map((problem) => problem.text),
    ...packages.flatMap((config) => strangersIn(after, config)),
  ];
  if (refused.length > 0) return draft.reply(request, [], [...refused, say('applyFailed')]);
  changeMembers(draft, wanted);
  for (const config of packages) {
    const before = draft.package(config.name);
    const now = before === undefined ? newPackage(draft, config) : reconfigured(draft.state, before, config);
    draft.setCluster({ packages: { ...draft.state.packages, [config.name]: now } });
    draft.log(`Package ${config.name} is ${before === undefined ? 'added' : 'reconfigured'}.`, { package: config.name });
  }
  draft.reply(request, [say('applyDone')], []);
}

function strangersIn(state: ClusterState, config: PackageFile): string[] {
  const strangers = policyIn(state, config).members.filter((member) => !state.memberOrder.includes(member));
  return strangers.map((member) => say('applyStranger', config.name, member));
}

function newPackage(draft: Draft, config: PackageFile): PackageState {
  const policy = policyIn(draft.state, config);
  const ids = draft.packages.map((pkg) => pkg.id);
  return {
    name: config.name,
    config,
    status: 'down',
    state: 'halted',
    owner: null,
    // Disabled until cmmodpkg -e, unless the option says otherwise (INFERRED, 5.3).
    autoRun: policy.autoRun && (!draft.state.running || draft.state.options.onlineAddEnablesAutoRun),
    nodeSwitch: switchesIn(draft.state, { config, nodeSwitch: {} }),
    services: servicesAtRest(policy, 'down'),
    maintenance: { on: false, member: null, partial: false },
    lastHaltFailed: false,
    pending: null,
    id: Math.max(0, ...ids) + 1,
  };
}

function reconfigured(state: ClusterState, before: PackageState, config: PackageFile): PackageState {
  const policy = policyIn(state, config);
  const kept = (name: string): ServiceState | undefined => before.services.find((service) => service.name === name);
  return {
    ...before,
    config,
    nodeSwitch: switchesIn(state, { config, nodeSwitch: before.nodeSwitch }),
    services: servicesAtRest(policy, before.owner === null ? 'down' : 'uninitialized').map(
      (service) => kept(service.name) ?? service,
    ),
  };
}

export function packageDeleted(draft: Draft, { request, package: name }: EventOf<'package-deleted'>) {
  const pkg = draft.package(name);
  if (pkg === undefined) return draft.reply(request, [], [say('unknownPackage', name)]);
  if (pkg.status !== 'down') return draft.reply(request, [], [say('deleteNotHalted', name, pkg.status)]);
  const { [name]: _gone, ...packages } = draft.state.packages;
  draft.setCluster({ packages });
  draft.log(`Package ${name} is deleted.`, { package: name });
  draft.reply(request, [say('deleteDone', name)], []);
}
