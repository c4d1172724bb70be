/** When the monitor probes, and what follows a verdict. Reaches the system only through a MonitorWorld, so tests control the time. */

import type { LogMessage } from '../../base/log-line.ts';
import type { ProcessState } from '../../host/host.ts';
import type { Connections } from '../../host/member/connections.ts';
import { type LayerSchedule, parseLocalRestart } from '../../settings/rules.ts';
import { message } from '../messages.ts';
import { Brake, failsBy, type Situation, whyStay } from './brake.ts';
import { Findings } from './findings.ts';
import { type Hold, type HoldWorld, isRestart, replacedBy, takeHold } from './hold.ts';
import {
  actsOfVerdict,
  conclusions,
  judge,
  type Limits,
  limitsOf,
  type Sample,
  type Verdict,
  verdictSentence,
  type Watch,
  watchFrom,
} from './judge.ts';
import { type LayerName, type Looks, layerNames, layerOf, layerSchedules } from './layers.ts';
import { recordRestart } from './local-restart.ts';
import { Pause } from './pause.ts';
import type { MonitorReport } from './report/report.ts';
import { Stays } from './stays.ts';

export interface MonitorWorld extends HoldWorld {
  readonly directory: string;
  readonly looks: Looks['look'];
  readonly report: MonitorReport;
  /** Returns a function that cancels. */
  later(milliseconds: number, call: () => void): () => void;
  /** `lookAtMaintenance` is called at changes. */
  isMaintenanceTold(): boolean;
  connections(): Connections;
  /** Wall clock, ms with fractions. */
  preciseNow(): number;
  alive(): void;
  /** Exits the service and sends the message to syslog; nothing waits for this process. */
  leave(alarm: LogMessage): void;
  exit(): never;
}

const maintenanceLookMs = 1000;
/** With events for exit, stop and maintenance. */
const crossCheckMs = 10_000;
const askingMs = 1000;
const stateMs = 9000;
const suspiciousMs = 1000;
/** Timers of Node.js may fire early. */
const earlyMs = 5;
const failedRestart = '; a restart in place did not help: ';
const noConnections: Connections = { total: 0, most: null };

