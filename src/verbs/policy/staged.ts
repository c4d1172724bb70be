/**
 * `csync policy commit --stage`: the edit goes to some clients first. The state on the master decides the next step: any run of the same
 * command continues where another one stopped, on whichever member is active.
 */

import { secondsOf } from '../../base/duration.ts';
import { demand, type ExitCode, exitCodes, Failure, failure, Interrupted } from '../../base/problem.ts';
import type { CommitPlan } from '../../cluster/policy/commit.ts';
import { becameOf } from '../../cluster/policy/scripts.ts';
import {
  editOf,
  hostsText,
  namesOf,
  readStageWish,
  type Stage,
  type StagedHost,
  type StageResult,
  type StageWish,
  stagedHosts,
  stageResult,
} from '../../cluster/policy/stage.ts';
import { stageScript } from '../../cluster/policy/stage-scripts.ts';
import { type RemoteRunWish, remoteRunText } from '../../cluster/procedures/remote-run.ts';
import type { CommandResult } from '../../host/host.ts';
import { progress } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { pause } from '../common/interruptible.ts';
import { oneStep } from '../common/steps.ts';
import { rosterOf, runOnAll, wanted } from '../hosts/agent-runs.ts';
import { type At, committed, newRecord, notDone, openStage, tell } from './commit-steps.ts';
import { commitLimitMs, tries } from './master.ts';
import { takeBack } from './take-back.ts';
import type { WorkingCopy } from './working-copy.ts';

export interface Staging {
  readonly wish: StageWish;
  readonly run: RemoteRunWish;
}

const parallel = 16;
const mostSeconds = 86_400;
/** Of a host that does not report the staged policy; again after each promotion. */
const mostRuns = 3;
const betweenRunsMs = 5000;
/** For a package that moves. */
const masterLimitMs = 600_000;

/** What csync meets while the package moves. */
const ofMoves: ReadonlySet<string> = new Set([
  'cluster-not-running',
  'cluster-policy-unreadable',
  'cluster-unreachable',
  'change-policy-unacknowledged',
]);

const againOrTakeBack = 'run the same command again: it continues; or csync policy take-back: all hosts get the served policy';

/** Throws a Failure for wrong options. */
export function readStaging(settings: Settings, stage: string, timeout: string): Staging {
  if (settings.cfengineGeneration === 2)
    throw failure(
      'policy-stage-generation',
      'cfengine 2 has no staged rollouts: cfservd cannot serve a directory to some hosts only without a new cfservd.conf on each member, and cfrun does not report whether an agent succeeded',
      'csync policy commit without --stage',
    );
  if (settings.policyDirectory === settings.mountPoint)
    throw failure(
      'policy-stage-rules',
      `policy_directory is the mount point ${settings.mountPoint} itself, so every host could read a staged policy`,
      'csync policy commit without --stage',
    );
  const timeoutSeconds = secondsOf(timeout) ?? 0;
  if (timeoutSeconds < 1 || timeoutSeconds > mostSeconds)
    throw failure(
      'usage',
      `--timeout ${JSON.stringify(timeout)}: 90s, 10m or 1h is required, at most a day`,
      'csync policy commit --timeout 10m',
    );
  return { wish: demand(readStageWish(stage)), run: { parallel, timeoutSeconds, classes: [] } };
}

/** For another edit, or without --stage. */
export function stillOpen(stage: Stage): Failure {
  const { record } = stage;
  return failure(
    'change-policy-staged',
    `nothing was committed: commit ${record.commit} of ${record.by} is staged for ${hostsText(namesOf(stage))} since ${record.at}, and not finished`,
    'run the command of that rollout again, which continues it; or csync policy take-back, then this command',
  );
}

