/** `csync policy take-back`; also the end of a rollout in which a host failed. */
import { type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { agentLimitSeconds } from '../../cluster/hosts/host-setup.ts';
import { policyPlace } from '../../cluster/policy/look.ts';
import { becameOf, confirmScript } from '../../cluster/policy/scripts.ts';
import { hostsText, isBack, namesOf, type TakenBack } from '../../cluster/policy/stage.ts';
import { leavingScript, takeBackScript } from '../../cluster/policy/stage-scripts.ts';
import { type RemoteRunWish, remoteRunText } from '../../cluster/procedures/remote-run.ts';
import { loginName } from '../../host/admin/terminal.ts';
import type { CommandResult } from '../../host/host.ts';
import { out, progress } from '../../host/output.ts';
import { onMembers } from '../common/connections.ts';
import { oneStep } from '../common/steps.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { rosterOf, runOnAll, wanted } from '../hosts/agent-runs.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { type At, notDone, openStage } from './commit-steps.ts';
import { commitLimitMs, findOwner, lookAtPolicy, type PolicyOptions, tries } from './master.ts';

export const takeBackDocument = shape.document({
  outcome: shape.picklist(['unchanged', 'would be taken back', 'taken back']),
  commit: shape.nullable(shape.number),
  hosts: shape.texts,
  steps: shape.texts,
});

/** Hosts that may still have the policy of a rollout, or why to try again. Its directory goes first: hosts return by themselves. */
export async function takeBack(at: At, why: string, run: RemoteRunWish): Promise<readonly string[] | string> {
  const { shell, settings, place, owner, stages } = at;
  const open = openStage(at);
  let { leaving } = stages;
  if (open !== null) {
    const hosts = [...new Set([...(leaving?.hosts ?? []), ...namesOf(open)])];
    leaving = { record: open.record, hosts, at: new Date().toISOString(), why };
    const script = takeBackScript(place, open, leaving);
    const isDone = (result: CommandResult): boolean => becameOf(result) === 'durable';
    const ended = await oneStep(`on ${owner}: take it back`, () => shell.run(owner, script, commitLimitMs), isDone);
    if (!isDone(ended)) return notDone(at, ended);
  }
  if (leaving === null) return [];
  const { clients } = await rosterOf(shell, settings);
  const names = leaving.hosts.filter((name) => clients.some((client) => client.name === name));
  const runs =
    names.length === 0
      ? []
      : await oneStep(
          `on ${owner}: run the agent of ${names.length === 1 ? '1 host' : `${names.length} hosts`} with the served policy`,
          (show) => runOnAll(shell, settings, owner, wanted(names, clients), run, show),
          (ended) => ended.every(isBack),
        );
  const left = runs.filter((one) => !isBack(one)).map(({ host }) => host);
  const rest: TakenBack | null = left.length === 0 ? null : { ...leaving, hosts: left };
  await shell.run(owner, leavingScript(place, rest), commitLimitMs);
  return left;
}

export interface TakeBackOptions extends PolicyOptions {
  readonly dryRun: boolean;
}

/** Status 0: every host has the served policy again; 5: some did not answer. */
export async function policyTakeBack(options: TakeBackOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const place = policyPlace(settings);
  const run: RemoteRunWish = { parallel: 16, timeoutSeconds: agentLimitSeconds, classes: [] };
  return onMembers(settings, 'keeping connections', async (shell) => {
    for (let attempts = tries; attempts > 0; attempts -= 1) {
      const owner = await findOwner(shell, settings);
      const { state, stages } = await lookAtPolicy(shell, owner, place, false);
      const at: At = { shell, settings, place, owner, state, stages, options: { ...options, message: '' }, revision: null };
      const open = openStage(at);
      // Of a commit that was killed right after it.
      if (stages.open !== null && open === null && !options.dryRun)
        await shell.run(owner, confirmScript(place, state, stages.open), commitLimitMs);
      const about = open ?? stages.leaving;
      const hosts = [...new Set([...(stages.leaving?.hosts ?? []), ...(open === null ? [] : namesOf(open))])];
      if (about === null || options.dryRun) {
        const { clients } = about === null ? { clients: [] } : await rosterOf(shell, settings);
        const steps =
          about === null ? [] : wanted(hosts, clients).map((host) => `on ${owner}: ${remoteRunText(settings, host, run)}`);
        return told(options, about === null ? 'unchanged' : 'would be taken back', about?.record.commit ?? null, hosts, [
          ...(open === null ? [] : [`on ${owner}: remove ${place.stage}`]),
          ...steps,
        ]);
      }
      const left = await takeBack(at, `by ${loginName()}@${shell.here}`, run);
      if (typeof left === 'string') {
        progress(`${left}; reading again`);
        continue;
      }
      if (left.length > 0) throw notAllBack(left);
      return told(options, 'taken back', about.record.commit, hosts, []);
    }
    throw failure('change-policy-busy', 'the policy was changed each time; nothing was taken back', 'run the same command again');
  });
}

const notAllBack = (left: readonly string[]) =>
  failure(
    'change-policy-taken-back',
    `the rollout is taken back; these hosts may have its policy until their next agent run: ${left.join(' ')}`,
    'csync policy take-back   (runs their agents again)',
  );

function told(
  { json }: TakeBackOptions,
  outcome: 'unchanged' | 'would be taken back' | 'taken back',
  commit: number | null,
  hosts: readonly string[],
  steps: readonly string[],
): ExitCode {
  const of = `commit ${commit} from ${hostsText(hosts)}`;
  if (json) printJson<typeof takeBackDocument>({ outcome, commit, hosts, steps });
  else if (outcome === 'unchanged') out('No rollout is staged, and no host has the policy of one.\n');
  else if (outcome === 'taken back') out(`Taken back: ${of}\n`);
  else out(`Would take back ${of}:\n${steps.map((step) => `  ${step}\n`).join('')}`);
  return exitCodes.ok;
}