export class MonitorLoop {
  readonly #world: MonitorWorld;
  readonly #schedules: Readonly<Record<LayerName, LayerSchedule | null>>;
  readonly #limits: Limits;
  /** Twice the pace, at least 500 ms. */
  readonly #starvedMs: number;
  readonly #findings: Findings;
  readonly #pause: Pause;
  readonly #stays: Stays;
  #watch: Watch;
  #armed: Hold | null = null;
  #last: ProcessState | null = null;
  #isRestarting = false;
  /** As last counted; more than that only if it is of the same failure. */
  #counted: { readonly at: number; readonly connections: Connections } = {
    at: Number.NEGATIVE_INFINITY,
    connections: noConnections,
  };
  readonly #brake: Brake;
  #fail: (error: unknown) => void = () => {};
  #dueAt: number;
  #starvations = 0;
  #asking = 0;
  #paceMs: number;
  #stateAt = Number.NEGATIVE_INFINITY;
  #cancelTimer: () => void = () => {};

  constructor(world: MonitorWorld) {
    const { settings, host } = world;
    this.#world = world;
    this.#findings = new Findings(world);
    this.#pause = new Pause(world);
    this.#stays = new Stays(world);
    this.#schedules = layerSchedules(settings);
    this.#limits = limitsOf(settings);
    this.#paceMs = settings.monitorProcessIntervalMs;
    this.#starvedMs = Math.max(500, this.#paceMs * 2);
    this.#watch = watchFrom(host.elapsed());
    this.#dueAt = host.elapsed();
    this.#brake = new Brake(host, settings);
  }

  /** Never resolves; rejects only with an internal error. */
  async run(): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    const asking = this.#askForEver();
    this.lookAtMaintenance();
    const looks = layerNames.map((layer) => this.#lookForEver(layer, this.#schedules[layer]));
    await Promise.all([failed, asking, ...looks]);
  }

  lookAtMaintenance(): void {
    this.#tick();
    this.#schedule();
  }

  #take(sample: Sample): void {
    if (this.#isRestarting || this.#pause.isOn()) return;
    this.#watch = judge(this.#watch, sample, this.#limits);
    const { verdict } = this.#watch;
    if (verdict === null) return;
    const { ofDaemon } = conclusions[verdict.reason];
    if (ofDaemon && isRestart(this.#world, this.#armed, this.#last)) {
      this.#watch = watchFrom(this.#world.host.elapsed());
      this.#disarm();
      return;
    }
    if (ofDaemon && recordRestart(this.#world)) this.#restartInPlace(verdict, 0).catch(this.#fail);
    else this.#leave(verdict, 0);
  }

  #situation(verdict: Verdict, failedRestarts: number): Situation {
    const ofDaemon = conclusions[verdict.reason].ofDaemon;
    const { known, hereMs, cameFrom } = this.#brake;
    const connections = ofDaemon ? this.#mostConnections(verdict.since) : noConnections;
    return { ofDaemon, hereMs, cameFrom, others: known, connections, failedRestarts };
  }

  /** Of those counted since that moment and now: a load that silences the daemon may be over when its silence becomes a verdict. */
  #mostConnections(since: number): Connections {
    const connections = this.#world.connections();
    const isOld = this.#counted.at < since;
    if (isOld || connections.total > this.#counted.connections.total)
      this.#counted = { at: this.#world.host.elapsed(), connections };
    return this.#counted.connections;
  }

  /** Exits at once if that is known to be right; otherwise queries the cluster. */
  #leave(verdict: Verdict, failedRestarts: number): void {
    const situation = this.#situation(verdict, failedRestarts);
    if (this.#brake.mayLeaveAtOnce(situation)) this.#end(verdict);
    this.#isRestarting = true;
    this.#leaveOrStay(verdict, situation).catch(this.#fail);
  }

  async #leaveOrStay(verdict: Verdict, situation: Situation): Promise<void> {
    const why = whyStay({ ...situation, others: await this.#brake.ask() });
    if (this.#pause.isOn()) return this.#watchAnew();
    if (why === null) this.#end(verdict);
    this.#stays.note(verdict, why, this.#brake.known?.remedies ?? []);
    this.#writeState(null);
    await this.#stays.backOff();
    if (this.#pause.isOn() || !situation.ofDaemon) return this.#watchAnew();
    await this.#restartInPlace(verdict, situation.failedRestarts);
  }

  #watchAnew(): void {
    this.#isRestarting = false;
    this.#watch = watchFrom(this.#world.host.elapsed());
    this.#lookAgain();
    this.#tick();
  }

  async #askForEver(): Promise<void> {
    for (;;) await this.#world.host.pause(await this.#brake.askBeforehand());
  }

  #end(verdict: Verdict): never {
    const { host, settings, log, leave, exit, preciseNow } = this.#world;
    const noticed = preciseNow();
    const epoch = host.now() - host.elapsed();
    const last = verdictSentence(verdict, settings, host.member, epoch);
    const since = new Date(Math.round(epoch + verdict.since)).toISOString();
    const failed = message('verdict', { sentence: last, reason: verdict.reason, since });
    const acts = {
      leave: () => leave(failed),
      state: () => this.#writeState({ ...verdict, sentence: last, noticed }),
      log: () => log.line('failed', failed),
    };
    for (const act of actsOfVerdict()) acts[act]();
    return exit();
  }

  /** A failed restart becomes evidence of the verdict. */
  async #restartInPlace(verdict: Verdict, failedRestarts: number): Promise<void> {
    const { daemon, log, host } = this.#world;
    this.#isRestarting = true;
    const { daemonName } = daemon.adapter;
    const restarting = message('restarting', { daemon: daemonName, why: verdict.evidence, reason: verdict.reason });
    log.line('warning', restarting);
    log.alarm('warning', restarting);
    this.#disarm();
    const began = host.elapsed();
    const wasUp = await daemon.start({ code: 'daemon-dead', text: verdict.evidence });
    const finding = await daemon.judgeRunning();
    if (finding === null || this.#pause.isOn()) return this.#watchAnew();
    const isUp = daemon.owner().kind !== 'free';
    const failed = failedRestarts + failsBy({ wasUp, isUp, connections: this.#mostConnections(began) });
    const evidence = verdict.evidence.includes(failedRestart)
      ? verdict.evidence
      : `${verdict.evidence}${failedRestart}${finding.text}`;
    this.#leave({ ...verdict, evidence }, failed);
  }

  /** A missing process is a verdict. null: maintenance, or unknown. */
  #arm(): Hold | null {
    const at = this.#world.host.elapsed();
    const found = takeHold(this.#world, () => this.#lookAgain());
    if (found.kind === 'unknown') {
      this.#take({ kind: 'layer', layer: 'protocol', at, result: 'unknown', detail: found.detail });
      return null;
    }
    this.#watch = watchFrom(at);
    if (found.kind === 'foreign') this.#take({ kind: 'replaced', at, detail: found.detail });
    else if (found.kind === 'none') this.#take({ kind: 'process', at, seen: 'gone', detail: found.detail });
    if (found.kind !== 'hold') return null;
    this.#last = found.hold.state;
    this.#rehearse();
    return found.hold;
  }

  /** In advance: the first run of a function is slow. */
  #rehearse(): void {
    const { host, settings, preciseNow } = this.#world;
    const sample = { kind: 'process', at: 0, seen: 'gone', detail: '' } as const;
    const { verdict } = judge(watchFrom(0), sample, this.#limits);
    parseLocalRestart(settings.monitorLocalRestart);
    preciseNow();
    if (verdict !== null)
      message('verdict', { sentence: verdictSentence(verdict, settings, host.member, 0), reason: 'gone', since: '' });
  }

  #disarm(): void {
    this.#armed?.end?.close();
    this.#armed?.process.close();
    this.#armed = null;
  }

  #lookAgain(): void {
    if (this.#armed !== null) this.#lookAtProcess(this.#armed);
    this.#schedule();
    this.#writeState(null);
  }

  #lookAtProcess({ process: watched, name }: Hold): void {
    const now = watched.look();
    const at = this.#world.host.elapsed();
    if (now === null || now.state === 'X') this.#take({ kind: 'process', at, seen: 'gone', detail: `${name} is gone` });
    else if (now.state === 'Z') this.#take({ kind: 'process', at, seen: 'zombie', detail: `${name} exited and is a zombie` });
    else {
      const detail = `${name} is in state ${now.state}`;
      const isStopped = now.state === 'T' || now.state === 't';
      if (isStopped) this.#take({ kind: 'process', at, seen: 'stopped', detail, mark: watched.activity() });
      else this.#take({ kind: 'process', at, seen: 'running', detail });
    }
  }

  #noteLateness(): void {
    const now = this.#world.host.elapsed();
    const lateMs = now - this.#dueAt;
    this.#dueAt = now + this.#paceMs;
    if (lateMs <= this.#starvedMs) return;
    this.#starvations += 1;
    this.#take({ kind: 'starved', at: now, lateMs });
  }

  #tick(): void {
    this.#world.alive();
    this.#noteLateness();
    if (this.#isRestarting) return;
    // After maintenance the daemon may be another process.
    if (this.#pause.isOn()) this.#disarm();
    else if (this.#armed === null) this.#armed = this.#arm();
    else this.#lookAtProcess(this.#armed);
  }

  /** Rarely if the exit is an event and nothing looks wrong. */
  #schedule(): void {
    const { host, settings, later, isMaintenanceTold } = this.#world;
    this.#cancelTimer();
    const isEndTold = this.#isEndTold();
    const isCalm = isEndTold && this.#watch.stopped === null;
    const isTold = !settings.maintenanceFlag || isMaintenanceTold();
    const calmMs = this.#asking > 0 ? askingMs : isTold ? crossCheckMs : maintenanceLookMs;
    this.#paceMs = isCalm ? calmMs : Math.min(calmMs, settings.monitorProcessIntervalMs);
    this.#dueAt = host.elapsed() + this.#paceMs;
    this.#cancelTimer = later(this.#paceMs, () => {
      this.#tick();
      this.#schedule();
      // With all layers off, too: its age shows that this monitor runs.
      if (host.elapsed() - this.#stateAt >= stateMs) this.#writeState(null);
    });
  }

  /** Logs a change, such as a stopped csync-front.pl. */
  #isEndTold(): boolean {
    const { settings, log } = this.#world;
    const armed = this.#armed;
    const isTold = armed?.end?.isArmed() === true;
    if (armed === null || isTold === armed.isTold) return isTold;
    if (armed.isTold === true) {
      log.line('warning', message('front-stopped', { ms: settings.monitorProcessIntervalMs }));
    } else if (armed.isTold === false) log.line('ok', message('front-back', {}));
    if (armed.isTold !== null || isTold) armed.isTold = isTold;
    return isTold;
  }

  async #lookAt(layer: LayerName, watching: Hold, limitMs: number): Promise<void> {
    const { host, looks, daemon } = this.#world;
    this.#noteLateness();
    const before = this.#starvations;
    const began = host.elapsed();
    // Reopened, closed, or another process has the port.
    const replaced = layerOf(layer).ofDaemon && !watching.hasPort() ? replacedBy(daemon, watching) : null;
    if (replaced !== null) this.#take({ kind: 'replaced', at: began, detail: replaced });
    this.#waitFor(1);
    const found = await looks[layer](limitMs);
    // After a pause both are due together; the pause must be noted first.
    this.#tick();
    this.#waitFor(-1);
    // Maintenance began meanwhile: this daemon is no longer watched.
    if (this.#armed !== watching) return;
    const isUncertain = found.isSilence === true && this.#starvations !== before;
    const result = isUncertain ? 'unknown' : found.result;
    const at = host.elapsed();
    this.#findings.note(layer, { result, detail: found.detail, tookMs: at - began, at });
    if (result === 'bad' && layerOf(layer).ofDaemon) {
      const { count, since } = this.#watch.layers[layer].bad;
      this.#mostConnections(count === 0 ? at : since);
    }
    const lack = found.isOurLack === true ? ({ isOurLack: true } as const) : {};
    this.#take({ kind: 'layer', layer, at, result, detail: found.detail, ...lack });
    const { failures, weight } = this.#limits.layers[layer];
    this.#findings.noteWarning(layer, weight === 'warn' && this.#watch.layers[layer].bad.count >= failures);
    this.#findings.noteRemark(layer, found.remark ?? '');
    this.#stays.noteCalm();
    this.#writeState(null);
  }

  #waitFor(more: 1 | -1): void {
    this.#asking += more;
    if (this.#asking === (more === 1 ? 1 : 0)) this.#schedule();
  }

  #writeState(verdict: (Verdict & { readonly sentence: string; readonly noticed: number }) | null): void {
    const { host, report } = this.#world;
    this.#stateAt = host.elapsed();
    const epoch = host.now() - host.elapsed();
    const iso = (at: number): string => new Date(epoch + at).toISOString();
    const layers = this.#findings.state(iso);
    report.write({
      watching: this.#armed?.name ?? null,
      endIsEvent: this.#armed?.end?.isArmed() ?? false,
      paused: this.#pause.wasOn,
      brake: this.#stays.sentence,
      starvations: this.#starvations,
      layers,
      verdict: verdict && {
        reason: verdict.reason,
        since: iso(verdict.since),
        noticed: verdict.noticed,
        evidence: verdict.evidence,
        sentence: verdict.sentence,
      },
    });
  }

  /** Due a whole number of intervals after the first probe: probes of one pace share a wake-up. */
  async #lookForEver(layer: LayerName, schedule: LayerSchedule | null): Promise<void> {
    const { host } = this.#world;
    for (let due = host.elapsed(); schedule !== null; ) {
      if (this.#armed !== null) await this.#lookAt(layer, this.#armed, schedule.limitMs);
      else if (layer === 'protocol') await this.#pause.endServiceguardMode();
      const isSuspicious = this.#watch.layers[layer].bad.count > 0;
      // An extra probe does not replace the scheduled one.
      const reachedMs = host.elapsed() + earlyMs - due;
      if (reachedMs >= 0) due += (Math.floor(reachedMs / schedule.everyMs) + 1) * schedule.everyMs;
      const untilDue = due - host.elapsed();
      await host.pause(isSuspicious ? Math.min(untilDue, suspiciousMs) : untilDue);
    }
  }
}
