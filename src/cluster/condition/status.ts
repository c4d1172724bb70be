/** Judges a cluster: one sentence, problems with fixes, a table of members. Pure. */

import { attempt } from '../../base/attempt.ts';
import { newerText } from '../../base/version.ts';
import { maintenanceFrom } from '../../contract/maintenance-file.ts';
import type { Roster } from '../../contract/roster.ts';
import { roomText } from '../../contract/space.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { EngineWords, PackageStatus } from '../../engine/engine.ts';
import type { NoAnswer } from '../../host/admin/no-answer.ts';
import { driftRemedy, inBrief } from '../apply/comparison.ts';
import { stageAdvice } from '../policy/stage.ts';
import { clockText, isClockOff } from '../remote/answers.ts';
import type { PackagePlace } from '../remote/observation.ts';
import { rotationText } from '../setup/rotation.ts';
import type { Client } from './clients.ts';
import { type MemberCondition, pauseText, reportOf } from './member-condition.ts';
import { insteadText, outsideAdvice, outsideView, reachesElsewhere } from './outside.ts';

/** As the Linux Standard Base defines them for the status of an init script. */
export const statusExit = { serving: 0, failed: 1, halted: 3, unknown: 4 } as const;

export type Condition = keyof typeof statusExit;

export interface MemberStatus {
  readonly member: string;
  readonly seen: MemberCondition | null;
  readonly noAnswer: NoAnswer;
  readonly inCluster: string;
  /** Whether the package may start there. null: unknown. */
  readonly switching: boolean | null;
  /** Files that are missing, edited by hand, or out of date. null: cannot be checked. */
  readonly staleFiles: readonly string[] | null;
}

export interface StatusInput {
  readonly place: PackagePlace & { readonly mountPoint: string; readonly packageAddress: string };
  readonly applied: boolean;
  readonly clusterAnswers: boolean;
  readonly status: PackageStatus | null;
  readonly members: readonly MemberStatus[];
  /** Longest silent first. null: no member can list them. */
  readonly clients: readonly Client[] | null;
  readonly roster: Roster;
  readonly unread: readonly Advice[];
  readonly clusterMembers: readonly string[];
  /** The package moved during every observation, so the report describes no single moment. */
  readonly moving: boolean;
  /** ms of this host's clock. */
  readonly now: number;
}

/** The member that runs the package according to the engine. null: none, or not checked. */
export function runningMember({ status, members }: StatusInput): MemberStatus | null {
  if (status?.status !== 'up' || status.state !== 'running') return null;
  return members.find(({ member, seen }) => member === status.owner && seen !== null) ?? null;
}

/** Whether both observations show the same promotion. A member that does not answer the second time counts as unchanged. */
export function isAsBefore(one: MemberCondition | null, other: MemberCondition | null): boolean {
  if (one === null || other === null) return true;
  return one.mounted === other.mounted && one.address === other.address && one.sentinel === other.sentinel;
}

export interface Advice {
  readonly text: string;
  readonly remedy: string;
}

export interface StatusVerdict {
  readonly condition: Condition;
  readonly sentence: string;
  /** Wrong now, or at the next failover; worst first. */
  readonly advice: readonly Advice[];
}

/** Twelve rounds of cf-execd, which runs every five minutes. */
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
      ...input.unread,
      ...rosterAdvice(input),
      ...(condition === 'serving' ? clientAdvice(input) : []),
    ],
  });
  if (members.every(({ seen }) => seen === null))
    return verdict('unknown', 'no member can be reached', {
      text: members.map(({ member, noAnswer }) => `${member}: ${noAnswer.why}`).join('; '),
      remedy: members[0]?.noAnswer.remedy ?? '',
    });
  if (!input.clusterAnswers)
    return verdict('unknown', `${title} does not answer`, {
      text: words.viewFails,
      remedy: `${words.look}; ${words.startCluster}, ${typed(orders.runMember('MEMBER'))} a member`,
    });
  if (!input.applied || status === null)
    return verdict('halted', `${packageName} is not configured in this cluster`, firstSteps(input));
  if (input.moving)
    return verdict('unknown', `${packageName} is moving: no two checks found it on the same member`, {
      text: 'it starts, halts or fails repeatedly',
      remedy: 'csync status --watch; the package logs have the reason',
    });
  if (status.state === 'maintenance')
    return verdict(
      status.status === 'up' ? 'serving' : 'halted',
      `${packageName} is in maintenance mode on ${status.owner ?? 'no member'}`,
      {
        text: `failures are ignored, and the package cannot fail over; ${modeEnd(input)}`,
        remedy: 'csync maintenance off   (checks the daemon, then ends the mode)',
      },
    );
  if (status.status === 'down') return judgeDown(input, status, verdict);
  if (status.state !== 'running') return judgeBetween(status, packageName, words, verdict);
  return judgeUp(input, status, verdict);
}

