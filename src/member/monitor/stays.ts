/** Counts and reports how often the brake kept the package. */
import type { MemberHost } from '../../host/host.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { Settings } from '../../settings/settings.ts';
import { message, sentence } from '../messages.ts';
import { backOff } from './brake.ts';
import { conclusions, type Verdict } from './judge.ts';

/** Without a verdict. */
const calmAfterStayMs = 60_000;
const stayAlarmMs = 60_000;

interface StaysWorld {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly log: MemberLog;
}

export class Stays {
  readonly #world: StaysWorld;
  #count = 0;
  #since = 0;
  #sentence: string | null = null;
  #alarmAt = Number.NEGATIVE_INFINITY;

  constructor(world: StaysWorld) {
    this.#world = world;
  }

  get sentence(): string | null {
    return this.#sentence;
  }

  /** Logs each time, to syslog once a minute. */
  note(verdict: Verdict, why: string, remedies: readonly string[]): void {
    const { host, settings, log } = this.#world;
    const now = host.elapsed();
    if (now - this.#since >= calmAfterStayMs) this.#count = 0;
    const { packageName } = settings;
    const fix = [`cmviewcl -v -p ${packageName} shows the members`, ...remedies].join('; ');
    const text = `Brake: ${packageName} stays on ${host.member}. ${sentence(conclusions[verdict.reason].means)}: ${verdict.evidence}. A failover would not help: ${why}. Fix: ${fix}`;
    const braked = message('brake-on', { sentence: text, reason: verdict.reason });
    log.line('warning', braked);
    if (now - this.#alarmAt >= stayAlarmMs) {
      this.#alarmAt = now;
      log.alarm('warning', braked);
    }
    this.#sentence = text;
  }

  async backOff(): Promise<void> {
    const { host } = this.#world;
    await host.pause(backOff(this.#count));
    this.#count += 1;
    this.#since = host.elapsed();
  }

  noteCalm(): void {
    const { host, log } = this.#world;
    if (this.#sentence === null || host.elapsed() - this.#since < calmAfterStayMs) return;
    this.#sentence = null;
    log.line('ok', message('brake-off', { seconds: calmAfterStayMs / 1000 }));
  }
}