/** One run of the command. */
export class Rollout {
  readonly #staging: Staging;
  readonly #copy: WorkingCopy | null;
  readonly #stop: AbortSignal;
  #stage: Stage | null = null;
  /** Runs in which no host failed, and not all succeeded, since the promotion with that sentinel. */
  #runs = { count: 0, sentinel: '' };
  /** Decides that it is taken back. */
  #failed: readonly StageResult[] = [];

  constructor(staging: Staging, copy: WorkingCopy | null, stop: AbortSignal) {
    this.#staging = staging;
    this.#copy = copy;
    this.#stop = stop;
  }

  /** Attempts until it is done. Once staged, it waits for a package that moves. */
  async untilDone(attempt: () => Promise<string | null>): Promise<ExitCode> {
    let served = performance.now();
    try {
      for (let left = tries * mostRuns; left > 0; ) {
        const again = await attempt().catch((error: unknown) => this.#awaited(error, served));
        if (again === null) return exitCodes.ok;
        if (again instanceof Failure) await pause(betweenRunsMs, this.#stop);
        else {
          progress(again);
          served = performance.now();
          left -= 1;
        }
      }
    } catch (error) {
      throw this.#interrupted(error);
    }
    throw notFinished('the policy of the master, or the active member, changed each time');
  }

  /** A Failure to be tried again. Throws all others. */
  #awaited(error: unknown, served: number): Failure {
    const code = error instanceof Failure ? error.problems[0]?.code : undefined;
    if (this.#stage === null || !(error instanceof Failure) || code === undefined || !ofMoves.has(code)) throw error;
    if (performance.now() - served > masterLimitMs)
      throw notFinished(`${error.problems[0]?.text}; waited ${masterLimitMs / 60_000} minutes for it`);
    return error;
  }

  #interrupted(error: unknown): unknown {
    const isOfAgents = error instanceof Failure && error.problems[0]?.code === 'interrupted-sync';
    if (this.#stage === null || !(error instanceof Interrupted || isOfAgents)) return error;
    const { record } = this.#stage;
    const text = `interrupted: commit ${record.commit} stays staged for ${hostsText(namesOf(this.#stage))}, and is not committed; started agents continue`;
    return failure('interrupted-stage', text, againOrTakeBack);
  }

  /** Why another attempt is needed. null: done. */
  async attempt(at: At, plan: CommitPlan): Promise<string | null> {
    if (at.options.dryRun) return this.#dryRun(at, plan);
    if (this.#failed.length > 0) return this.#takeBack(at);
    const found = openStage(at);
    this.#stage = found ?? this.#stage;
    const isThis = found !== null && found.base === at.state.digest && found.record.digest === plan.digest;
    const stage = isThis ? found : await this.#begin(at, plan, found);
    if (typeof stage === 'string') return stage;
    this.#stage = stage;
    const now = { ...at, stages: { ...at.stages, open: stage } };
    const results = await this.#run(now, stage);
    const others = results.filter(({ result }) => result !== 'succeeded');
    if (others.length === 0) return committed(now, plan, this.#copy, stage);
    const { sentinelDigest: sentinel } = at.state;
    this.#runs = { count: this.#runs.sentinel === sentinel ? this.#runs.count + 1 : 1, sentinel };
    if (others.every(({ result }) => result === 'unproven') && this.#runs.count < mostRuns) {
      await pause(betweenRunsMs, this.#stop);
      return `${resultText(others)}; the agents are run again`;
    }
    this.#failed = others;
    return this.#takeBack(now);
  }

  /** A string: why another attempt is needed. */
  async #begin(at: At, plan: CommitPlan, instead: Stage | null): Promise<Stage | string> {
    const { shell, place, owner, state } = at;
    const hosts = instead?.hosts ?? (await this.#hosts(at));
    const names = hosts.map(({ name }) => name);
    const record = instead === null ? newRecord(at, plan, names) : { ...instead.record, digest: plan.digest, epoch: state.epoch };
    const stage: Stage = { record, base: state.digest, edit: editOf(plan), hosts };
    const script = stageScript(place, { stage, instead, state, write: plan.write, remove: plan.remove });
    const isDone = (result: CommandResult): boolean => becameOf(result) === 'durable';
    const ended = await oneStep(
      `on ${owner}: check the policy with cfengine's parser, and stage it for ${hostsText(names)}`,
      () => shell.run(owner, script, commitLimitMs),
      isDone,
    );
    if (isDone(ended)) return stage;
    this.#stage = stage;
    return notDone(at, ended);
  }

  async #hosts({ shell, settings, owner, state }: At): Promise<readonly StagedHost[]> {
    const { wish, run } = this.#staging;
    const { clients } = await rosterOf(shell, settings);
    if (wish.classes.length === 0) return demand(stagedHosts(wish, clients, [], state.files.size));
    const runs = await oneStep(
      `on ${owner}: run the agents of the clients that have class ${wish.classes.join(' or ')}, with the served policy`,
      (show) => runOnAll(shell, settings, owner, clients, { ...run, select: wish.classes }, show),
      () => true,
    );
    const silent = runs.filter(({ outcome, reason }) => outcome !== 'ran' && outcome !== 'failed' && reason !== 'class');
    if (silent.length > 0)
      progress(`not staged, because it is unknown whether they have it: ${silent.map(({ host }) => host).join(' ')}`);
    const having = runs.filter(({ outcome }) => outcome === 'ran' || outcome === 'failed').map(({ host }) => host);
    return demand(stagedHosts(wish, clients, having, state.files.size));
  }

  async #run({ shell, settings, owner }: At, stage: Stage): Promise<StageResult[]> {
    const { clients } = await rosterOf(shell, settings);
    const names = namesOf(stage);
    return oneStep(
      `on ${owner}: run the agent of ${names.length === 1 ? '1 host' : `${names.length} hosts`} with the staged policy`,
      async (show) => {
        const runs = await runOnAll(shell, settings, owner, wanted(names, clients), this.#staging.run, show);
        return runs.map((run) => stageResult(stage, run));
      },
      (results) => results.every(({ result }) => result === 'succeeded'),
    );
  }

  /** Throws its Failure when it is taken back. */
  async #takeBack(at: At): Promise<string> {
    const why = resultText(this.#failed);
    const left = await takeBack(at, why, this.#staging.run);
    if (typeof left === 'string') return left;
    const others = left.length === 0 ? '' : `. These may have it until their next agent run: ${left.join(' ')}`;
    throw failure(
      'change-policy-taken-back',
      `the edit was taken back, and not committed: ${why}${others}`,
      left.length === 0
        ? 'correct the edit or the host, then run the same command again'
        : 'csync policy take-back   (runs their agents again); correct the edit or the host, then run the same command again',
    );
  }

  async #dryRun(at: At, plan: CommitPlan): Promise<string | null> {
    const { shell, settings } = at;
    const { wish, run } = this.#staging;
    const { clients } = await rosterOf(shell, settings);
    const isKnown = wish.classes.length === 0;
    const hosts = isKnown ? demand(stagedHosts(wish, clients, [], at.state.files.size)).map(({ name }) => name) : [];
    const again = await committed(at, plan, null);
    if (again !== null) return again;
    const commands = wanted(isKnown ? hosts : [], clients).map((host) =>
      remoteRunText(settings, host, isKnown ? run : { ...run, select: wish.classes }),
    );
    tell('would be committed', newRecord(at, plan, hosts), at, commands);
    return null;
  }
}

const notFinished = (why: string): Failure =>
  failure('change-policy-stage-open', `the edit is staged, and not committed: ${why}`, againOrTakeBack);

const resultText = (results: readonly StageResult[]): string => {
  const shown = results.slice(0, 5).map(({ host, why }) => `${host}: ${why}`);
  return results.length > shown.length
    ? `${shown.join('; ')}; and ${results.length - shown.length} more hosts`
    : shown.join('; ');
};
