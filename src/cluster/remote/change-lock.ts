/**
 * One change at a time in a cluster: a lease on every member that answers, renewed while this process runs. A holder that was cut off,
 * stopped or crashed loses it, and detects that before its next change.
 */
import { randomBytes } from 'node:crypto';
import { errorProblem, Failure, failure, type Problem } from '../../base/problem.ts';
import type { Hold, MemberShell } from '../../host/admin/member-shell.ts';
import { notRootStatus, whyNoAnswer } from '../../host/admin/no-answer.ts';
import type { CommandResult } from '../../host/host.ts';
import { fenced, keepScript, type Lease, leaseDirectory, leaseSeconds, lostTo, renewEverySeconds } from './lease-scripts.ts';
import { busyStatus } from './shell-text.ts';

export interface ChangeLockWish {
  readonly packageName: string;
  readonly members: readonly string[];
  readonly who: string;
  /** Begun by a package start, a timer, or an event of the cluster. */
  readonly automatic: boolean;
  /** Wait for another change. null: the default. */
  readonly waitSeconds: number | null;
  readonly say: (line: string) => void;
  readonly pause: (milliseconds: number) => Promise<void>;
}

const usualWaitSeconds = 60;
/** An administrator's command waits so long for an automatic change. */
const automaticWaitSeconds = 600;
const tryEveryMs = 500;
const answerLimitMs = 10_000;
const automaticMark = '(automatic)';

interface Kept {
  readonly member: string;
  hold: Hold | null;
  /** Monotonic: when the last acknowledged renewal was sent. */
  renewedMs: number;
  renewing: boolean;
}

/** The shell of `work` rejects scripts after the lock is lost. Throws a Failure if another process has the lock. */
export async function underChangeLock<T>(
  shell: MemberShell,
  wish: ChangeLockWish,
  work: (shell: MemberShell) => Promise<T>,
): Promise<T> {
  const lock = new ChangeLock(shell, wish);
  try {
    await lock.take();
    return await work(lock.shell);
  } finally {
    await lock.release();
  }
}

