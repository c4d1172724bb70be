/** Reactions when scripts finish, services exit, members and subnets fail or return [serviceguard.md 6.4, 6.6, 6.9]. */

import { styleOf } from '../../serviceguard/package-file.ts';
import type { Draft } from './draft.ts';
import { type Cause, eventTable, haltCause, startCause } from './event-table.ts';
import type { LabEvent, MemberName, PackageName, PackageState, PendingScript, ScriptEnd, ServiceState } from './model.ts';
import { haltPackage, noteWhetherClusterRuns, packageSettled } from './operations.ts';
import { policyIn, servicesAtRest } from './package-policy.ts';

type EventOf<Kind extends LabEvent['kind']> = Extract<LabEvent, { kind: Kind }>;
type HaltPending = Extract<PendingScript, { script: 'halt' }>;

function unexpected(draft: Draft, event: LabEvent, why: string): void {
  draft.log(`Ignored ${event.kind}: ${why}.`);
}

export function startEnded(draft: Draft, event: EventOf<'start-ended'>) {
  const pkg = draft.package(event.package);
  if (pkg?.pending?.script !== 'start' || pkg.owner !== event.member) {
    return unexpected(draft, event, `no start of ${event.package} runs on ${event.member}`);
  }
  const cause = startCause(event.end);
  if (cause === null) return started(draft, pkg, pkg.pending);
  draft.emit({ kind: 'kill-services', package: pkg.name, member: event.member });
  if (pkg.maintenance.on) {
    draft.log(`Package ${pkg.name} did not start on ${event.member}; maintenance mode ignores this.`, about(pkg));
    return comeToRest(draft, pkg, { state: 'halted', script: 'start', failure: eventTable[cause].plain.sentence });
  }
  applyRow(draft, pkg, cause);
}

function started(draft: Draft, pkg: PackageState, pending: Extract<PendingScript, { script: 'start' }>): void {
  const member = pkg.owner ?? '';
  const statusOf = (service: string): 'up' | 'down' => (pending.died.includes(service) ? 'down' : 'up');
  // A legacy package has the services that its script started.
  const legacy = styleOf(pkg.config) === 'legacy';
  const runs = ({ limit }: ServiceState): boolean => (legacy ? limit !== undefined : pending.withServices);
  draft.setPackage(pkg.name, {
    status: 'up',
    state: pkg.maintenance.on ? 'maintenance' : 'running',
    pending: null,
    lastHaltFailed: false,
    services: pkg.services.map((one) => (runs(one) ? { ...one, status: statusOf(one.name) } : one)),
  });
  draft.log(`Package ${pkg.name} runs on ${member}.`, about(pkg));
  if (pending.nextHalt !== null) haltPackage(draft, pkg.name, pending.nextHalt);
  packageSettled(draft, pkg.name, { script: 'start', member, failure: null });
  for (const service of pending.died) serviceIsDead(draft, pkg.name, service);
  checkSubnets(draft, pkg.name);
}

export function haltEnded(draft: Draft, event: EventOf<'halt-ended'>) {
  const pkg = draft.package(event.package);
  if (pkg?.pending?.script !== 'halt' || pkg.owner !== event.member) {
    return unexpected(draft, event, `no halt of ${event.package} runs on ${event.member}`);
  }
  const cause = haltCauseOf(pkg, event.end);
  if (cause === null) return halted(draft, pkg, pkg.pending);
  draft.setPackage(pkg.name, { lastHaltFailed: true });
  if (cause === 'halt-exit-3' && pkg.pending.force) {
    draft.log(`The halt of ${pkg.name} was aborted again (exit 3); it counts as halted because it was forced.`, about(pkg));
    draft.setPackage(pkg.name, { autoRun: false });
    return comeToRest(draft, pkg, { state: 'halted', script: 'halt', failure: null });
  }
  if (cause !== 'halt-exit-3') draft.emit({ kind: 'kill-services', package: pkg.name, member: event.member });
  if (pkg.maintenance.on) {
    draft.log(`Package ${pkg.name} did not halt cleanly on ${event.member}; maintenance mode ignores this.`, about(pkg));
    return comeToRest(draft, pkg, { state: 'halted', script: 'halt', failure: eventTable[cause].plain.sentence });
  }
  applyRow(draft, pkg, cause);
}

/** Exit 3 is for modular packages [A1120b p.210]; 1 for a legacy one is INFERRED. */
function haltCauseOf({ config }: PackageState, end: ScriptEnd): Cause | null {
  const cause = haltCause(end);
  return cause === 'halt-exit-3' && styleOf(config) === 'legacy' ? 'halt-exit-1' : cause;
}

