/**
 * What the monitor concludes from what it saw. Pure: the judge is folded over samples; the tests give it stories. Three
 * answers: running, failed, cannot tell - and "cannot tell" is not "dead" until its own, longer limit. Moments are ms of a
 * clock that never jumps: a corrected wall clock must not look like a long silence.
 */
import type { LayerSchedule } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';
import { sentence } from '../messages.ts';
import { eachLayer, type LayerName, type LayerResult, layerOf, layerSchedules } from './layers.ts';

export type Sample =
  /** A look at the daemon's process. */
  | {
      readonly kind: 'process';
      readonly at: number;
      readonly seen: 'running' | 'gone' | 'zombie' | 'stopped';
      readonly detail: string;
      /** Of a stopped one: what changes whenever it runs. null: cannot be told. */
      readonly mark?: string | null;
    }
  /** Another process owns the port. */
  | { readonly kind: 'replaced'; readonly at: number; readonly detail: string }
  | {
      readonly kind: 'layer';
      readonly layer: LayerName;
      readonly at: number;
      readonly result: LayerResult;
      readonly detail: string;
      /** Of one that cannot tell: for want of a program on this host, which no other member cures. */
      readonly isOurLack?: true;
    }
  /** The monitor itself did not run for a while. */
  | { readonly kind: 'starved'; readonly at: number; readonly lateMs: number };

/** Of bad looks in a row; those of weight warn are told, and the package stays. */
export type LayerLimit = Pick<LayerSchedule, 'failures' | 'weight'>;

export interface Limits {
  readonly layers: Readonly<Record<LayerName, LayerLimit>>;
  readonly unknownLimitMs: number;
}

/** A layer that is off counts for nothing. */
const offLimit: LayerLimit = { failures: Number.POSITIVE_INFINITY, weight: 'warn' };

export function limitsOf(settings: Settings): Limits {
  const schedules = layerSchedules(settings);
  return {
    layers: eachLayer((name) => schedules[name] ?? offLimit),
    unknownLimitMs: settings.monitorUnknownLimitSeconds * 1000,
  };
}

export interface Verdict {
  readonly reason: 'gone' | 'zombie' | 'stopped' | 'replaced' | LayerName | 'unknown';
  /** ms: when the first sign was seen. */
  readonly since: number;
  readonly evidence: string;
}

/** Signs in a row, since the first. */
interface Sign {
  readonly count: number;
  readonly since: number;
}

export interface LayerState {
  readonly bad: Sign;
  /** Last time anything could be told. */
  readonly toldAt: number;
}

/** A process that is stopped, and has not run since. */
interface Stop {
  readonly since: number;
  readonly mark: string | null;
}

export interface Watch {
  readonly stopped: Stop | null;
  readonly layers: Readonly<Record<LayerName, LayerState>>;
  readonly verdict: Verdict | null;
}

const none: Sign = { count: 0, since: 0 };
/**
 * A stopped process counts by time: gcore, strace and job control stop it for moments, however often. It must not have run in
 * between; one that was continued and stopped again begins anew.
 */
export const stoppedLimitMs = 3000;

export function watchFrom(at: number): Watch {
  return { stopped: null, layers: eachLayer(() => ({ bad: none, toldAt: at })), verdict: null };
}

function again(sign: Sign, at: number): Sign {
  return { count: sign.count + 1, since: sign.count === 0 ? at : sign.since };
}

/** Folds one sample in. A verdict, once there, stays. */
export function judge(watch: Watch, sample: Sample, limits: Limits): Watch {
  if (watch.verdict !== null) return watch;
  const fail = (reason: Verdict['reason'], since: number, evidence: string): Watch => ({
    ...watch,
    verdict: { reason, since, evidence },
  });
  switch (sample.kind) {
    case 'process':
      return judgeProcess(watch, sample, fail);
    case 'replaced':
      return fail('replaced', sample.at, sample.detail);
    case 'layer':
      return judgeLayer(watch, sample, limits, fail);
    case 'starved':
      // Whatever was counted in a row was counted by a monitor that did not run; begin anew. That time is nobody's silence.
      return {
        ...watch,
        stopped: null,
        layers: eachLayer((name) => ({ bad: none, toldAt: Math.min(sample.at, watch.layers[name].toldAt + sample.lateMs) })),
      };
  }
}

type Fail = (reason: Verdict['reason'], since: number, evidence: string) => Watch;

