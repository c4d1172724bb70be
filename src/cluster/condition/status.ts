/**
 * What a cluster's condition amounts to: one sentence, the commands that cure what is wrong, and a table of members. Pure.
 */

import { maintenanceFrom } from '../../contract/maintenance-file.ts';
import type { Roster } from '../../contract/roster.ts';
import { roomText } from '../../contract/space.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { PackageStatus } from '../../engine/engine.ts';
import type { NoAnswer } from '../../host/admin/member-shell.ts';
import { inBrief } from '../apply/comparison.ts';
import { clockText, isClockOff } from '../remote/answers.ts';
import type { PackagePlace } from '../remote/observation.ts';
import { rotationText } from '../setup/rotation.ts';
import type { Client } from './clients.ts';
import type { MemberCondition } from './member-condition.ts';
import { insteadText, outsideAdvice, outsideView, reachesElsewhere } from './outside.ts';

/** Exit statuses of the verb, after the Linux Standard Base's for an init script's status. */
export const statusExit = { serving: 0, failed: 1, halted: 3, unknown: 4 } as const;

export type Condition = keyof typeof statusExit;

export interface MemberStatus {
  readonly member: string;
  /** null: cannot be looked at. */
  readonly seen: MemberCondition | null;
  /** What to say where it cannot. */
  readonly noAnswer: NoAnswer;
  /** In the cluster, as its engine says it. */
  readonly inCluster: string;
  /** Whether the package may start there; null: not known. */
  readonly switching: boolean | null;
  /** Names of files that are missing, other than rendered or edited; null: cannot be looked at. */
  readonly staleFiles: readonly string[] | null;
}

export interface StatusInput {
  readonly place: PackagePlace & { readonly mountPoint: string; readonly packageAddress: string };
  readonly applied: boolean;
  readonly clusterAnswers: boolean;
  readonly status: PackageStatus | null;
  readonly members: readonly MemberStatus[];
  /** Those longest silent first; null: no member can tell. */
  readonly clients: readonly Client[] | null;
  /** Who was set up, and what waits. */
  readonly roster: Roster;
  /** Members of the cluster, by its engine. */
  readonly clusterMembers: readonly string[];
  /** Between any two looks the package had moved: what is said here is not of one moment. */
  readonly moving: boolean;
  /** Wall clock, ms. */
  readonly now: number;
}

/** The member on which the package runs by its engine's word, where it was looked at; null: neither. */
export function runningMember({ status, members }: StatusInput): MemberStatus | null {
  if (status?.status !== 'up' || status.state !== 'running') return null;
  return members.find(({ member, seen }) => member === status.owner && seen !== null) ?? null;
}

/** Whether two looks at a member saw the same promotion there; a member that does not answer the second time has not moved. */
export function isAsBefore(one: MemberCondition | null, other: MemberCondition | null): boolean {
  if (one === null || other === null) return true;
  return one.mounted === other.mounted && one.address === other.address && one.sentinel === other.sentinel;
}

export interface Advice {
  readonly text: string;
  /** The command, or what to do. */
  readonly remedy: string;
}

export interface StatusVerdict {
  readonly condition: Condition;
  readonly sentence: string;
  /** What is wrong or will be at the next failure, worst first. */
  readonly advice: readonly Advice[];
}

/** A client that has not asked for so long is worth a word: twelve rounds of cf-execd's, which comes every five minutes. */
const silentAfterMs = 3_600_000;

export function judgeStatus(input: StatusInput): StatusVerdict {
  const { place, members, status } = input;
  const { packageName } = place;
  const { orders, title, words } = engineFor(place);
  const verdict = (condition: Condition, sentence: string, ...first: readonly Advice[]): StatusVerdict => ({
    condition,
    sentence,
    advice: [
      ...first,
      ...switchAdvice(input),
      ...memberAdvice(input),
      ...addressAdvice(input),
      ...rosterAdvice(input),
      ...(condition === 'serving' ? clientAdvice(input) : []),
    ],
  });
  if (members.every(({ seen }) => seen === null))
    return verdict('unknown', 'no member can be looked at', {
      text: members.map(({ member, noAnswer }) => `${member}: ${noAnswer.why}`).join('; '),
      remedy: members[0]?.noAnswer.remedy ?? '',
    });
  if (!input.clusterAnswers)
    return verdict('unknown', `${title} does not answer`, {
      text: words.viewFails,
      remedy: `${words.look}; ${words.startCluster}, ${typed(orders.runMember('MEMBER'))} a member`,
    });
  if (!input.applied || status === null)
    return verdict('halted', `${packageName} is not configured in this cluster`, {
      text: 'no package of that name is applied',
      remedy: 'csync apply --run',
    });
  if (input.moving)
    return verdict('unknown', `${packageName} is moving: it was never on one member for two looks`, {
      text: 'it starts, halts or fails again and again',
      remedy: 'csync status --watch; the package logs say why',
    });
  if (status.state === 'maintenance')
    return verdict(
      status.status === 'up' ? 'serving' : 'halted',
      `${packageName} is in maintenance mode on ${status.owner ?? 'no member'}`,
      {
        text: `failures are ignored: nothing fails over; ${modeEnd(input)}`,
        remedy: 'csync maintenance off   looks whether it is healthy, and ends it',
      },
    );
  if (status.status === 'down') return judgeDown(input, status, verdict);
  if (status.state !== 'running')
    return verdict('unknown', `${packageName} is ${status.state} on ${status.owner ?? 'no member'}`, {
      text: 'neither up nor down',
      remedy: 'csync status --watch; the package log tells what it is at',
    });
  return judgeUp(input, status, verdict);
}