const between: Readonly<Record<string, string>> = {
  starting: 'its start has not finished: clients may not have a master yet',
  halting: 'its halt has not finished',
};

function judgeBetween(status: PackageStatus, packageName: string, words: EngineWords, verdict: Verdict): StatusVerdict {
  const sentence = `${packageName} is ${status.state} on ${status.owner ?? 'no member'}`;
  const failures = status.failures?.map(({ member, text }) => `${member}: ${text}`) ?? [];
  const remedy = 'csync status --watch; the package log has the current step';
  if (failures.length === 0)
    return verdict('unknown', sentence, { text: between[status.state] ?? 'neither up nor down', remedy });
  const text = `${failures.join('; ')}. If the address is up, clients may get policy from a member that is not the proved master`;
  return verdict('failed', sentence, { text, remedy: `${words.look}; repair the cause, then csync recover` });
}

/** For a package that is not applied. Its start needs keys, policy and daemon on the members. */
function firstSteps({ roster }: StatusInput): Advice {
  return roster.serial === 0
    ? {
        text: 'no package of that name is applied, and its members are not set up',
        remedy: 'csync members sync, then csync apply --run',
      }
    : { text: 'no package of that name is applied', remedy: 'csync apply --run' };
}

/** The monitor disables the mode if csync maintenance on started it. */
function modeEnd({ members, status, now }: StatusInput): string {
  const pauses = members
    .filter(({ member }) => status?.owner === null || status?.owner === member)
    .flatMap(({ seen }) => maintenanceFrom(seen?.maintenance ?? null, now) ?? []);
  const [pause] = pauses.filter(({ serviceguard }) => serviceguard !== null);
  if (pause?.until == null) return 'the mode has no time limit';
  const end = new Date(pause.until).toISOString();
  return pause.overdue
    ? `it should have ended at ${end}; the package log states why the monitor could not end it`
    : `the monitor disables the mode at ${end} if the daemon is healthy then`;
}

type Verdict = (condition: Condition, sentence: string, ...first: readonly Advice[]) => StatusVerdict;

/** The engine reports "up"; "serves" also requires the checks on the member. */
function judgeUp({ place, members }: StatusInput, status: PackageStatus, verdict: Verdict): StatusVerdict {
  const { packageName, mountPoint, packageAddress } = place;
  const owner = members.find(({ member }) => member === status.owner);
  const seen = owner?.seen ?? null;
  if (seen === null)
    return verdict('unknown', `${packageName} runs on ${status.owner}, which cannot be checked`, {
      text: owner?.noAnswer.why ?? `${status.owner} is not in members of csync.yaml`,
      remedy: owner?.noAnswer.remedy ?? 'csync diff; add it to members, or move the package',
    });
  const missing = [
    ...(seen.mounted ? [] : [`${mountPoint} is not mounted`]),
    ...(seen.address ? [] : [`${packageAddress} is missing`]),
    ...(seen.daemons > 0 ? [] : ['no cfengine daemon runs']),
  ];
  if (missing.length > 0)
    return verdict('failed', `${packageName} runs on ${status.owner}, but does not serve: ${missing.join(', ')}`, {
      text: 'the monitor detects this and fails the package over within its limits',
      remedy: `csync status --watch; to move it now: ${restartCommands(place)}`,
    });
  const outside = outsideView(members, owner?.member ?? '');
  if (reachesElsewhere(outside)) return verdict('failed', `${packageName} runs on ${status.owner}, but ${insteadText(outside)}`);
  const since = sentinelTime(seen.sentinel);
  const policy = seen.policyDigest === null ? '' : `, policy ${seen.policyDigest.slice(0, 12)}`;
  return verdict('serving', `${packageName} serves from ${status.owner}${since === null ? '' : ` since ${since}`}${policy}`);
}

