/** Judges samples: running, failed, or unknown, which fails later. Pure. Times are monotonic ms: a corrected wall clock is no silence. */
import type { LayerSchedule } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';
import { sentence } from '../messages.ts';
import { eachLayer, type LayerName, type LayerResult, layerOf, layerSchedules } from './layers.ts';

export type Sample =
  | {
      readonly kind: 'process';
      readonly at: number;
      readonly seen: 'running' | 'gone' | 'zombie' | 'stopped';
      readonly detail: string;
      /** Changes when a stopped process runs. null: unknown. */
      readonly mark?: string | null;
    }
  | { readonly kind: 'replaced'; readonly at: number; readonly detail: string }
  | {
      readonly kind: 'layer';
      readonly layer: LayerName;
      readonly at: number;
      readonly result: LayerResult;
      readonly detail: string;
      /** A program is missing on this host; no other member fixes that. */
      readonly isOurLack?: true;
    }
  /** The monitor itself did not run. */
  | { readonly kind: 'starved'; readonly at: number; readonly lateMs: number };

/** Failed probes in a row; weight warn only logs. */
export type LayerLimit = Pick<LayerSchedule, 'failures' | 'weight'>;

export interface Limits {
  readonly layers: Readonly<Record<LayerName, LayerLimit>>;
  readonly unknownLimitMs: number;
}

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
  readonly since: number;
  readonly evidence: string;
}

interface Sign {
  readonly count: number;
  readonly since: number;
}

export interface LayerState {
  readonly bad: Sign;
  readonly toldAt: number;
}

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
/** By time without running: gcore, strace and job control stop a process for moments. */
export const stoppedLimitMs = 3000;

export function watchFrom(at: number): Watch {
  return { stopped: null, layers: eachLayer(() => ({ bad: none, toldAt: at })), verdict: null };
}

function again(sign: Sign, at: number): Sign {
  return { count: sign.count + 1, since: sign.count === 0 ? at : sign.since };
}

/** Adds a sample. A verdict is final. */
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
      // The counts of a monitor that did not run prove nothing.
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
  // A stopped daemon cannot answer; it has its own limit.
  const isOfStop = layer === 'protocol' && result === 'bad' && watch.stopped !== null;
  if (result === 'good') return became({ bad: none, toldAt: at });
  if (isOurLack === true) return became({ ...before, toldAt: at });
  if (result === 'unknown' || isOfStop) {
    const unknownMs = at - before.toldAt;
    if (weight === 'warn' || unknownMs < unknownLimitMs) return watch;
    return fail('unknown', before.toldAt, `no result for ${Math.round(unknownMs / 1000)} s: ${detail}`);
  }
  const bad = again(before.bad, at);
  if (bad.count < failures || weight === 'warn') return became({ bad, toldAt: at });
  return fail(layer, bad.since, `${bad.count} failed probes in a row: ${detail}`);
}

/** In this order: each later act may hang with its disk. After the first nothing waits for this process. */
export function actsOfVerdict(): readonly ('leave' | 'state' | 'log')[] {
  return ['leave', 'state', 'log'];
}

interface Conclusion {
  readonly means: string;
  readonly evidence: string;
  readonly ofDaemon: boolean;
}

const gone = { means: 'the cfengine daemon exited', ofDaemon: true } as const;

/** Rows of the layers have theirs. */
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

/** When the service exits [serviceguard.md 6.4]. */
function whatFollows({ packageName, serviceRestart, serviceFailFast }: Follows, member: string): string {
  const moves = serviceFailFast
    ? `Serviceguard reboots this member and starts ${packageName} on the next enabled member`
    : `Serviceguard moves ${packageName} to the next enabled member and disables this one. To enable it again: cmmodpkg -e -n ${member} ${packageName}`;
  if (serviceRestart === 'none') return moves;
  if (serviceRestart === 'unlimited') return 'Serviceguard restarts the monitor here (service_restart: unlimited)';
  return `Serviceguard restarts the monitor here up to ${serviceRestart} times (service_restart). After that, ${moves}`;
}

type Follows = Pick<Settings, 'packageName' | 'serviceRestart' | 'serviceFailFast'>;

/** For an administrator. `epoch`: wall clock at moment 0 of the samples, ms. */
export function verdictSentence(verdict: Verdict, settings: Follows, member: string, epoch: number): string {
  const since = new Date(Math.round(epoch + verdict.since)).toISOString();
  return `${sentence(conclusions[verdict.reason].means)}: ${verdict.evidence} (since ${since}). The monitor exits. ${whatFollows(settings, member)}`;
}