/** What is to end the engine's mode: the monitor, if it was begun with csync maintenance on. */
function modeEnd({ members, status, now }: StatusInput): string {
  const pauses = members
    .filter(({ member }) => status?.owner === null || status?.owner === member)
    .flatMap(({ seen }) => maintenanceFrom(seen?.maintenance ?? null, now) ?? []);
  const [pause] = pauses.filter(({ serviceguard }) => serviceguard !== null);
  if (pause?.until == null) return 'it has no end of its own';
  const end = new Date(pause.until).toISOString();
  return pause.overdue
    ? `it was to end at ${end}, and the package log says why the monitor could not end it`
    : `the monitor ends it at ${end} if the daemon is healthy then`;
}

type Verdict = (condition: Condition, sentence: string, ...first: readonly Advice[]) => StatusVerdict;

/** Up is what the engine says; serving is what was looked at on the member. */
function judgeUp({ place, members }: StatusInput, status: PackageStatus, verdict: Verdict): StatusVerdict {
  const { packageName, mountPoint, packageAddress } = place;
  const owner = members.find(({ member }) => member === status.owner);
  const seen = owner?.seen ?? null;
  if (seen === null)
    return verdict('unknown', `${packageName} runs on ${status.owner}, which cannot be looked at`, {
      text: owner?.noAnswer.why ?? `${status.owner} is not in the list of members`,
      remedy: owner?.noAnswer.remedy ?? 'csync diff; take it into members, or move the package',
    });
  const missing = [
    ...(seen.mounted ? [] : [`${mountPoint} is not mounted`]),
    ...(seen.address ? [] : [`${packageAddress} is not there`]),
    ...(seen.daemons > 0 ? [] : ['no cfengine daemon runs']),
  ];
  if (missing.length > 0)
    return verdict('failed', `${packageName} runs on ${status.owner}, but does not serve: ${missing.join(', ')}`, {
      text: 'the monitor will notice and move it within its limits',
      remedy: `csync status --watch; at once: ${restartCommands(place)}`,
    });
  const outside = outsideView(members, owner?.member ?? '');
  if (reachesElsewhere(outside)) return verdict('failed', `${packageName} runs on ${status.owner}, but ${insteadText(outside)}`);
  const since = sentinelTime(seen.sentinel);
  const policy = seen.policyDigest === null ? '' : `, policy ${seen.policyDigest.slice(0, 12)}`;
  return verdict('serving', `${packageName} serves from ${status.owner}${since === null ? '' : ` since ${since}`}${policy}`);
}

/** Halts the package and lets it run again, where its engine wants to. */
function restartCommands(place: PackagePlace): string {
  const { orders } = engineFor(place);
  return typed(orders.halt(place.packageName), orders.switchOn(place.packageName));
}

/** `at` of the sentinel that the last start wrote. */
function sentinelTime(text: string | null): string | null {
  try {
    const { at } = JSON.parse(text ?? '') as { at?: unknown };
    return typeof at === 'string' ? at : null;
  } catch {
    return null;
  }
}