class ChangeLock {
  readonly #shell: MemberShell;
  readonly #wish: ChangeLockWish;
  readonly #lease: Lease;
  readonly #script: string;
  readonly #kept: Kept[] = [];
  #lost: string | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(shell: MemberShell, wish: ChangeLockWish) {
    this.#shell = shell;
    this.#wish = wish;
    this.#lease = { directory: leaseDirectory(wish.packageName), token: randomBytes(12).toString('hex') };
    this.#script = keepScript(this.#lease, wish.automatic ? `${wish.who} ${automaticMark}` : wish.who);
  }

  /** Runs each script only while the lock is ours. */
  get shell(): MemberShell {
    const { here, stop } = this.#shell;
    return {
      here,
      stop,
      run: (member, script, timeoutMs, mostBytes) =>
        this.#guarded(member, script, (text) => this.#shell.run(member, text, timeoutMs, mostBytes)),
      send: (member, script, sent, timeoutMs) =>
        this.#guarded(member, script, (text) => this.#shell.send(member, text, sent, timeoutMs)),
      hold: (member, script) => this.#shell.hold(member, script),
    };
  }

  /** In the same order everywhere, which avoids a deadlock. */
  async take(): Promise<void> {
    const began = performance.now();
    let told = false;
    for (const member of [...new Set(this.#wish.members)].sort()) {
      for (;;) {
        const askedMs = performance.now();
        const held = await this.#shell.hold(member, this.#script);
        if ('release' in held) {
          this.#keep({ member, hold: held, renewedMs: askedMs, renewing: false });
          break;
        }
        if (held.exitCode !== busyStatus) {
          demandUnreached(member, held);
          break;
        }
        const holder = held.stderr.trim();
        const limit = this.#waitLimit(holder);
        if (performance.now() - began >= limit * 1000) throw new Failure([busyProblem(member, holder, limit)]);
        if (!told) this.#wish.say(`waiting up to ${limit} s for the lock of the cluster, held by ${holder}`);
        told = true;
        await this.#wish.pause(tryEveryMs);
      }
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#kept.map(({ hold }) => hold?.release()));
  }

  #waitLimit(holder: string): number {
    const { waitSeconds, automatic } = this.#wish;
    if (waitSeconds !== null) return waitSeconds;
    return automatic || holder.includes(automaticMark) ? automaticWaitSeconds : usualWaitSeconds;
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    // Renews the first leases while later ones are pending.
    this.#timer ??= setInterval(() => {
      for (const one of this.#kept) void this.#renew(one);
    }, renewEverySeconds * 1000).unref();
  }

  async #renew(kept: Kept): Promise<void> {
    if (kept.renewing || this.#lost !== null) return;
    kept.renewing = true;
    const askedMs = performance.now();
    if (kept.hold?.isAlive() === true) {
      const word = Math.round(askedMs).toString();
      const answer = await kept.hold.ask(word, answerLimitMs);
      if (answer === `renewed ${word}`) kept.renewedMs = askedMs;
    } else await this.#regain(kept);
    kept.renewing = false;
  }

  /** The connection broke, or the member booted. While most other leases are ours, no other process can have had the lock. */
  async #regain(kept: Kept): Promise<void> {
    const askedMs = performance.now();
    if (!this.#isOurs() || this.#timer === undefined) return;
    await kept.hold?.release();
    kept.hold = null;
    const held = await this.#shell.hold(kept.member, this.#script).catch(() => null);
    if (held === null) return;
    if ('release' in held) {
      kept.hold = held;
      kept.renewedMs = askedMs;
      if (this.#timer === undefined) await held.release();
    } else if (held.exitCode === busyStatus) this.#lost = `${kept.member}: now held by ${held.stderr.trim()}`;
  }

  /** Most members list us as the holder; at exactly half, the first member decides. */
  #isOurs(): boolean {
    if (this.#lost !== null) return false;
    const isFresh = ({ renewedMs }: Kept): boolean => performance.now() - renewedMs < leaseSeconds * 1000;
    const fresh = this.#kept.filter(isFresh).length;
    const half = this.#kept.length / 2;
    const [first] = this.#kept;
    return first === undefined || fresh > half || (fresh === half && isFresh(first));
  }

  #demandOurs(): void {
    if (this.#isOurs()) return;
    this.#lost ??= `it was not renewed for ${leaseSeconds} s: this process was stopped, or disconnected from the members`;
    throw new Failure([lostProblem(this.#lost)]);
  }

  async #guarded(member: string, script: string, run: (script: string) => Promise<CommandResult>): Promise<CommandResult> {
    this.#demandOurs();
    const kept = this.#kept.find((one) => one.member === member);
    if (kept === undefined) return run(script);
    const guarded = fenced(this.#lease, script);
    const ended = await run(guarded);
    if (lostTo(ended) === null) return ended;
    await this.#regain(kept);
    this.#demandOurs();
    const again = await run(guarded);
    const holder = lostTo(again);
    if (holder === null) return again;
    this.#lost = `${member}: now held by ${holder}`;
    throw new Failure([lostProblem(this.#lost)]);
  }
}

/** A member that is down does not prevent a change of the others. One that answers without keeping a lock does. */
function demandUnreached(member: string, ended: CommandResult): void {
  if (ended.exitCode === 255 || ended.exitCode === null) return;
  const { why, remedy: rootFix } = whyNoAnswer(member, ended, 0);
  if (ended.exitCode === notRootStatus) {
    const text = `nothing was changed: ${why}`;
    throw failure('cluster-not-root', text, rootFix, member);
  }
  const text = `nothing was changed: cannot take the lock of the cluster in /run: ${why}`;
  const remedy =
    'on that member: csync must be root, /run needs space, and flock (util-linux) and timeout (coreutils) must be installed';
  throw failure('change-lock', text, remedy, member);
}

function busyProblem(member: string, holder: string, waited: number): Problem {
  const text = `nothing was changed: another change is running, ${holder || 'by an unknown process'}; waited ${waited} s for it`;
  const remedy =
    'run the same command again when it has finished, or with --wait SECONDS to wait longer. To stop the other change, kill that process on its host';
  return errorProblem('change-busy', text, remedy, member);
}

function lostProblem(why: string): Problem {
  const text = `the lock of the cluster was lost, so csync changes nothing more: ${why}`;
  const remedy = 'run the same command again: it completes the remaining steps';
  return errorProblem('change-lock-lost', text, remedy);
}
