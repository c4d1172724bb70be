/** `csync sync`: runs the agent on hosts, from a member. */

import { durationWords, secondsOf } from '../../base/duration.ts';
import { type ExitCode, exitCodes, Failure, failure } from '../../base/problem.ts';
import { isClassName, type RemoteRunWish, remoteRunText, runsText } from '../../cluster/procedures/remote-run.ts';
import type { HostRun } from '../../cluster/procedures/run-outputs.ts';
import { observe, unreachableProblems } from '../../cluster/remote/observation.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { out } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { oneStep } from '../common/steps.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { rosterHosts, runOnAll, usage, wanted } from './agent-runs.ts';

export const runsDocument = shape.document({
  from: shape.text,
  hosts: shape.many(
    shape.object({
      host: shape.text,
      outcome: shape.text,
      reason: shape.maybe,
      exitCode: shape.nullable(shape.number),
      milliseconds: shape.nullable(shape.number),
      changes: shape.texts,
      errors: shape.texts,
      reports: shape.texts,
      cut: shape.yesNo,
    }),
  ),
});

export const commandsDocument = shape.document({ from: shape.text, commands: shape.texts });

export interface SyncOptions {
  readonly settings: string;
  readonly hosts: readonly string[];
  /** Runs the agents; undefined: the active member. */
  readonly from?: string | undefined;
  readonly parallel: number;
  /** Such as 90s, 10m or 1h. */
  readonly timeout: string;
  readonly define: readonly string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

const mostSeconds = 86_400;

const mostParallel = 128;

function readWish({ parallel, timeout, define }: SyncOptions): RemoteRunWish {
  const timeoutSeconds = secondsOf(timeout) ?? 0;
  const classes = define.flatMap((one) => one.split(','));
  const problems = [
    ...(timeoutSeconds > 0 && timeoutSeconds <= mostSeconds
      ? []
      : [usage(`--timeout ${JSON.stringify(timeout)}: ${durationWords} is required, at most a day`, 'csync sync --timeout 10m')]),
    ...(Number.isInteger(parallel) && parallel >= 1 && parallel <= mostParallel
      ? []
      : [usage(`--parallel: a whole number from 1 to ${mostParallel} is required`, 'csync sync --parallel 16')]),
    ...classes
      .filter((name) => !isClassName(name))
      .map((name) =>
        usage(`--define ${JSON.stringify(name)} is not a valid class of cfengine`, 'use letters, digits and underscores'),
      ),
  ];
  if (problems.length > 0) throw new Failure(problems);
  return { timeoutSeconds, parallel, classes };
}

/** Status 0: all ran; 5: some did not. Throws a Failure if no agent could run at all. */
export async function sync(options: SyncOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const wish = readWish(options);
  return onMembers(settings, 'keeping connections', async (shell) => {
    const hosts = wanted(options.hosts, await rosterHosts(shell, settings));
    const member = await startingMember(shell, settings, options.from);
    if (options.dryRun) {
      const lines = hosts.map((host) => remoteRunText(settings, host, wish));
      if (options.json) printJson<typeof commandsDocument>({ from: member, commands: lines });
      else out(lines.map((line) => `on ${member}: ${line}\n`).join(''));
      return exitCodes.ok;
    }
    const allRan = (runs: readonly HostRun[]): boolean => runs.every(({ outcome }) => outcome === 'ran');
    const runs = await oneStep(
      `on ${member}: run the agent of ${hosts.length === 1 ? '1 host' : `${hosts.length} hosts`}`,
      (show) => runOnAll(shell, settings, member, hosts, wish, show),
      allRan,
    );
    if (options.json) printJson<typeof runsDocument>({ from: member, hosts: runs });
    else out(runsText(runs, member));
    return allRan(runs) ? exitCodes.ok : exitCodes.changeFailed;
  });
}

async function startingMember(shell: MemberShell, settings: Settings, from: string | undefined): Promise<string> {
  const { members, packageName } = settings;
  if (from !== undefined && !members.includes(from))
    throw new Failure([
      usage(`--from ${JSON.stringify(from)}: not a member of ${packageName}`, `use one of ${members.join(', ')}`),
    ]);
  if (from !== undefined) return from;
  const observation = await observe(shell, settings);
  const owner = observation.status?.owner ?? null;
  if (owner !== null) return owner;
  if (observation.commandMember === null) throw new Failure(unreachableProblems(observation));
  const text = `${packageName} runs on no member: hosts cannot fetch policy, and there is no active member to run agents from`;
  const remedy = `csync status; or csync sync --from ${observation.commandMember} to run the agents anyway`;
  throw failure('cluster-not-running', text, remedy);
}
