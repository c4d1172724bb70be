/** `csync sync`: agent runs now, on named hosts or on all that are set up, hailed from a member; what became of each. */

import { type ExitCode, exitCodes, Failure, Interrupted, type Problem } from '../base/problem.ts';
import {
  chunksOf,
  type HostRun,
  hailText,
  isClassName,
  parseRuns,
  type RemoteRunWish,
  runLimitMs,
  runScript,
  runsText,
} from '../cluster/procedures/remote-run.ts';
import { inParallel, observe, unreachableProblems } from '../cluster/remote/observation.ts';
import { rosterIn, rosterLines } from '../cluster/remote/roster-look.ts';
import { script } from '../cluster/remote/shell-text.ts';
import { newestRoster, type RosterHost } from '../contract/roster.ts';
import { type MemberShell, whyNoAnswer } from '../host/admin/member-shell.ts';
import { out } from '../host/output.ts';
import type { Settings } from '../settings/settings.ts';
import { onMembers } from './common/connections.ts';
import { hostsBar, openMeter } from './common/meter.ts';
import { settingsHere } from './common/toolkit-files.ts';

export interface SyncOptions {
  readonly settings: string;
  readonly hosts: readonly string[];
  /** The member that hails; undefined: the one that runs the package. */
  readonly from?: string | undefined;
  readonly parallel: number;
  /** Such as 90s, 10m or 1h. */
  readonly timeout: string;
  readonly define: readonly string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const mostSeconds = 86_400;
const mostParallel = 128;

const usage = (text: string, remedy: string): Problem => ({ code: 'usage', severity: 'error', text, remedy });

/** All that is wrong with the options, at once. */
function readWish({ parallel, timeout, define }: SyncOptions): RemoteRunWish {
  const [, number, unit] = /^(\d{1,6})([smh])$/.exec(timeout) ?? [];
  const timeoutSeconds = Number(number) * (unitSeconds[unit ?? ''] ?? Number.NaN);
  const classes = define.flatMap((one) => one.split(','));
  const problems = [
    ...(timeoutSeconds > 0 && timeoutSeconds <= mostSeconds
      ? []
      : [
          usage(
            `--timeout ${JSON.stringify(timeout)}: a whole number with s, m or h is wanted, a day at most`,
            'csync sync --timeout 10m',
          ),
        ]),
    ...(Number.isInteger(parallel) && parallel >= 1 && parallel <= mostParallel
      ? []
      : [usage(`--parallel: a whole number from 1 to ${mostParallel} is wanted`, 'csync sync --parallel 16')]),
    ...classes
      .filter((name) => !isClassName(name))
      .map((name) => usage(`--define ${JSON.stringify(name)} is no class of cfengine`, 'letters, digits and underscores')),
  ];
  if (problems.length > 0) throw new Failure(problems);
  return { timeoutSeconds, parallel, classes };
}

/** Status 0: all ran; 5: some did not. Throws a Failure where nobody could be hailed at all. */
export async function sync(options: SyncOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const wish = readWish(options);
  return onMembers('keeping connections', async (shell) => {
    const hosts = wanted(options.hosts, await rosterHosts(shell, settings));
    const member = await hailingMember(shell, settings, options.from);
    if (options.dryRun) {
      const lines = hosts.map((host) => hailText(settings, host, wish));
      if (options.json) out(`${JSON.stringify({ from: member, commands: lines }, null, 2)}\n`);
      else out(lines.map((line) => `on ${member}: ${line}\n`).join(''));
      return exitCodes.ok;
    }
    const runs = await hailAll(shell, settings, member, hosts, wish);
    if (options.json) out(`${JSON.stringify({ from: member, hosts: runs }, null, 2)}\n`);
    else out(runsText(runs, member));
    return runs.every(({ outcome }) => outcome === 'ran') ? exitCodes.ok : exitCodes.changeFailed;
  });
}

/** Members and clients that are set up, by the newest roster of the members. */
async function rosterHosts(shell: MemberShell, { members, packageDirectory }: Settings): Promise<readonly RosterHost[]> {
  const read = await inParallel(members, (member) => shell.run(member, script(...rosterLines(packageDirectory)), lookLimitMs));
  const roster = newestRoster(read.map(({ stdout }) => rosterIn(stdout)));
  return [...roster.members, ...roster.clients];
}

/** Remote runs as a part of something else: why a host did not run, by its name. */
export async function runQuietly(
  shell: MemberShell,
  settings: Settings,
  member: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const hosts = wanted(names, await rosterHosts(shell, settings));
  const runs = await hailAll(shell, settings, member, hosts, { timeoutSeconds: 120, parallel: 16, classes: [] });
  return new Map(runs.flatMap(({ host, outcome }) => (outcome === 'ran' ? [] : [[host, outcome]])));
}

const lookLimitMs = 20_000;

/** Named ones, each once, with what the roster knows of them; else all of the roster. */
function wanted(named: readonly string[], roster: readonly RosterHost[]): readonly RosterHost[] {
  const known = new Map(roster.map((host) => [host.name, host]));
  const hosts = named.length === 0 ? roster : [...new Set(named)].map((name) => known.get(name) ?? { name, addresses: [] });
  if (hosts.length > 0) return hosts;
  throw new Failure([usage('no host is named, and none is known to be set up', 'csync sync HOST...')]);
}

async function hailingMember(shell: MemberShell, settings: Settings, from: string | undefined): Promise<string> {
  const { members, packageName } = settings;
  if (from !== undefined && !members.includes(from))
    throw new Failure([usage(`--from ${JSON.stringify(from)}: no member of ${packageName}`, `one of ${members.join(', ')}`)]);
  if (from !== undefined) return from;
  const observation = await observe(shell, settings);
  const owner = observation.status?.owner ?? null;
  if (owner !== null) return owner;
  if (observation.commandMember === null) throw new Failure(unreachableProblems(observation));
  const text = `${packageName} runs on no member: there is no new policy to fetch, and nobody to hail from`;
  const remedy = `csync status; csync sync --from ${observation.commandMember} hails all the same`;
  throw new Failure([{ code: 'cluster-not-running', severity: 'error', text, remedy }]);
}

async function hailAll(
  shell: MemberShell,
  settings: Settings,
  member: string,
  hosts: readonly RosterHost[],
  wish: RemoteRunWish,
): Promise<HostRun[]> {
  const runs: HostRun[] = [];
  const meter = openMeter();
  meter.show(hostsBar(0, hosts.length, 0));
  for (const chunk of chunksOf(hosts, wish.parallel)) {
    const limitMs = runLimitMs(chunk.length, wish);
    const answer = await shell.run(member, runScript(settings, chunk, wish), limitMs).catch((error: unknown) => {
      meter.end();
      if (!(error instanceof Interrupted)) throw error;
      const left = hosts.length - runs.length;
      const text = `interrupted: ${runs.length} hosts were done, ${left} not; agents that were hailed go on`;
      throw new Failure([{ code: 'interrupted-sync', severity: 'error', text, remedy: 'csync sync again hails everybody' }]);
    });
    const read = parseRuns(answer.stdout, settings, chunk);
    // A member that cannot be reached at all is told of as such, not as so many hosts that did not answer.
    if (runs.length === 0 && answer.exitCode !== 0 && read.every(({ reason }) => reason === 'lost')) {
      meter.end();
      const { why, remedy } = whyNoAnswer(member, answer, limitMs);
      throw new Failure([{ code: 'cluster-unreachable', severity: 'error', text: `nobody was hailed: ${why}`, remedy, member }]);
    }
    runs.push(...read);
    meter.show(hostsBar(runs.length, hosts.length, runs.filter(({ outcome }) => outcome !== 'ran').length));
  }
  meter.end();
  return runs;
}
