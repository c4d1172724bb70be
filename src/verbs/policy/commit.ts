/** `csync policy commit`: puts an edit on the master, without losing another edit. */

import { demand, type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { type PolicyState, planCommit } from '../../cluster/policy/commit.ts';
import { policyPlace } from '../../cluster/policy/look.ts';
import { editOf } from '../../cluster/policy/stage.ts';
import { progress } from '../../host/output.ts';
import { onMembers } from '../common/connections.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { type At, type CommitOptions, committed, confirmed, newRecord, openStage, tell } from './commit-steps.ts';
import { findOwner, lookAtPolicy, tries } from './master.ts';
import { openRepository } from './repository.ts';
import { Rollout, readStaging, stillOpen } from './staged.ts';
import { readWorkingCopy } from './working-copy.ts';

export interface PolicyCommitOptions extends CommitOptions {
  readonly paths: readonly string[];
  /** REPOSITORY[@REF] of git, instead of paths. */
  readonly from?: string | undefined;
  readonly subdirectory: string;
  /** Digest of the whole master copy that the edit is based on. */
  readonly base?: string | undefined;
  /** Clients that get it first. */
  readonly stage?: string | undefined;
  /** For an agent of a staged rollout, such as 10m. */
  readonly timeout: string;
}

/** Returns when the edit is durable on the policy file system. Else throws a Failure that states whether it may have been committed. */
export async function policyCommit(options: PolicyCommitOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  if (options.from !== undefined && options.paths.length > 0)
    throw failure(
      'usage',
      '--from commits the files of a repository, so no other paths can be named',
      'remove the paths or --from',
    );
  const staging = options.stage === undefined ? null : readStaging(settings, options.stage, options.timeout);
  const source = options.from === undefined ? null : await openRepository(options.from, options.subdirectory);
  const copy = source === null ? readWorkingCopy(options.paths) : null;
  const edit = (state: PolicyState) => copy?.files ?? source?.edit(state, options.base !== undefined) ?? [];
  const revision = source?.revision ?? null;
  try {
    return await onMembers(settings, 'keeping connections', async (shell, stop) => {
      const place = policyPlace(settings);
      const rollout = staging === null ? null : new Rollout(staging, copy, stop);
      const attempt = async (): Promise<string | null> => {
        const owner = await findOwner(shell, settings);
        const { state, stages } = await lookAtPolicy(shell, owner, place, false);
        const at: At = { shell, settings, place, owner, state, stages, options, revision };
        const files = await edit(state);
        const plan = demand(planCommit(state, files, options.base ?? null));
        if (plan.write.length + plan.remove.length === 0) return confirmed(at, files);
        const open = openStage(at);
        if (open !== null && (rollout === null || open.edit !== editOf(plan))) throw stillOpen(open);
        if (rollout !== null) return rollout.attempt(at, plan);
        const again = await committed(at, plan, copy);
        if (again === null && options.dryRun) tell('would be committed', newRecord(at, plan), at);
        return again;
      };
      return rollout === null ? untilDone(attempt) : rollout.untilDone(attempt);
    });
  } finally {
    source?.close();
  }
}

async function untilDone(attempt: () => Promise<string | null>): Promise<ExitCode> {
  for (let left = tries; left > 0; left -= 1) {
    const again = await attempt();
    if (again === null) return exitCodes.ok;
    progress(`${again}; reading again`);
  }
  const text = 'the policy was changed each time before this edit could be committed; nothing was committed';
  throw failure('change-policy-busy', text, 'run the same command again');
}
