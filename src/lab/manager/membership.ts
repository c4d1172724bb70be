/** cmruncl, cmhaltcl, cmrunnode, cmhaltnode, joining and forming [serviceguard.md 1.3, 5.6, 6.9]. */
import type { Draft } from './draft.ts';
import { clusterReformed, loseMember } from './failures.ts';
import { say } from './messages.ts';
import type { LabEvent, MemberName, PackageName } from './model.ts';
import { answerFinished, haltWhenPossible } from './operations.ts';
import { policyIn, servicesAtRest } from './package-policy.ts';
import { isBeingHalted, isReforming } from './placement.ts';

type EventOf<Kind extends LabEvent['kind']> = Extract<LabEvent, { kind: Kind }>;

export function clusterRun(draft: Draft, { request, members }: EventOf<'cluster-run'>) {
  const named = members.length === 0 ? draft.state.memberOrder : [...new Set(members)];
  const refusals: string[] = [];
  if (draft.state.running) refusals.push(say('clusterIsUp', draft.state.name));
  for (const member of named) {
    if (draft.member(member) === undefined) refusals.push(say('unknownMember', 'cmruncl', member));
    else if (draft.member(member)?.machine === 'down') refusals.push(say('clusterNotReachable', member));
  }
  if (refusals.length > 0) return draft.reply(request, [], refusals);
  formCluster(draft, named);
  // Booted without a cluster: keeps trying to join.
  for (const member of draft.state.memberOrder) if (draft.member(member)?.state === 'reforming') join(draft, member);
  draft.reply(request, [say('clusterStarted', draft.state.name, named.join(', '))], []);
}

/** From the configuration: auto_run is the switch, every member enabled (INFERRED, 6.2). Maintenance stays, disabled. */
function formCluster(draft: Draft, members: readonly MemberName[]): void {
  for (const member of members) draft.setMember(member, { status: 'up', state: 'running' });
  draft.setCluster({ running: true });
  draft.log(`Cluster ${draft.state.name} has formed with ${members.join(', ')}.`);
  for (const pkg of draft.packages) {
    const policy = policyIn(draft.state, pkg.config);
    draft.setPackage(pkg.name, {
      autoRun: policy.autoRun && !pkg.maintenance.on,
      nodeSwitch: Object.fromEntries(policy.members.map((member) => [member, true])),
      services: servicesAtRest(policy, 'down'),
      status: 'down',
      state: 'halted',
      owner: null,
      pending: null,
    });
  }
}

export function clusterHalt(draft: Draft, { request, force }: EventOf<'cluster-halt'>) {
  const refuse = (text: string): void => draft.reply(request, [], [text]);
  if (!draft.state.running) return refuse(say('clusterDown', 'cmhaltcl'));
  if (isReforming(draft.state)) return refuse(say('clusterForming', 'cmhaltcl'));
  if (isClusterBeingHalted(draft)) return refuse(say('alreadyWaiting', 'cmhaltcl'));
  const owned = draft.packages.filter((pkg) => pkg.owner !== null);
  if (owned.length > 0 && !force) return refuse(say('clusterHaltNeedsForce', owned.map((pkg) => pkg.name).join(', ')));
  const up = draft.state.memberOrder.filter((member) => draft.member(member)?.status === 'up');
  const waiting = owned.map((pkg) => pkg.name);
  draft.setOperation({ request, command: 'cmhaltcl', waiting, members: up, lines: [], errorLines: [] });
  haltAll(draft, waiting, 'cluster-halt');
  answerFinished(draft);
}

export function isClusterBeingHalted(draft: Draft): boolean {
  return draft.state.operations.some((operation) => operation.command === 'cmhaltcl');
}

function haltAll(draft: Draft, packages: readonly PackageName[], goal: 'cluster-halt' | 'member-halt'): void {
  for (const name of packages) {
    const pkg = draft.package(name);
    if (pkg !== undefined) haltWhenPossible(draft, pkg, goal, pkg.status === 'partially_down');
  }
}

