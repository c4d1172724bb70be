/** `csync policy commit | show | log`: edits the administrator's part of the master's policy without losing an edit. */

import { demand, type ExitCode, exitCodes, Failure, failure } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import {
  type CommitPlan,
  type CommitRecord,
  commitRecordName,
  type LocalFile,
  nextRecord,
  type PolicyState,
  planCommit,
  recordsOf,
  unreadableNames,
} from '../../cluster/policy/commit.ts';
import {
  linkRemedy,
  mostContentBytes,
  type PolicyLook,
  type PolicyPlace,
  policyLookScript,
  policyPlace,
  policyStatus,
  readPolicyState,
} from '../../cluster/policy/look.ts';
import { becameOf, commitScript, confirmScript } from '../../cluster/policy/scripts.ts';
import { locate } from '../../cluster/remote/observation.ts';
import { busyStatus } from '../../cluster/remote/shell-text.ts';
import type { Revision } from '../../host/admin/git.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords, whyNoAnswer } from '../../host/admin/no-answer.ts';
import { loginName } from '../../host/admin/terminal.ts';
import type { CommandResult } from '../../host/host.ts';
import { out, progress } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { oneStep } from '../common/steps.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { openRepository } from './repository.ts';
import { makeWorkingCopy, readWorkingCopy, type WorkingCopy } from './working-copy.ts';

const commit = shape.object({
  commit: shape.number,
  epoch: shape.number,
  digest: shape.text,
  at: shape.text,
  by: shape.text,
  member: shape.text,
  message: shape.text,
  files: shape.texts,
  removed: shape.texts,
});

export const commitDocument = shape.document({
  outcome: shape.picklist(['acknowledged', 'acknowledged earlier', 'would be committed', 'nothing to commit']),
  member: shape.text,
  record: shape.nullable(commit),
});

export const showDocument = shape.document({
  member: shape.text,
  epoch: shape.nullable(shape.number),
  digest: shape.text,
  commit: shape.nullable(shape.parts),
  files: shape.many(shape.object({ name: shape.text, digest: shape.text, owner: shape.picklist(['toolkit', 'administrator']) })),
  links: shape.parts,
  copy: shape.maybe,
});

export const logDocument = shape.document({ member: shape.text, commits: shape.many(commit) });

interface PolicyOptions {
  readonly settings: string;
  readonly json: boolean;
}

export interface PolicyCommitOptions extends PolicyOptions {
  readonly paths: readonly string[];
  readonly message: string;
  /** REPOSITORY[@REF] of git, instead of paths. */
  readonly from?: string | undefined;
  /** Directory of the policy in the repository. */
  readonly subdirectory: string;
  /** Digest of the whole master copy that the edit is based on. */
  readonly base?: string | undefined;
  readonly dryRun: boolean;
}

const lookLimitMs = 60_000;
/** Twice the largest policy that is read (look.ts), for base64 and names. */
const mostAnswerBytes = 2 * mostContentBytes;
const commitLimitMs = 180_000;
/** Attempts when the policy changed meanwhile each time; after that, another process writes continuously. */
const tries = 8;

/** The active member. Throws a Failure if there is none, or if it is unknown. */
async function findOwner(shell: MemberShell, settings: Settings): Promise<string> {
  const place = await locate(shell, settings);
  if (place?.status === 'up' && place.owner !== null) return place.owner;
  const whoSays = place === null ? 'no reachable member knows the package' : 'as the cluster reports';
  const text = `${settings.packageName} runs on no member (${whoSays}), so there is no master to read the policy from`;
  throw failure('cluster-not-running', text, 'csync status; when the package is up, run the same command again');
}

async function lookAtPolicy(shell: MemberShell, owner: string, place: PolicyPlace, contents: boolean): Promise<PolicyLook> {
  for (let left = tries; left > 0; left -= 1) {
    const answer = await shell.run(owner, policyLookScript(place, contents), lookLimitMs, mostAnswerBytes);
    const look = answer.exitCode === 0 ? readPolicyState(answer.stdout) : null;
    if (look !== null) return look;
    if (answer.exitCode === 0) continue;
    // The package moved: its words. In all other cases the answer is policy, which is no part of a message.
    const { why, remedy } =
      answer.exitCode === policyStatus.notMounted || answer.exitCode === policyStatus.tooLarge
        ? saidBy(owner, answer, lookLimitMs)
        : whyNoAnswer(owner, answer, lookLimitMs);
    throw failure('cluster-policy-unreadable', `the policy of the master cannot be read: ${why}`, remedy, owner);
  }
  const text = 'the policy of the master changed during each read, or the answer was truncated';
  throw failure('cluster-policy-unreadable', text, 'run the same command again', owner);
}