function judgeDown({ place, members }: StatusInput, status: PackageStatus, verdict: Verdict): StatusVerdict {
  const { packageName, mountPoint, packageAddress } = place;
  const { orders, title, words } = engineFor(place);
  const left = members.filter(({ seen }) => seen !== null && (seen.mounted || seen.address));
  if (left.length > 0) {
    const what = left.map(
      ({ member, seen }) =>
        `${member} (${[seen?.mounted ? mountPoint : '', seen?.address ? packageAddress : ''].filter(Boolean).join(', ')})`,
    );
    return verdict('failed', `${packageName} is down, and something of it is left on ${what.join(' and ')}`, {
      text: 'a start elsewhere could mount the file system twice',
      remedy: 'csync recover   shows what is left and cleans it up',
    });
  }
  const eligible = members.filter(({ switching }) => switching !== false);
  if (!status.autoRun && eligible.length > 0)
    return verdict('halted', `${packageName} is halted: clients keep the policy they have`, {
      text: `${words.switchedOff}: somebody halted it, or a start failed in a way no other member can cure; it waits for a command`,
      remedy: `${typed(orders.switchOn(packageName))}   starts it on the first eligible member`,
    });
  const text =
    eligible.length === 0
      ? 'it failed on every member, and each was switched off for it'
      : `${title} finds no member to start it on`;
  return verdict('failed', `${packageName} is down and will not start by itself`, {
    text,
    remedy: `see the package log, repair, then ${typed(
      orders.switchMembersOn(
        packageName,
        members.map(({ member }) => member),
      ),
      orders.switchOn(packageName),
    )}`,
  });
}

/** The engine's own words for it, and what they mean [serviceguard.md 6.5, 6.11]. */
function switchAdvice({ place, status, members }: StatusInput): Advice[] {
  if (status === null) return [];
  const { packageName } = place;
  const { orders, words } = engineFor(place);
  const advice: Advice[] = [];
  if (status.status !== 'down' && !status.autoRun && status.state !== 'maintenance')
    advice.push({
      text: `${words.switchedOff}: it runs, but would not fail over`,
      remedy: typed(orders.switchOn(packageName)),
    });
  for (const { member } of members.filter(({ switching }) => switching === false))
    advice.push({
      text: `${member} ${words.notEligible}: the package failed there and will not come back by itself`,
      remedy: `repair what the package log on ${member} says, then ${typed(orders.switchMembersOn(packageName, [member]))}`,
    });
  return advice;
}

function memberAdvice({ place, status, members, now }: StatusInput): Advice[] {
  const { orders, title } = engineFor(place);
  return members.flatMap(({ member, seen, noAnswer, inCluster, staleFiles }): Advice[] => {
    if (seen === null) return [{ text: `${member} cannot be looked at: ${noAnswer.why}`, remedy: noAnswer.remedy }];
    const advice: Advice[] = [];
    const owns = status?.owner === member;
    if (status?.owner != null && !owns && (seen.mounted || seen.address))
      advice.push({
        text: `${member} holds ${[seen.mounted ? place.mountPoint : '', seen.address ? place.packageAddress : ''].filter(Boolean).join(' and ')}, although the package runs on ${status.owner}`,
        remedy: 'csync recover   at once: two mounts destroy the file system',
      });
    const room = owns && seen.room !== null ? roomText(seen.room) : null;
    if (room !== null)
      advice.push({
        text: `${room}: a full one takes no new policy, and no mark of a failover`,
        remedy: `on ${member}: stat -f ${place.mountPoint}; make room there, or enlarge the file system`,
      });
    if (seen.daemons === 0)
      advice.push({
        text: `no cfengine daemon runs on ${member}`,
        remedy: 'csync members sync   starts it, and sets up what is missing; on that host: /usr/local/sbin/csync-cfservd start',
      });
    if (seen.daemons > 1)
      advice.push({ text: `${seen.daemons} cfengine daemons run on ${member}`, remedy: 'end all but the one that has the port' });
    const pause = maintenanceFrom(seen.maintenance, now);
    // In the engine's mode the verdict says it.
    if (pause !== null && !(status?.state === 'maintenance' && pause.serviceguard !== null))
      advice.push({
        text: pauseText(member, pause, title),
        remedy: 'csync maintenance off',
      });
    if (owns && seen.monitor?.brake != null)
      advice.push({
        text: `the monitor on ${member} keeps the package there: ${seen.monitor.brake}`,
        remedy: `${typed(orders.switchMembersOn(place.packageName, ['MEMBER']))} for each member that is switched off and healthy; end the load on the host that is named`,
      });
    const silent = owns && pause === null ? silentSeconds(seen, now) : 0;
    if (silent > monitorSilenceSeconds)
      advice.push({
        text: `the monitor on ${member} reported last ${Math.round(silent)} s ago: it is stopped or hangs, and a failed daemon may stay unnoticed`,
        remedy: `on ${member}: ps -eo pid,stat,args | grep csync-; kill -CONT PID continues what is in state T; else ${restartCommands(place)}`,
      });
    for (const [layer, { result, detail }] of owns ? Object.entries(seen.monitor?.layers ?? {}) : [])
      if (result !== 'good')
        advice.push({
          text: `the monitor on ${member} ${result === 'bad' ? 'finds' : 'cannot tell of'} ${layer}: ${detail}`,
          remedy: `the package log on ${member} has more; it fails over by itself where monitor_${layer} says so`,
        });
    if (inCluster !== 'up')
      advice.push({ text: `${member} is ${inCluster} in the cluster`, remedy: typed(orders.runMember(member)) });
    if (staleFiles !== null && staleFiles.length > 0)
      advice.push({
        text: `files on ${member} are not as rendered: ${inBrief(staleFiles).join(', ')}`,
        remedy: 'csync diff, then csync apply',
      });
    if (isClockOff(seen.clock))
      advice.push({
        text: `the clock of ${member} is ${clockText(seen.clock)}`,
        remedy: 'let chrony or ntpd run on every member',
      });
    return advice;
  });
}