/** Halts the package; its engine chooses where it starts. */
function restartCommands(place: PackagePlace): string {
  const { orders } = engineFor(place);
  return typed(orders.halt(place.packageName), orders.switchOn(place.packageName));
}

function sentinelTime(text: string | null): string | null {
  return attempt(() => {
    const { at } = JSON.parse(text ?? '') as { at?: unknown };
    return typeof at === 'string' ? at : null;
  }, null);
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
    return verdict('failed', `${packageName} is down, and parts of it are still active on ${what.join(' and ')}`, {
      text: 'a start on another member could mount the file system twice',
      remedy: 'csync recover   (lists the leftovers and removes them)',
    });
  }
  const eligible = members.filter(({ switching }) => switching !== false);
  if (!status.autoRun && eligible.length > 0)
    return verdict('halted', `${packageName} is halted: clients keep their present policy`, {
      text: `${words.switchedOff}: an administrator halted it, or a start failed with an error that affects every member`,
      remedy: `${typed(orders.switchOn(packageName))}   (starts it on the first eligible member)`,
    });
  const text =
    eligible.length === 0
      ? 'it failed on every member, and each member was disabled for it'
      : `${title} finds no member that can start it`;
  return verdict('failed', `${packageName} is down and will not start by itself`, {
    text,
    remedy: `read the package log, repair the cause, then ${typed(
      orders.switchMembersOn(
        packageName,
        members.map(({ member }) => member),
      ),
      orders.switchOn(packageName),
    )}`,
  });
}

/** Quotes the engine's words and explains them [serviceguard.md 6.5, 6.11]. */
function switchAdvice({ place, status, members }: StatusInput): Advice[] {
  if (status === null) return [];
  const { packageName } = place;
  const { orders, words } = engineFor(place);
  const advice: Advice[] = [];
  if (status.status !== 'down' && !status.autoRun && status.state !== 'maintenance')
    advice.push({
      text: `${words.switchedOff}: it runs, but cannot fail over`,
      remedy: typed(orders.switchOn(packageName)),
    });
  for (const { member } of members.filter((one) => one.switching === false && one.inCluster !== 'standby')) {
    const failures = status.failures?.filter((one) => one.member === member).map(({ text }) => text) ?? [];
    const why = failures.length === 0 ? 'the package failed there and cannot move back' : failures.join('; ');
    advice.push({
      text: `${member} ${words.notEligible}: ${why}`,
      remedy: `repair the cause in the package log on ${member}, then ${typed(orders.switchMembersOn(packageName, [member]))}`,
    });
  }
  return advice;
}

