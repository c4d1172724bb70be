import { failure } from '../../base/problem.ts';
import { type CommitPlan, type CommitRecord, type LocalFile, nextRecord, type PolicyState } from '../../cluster/policy/commit.ts';
import { linkRemedy, type PolicyPlace, policyStatus } from '../../cluster/policy/look.ts';
import { becameOf, commitScript, confirmScript } from '../../cluster/policy/scripts.ts';
import { hostsText, type Stage, type Stages } from '../../cluster/policy/stage.ts';
import { busyStatus } from '../../cluster/remote/shell-text.ts';
import type { Revision } from '../../host/admin/git.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { loginName } from '../../host/admin/terminal.ts';
import type { CommandResult } from '../../host/host.ts';
import { out } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { oneStep } from '../common/steps.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { commitLimitMs, commitShape, type PolicyOptions, recordLine, saidBy } from './master.ts';
import type { WorkingCopy } from './working-copy.ts';

export const commitDocument = shape.document({
  outcome: shape.picklist(['acknowledged', 'acknowledged earlier', 'would be committed', 'nothing to commit']),
  member: shape.text,
  record: shape.nullable(commitShape),
  stage: shape.optional(shape.object({ hosts: shape.texts, commands: shape.texts })),
});

export interface CommitOptions extends PolicyOptions {
  readonly message: string;
  readonly dryRun: boolean;
}

export interface At {
  readonly shell: MemberShell;
  readonly settings: Settings;
  readonly place: PolicyPlace;
  readonly owner: string;
  readonly state: PolicyState;
  readonly stages: Stages;
  readonly options: CommitOptions;
  readonly revision: Revision | null;
}

/** Without one whose commit is done, and which is only not removed yet. */
export const openStage = ({ stages: { open }, state }: Pick<At, 'stages' | 'state'>): Stage | null =>
  open?.record.commit === state.current?.commit ? null : (open ?? null);

/** Does not reuse the number of a rollout that was taken back. */
export function newRecord({ shell, owner, state, stages, options, revision }: At, plan: CommitPlan, hosts?: readonly string[]) {
  const used = { ...state, log: [...state.log, ...stages.takenBack.map(({ record }) => record)] };
  return nextRecord(used, plan, {
    at: new Date().toISOString(),
    by: `${loginName()}@${shell.here}`,
    member: owner,
    message: options.message || (revision?.subject ?? ''),
    ...(revision === null ? {} : { revision: revision.commit }),
    ...(hosts === undefined ? {} : { stage: hosts }),
  });
}

/** Why another attempt is needed. null: done. `stage`: whose edit it is. */
export async function committed(
  at: At,
  plan: CommitPlan,
  copy: WorkingCopy | null,
  stage: Stage | null = null,
): Promise<string | null> {
  const { shell, place, owner, state, stages, options } = at;
  const record = stage?.record ?? newRecord(at, plan);
  const order = { state, record, write: plan.write, remove: plan.remove, dryRun: options.dryRun, stage: stages.open };
  if (!options.dryRun) copy?.willCommit(plan);
  const isDone = (result: CommandResult): boolean => (options.dryRun ? result.exitCode === 0 : becameOf(result) === 'durable');
  const what =
    stage === null
      ? `check the policy with cfengine's parser${options.dryRun ? '' : ', and store it'}`
      : 'store it for all hosts';
  const ended = await oneStep(`on ${owner}: ${what}`, () => shell.run(owner, commitScript(place, order), commitLimitMs), isDone);
  if (!isDone(ended)) return notDone(at, ended);
  if (options.dryRun) return null;
  copy?.committed(plan);
  tell('acknowledged', record, at);
  return null;
}

/** An earlier run may have been killed before it reported: also acknowledges an edit that is already on the master. */
export async function confirmed(at: At, files: readonly LocalFile[]): Promise<string | null> {
  const { shell, place, owner, state, stages, options } = at;
  if (!options.dryRun) {
    const finished = openStage(at) === null ? stages.open : null;
    const ended = await shell.run(owner, confirmScript(place, state, finished), commitLimitMs);
    if (becameOf(ended) !== 'durable') return notDone(at, ended);
  }
  tell(options.dryRun || files.length === 0 ? 'nothing to commit' : 'acknowledged earlier', state.current, at);
  return null;
}

/** Why another attempt is needed. Throws a Failure if none can succeed. */
export function notDone({ owner, options, stages }: At, ended: CommandResult): string {
  const { why, remedy } = saidBy(owner, ended, commitLimitMs);
  if (becameOf(ended) === 'unknown' && !options.dryRun)
    throw failure(
      'change-policy-unacknowledged',
      `not acknowledged: the edit may or may not be on the policy file system, but never partly: ${why}`,
      'run the same command again when csync status reports that the package serves: it completes the commit',
      owner,
    );
  const isMoving = ended.exitCode === policyStatus.notMounted && stages.open !== null;
  if (isMoving || ended.exitCode === policyStatus.moved || ended.exitCode === busyStatus) return why;
  if (ended.exitCode === policyStatus.linked) throw failure('change-policy', `nothing was committed: ${why}`, linkRemedy, owner);
  if (ended.exitCode === policyStatus.refused)
    throw failure(
      'policy-refused',
      `nothing was committed, because cfengine's own parser rejects the policy with this edit: ${why}`,
      'correct the edit, then run the same command again; hosts keep the previous policy',
      owner,
    );
  if (ended.exitCode === policyStatus.noStage)
    throw failure(
      'policy-stage-rules',
      `nothing was changed: ${why}`,
      'csync members sync   (writes them, or prints the lines that your files lack); or commit without --stage',
      owner,
    );
  throw failure('change-policy', `nothing was committed: ${why}`, remedy, owner);
}

type Outcome = 'acknowledged' | 'acknowledged earlier' | 'would be committed' | 'nothing to commit';

/** `commands`: agents that a staged rollout would run. */
export function tell(
  outcome: Outcome,
  record: CommitRecord | null,
  { owner, options }: Pick<At, 'owner' | 'options'>,
  commands: readonly string[] = [],
): void {
  const stage = record?.stage;
  if (options.json) {
    printJson<typeof commitDocument>({
      outcome,
      member: owner,
      record,
      ...(stage === undefined ? {} : { stage: { hosts: stage, commands } }),
    });
    return;
  }
  const files = record === null ? [] : [...record.files, ...record.removed.map((name) => `${name} (removed)`)];
  const what = record === null ? 'the policy on the master, which has no commit yet' : recordLine(record);
  const first =
    stage === undefined
      ? ''
      : [
          '\nIt would first be staged for ',
          stage.length === 0 ? 'the clients for which these agents run' : hostsText(stage),
          ...commands.map((command) => `\non ${owner}: ${command}`),
          '\nIf each of them succeeds, all hosts get it; else it is taken back.',
        ].join('');
  const sentences: Readonly<Record<Outcome, string>> = {
    acknowledged: `${what}\nStored on the policy file system, on ${owner}: ${files.join(' ')}`,
    'acknowledged earlier': `The master already has this edit; last: ${what}`,
    'would be committed': `cfengine's parser on ${owner} accepts it; it would become ${what}: ${files.join(' ')}${first}`,
    'nothing to commit': `Nothing to commit; last: ${what}`,
  };
  out(`${sentences[outcome]}\n`);
}