function judgeProcess(watch: Watch, { seen, at, detail, mark = null }: Extract<Sample, { kind: 'process' }>, fail: Fail): Watch {
  if (seen === 'gone' || seen === 'zombie') return fail(seen, at, detail);
  if (seen === 'running') return { ...watch, stopped: null };
  const { stopped } = watch;
  if (stopped === null || stopped.mark !== mark) return { ...watch, stopped: { since: at, mark } };
  const forMs = at - stopped.since;
  if (forMs < stoppedLimitMs) return watch;
  return fail('stopped', stopped.since, `${detail} and did not run for ${(forMs / 1000).toFixed(1)} s`);
}

function judgeLayer(
  watch: Watch,
  { layer, result, at, detail, isOurLack }: Extract<Sample, { kind: 'layer' }>,
  { layers, unknownLimitMs }: Limits,
  fail: Fail,
): Watch {
  const { failures, weight } = layers[layer];
  const before = watch.layers[layer];
  const became = (state: LayerState): Watch => ({ ...watch, layers: { ...watch.layers, [layer]: state } });
  // What is stopped answers nobody, and has a limit of its own.
  const isOfStop = layer === 'protocol' && result === 'bad' && watch.stopped !== null;
  if (result === 'good') return became({ bad: none, toldAt: at });
  if (isOurLack === true) return became({ ...before, toldAt: at });
  if (result === 'cannot-tell' || isOfStop) {
    const unknownMs = at - before.toldAt;
    if (weight === 'warn' || unknownMs < unknownLimitMs) return watch;
    return fail('unknown', before.toldAt, `no result for ${Math.round(unknownMs / 1000)} s: ${detail}`);
  }
  const bad = again(before.bad, at);
  if (bad.count < failures || weight === 'warn') return became({ bad, toldAt: at });
  return fail(layer, bad.since, `${bad.count} failed probes in a row: ${detail}`);
}

/**
 * What a verdict leads to, in this order: each of the later ones may hang with its disk, and then nothing behind it happens.
 * Once the service has left, nobody waits for this process any more.
 */
export function actsOfVerdict(): readonly ('leave' | 'state' | 'log')[] {
  return ['leave', 'state', 'log'];
}

interface Conclusion {
  /** First words of the last sentence. */
  readonly means: string;
  /** What it takes to conclude it. */
  readonly evidence: string;
  /** Whether it is about the process of the daemon, which is another one after a restart. */
  readonly ofDaemon: boolean;
}

const gone = { means: 'the cfengine daemon exited', ofDaemon: true } as const;

/** What each reason says; those of the layers are in their rows. */
export const conclusions: Readonly<Record<Verdict['reason'], Conclusion>> = {
  gone: { ...gone, evidence: 'the process that had the port does not exist; one check is enough' },
  zombie: { ...gone, evidence: 'the process is a zombie; one check is enough' },
  stopped: {
    means: 'the cfengine daemon is stopped',
    evidence: 'the process was stopped for 3 s and did not run in between',
    ofDaemon: true,
  },
  replaced: {
    means: 'another process replaced the cfengine daemon',
    evidence: 'another process has the port; one check is enough',
    ofDaemon: true,
  },
  ...eachLayer(layerOf),
  unknown: {
    means: 'the monitor got no result for too long',
    evidence: 'no probe had a result for monitor_unknown_limit_seconds',
    ofDaemon: false,
  },
};

/** What Serviceguard does about the end of the service [serviceguard.md 6.4]. */
function whatFollows({ packageName, serviceRestart, serviceFailFast }: Follows, member: string): string {
  const moves = serviceFailFast
    ? `Serviceguard reboots this member and starts ${packageName} on the next enabled member`
    : `Serviceguard moves ${packageName} to the next enabled member and disables this one. To enable it again: cmmodpkg -e -n ${member} ${packageName}`;
  if (serviceRestart === 'none') return moves;
  if (serviceRestart === 'unlimited') return 'Serviceguard restarts the monitor here (service_restart: unlimited)';
  return `Serviceguard restarts the monitor here up to ${serviceRestart} times (service_restart). After that, ${moves}`;
}

type Follows = Pick<Settings, 'packageName' | 'serviceRestart' | 'serviceFailFast'>;

/** The one sentence an administrator reads first. `epoch`: the wall clock at moment 0 of the samples, ms. */
export function verdictSentence(verdict: Verdict, settings: Follows, member: string, epoch: number): string {
  const since = new Date(Math.round(epoch + verdict.since)).toISOString();
  return `${sentence(conclusions[verdict.reason].means)}: ${verdict.evidence} (since ${since}). The monitor exits. ${whatFollows(settings, member)}`;
}