function halted(draft: Draft, pkg: PackageState, pending: HaltPending): void {
  draft.setPackage(pkg.name, { lastHaltFailed: false });
  draft.log(`Package ${pkg.name} is halted on ${pkg.owner}.`, about(pkg));
  comeToRest(draft, pkg, { state: pending.goal === 'failure' ? 'failed' : 'halted', script: 'halt', failure: null });
}

interface Rest {
  readonly state: 'halted' | 'failed';
  readonly script: 'start' | 'halt';
  readonly failure: string | null;
}

function comeToRest(draft: Draft, { name, owner }: PackageState, { state, script, failure }: Rest): void {
  const services = servicesAtRest(policyIn(draft.state, draft.package(name)?.config ?? { name, lines: [] }), 'down');
  draft.setPackage(name, { status: 'down', state, owner: null, pending: null, services });
  packageSettled(draft, name, { script, member: owner ?? '', failure });
}

function applyRow(draft: Draft, pkg: PackageState, cause: Cause) {
  const member = pkg.owner ?? '';
  const row = eventTable[cause][failFastFor(draft, pkg, cause) ? 'failFast' : 'plain'];
  draft.log(`Package ${pkg.name} on ${member}: ${row.sentence}`, about(pkg));
  const timedOut = cause === 'start-timeout' || cause === 'halt-timeout';
  if (row.memberSwitch === 'off' || (timedOut && draft.state.options.timeoutDisablesMember)) {
    draft.setPackage(pkg.name, { nodeSwitch: { ...pkg.nodeSwitch, [member]: false } });
  }
  if (row.autoRun === 'off') draft.setPackage(pkg.name, { autoRun: false });
  if (row.member === 'reset') {
    draft.emit({ kind: 'reset-member', member, why: row.sentence });
    return loseMember(draft, member);
  }
  if (row.haltScript === 'runs') return haltPackage(draft, pkg.name, 'failure');
  const script = cause.startsWith('start-') ? 'start' : 'halt';
  if (row.leaves === 'nothing') return comeToRest(draft, pkg, { state: 'failed', script, failure: row.sentence });
  draft.setPackage(pkg.name, { status: 'partially_down', state: 'halt_aborted', pending: null });
  packageSettled(draft, pkg.name, { script, member, failure: row.sentence });
}

function failFastFor(draft: Draft, pkg: PackageState, cause: Cause): boolean {
  const policy = policyIn(draft.state, pkg.config);
  if (cause !== 'service-failed') return policy.memberFailFast;
  const dead = pkg.services.filter((service) => service.status === 'down').map((service) => service.name);
  return policy.services.some((service) => service.failFast && dead.includes(service.name));
}

export function serviceRun(draft: Draft, event: EventOf<'service-run'>) {
  const pkg = draft.package(event.package);
  const known = pkg?.services.some((one) => one.name === event.service) === true;
  if (pkg?.pending?.script !== 'start' || pkg.owner !== event.member || !known) {
    return unexpected(draft, event, `no start of ${event.package} with service ${event.service} runs on ${event.member}`);
  }
  const services = pkg.services.map((one) => (one.name === event.service ? { ...one, limit: event.restarts } : one));
  draft.setPackage(pkg.name, { services });
}

export function serviceDied(draft: Draft, event: EventOf<'service-died'>) {
  const pkg = draft.package(event.package);
  if (pkg === undefined || pkg.owner !== event.member || !pkg.services.some((one) => one.name === event.service)) {
    return unexpected(draft, event, `${event.package} has no service ${event.service} on ${event.member}`);
  }
  if (pkg.pending?.script === 'start') {
    const died = [...new Set([...pkg.pending.died, event.service])];
    draft.log(`Service ${event.service} of ${pkg.name} exited before the start was complete.`, about(pkg));
    return draft.setPackage(pkg.name, { pending: { ...pkg.pending, died } });
  }
  serviceIsDead(draft, pkg.name, event.service);
}

