/**
 * What the monitor concludes from what it saw. Pure: the judge is folded over samples; the tests give it stories. Three
 * answers: running, failed, cannot tell - and "cannot tell" is not "dead" until its own, longer limit. Moments are ms of a
 * clock that never jumps: a corrected wall clock must not look like a long silence.
 */
export type Sample =
  /** A look at the daemon's process. */
  | {
      readonly kind: 'process';
      readonly at: number;
      readonly seen: 'running' | 'gone' | 'zombie' | 'stopped';
      readonly detail: string;
    }
  /** Another process owns the port. */
  | { readonly kind: 'replaced'; readonly at: number; readonly detail: string }
  /** A question through the package address. */
  | {
      readonly kind: 'probe';
      readonly at: number;
      readonly result: 'answered' | 'silent' | 'cannot-tell';
      readonly detail: string;
    }
  /** The mount table of this member. */
  | { readonly kind: 'mount'; readonly at: number; readonly mounted: boolean }
  /** The monitor itself did not run for a while. */
  | { readonly kind: 'starved'; readonly at: number; readonly lateMs: number };

export interface Limits {
  readonly failures: number;
  readonly unknownLimitMs: number;
}

export interface Verdict {
  readonly reason: 'gone' | 'zombie' | 'stopped' | 'replaced' | 'silent' | 'unmounted' | 'unknown';
  /** ms: when the first sign was seen. */
  readonly since: number;
  readonly evidence: string;
}

export interface Watch {
  /** Signs in a row, each since its first. */
  readonly stopped: { readonly count: number; readonly since: number };
  readonly silent: { readonly count: number; readonly since: number };
  readonly unmounted: { readonly count: number; readonly since: number };
  /** Last time anything could be told. */
  readonly toldAt: number;
  readonly verdict: Verdict | null;
}

const none = { count: 0, since: 0 };
/** A stopped process is believed at the second look: ptrace and job control stop for moments. */
const stoppedLooks = 2;
/** The mount table is the kernel's word, but a lazy unmount in progress deserves a second look. */
const unmountedLooks = 2;

export function watchFrom(at: number): Watch {
  return { stopped: none, silent: none, unmounted: none, toldAt: at, verdict: null };
}

function again(sign: { readonly count: number; readonly since: number }, at: number): { count: number; since: number } {
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
    case 'mount': {
      if (sample.mounted) return { ...watch, unmounted: none };
      const unmounted = again(watch.unmounted, sample.at);
      if (unmounted.count >= unmountedLooks)
        return fail('unmounted', unmounted.since, 'the policy file system is not mounted any more');
      return { ...watch, unmounted };
    }
    case 'probe':
      return judgeProbe(watch, sample, limits, fail);
    case 'starved':
      // Whatever was counted in a row was counted by a monitor that did not run; begin anew. That time is nobody's silence.
      return {
        ...watch,
        stopped: none,
        silent: none,
        unmounted: none,
        toldAt: Math.min(sample.at, watch.toldAt + sample.lateMs),
      };
  }
}

type Fail = (reason: Verdict['reason'], since: number, evidence: string) => Watch;

function judgeProcess(watch: Watch, { seen, at, detail }: Extract<Sample, { kind: 'process' }>, fail: Fail): Watch {
  if (seen === 'gone' || seen === 'zombie') return fail(seen, at, detail);
  if (seen === 'running') return { ...watch, stopped: none };
  const stopped = again(watch.stopped, at);
  return stopped.count >= stoppedLooks ? fail('stopped', stopped.since, detail) : { ...watch, stopped };
}

function judgeProbe(watch: Watch, { result, at, detail }: Extract<Sample, { kind: 'probe' }>, limits: Limits, fail: Fail): Watch {
  if (result === 'answered') return { ...watch, silent: none, toldAt: at };
  if (result === 'cannot-tell') {
    if (at - watch.toldAt < limits.unknownLimitMs) return watch;
    return fail('unknown', watch.toldAt, `for ${Math.round((at - watch.toldAt) / 1000)} s nothing could be told: ${detail}`);
  }
  const silent = again(watch.silent, at);
  const next = { ...watch, silent, toldAt: at };
  return silent.count >= limits.failures ? fail('silent', silent.since, `${silent.count} probes in a row: ${detail}`) : next;
}

const what: Readonly<Record<Verdict['reason'], string>> = {
  gone: 'the cfengine daemon has ended',
  zombie: 'the cfengine daemon has ended',
  stopped: 'the cfengine daemon is stopped',
  replaced: 'another process took the place of the cfengine daemon',
  silent: 'the cfengine daemon does not answer under the package address',
  unmounted: 'the policy file system is gone',
  unknown: 'the monitor could not tell for too long',
};

/** The one sentence an administrator reads first. `epoch`: the wall clock at moment 0 of the samples, ms. */
export function verdictSentence(verdict: Verdict, packageName: string, epoch: number): string {
  const since = new Date(Math.round(epoch + verdict.since)).toISOString();
  return `${what[verdict.reason]} (${verdict.evidence}; since ${since}). The monitor ends now, and Serviceguard moves ${packageName} to the next member that is switched on for it; this member is switched off for it until cmmodpkg -e -n <member> ${packageName}`;
}