function memberAdvice({ place, status, members, now }: StatusInput): Advice[] {
  const { orders, title } = engineFor(place);
  return members.flatMap(({ member, seen, noAnswer, inCluster, staleFiles }): Advice[] => {
    if (seen === null) return [{ text: `${member} cannot be checked: ${noAnswer.why}`, remedy: noAnswer.remedy }];
    const advice: Advice[] = [];
    const owns = status?.owner === member;
    if (status?.owner != null && !owns && (seen.mounted || seen.address))
      advice.push({
        text: `${member} has ${[seen.mounted ? place.mountPoint : '', seen.address ? place.packageAddress : ''].filter(Boolean).join(' and ')}, although the package runs on ${status.owner}`,
        remedy: 'csync recover   (run it now: two mounts destroy the file system)',
      });
    const room = owns && seen.room !== null ? roomText(seen.room) : null;
    if (room !== null)
      advice.push({
        text: `${room}: a full file system accepts no new policy and no mark of a failover`,
        remedy: `on ${member}: stat -f ${place.mountPoint}; free space there, or enlarge the file system`,
      });
    if (owns) advice.push(...stageAdvice(seen));
    if (seen.daemons === 0)
      advice.push({
        text: `no cfengine daemon runs on ${member}`,
        remedy: 'csync members sync   (starts it and completes the set-up); on that host: /usr/local/sbin/csync-cfservd start',
      });
    if (seen.daemons > 1)
      advice.push({
        text: `${seen.daemons} cfengine daemons run on ${member}`,
        remedy: 'kill all except the one that listens on the port',
      });
    const pause = maintenanceFrom(seen.maintenance, now);
    if (pause !== null && !(status?.state === 'maintenance' && pause.serviceguard !== null))
      advice.push({
        text: pauseText(member, pause, title),
        remedy: 'csync maintenance off',
      });
    if (owns && typeof seen.monitor === 'number')
      advice.push({
        text: newerText(`the state of the monitor on ${member}`, seen.monitor),
        remedy: 'run the newer csync for its layers; csync toolkit status   (lists the version on each member)',
      });
    const monitor = reportOf(seen);
    if (owns && monitor?.brake != null)
      advice.push({
        text: `the monitor on ${member} holds back a failover: ${monitor.brake}`,
        remedy: `${typed(orders.switchMembersOn(place.packageName, ['MEMBER']))} for each healthy member that is disabled; reduce the load on the named host`,
      });
    const silent = owns && pause === null ? silentSeconds(seen, now) : 0;
    if (silent > monitorSilenceSeconds)
      advice.push({
        text: `the last report of the monitor on ${member} is ${Math.round(silent)} s old: it is stopped or hangs, and a failed daemon may stay undetected`,
        remedy: `on ${member}: ps -eo pid,stat,args | grep csync-; kill -CONT PID resumes one in state T; otherwise ${restartCommands(place)}`,
      });
    for (const [layer, { result, detail }] of owns ? Object.entries(monitor?.layers ?? {}) : [])
      if (result !== 'good')
        advice.push({
          text: `the monitor on ${member} ${result === 'bad' ? 'reports a failure of' : 'cannot check'} ${layer}: ${detail}`,
          remedy: `read the package log on ${member}; the monitor fails over if monitor_${layer} says so`,
        });
    if (inCluster !== 'up')
      advice.push({ text: `${member} is ${inCluster} in the cluster`, remedy: typed(orders.runMember(member)) });
    if (staleFiles !== null && staleFiles.length > 0)
      advice.push({
        text: `${member}: ${inBrief(staleFiles).join(', ')} ${staleFiles.length === 1 ? 'differs' : 'differ'} from the rendered package`,
        remedy: driftRemedy,
      });
    if (isClockOff(seen.clock))
      advice.push({
        text: `the clock of ${member} is ${clockText(seen.clock)}`,
        remedy: 'run chronyd or ntpd on every member',
      });
    return advice;
  });
}

function addressAdvice({ members, status, place }: StatusInput): Advice[] {
  const owner = members.find(({ member }) => member === status?.owner);
  if (status?.status !== 'up' || status.state !== 'running' || owner?.seen?.address !== true) return [];
  return outsideAdvice(outsideView(members, owner.member), owner.member, place.packageAddress);
}

/** A monitor reports every 40 s at least, a replaced one again within 30 s. */
const monitorSilenceSeconds = 75;

/** Seconds since the last report, by the member's clock. A report from before the last start does not count. */
function silentSeconds(seen: MemberCondition, now: number): number {
  const { sentinel, clock } = seen;
  const monitor = reportOf(seen);
  if (monitor === null) return 0;
  const last = Math.max(Date.parse(monitor.at), Date.parse(sentinelTime(sentinel) ?? '') || 0);
  return now / 1000 + clock.ahead - clock.doubt - last / 1000;
}

/** Silence counts from the start: no client could connect while the package was down. */
function clientAdvice({ members, clients, now, status }: StatusInput): Advice[] {
  const since = Date.parse(sentinelTime(members.find(({ member }) => member === status?.owner)?.seen?.sentinel ?? null) ?? '');
  if (Number.isNaN(since)) return [];
  const silent = (clients ?? []).filter(({ at }) => now - Math.max(at, since) > silentAfterMs);
  if (silent.length === 0) return [];
  const names = silent.slice(0, namedAtMost).map(({ address, name }) => name ?? address);
  const more = silent.length - names.length;
  return [
    {
      text: `${silent.length} of ${clients?.length} clients have not connected for over an hour: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
      remedy: 'check the agent there (cf-agent -KI, cfagent -v). A decommissioned client leaves the list after a week',
    },
  ];
}

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
    ...shown.map(({ host, what, why, since }) => ({ text: `${host} is pending since ${since}: ${why}`, remedy: command[what] })),
    ...(more > 0 ? [{ text: `${more} more hosts are pending`, remedy: 'csync client list; csync members sync' }] : []),
    ...(rotation === null
      ? []
      : [{ text: `the rotation of the cluster's key is not finished: ${rotation}`, remedy: 'csync keys rotate' }]),
  ];
}

const namedAtMost = 5;