/** Restarts in place while restarts are left; then the package has failed [L9 p.91, p.264]. */
function serviceIsDead(draft: Draft, name: PackageName, service: string) {
  const pkg = draft.package(name);
  const state = pkg?.services.find((one) => one.name === service);
  if (pkg === undefined || pkg.owner === null || state === undefined) return;
  const entry = policyIn(draft.state, pkg.config).services.find((one) => one.name === service);
  const limit = state.limit ?? entry?.restart ?? 0;
  const set = (patch: Partial<typeof state>): void =>
    draft.setPackage(name, { services: pkg.services.map((one) => (one.name === service ? { ...one, ...patch } : one)) });
  if (pkg.status !== 'up' || pkg.maintenance.on) {
    draft.log(
      `Service ${service} of ${name} exited; ${pkg.maintenance.on ? 'ignored in maintenance mode' : 'the package is being halted anyway'}.`,
      about(pkg),
    );
    return set({ status: 'down' });
  }
  if (limit === 'unlimited' || state.restarts < limit) {
    const restarts = state.restarts + 1;
    set({ status: 'up', restarts });
    draft.log(`Service ${service} of ${name} is restarted in place (${restarts} of ${limit}).`, about(pkg));
    return draft.emit({ kind: 'restart-service', package: name, member: pkg.owner, service, restarts });
  }
  set({ status: 'down' });
  const failed = draft.package(name);
  if (failed !== undefined) applyRow(draft, failed, 'service-failed');
}

export function subnetChanged(draft: Draft, event: EventOf<'subnet-changed'>) {
  const subnets = { ...draft.spare(event.member)?.subnets, [event.subnet]: event.status };
  if (draft.spare(event.member) !== undefined) return draft.setSpare(event.member, { subnets });
  const member = draft.member(event.member);
  if (member === undefined) return unexpected(draft, event, `${event.member} is not a member`);
  draft.setMember(event.member, { subnets: { ...member.subnets, [event.subnet]: event.status } });
  draft.log(`Subnet ${event.subnet} is ${event.status} on ${event.member}.`, { member: event.member });
  for (const pkg of draft.packages) if (pkg.owner === event.member) checkSubnets(draft, pkg.name);
}

/** A monitored subnet that is down fails the package; during a script, after it. */
function checkSubnets(draft: Draft, name: PackageName): void {
  const pkg = draft.package(name);
  if (pkg === undefined || pkg.owner === null || pkg.status !== 'up' || pkg.maintenance.on) return;
  const { subnets } = policyIn(draft.state, pkg.config);
  const here = draft.member(pkg.owner)?.subnets ?? {};
  if (subnets.some((subnet) => here[subnet] === 'down')) applyRow(draft, pkg, 'subnet-lost');
}

export function memberCrashed(draft: Draft, event: EventOf<'member-crashed'>) {
  if (draft.spare(event.member) !== undefined) return draft.setSpare(event.member, { machine: 'down' });
  const member = draft.member(event.member);
  if (member === undefined) return unexpected(draft, event, `${event.member} is not a member`);
  // Requested by the package manager.
  if (member.state === 'unknown') return draft.setMember(event.member, { machine: 'down' });
  if (member.status === 'up') return loseMember(draft, event.member);
  draft.setMember(event.member, { machine: 'down', state: member.state === 'reforming' ? 'failed' : member.state });
  draft.log(`The machine of ${event.member} is down; it did not run in the cluster.`, { member: event.member });
}

/** Its packages may start elsewhere after the others have re-formed. */
export function loseMember(draft: Draft, member: MemberName): void {
  draft.setMember(member, { status: 'down', state: 'unknown', machine: 'down' });
  draft.log(`${member} is lost; the other members re-form.`, { member });
  for (const pkg of draft.packages) {
    if (pkg.owner !== member) continue;
    const script = pkg.pending?.script ?? 'halt';
    const services = servicesAtRest(policyIn(draft.state, pkg.config), 'uninitialized');
    draft.setPackage(pkg.name, { status: 'unknown', state: 'unknown', owner: null, pending: null, services });
    packageSettled(draft, pkg.name, { script, member, failure: 'the node was lost', lost: true });
  }
  noteWhetherClusterRuns(draft);
}

export function clusterReformed(draft: Draft, event: EventOf<'cluster-reformed'>): void {
  const lost = event.lost.filter((member) => draft.member(member)?.state === 'unknown');
  for (const member of lost) draft.setMember(member, { state: 'failed' });
  if (lost.length === 0) return;
  if (draft.state.running) draft.log(`The cluster has re-formed without ${lost.join(', ')}.`);
  if (Object.values(draft.state.members).some((member) => member.state === 'unknown')) return;
  for (const pkg of draft.packages) {
    if (pkg.status !== 'unknown') continue;
    const services = servicesAtRest(policyIn(draft.state, pkg.config), 'down');
    draft.setPackage(pkg.name, { status: 'down', state: 'failed', services });
  }
}

function about(pkg: PackageState): { member: MemberName | null; package: PackageName } {
  return { member: pkg.owner, package: pkg.name };
}