function addressAdvice({ members, status, place }: StatusInput): Advice[] {
  const owner = members.find(({ member }) => member === status?.owner);
  if (status?.status !== 'up' || status.state !== 'running' || owner?.seen?.address !== true) return [];
  return outsideAdvice(outsideView(members, owner.member), owner.member, place.packageAddress);
}

/** A monitor reports every 40 s at the least; one that was replaced is at it again within 30 s. */
const monitorSilenceSeconds = 75;

/** Since when the monitor, by the clock of its member, reported nothing; a report of an earlier start of the package is none. */
function silentSeconds({ monitor, sentinel, clock }: MemberCondition, now: number): number {
  if (monitor === null) return 0;
  const last = Math.max(Date.parse(monitor.at), Date.parse(sentinelTime(sentinel) ?? '') || 0);
  return now / 1000 + clock.ahead - clock.doubt - last / 1000;
}

function pauseText(
  member: string,
  { until, overdue, serviceguard }: NonNullable<ReturnType<typeof maintenanceFrom>>,
  title: string,
): string {
  const end =
    until === null ? 'without an end' : `${overdue ? 'and should not be since' : 'until'} ${new Date(until).toISOString()}`;
  const mode = serviceguard === null ? '' : `, ${title}'s mode was to go with it`;
  return `maintenance on ${member}: the monitor is paused ${end}, and the daemon does not fail over${mode}`;
}

/** Silence counts from the start of the package on: while it was down nobody could ask. */
function clientAdvice({ members, clients, now, status }: StatusInput): Advice[] {
  const since = Date.parse(sentinelTime(members.find(({ member }) => member === status?.owner)?.seen?.sentinel ?? null) ?? '');
  if (Number.isNaN(since)) return [];
  const silent = (clients ?? []).filter(({ at }) => now - Math.max(at, since) > silentAfterMs);
  if (silent.length === 0) return [];
  const names = silent.slice(0, namedAtMost).map(({ address, name }) => name ?? address);
  const more = silent.length - names.length;
  return [
    {
      text: `${silent.length} of ${clients?.length} clients have not asked for over an hour: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
      remedy:
        'does the agent run there (cf-agent -KI, cfagent -v)? A client that was given up leaves the list by itself: cfengine keeps it for a week',
    },
  ];
}

/** What a set-up left undone, and members nobody set up. */
function rosterAdvice({ roster, clusterMembers }: StatusInput): Advice[] {
  const { members, leftOut, waiting, serial } = roster;
  const known = new Set([...members.map(({ name }) => name), ...leftOut]);
  const strangers = serial === 0 ? [] : clusterMembers.filter((name) => !known.has(name));
  const rotation = rotationText(roster);
  const shown = waiting.slice(0, namedAtMost);
  const more = waiting.length - shown.length;
  const command = { member: 'csync members sync', client: 'csync client sync', 'deleted member': 'csync keys rotate' } as const;
  return [
    ...strangers.map((name) => ({
      text: `${name} is a member of the cluster, but is not set up: the package cannot move there`,
      remedy: `csync member add ${name}`,
    })),
    ...shown.map(({ host, what, why, since }) => ({ text: `${host} waits since ${since}: ${why}`, remedy: command[what] })),
    ...(more > 0 ? [{ text: `${more} more hosts wait`, remedy: 'csync client list; csync members sync' }] : []),
    ...(rotation === null ? [] : [{ text: `the cluster's key is being rotated: ${rotation}`, remedy: 'csync keys rotate' }]),
  ];
}

const namedAtMost = 5;