function saidBy(owner: string, answer: CommandResult, limitMs: number): { why: string; remedy: string } {
  const { why, remedy } = whyNoAnswer(owner, answer, limitMs);
  const said = printedWords({ ...answer, stderr: '' }).replace(/^swapping\n?/gm, '');
  const isWhole = said.includes(why) || (said !== '' && !answer.timedOut && answer.stderr.trim() === '');
  return { why: isWhole ? said : [said, why].filter(Boolean).join('; '), remedy };
}

/**
 * Returns when the edit is durable on the policy file system. Throws a Failure otherwise, which states whether the edit may have been
 * committed.
 */
export async function policyCommit(options: PolicyCommitOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  if (options.from !== undefined && options.paths.length > 0)
    throw failure(
      'usage',
      '--from commits the files of a repository, so no other paths can be named',
      'remove the paths or --from',
    );
  const source = options.from === undefined ? null : await openRepository(options.from, options.subdirectory);
  const copy = source === null ? readWorkingCopy(options.paths) : null;
  const edit = (state: PolicyState) => copy?.files ?? source?.edit(state, options.base !== undefined) ?? [];
  const revision = source?.revision ?? null;
  try {
    return await onMembers(settings, 'keeping connections', async (shell) => {
      const place = policyPlace(settings);
      for (let left = tries; left > 0; left -= 1) {
        const owner = await findOwner(shell, settings);
        const { state } = await lookAtPolicy(shell, owner, place, false);
        const files = await edit(state);
        const plan = demand(planCommit(state, files, options.base ?? null));
        const at = { shell, place, owner, state, options, revision };
        const again = plan.write.length + plan.remove.length === 0 ? await confirmed(at, files) : await committed(at, plan, copy);
        if (again === null) return exitCodes.ok;
        progress(`${owner}: ${again}; reading again`);
      }
      const text = 'the policy was changed each time before this edit could be committed; nothing was committed';
      throw failure('change-policy-busy', text, 'run the same command again');
    });
  } finally {
    source?.close();
  }
}

interface At {
  readonly shell: MemberShell;
  readonly place: PolicyPlace;
  readonly owner: string;
  readonly state: PolicyState;
  readonly options: PolicyCommitOptions;
  readonly revision: Revision | null;
}

/** Why another attempt is needed. null: done. */
async function committed(at: At, plan: CommitPlan, copy: WorkingCopy | null): Promise<string | null> {
  const { shell, place, owner, state, options, revision } = at;
  const words = { at: new Date().toISOString(), by: `${loginName()}@${shell.here}`, member: owner };
  const record = nextRecord(state, plan, {
    ...words,
    message: options.message || (revision?.subject ?? ''),
    ...(revision === null ? {} : { revision: revision.commit }),
  });
  const order = { state, record, write: plan.write, remove: plan.remove, dryRun: options.dryRun };
  if (!options.dryRun) copy?.willCommit(plan);
  const isDone = (result: CommandResult): boolean => (options.dryRun ? result.exitCode === 0 : becameOf(result) === 'durable');
  const ended = await oneStep(
    `on ${owner}: check the policy with cfengine's parser${options.dryRun ? '' : ', and store it'}`,
    () => shell.run(owner, commitScript(place, order), commitLimitMs),
    isDone,
  );
  if (isDone(ended)) {
    if (!options.dryRun) copy?.committed(plan);
    tell(options.dryRun ? 'would be committed' : 'acknowledged', record, owner, options);
    return null;
  }
  return notDone(at, ended);
}

/** Also acknowledges an edit that is already on the master: an earlier run may have been killed before it reported. */
async function confirmed(at: At, files: readonly LocalFile[]): Promise<string | null> {
  const { shell, place, owner, state, options } = at;
  if (options.dryRun) {
    tell('nothing to commit', state.current, owner, options);
    return null;
  }
  const ended = await shell.run(owner, confirmScript(place, state), commitLimitMs);
  if (becameOf(ended) !== 'durable') return notDone(at, ended);
  tell(files.length === 0 ? 'nothing to commit' : 'acknowledged earlier', state.current, owner, options);
  return null;
}

function notDone({ owner, options }: At, ended: CommandResult): string {
  const { why, remedy } = saidBy(owner, ended, commitLimitMs);
  if (becameOf(ended) === 'unknown' && !options.dryRun)
    throw failure(
      'change-policy-unacknowledged',
      `not acknowledged: the edit may or may not be on the policy file system, but never partly: ${why}`,
      'run the same command again when csync status reports that the package serves: it completes the commit',
      owner,
    );
  if (ended.exitCode === policyStatus.moved || ended.exitCode === busyStatus) return why;
  if (ended.exitCode === policyStatus.linked) throw failure('change-policy', `nothing was committed: ${why}`, linkRemedy, owner);
  if (ended.exitCode === policyStatus.refused)
    throw failure(
      'policy-refused',
      `nothing was committed, because cfengine's own parser rejects the policy with this edit: ${why}`,
      'correct the edit, then run the same command again; hosts keep the previous policy',
      owner,
    );
  throw failure('change-policy', `nothing was committed: ${why}`, remedy, owner);
}

