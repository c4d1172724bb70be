import { failure } from '../../base/problem.ts';
import type { CommitRecord } from '../../cluster/policy/commit.ts';
import {
  mostContentBytes,
  type PolicyLook,
  type PolicyPlace,
  policyLookScript,
  policyStatus,
  readPolicyState,
} from '../../cluster/policy/look.ts';
import { hostsText } from '../../cluster/policy/stage.ts';
import { locate } from '../../cluster/remote/observation.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords, whyNoAnswer } from '../../host/admin/no-answer.ts';
import type { CommandResult } from '../../host/host.ts';
import type { Settings } from '../../settings/settings.ts';
import * as shape from '../outputs/outputs.ts';

export const commitShape = shape.object({
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

export interface PolicyOptions {
  readonly settings: string;
  readonly json: boolean;
}

const lookLimitMs = 60_000;
/** Twice the largest policy (look.ts), for base64 and names. */
const mostAnswerBytes = 2 * mostContentBytes;
export const commitLimitMs = 180_000;
/** While the policy changes meanwhile; then another process writes continuously. */
export const tries = 8;

/** Throws a Failure if there is none, or if it is unknown. */
export async function findOwner(shell: MemberShell, settings: Settings): Promise<string> {
  const place = await locate(shell, settings);
  if (place?.status === 'up' && place.owner !== null) return place.owner;
  const whoSays = place === null ? 'no reachable member knows the package' : 'as the cluster reports';
  const text = `${settings.packageName} runs on no member (${whoSays}), so there is no master to read the policy from`;
  throw failure('cluster-not-running', text, 'csync status; when the package is up, run the same command again');
}

export async function lookAtPolicy(
  shell: MemberShell,
  owner: string,
  place: PolicyPlace,
  contents: boolean,
): Promise<PolicyLook> {
  for (let left = tries; left > 0; left -= 1) {
    const answer = await shell.run(owner, policyLookScript(place, contents), lookLimitMs, mostAnswerBytes);
    const look = answer.exitCode === 0 ? readPolicyState(answer.stdout) : null;
    if (look?.stages.isDamaged === true)
      throw failure(
        'cluster-policy-unreadable',
        'the file of the staged rollout is damaged, so its hosts and its edit are unknown',
        `on ${owner}: rm -r ${place.stage}   (ends it: all hosts fetch the served policy at their next run)`,
        owner,
      );
    if (look !== null) return look;
    if (answer.exitCode === 0) continue;
    // The package moved: its words. Any other output is policy, which is no part of a message.
    const { why, remedy } =
      answer.exitCode === policyStatus.notMounted || answer.exitCode === policyStatus.tooLarge
        ? saidBy(owner, answer, lookLimitMs)
        : whyNoAnswer(owner, answer, lookLimitMs);
    throw failure('cluster-policy-unreadable', `the policy of the master cannot be read: ${why}`, remedy, owner);
  }
  const text = 'the policy of the master changed during each read, or the answer was truncated';
  throw failure('cluster-policy-unreadable', text, 'run the same command again', owner);
}

export function saidBy(owner: string, answer: CommandResult, limitMs: number): { why: string; remedy: string } {
  const { why, remedy } = whyNoAnswer(owner, answer, limitMs);
  const said = printedWords({ ...answer, stderr: '' }).replace(/^swapping\n?/gm, '');
  const isWhole = said.includes(why) || (said !== '' && !answer.timedOut && answer.stderr.trim() === '');
  return { why: isWhole ? said : [said, why].filter(Boolean).join('; '), remedy };
}

export function recordLine({ commit, epoch, digest, at, by, message, revision, stage }: CommitRecord): string {
  const git = revision === undefined ? '' : `, git ${revision.slice(0, 12)}`;
  const first = stage === undefined ? '' : `, first on ${hostsText(stage)}`;
  return `commit ${commit} of epoch ${epoch}, digest ${digest.slice(0, 12)}${git}${first}, ${at} ${by}${message === '' ? '' : `: ${message}`}`;
}
