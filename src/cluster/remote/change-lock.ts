/**
 * One change at a time in a cluster, whatever the verb: a lease on every member that answers, which this process renews while it
 * lives. A holder that was cut off, stopped or crashed loses it, and finds that out before its next change.
 */
import { randomBytes } from 'node:crypto';
import { Failure, type Problem } from '../../base/problem.ts';
import { type Hold, type MemberShell, whyNoAnswer } from '../../host/admin/member-shell.ts';
import type { CommandResult } from '../../host/host.ts';
import { fenced, keepScript, type Lease, leaseDirectory, leaseSeconds, lostTo, renewEverySeconds } from './lease-scripts.ts';
import { busyStatus } from './shell-text.ts';

export interface ChangeLockWish {
  readonly packageName: string;
  readonly members: readonly string[];
  /** Who holds it, for people. */
  readonly who: string;
  /** What holds it began by itself: the start of the package, a timer, an event of the cluster. */
  readonly automatic: boolean;
  /** Seconds to wait for another change to end; null: as long as usual. */
  readonly waitSeconds: number | null;
  readonly say: (line: string) => void;
  readonly pause: (milliseconds: number) => Promise<void>;
}

const usualWaitSeconds = 60;
/** For what the cluster began by itself the administrator's command waits to the end, or for so long. */
const automaticWaitSeconds = 600;
const tryEveryMs = 500;
const answerLimitMs = 10_000;
const automaticMark = '(automatic)';

interface Kept {
  readonly member: string;
  hold: Hold | null;
  /** When the last renewal that was acknowledged was sent; by the clock of this process, which no one sets. */
  renewedMs: number;
  renewing: boolean;
}

/** Does `work` with the cluster's lock. The shell it gets refuses whatever comes after the lock was lost. A Failure where others have it. */
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

  /** The members' shell for the work: each script goes only as long as the lock is ours. */
  get shell(): MemberShell {
    const { here, stop } = this.#shell;
    return {
      here,
      stop,
      run: (member, script, timeoutMs) => this.#guarded(member, script, (text) => this.#shell.run(member, text, timeoutMs)),
      send: (member, script, sent, timeoutMs) =>
        this.#guarded(member, script, (text) => this.#shell.send(member, text, sent, timeoutMs)),
      hold: (member, script) => this.#shell.hold(member, script),
    };
  }

  /** One member after the other, everywhere in the same order: who has the first one never waits for who waits for it. */
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
        if (!told) this.#wish.say(`waiting up to ${limit} s for the lock of the cluster, which ${holder} has`);
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
    // The first ones are renewed while the others are still waited for.
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

  /** The connection broke, or the member was booted: while most of the others are ours, nobody else can have had it meanwhile. */
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
    } else if (held.exitCode === busyStatus) this.#lost = `${kept.member}: ${held.stderr.trim()} has it now`;
  }

  /** Whether most of the members still count us the holder; where it is half of them, the first one decides. */
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
    this.#lost ??= `it was not renewed for ${leaseSeconds} s: this process was stopped, or cut off from the members`;
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
    this.#lost = `${member}: ${holder} has it now`;
    throw new Failure([lostProblem(this.#lost)]);
  }
}

/** A member that is down is no reason not to change the others; one that answers, and keeps no lock, is. */
function demandUnreached(member: string, ended: CommandResult): void {
  if (ended.exitCode === 255 || ended.exitCode === null) return;
  const { why } = whyNoAnswer(member, ended, 0);
  const text = `nothing was changed: the lock of the cluster, in /run, could not be taken: ${why}`;
  const remedy =
    'on that member csync has to be root and /run needs room; flock (util-linux) and timeout (coreutils) have to be installed';
  throw new Failure([{ code: 'change-lock', severity: 'error', text, remedy, member }]);
}

function busyProblem(member: string, holder: string, waited: number): Problem {
  const text = `nothing was changed: another change is under way, ${holder || 'whose is not known'}; waited ${waited} s for it`;
  const remedy =
    'run the same command again when it has ended, or with --wait SECONDS to wait longer. To end the other change, kill that process on its host';
  return { code: 'change-busy', severity: 'error', text, remedy, member };
}

function lostProblem(why: string): Problem {
  const text = `the lock of the cluster was lost, so nothing more is changed: ${why}`;
  const remedy = 'the same command again: it looks at what is, and does what is left';
  return { code: 'change-lock-lost', severity: 'error', text, remedy };
}