type Outcome = 'acknowledged' | 'acknowledged earlier' | 'would be committed' | 'nothing to commit';

function tell(outcome: Outcome, record: CommitRecord | null, owner: string, { json }: PolicyOptions): void {
  if (json) {
    printJson<typeof commitDocument>({ outcome, member: owner, record });
    return;
  }
  const files = record === null ? [] : [...record.files, ...record.removed.map((name) => `${name} (removed)`)];
  const what = record === null ? 'the policy on the master, which has no commit yet' : recordLine(record);
  const sentences: Readonly<Record<Outcome, string>> = {
    acknowledged: `${what}\nStored on the policy file system, on ${owner}: ${files.join(' ')}`,
    'acknowledged earlier': `The master already has this edit; last: ${what}`,
    'would be committed': `cfengine's parser on ${owner} accepts it; it would become ${what}: ${files.join(' ')}`,
    'nothing to commit': `Nothing to commit; last: ${what}`,
  };
  out(`${sentences[outcome]}\n`);
}

function recordLine({ commit, epoch, digest, at, by, message, revision }: CommitRecord): string {
  const git = revision === undefined ? '' : `, git ${revision.slice(0, 12)}`;
  return `commit ${commit} of epoch ${epoch}, digest ${digest.slice(0, 12)}${git}, ${at} ${by}${message === '' ? '' : `: ${message}`}`;
}

/** The policy of the master; `copy`: directory for a working copy. */
export async function policyShow(options: PolicyOptions & { readonly copy?: string | undefined }): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const copy = options.copy;
  return onMembers(settings, 'once', async (shell) => {
    const owner = await findOwner(shell, settings);
    const { state, contents, links } = await lookAtPolicy(shell, owner, policyPlace(settings), copy !== undefined);
    if (copy !== undefined) {
      const problems = unreadableNames(state);
      if (problems.length > 0) throw new Failure(problems);
      makeWorkingCopy(copy, contents);
    }
    const files = [...state.files].map(([name, { digest, ours }]) => ({
      name,
      digest,
      owner: ours ? ('toolkit' as const) : ('administrator' as const),
    }));
    files.sort((one, other) => (one.name < other.name ? -1 : 1));
    const { epoch, digest, current } = state;
    if (options.json)
      printJson<typeof showDocument>({
        member: owner,
        epoch,
        digest,
        commit: current,
        files,
        links: Object.fromEntries(links),
        copy: copy ?? null,
      });
    else out(showText(owner, state, { files, links, copy }));
    return exitCodes.ok;
  });
}

interface Shown {
  readonly files: readonly { readonly name: string; readonly digest: string; readonly owner: string }[];
  readonly links: PolicyLook['links'];
  readonly copy: string | undefined;
}

function showText(owner: string, { epoch, digest, current }: PolicyState, { files, links, copy }: Shown): string {
  const since = current === null || current.digest === digest ? '' : '; later changed by the toolkit or by hand';
  return [
    `${owner} serves the policy of epoch ${epoch}, digest ${digest}`,
    current === null ? 'no commit yet' : `${recordLine(current)}${since}`,
    ...columns(
      [
        ...files.map((file) => [file.digest.slice(0, 12), file.owner, file.name]),
        ...[...links].map(([name, to]) => ['-', 'link', `${name} -> ${to}`]),
      ],
      { indent: 2 },
    ),
    `(hosts get it in ${commitRecordName})`,
    ...(copy === undefined ? [] : [`working copy in ${copy}: edit it, then run csync policy commit ${copy}`]),
    '',
  ].join('\n');
}

/** The commits, the newest last. */
export async function policyLog(options: PolicyOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  return onMembers(settings, 'once', async (shell) => {
    const owner = await findOwner(shell, settings);
    const { state } = await lookAtPolicy(shell, owner, policyPlace(settings), false);
    const records = recordsOf(state);
    const lines = records.map(
      (one) => `${recordLine(one)}\n    ${[...one.files, ...one.removed.map((name) => `-${name}`)].join(' ')}\n`,
    );
    if (options.json) printJson<typeof logDocument>({ member: owner, commits: records });
    else out(records.length === 0 ? 'No commit yet.\n' : lines.join(''));
    return exitCodes.ok;
  });
}
