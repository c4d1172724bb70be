/**
 * What a cluster's condition amounts to: one sentence, the commands that cure what is wrong, and a table of members. Pure.
 */
import { maintenanceFrom } from '../member/judgements.ts';
import type { PackageStatus } from '../serviceguard/view.ts';
import type { MemberCondition } from './member-scripts.ts';
import type { PackagePlace } from './observation.ts';

/** Exit statuses of the verb, after the Linux Standard Base's for an init script's status. */
export const statusExit = { serving: 0, failed: 1, halted: 3, unknown: 4 } as const;
export type Condition = keyof typeof statusExit;

export interface MemberStatus {
  readonly member: string;
  /** null: cannot be looked at. */
  readonly seen: MemberCondition | null;
  readonly why: string;
  /** In the cluster, as cmviewcl says it. */
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
  /** Wall clock, ms. */
  readonly now: number;
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

/** More than this, beyond doubt, and logs cannot be put side by side; cfengine's own limits are far above. */
const clockLimitSeconds = 2;

export function judgeStatus(input: StatusInput): StatusVerdict {
  const { place, members, status } = input;
  const { packageName } = place;
  const verdict = (condition: Condition, sentence: string, ...first: readonly Advice[]): StatusVerdict => ({
    condition,
    sentence,
    advice: [...first, ...switchAdvice(input), ...memberAdvice(input)],
  });
  if (members.every(({ seen }) => seen === null))
    return verdict('unknown', 'no member can be looked at', {
      text: members.map(({ member, why }) => `${member}: ${why}`).join('; '),
      remedy: `ssh -o BatchMode=yes ${members[0]?.member} true   must work without a question`,
    });
  if (!input.clusterAnswers)
    return verdict('unknown', 'Serviceguard does not answer', {
      text: 'cmviewcl failed: the cluster does not run on that member, or this user has no monitor role',
      remedy: 'cmviewcl -v; cmruncl starts a cluster, cmrunnode MEMBER a member',
    });
  if (!input.applied || status === null)
    return verdict('halted', `${packageName} is not configured in this cluster`, {
      text: 'no package of that name is applied',
      remedy: 'csync apply --run',
    });
  if (status.state === 'maintenance')
    return verdict(
      status.status === 'up' ? 'serving' : 'halted',
      `${packageName} is in maintenance mode on ${status.owner ?? 'no member'}`,
      {
        text: 'failures are ignored: nothing fails over',
        remedy: `when it is healthy: cmmodpkg -m off ${packageName}`,
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

type Verdict = (condition: Condition, sentence: string, ...first: readonly Advice[]) => StatusVerdict;

/** Up is what Serviceguard says; serving is what was looked at on the member. */
function judgeUp({ place, members }: StatusInput, status: PackageStatus, verdict: Verdict): StatusVerdict {
  const { packageName, mountPoint, packageAddress } = place;
  const owner = members.find(({ member }) => member === status.owner);
  const seen = owner?.seen ?? null;
  if (seen === null)
    return verdict('unknown', `${packageName} runs on ${status.owner}, which cannot be looked at`, {
      text: owner?.why ?? `${status.owner} is not in the list of members`,
      remedy: `ssh ${status.owner} true`,
    });
  const missing = [
    ...(seen.mounted ? [] : [`${mountPoint} is not mounted`]),
    ...(seen.address ? [] : [`${packageAddress} is not there`]),
    ...(seen.daemons > 0 ? [] : ['no cfengine daemon runs']),
  ];
  if (missing.length > 0)
    return verdict('failed', `${packageName} runs on ${status.owner}, but does not serve: ${missing.join(', ')}`, {
      text: 'the monitor will notice and move it within its limits',
      remedy: `csync status --watch; at once: cmhaltpkg ${packageName}; cmmodpkg -e ${packageName}`,
    });
  const since = sentinelTime(seen.sentinel);
  const policy = seen.policyDigest === null ? '' : `, policy ${seen.policyDigest.slice(0, 12)}`;
  return verdict('serving', `${packageName} serves from ${status.owner}${since === null ? '' : ` since ${since}`}${policy}`);
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
      text: 'AUTO_RUN disabled: somebody halted it, or a start failed in a way no other member can cure; it waits for a command',
      remedy: `cmmodpkg -e ${packageName}   starts it on the first eligible member`,
    });
  const text =
    eligible.length === 0
      ? 'it failed on every member, and each was switched off for it'
      : 'Serviceguard finds no member to start it on';
  return verdict('failed', `${packageName} is down and will not start by itself`, {
    text,
    remedy: `see the package log, repair, then ${members.map(({ member }) => `-n ${member}`).reduce((all, one) => `${all} ${one}`, 'cmmodpkg -e')} ${packageName}; cmmodpkg -e ${packageName}`,
  });
}

/** Serviceguard's own words for it, and what they mean [serviceguard.md 6.5, 6.11]. */
function switchAdvice({ place: { packageName }, status, members }: StatusInput): Advice[] {
  if (status === null) return [];
  const advice: Advice[] = [];
  if (status.status !== 'down' && !status.autoRun && status.state !== 'maintenance')
    advice.push({
      text: 'AUTO_RUN disabled: it runs, but would not fail over',
      remedy: `cmmodpkg -e ${packageName}`,
    });
  for (const { member } of members.filter(({ switching }) => switching === false))
    advice.push({
      text: `${member} is not eligible ("Node is not eligible"): the package failed there and will not come back by itself`,
      remedy: `repair what the package log on ${member} says, then cmmodpkg -e -n ${member} ${packageName}`,
    });
  return advice;
}

function memberAdvice({ place, status, members, now }: StatusInput): Advice[] {
  return members.flatMap(({ member, seen, why, inCluster, staleFiles }): Advice[] => {
    if (seen === null) return [{ text: `${member} cannot be looked at: ${why}`, remedy: `ssh -o BatchMode=yes ${member} true` }];
    const advice: Advice[] = [];
    const owns = status?.owner === member;
    if (status?.owner != null && !owns && (seen.mounted || seen.address))
      advice.push({
        text: `${member} holds ${[seen.mounted ? place.mountPoint : '', seen.address ? place.packageAddress : ''].filter(Boolean).join(' and ')}, although the package runs on ${status.owner}`,
        remedy: 'csync recover   at once: two mounts destroy the file system',
      });
    if (seen.daemons === 0)
      advice.push({
        text: `no cfengine daemon runs on ${member}`,
        remedy: `start it as the system does at boot; a start of the package would, too`,
      });
    if (seen.daemons > 1)
      advice.push({ text: `${seen.daemons} cfengine daemons run on ${member}`, remedy: 'end all but the one that has the port' });
    const pause = maintenanceFrom(seen.maintenance, now);
    if (pause !== null)
      advice.push({
        text: `maintenance on ${member}: the monitor is paused ${pause.until === null ? 'without an end' : `until ${new Date(pause.until).toISOString()}`}, and the daemon does not fail over`,
        remedy: 'csync maintenance off',
      });
    if (inCluster !== 'up') advice.push({ text: `${member} is ${inCluster} in the cluster`, remedy: `cmrunnode ${member}` });
    if (staleFiles !== null && staleFiles.length > 0)
      advice.push({
        text: `files on ${member} are not as rendered: ${staleFiles.join(', ')}`,
        remedy: 'csync diff, then csync apply',
      });
    if (Math.abs(seen.clockAhead) - seen.clockDoubt > clockLimitSeconds)
      advice.push({
        text: `the clock of ${member} is ${Math.abs(seen.clockAhead).toFixed(1)} s ${seen.clockAhead > 0 ? 'ahead' : 'behind'}`,
        remedy: 'let chrony or ntpd run on every member',
      });
    return advice;
  });
}

/** No more than the time for asking can have been: the same clock, as far as anybody can tell. */
function clockText({ clockAhead, clockDoubt }: MemberCondition): string {
  return Math.abs(clockAhead) <= clockDoubt ? 'same' : `${clockAhead > 0 ? '+' : ''}${clockAhead.toFixed(1)} s`;
}

/** Verdict, advice, table. */
export function statusText({ sentence, advice }: StatusVerdict, { members, status }: StatusInput): string {
  const header = ['member', 'cluster', 'package', 'switching', 'daemon', 'mount', 'address', 'files', 'clock'];
  const rows = members.map(({ member, seen, inCluster, switching, staleFiles }) => [
    member,
    inCluster,
    status?.owner === member ? status.state : '-',
    switching === null ? '?' : switching ? 'enabled' : 'disabled',
    ...(seen === null
      ? ['?', '?', '?', '?', '?']
      : [
          seen.daemons === 1 ? 'runs' : String(seen.daemons),
          seen.mounted ? 'yes' : '-',
          seen.address ? 'yes' : '-',
          staleFiles === null ? '?' : staleFiles.length === 0 ? 'same' : `${staleFiles.length} differ`,
          clockText(seen),
        ]),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const advised = advice.flatMap(({ text, remedy }) => [`  ${text}`, `    what helps: ${remedy}`]);
  return `${[sentence, ...advised, '', ...[header, ...rows].map(line)].join('\n')}\n`;
}