export function memberRun(draft: Draft, { request, members }: EventOf<'member-run'>) {
  const refusals: string[] = [];
  if (!draft.state.running) refusals.push(say('clusterDown', 'cmrunnode'));
  else if (isReforming(draft.state)) refusals.push(say('clusterForming', 'cmrunnode'));
  else if (isClusterBeingHalted(draft)) refusals.push(say('alreadyWaiting', 'cmrunnode'));
  else
    for (const name of members) {
      const member = draft.member(name);
      if (member === undefined) refusals.push(say('unknownMember', 'cmrunnode', name));
      else if (member.status === 'up') refusals.push(say('memberIsUp', name));
      else if (member.machine === 'down') refusals.push(say('memberNotReachable', name));
    }
  if (refusals.length > 0) return draft.reply(request, [], refusals);
  for (const name of members) join(draft, name);
  draft.reply(
    request,
    [...new Set(members)].map((member) => say('memberStarted', member)),
    [],
  );
}

/** With its switches on, if the option says so (INFERRED, 6.2). */
function join(draft: Draft, name: MemberName): void {
  const wasLost = draft.member(name)?.state === 'failed';
  draft.setMember(name, { status: 'up', state: 'running' });
  draft.log(`${name} has joined the cluster.`, { member: name });
  if (!wasLost || !draft.state.options.rejoinEnablesMember) return;
  for (const pkg of draft.packages) {
    if (pkg.nodeSwitch[name] === false) draft.setPackage(pkg.name, { nodeSwitch: { ...pkg.nodeSwitch, [name]: true } });
  }
}

export function memberHalt(draft: Draft, { request, members, force }: EventOf<'member-halt'>) {
  const refusals = memberHaltRefusals(draft, members, force);
  if (refusals.length > 0) return draft.reply(request, [], refusals);
  const waiting = draft.packages.filter((pkg) => pkg.owner !== null && members.includes(pkg.owner)).map((pkg) => pkg.name);
  draft.setOperation({ request, command: 'cmhaltnode', waiting, members: [...new Set(members)], lines: [], errorLines: [] });
  haltAll(draft, waiting, 'member-halt');
  answerFinished(draft);
}

function memberHaltRefusals(draft: Draft, members: readonly MemberName[], force: boolean): string[] {
  if (!draft.state.running) return [say('clusterDown', 'cmhaltnode')];
  if (isReforming(draft.state)) return [say('clusterForming', 'cmhaltnode')];
  return members.flatMap((name) => {
    if (draft.member(name) === undefined) return [say('unknownMember', 'cmhaltnode', name)];
    if (draft.member(name)?.status !== 'up') return [say('memberNotUp', name)];
    if (isBeingHalted(draft.state, name)) return [say('alreadyWaiting', 'cmhaltnode')];
    const there = draft.packages.filter((pkg) => pkg.owner === name).map((pkg) => pkg.name);
    return there.length > 0 && !force ? [say('memberHaltNeedsForce', name, there.join(', '))] : [];
  });
}

/** AUTOSTART_CMCLD=1: joins, or forms a cluster when all members are up [L10 p.195]. */
export function memberBooted(draft: Draft, { member: name, join: joins }: EventOf<'member-booted'>) {
  if (draft.spare(name) !== undefined) return draft.setSpare(name, { machine: 'up' });
  if (draft.member(name) === undefined) return draft.log(`Ignored member-booted: ${name} is not a member.`);
  // Its packages are gone, detected or not.
  if (draft.member(name)?.status === 'up') loseMember(draft, name);
  clusterReformed(draft, { kind: 'cluster-reformed', lost: [name] });
  draft.setMember(name, { machine: 'up' });
  if (!joins) return draft.setMember(name, { state: 'halted' });
  if (draft.state.running && !isClusterBeingHalted(draft)) return join(draft, name);
  draft.setMember(name, { state: 'reforming' });
  const all = draft.state.memberOrder;
  if (!draft.state.running && all.every((one) => draft.member(one)?.state === 'reforming')) return formCluster(draft, all);
  draft.log(`${name} is up and finds no cluster to join. To start one: cmruncl -v`, { member: name });
}
