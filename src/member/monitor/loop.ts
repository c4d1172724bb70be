/**
 * The monitor's own course: when it looks at what, what it feeds to the judge, and what it does about a verdict. It reaches
 * the system through a MonitorWorld only, so that tests run it in a time of their own.
 */

import { maintenanceFileName, maintenanceFrom, parseMaintenance } from '../../contract/maintenance-file.ts';
import { isAnnounced, restartNoticeFile } from '../../contract/restart-notice.ts';
import type { MemberHost, ProcessState } from '../../host/host.ts';
import type { Connections } from '../../host/member/connections.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { ProcessWatch } from '../../host/member/process-watch.ts';
import type { EndWatch } from '../../host/member/service-front.ts';
import { type LayerPlan, parseLocalRestart } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Daemon } from '../daemon.ts';
import { Brake, backOff, type Situation, whyStay } from './brake.ts';
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
import { type LayerName, type LayerResult, type Looks, layerNames, layerOf, layerPlans } from './layers.ts';
import { localRestartFile, mayRestart } from './local-restart.ts';
import { endServiceguardMode } from './maintenance.ts';
import type { MonitorReport } from './report.ts';

export interface MonitorWorld {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly directory: string;
  readonly daemon: Daemon;
  readonly looks: Looks['look'];
  readonly log: MemberLog;
  readonly report: MonitorReport;
  /** Calls once, later; what comes back takes that back. */
  later(milliseconds: number, call: () => void): () => void;
  watchProcess(wanted: ProcessState): ProcessWatch | null;
  /** null: nobody tells. */
  watchEnd(pid: number, look: () => void): EndWatch | null;
  /** Whether the coming and going of the maintenance file is told, by `lookAtMaintenance`. */
  isMaintenanceTold(): boolean;
  /** Whether that process still has that socket: while it does, nobody else can have its port. */
  watchSocket(pid: number, inode: string): () => boolean;
  /** Who is connected to the daemon's port, or was until it ended. */
  connections(): Connections;
  /** Wall clock in ms with fractions: of a verdict it is told to the part of a millisecond. */
  preciseNow(): number;
  /** This monitor runs, and judges. */
  alive(): void;
  /** The service exits, and syslog has the sentence; nothing waits for this process any more. */
  leave(alarm: string): void;
  /** This process exits. */
  exit(): never;
}

interface Armed {
  readonly process: ProcessWatch;
  readonly state: ProcessState;
  readonly inode: string;
  readonly end: EndWatch | null;
  /** Whether its end was told when that was asked last; null: never yet. */
  isTold: boolean | null;
  readonly hasPort: () => boolean;
  readonly name: string;
}

interface LastLook {
  readonly result: LayerResult;
  readonly detail: string;
  readonly tookMs: number;
  readonly at: number;
}

/** Maintenance has to be noticed within a second also where nothing tells it. */
const maintenanceLookMs = 1000;
/** Where events tell both the end of the daemon (and that it is stopped) and maintenance, looking at them is but the cross-check. */
const crossCheckMs = 10_000;
/** While somebody is asked: whether this monitor itself ran meanwhile has to be known before his silence counts. */
const askingMs = 1000;
/** The state is written so often, or as often as this monitor wakes. */
const stateMs = 9000;
/** After a first bad look, not its own pace but this: once is not enough, and whether it was once is what has to be known. */
const suspiciousMs = 1000;
/** Timers of Node.js may come this much before their time. */
const earlyMs = 5;
/** So long without another verdict, and the brake is off again. */
const calmAfterStayMs = 60_000;
const stayAlarmMs = 60_000;

export class MonitorLoop {
  readonly #world: MonitorWorld;
  readonly #plans: Readonly<Record<LayerName, LayerPlan | null>>;
  readonly #limits: Limits;
  /** Later than this, the monitor counts itself as starved: twice its own pace, but no less than half a second. */
  readonly #starvedMs: number;
  readonly #last = new Map<LayerName, LastLook>();
  readonly #warned = new Set<LayerName>();
  #watch: Watch;
  readonly #remarks = new Map<LayerName, string>();
  #paused = false;
  /** When the pause that the file asks for is over, by the clock that never jumps: a wall clock that is set back prolongs nothing. */
  #pause: { readonly text: string; readonly endsAt: number } | null = null;
  #armed: Armed | null = null;
  #isRestarting = false;
  readonly #brake: Brake;
  /** How often the package stayed in spite of a verdict, in a row, and since when it is so; null: it did not. */
  #stays = 0;
  #stayedAt = 0;
  #braked: string | null = null;
  #stayAlarmAt = Number.NEGATIVE_INFINITY;
  /** An error of ours behind a verdict, where nobody waits for it. */
  #fail: (error: unknown) => void = () => {};
  #keptOver = '';
  /** When the next tick has to come. */
  #dueAt: number;
  /** How often this monitor did not run for a while. */
  #starvations = 0;
  /** Looks whose answer is waited for. */
  #asking = 0;
  #paceMs: number;
  #stateAt = Number.NEGATIVE_INFINITY;
  #cancelTimer: () => void = () => {};

  constructor(world: MonitorWorld) {
    const { settings, host } = world;
    this.#world = world;
    this.#plans = layerPlans(settings);
    this.#limits = limitsOf(settings);
    this.#paceMs = settings.monitorProcessIntervalMs;
    this.#starvedMs = Math.max(500, this.#paceMs * 2);
    this.#watch = watchFrom(host.elapsed());
    this.#dueAt = host.elapsed();
    this.#brake = new Brake(host, settings);
  }

  /** Looks for ever; rejects only with an error of its own. */
  async run(): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Before the first look, which may be a verdict already.
    const asking = this.#askForEver();
    this.lookAtMaintenance();
    const looks = layerNames.map((layer) => this.#lookForEver(layer, this.#plans[layer]));
    await Promise.all([failed, asking, ...looks]);
  }

  /** The maintenance file has come, changed or gone; or it is to be looked at anyway. */
  lookAtMaintenance(): void {
    this.#tick();
    this.#schedule();
  }

  get #maintenanceFile(): string {
    return `${this.#world.directory}/${maintenanceFileName}`;
  }

  #maintenanceNow(): ReturnType<typeof maintenanceFrom> {
    const { settings, host } = this.#world;
    const text = settings.maintenanceFlag ? host.readText(this.#maintenanceFile) : null;
    if (text !== this.#pause?.text) {
      const until = text === null ? null : parseMaintenance(text).until;
      const endsAt = until === null ? Number.POSITIVE_INFINITY : host.elapsed() + until - host.now();
      this.#pause = text === null ? null : { text, endsAt };
    }
    const isOver = this.#pause !== null && host.elapsed() >= this.#pause.endsAt;
    return maintenanceFrom(text, isOver ? Number.POSITIVE_INFINITY : host.now());
  }

  /** Looked at before each sample counts, so that what is done after the file was written is never held against the daemon. */
  #inMaintenance(): boolean {
    const { log, settings } = this.#world;
    const found = this.#maintenanceNow();
    if ((found !== null) !== this.#paused) {
      const end = found?.until == null ? 'until it is taken away' : `until ${new Date(found.until).toISOString()}`;
      const text =
        found === null
          ? `Starting ${settings.packageName} toolkit monitoring again after maintenance (maintenance is over: watching again)`
          : `${settings.packageName} toolkit pausing, monitoring, and entering maintenance mode (paused for maintenance ${end}: nothing of the daemon fails over)`;
      log.line('monitor', found === null ? 'ok' : 'warning', text);
      this.#paused = found !== null;
    }
    return this.#paused;
  }

  #take(sample: Sample): void {
    if (this.#isRestarting || this.#inMaintenance()) return;
    this.#watch = judge(this.#watch, sample, this.#limits);
    const { verdict } = this.#watch;
    if (verdict === null) return;
    if (conclusions[verdict.reason].ofDaemon && this.#isRestart()) return;
    if (conclusions[verdict.reason].ofDaemon && this.#recordRestart()) this.#restartInPlace(verdict, 0).catch(this.#fail);
    else this.#leave(verdict, 0);
  }

  #situation(verdict: Verdict, failedRestarts: number): Situation {
    const ofDaemon = conclusions[verdict.reason].ofDaemon;
    const { known, hereMs, cameFrom } = this.#brake;
    const connections = ofDaemon ? this.#world.connections() : { total: 0, most: null };
    return { ofDaemon, hereMs, cameFrom, others: known, connections, failedRestarts };
  }

  /** At once where that is known to be right; else the cluster is asked first, with a limit, and the package may have to stay. */
  #leave(verdict: Verdict, failedRestarts: number): void {
    const situation = this.#situation(verdict, failedRestarts);
    if (this.#brake.mayLeaveAtOnce(situation)) this.#end(verdict);
    this.#isRestarting = true;
    this.#leaveOrStay(verdict, situation).catch(this.#fail);
  }

  async #leaveOrStay(verdict: Verdict, situation: Situation): Promise<void> {
    const { host } = this.#world;
    const why = whyStay({ ...situation, others: await this.#brake.ask() });
    if (this.#inMaintenance()) return this.#watchAnew();
    if (why === null) this.#end(verdict);
    this.#noteStay(verdict, why);
    await host.pause(backOff(this.#stays));
    this.#stays += 1;
    this.#stayedAt = host.elapsed();
    if (this.#inMaintenance() || !situation.ofDaemon) return this.#watchAnew();
    await this.#restartInPlace(verdict, situation.failedRestarts);
  }

  /** Said each time, to syslog once a minute: this is a cluster that has no failover left. */
  #noteStay(verdict: Verdict, why: string): void {
    const { host, settings, log } = this.#world;
    const now = host.elapsed();
    if (now - this.#stayedAt >= calmAfterStayMs) this.#stays = 0;
    const { packageName } = settings;
    const { remedies = [] } = this.#brake.known ?? {};
    const text = `brake: ${packageName} stays on ${host.member} although ${conclusions[verdict.reason].means} (${verdict.evidence}): ${why}. cmviewcl -v -p ${packageName} shows the members${remedies.length === 0 ? '' : `. What helps: ${remedies.join('; ')}`}`;
    log.line('monitor', 'warning', text);
    if (now - this.#stayAlarmAt >= stayAlarmMs) {
      this.#stayAlarmAt = now;
      log.alarm(`${host.member} ${packageName} monitor: ${text}`);
    }
    this.#braked = text;
    this.#writeState(null);
  }

  #noteCalm(): void {
    if (this.#braked === null || this.#world.host.elapsed() - this.#stayedAt < calmAfterStayMs) return;
    this.#braked = null;
    this.#world.log.line('monitor', 'ok', `brake: off, all is well for ${calmAfterStayMs / 1000} s`);
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

  /** The failure of the package: said everywhere, and over. */
  #end(verdict: Verdict): never {
    const { host, settings, log, leave, exit, preciseNow } = this.#world;
    const noticed = preciseNow();
    const sentence = verdictSentence(verdict, settings, host.now() - host.elapsed());
    const acts = {
      leave: () => leave(`${host.member} ${settings.packageName} monitor: ${sentence}`),
      state: () => this.#writeState({ ...verdict, sentence, noticed }),
      log: () => log.line('monitor', 'failed', sentence),
    };
    for (const act of actsOfVerdict()) acts[act]();
    return exit();
  }

  /** Whether the daemon is to be restarted in place now; then that is on record, so that another monitor does not do it again. */
  #recordRestart(): boolean {
    const { host, settings, daemon, log } = this.#world;
    const windowSeconds = parseLocalRestart(settings.monitorLocalRestart) ?? null;
    if (windowSeconds === null) return false;
    const file = localRestartFile(settings.packageName);
    const sinceBoot = this.#secondsSinceBoot();
    if (!mayRestart(windowSeconds, host.readText(file), sinceBoot)) return false;
    // A program that is not cfengine's cannot be restarted into one.
    const owner = this.#known(() => daemon.owner());
    if (owner === null || owner.kind === 'foreign') return false;
    try {
      host.writeDurably(file, `${sinceBoot}\n`, 0o644);
      return true;
    } catch (error) {
      log.line('monitor', 'warning', `no restart in place: ${file} cannot be written (${(error as Error).message})`);
      return false;
    }
  }

  /** The package stays if that helps; if not, the verdict stands, and what was tried is part of its evidence. */
  async #restartInPlace(verdict: Verdict, failedRestarts: number): Promise<void> {
    const { host, settings, daemon, log } = this.#world;
    this.#isRestarting = true;
    const { daemonName } = daemon.adapter;
    const why = `${verdict.reason}: ${verdict.evidence}`;
    log.line('monitor', 'warning', `restarting ${daemonName} in place, before the package would move (${why})`);
    log.alarm(`${host.member} ${settings.packageName} monitor: restarting ${daemonName} in place (${why})`);
    this.#disarm();
    await daemon.start({ code: 'daemon-dead', text: verdict.evidence });
    const finding = await daemon.judgeRunning();
    // Maintenance began meanwhile: nothing of the daemon fails over.
    if (finding === null || this.#inMaintenance()) return this.#watchAnew();
    const evidence =
      failedRestarts > 0 ? verdict.evidence : `${verdict.evidence}; a restart in place did not help: ${finding.text}`;
    this.#leave({ ...verdict, evidence }, failedRestarts + 1);
  }

  #secondsSinceBoot(): number {
    return Number.parseFloat(this.#world.host.readText('/proc/uptime') ?? '');
  }

  /** Looked at only when the daemon would be given up: then its end may have been announced, and the next one is awaited. */
  #isRestart(): boolean {
    const { host, settings, log } = this.#world;
    const notice = host.readText(restartNoticeFile(settings.packageName));
    if (notice === null) return false;
    const now = this.#secondsSinceBoot();
    const armed = this.#armed;
    const isEnded = isAnnounced(notice, armed?.state ?? null, now);
    const isLauncher = !isEnded && armed !== null && isAnnounced(notice, null, now) && this.#wentOnInChild(armed);
    if (!isEnded && !isLauncher) return false;
    if (armed !== null && isEnded)
      log.line('monitor', 'warning', `${armed.name} is ended for a restart that was announced: waiting for the next`);
    this.#watch = watchFrom(host.elapsed());
    this.#disarm();
    return true;
  }

  /**
   * Whether it was the one that is called, not the one that serves: a daemon that comes up listens first, forks then, and
   * what was called ends [cfengine.md 1.4, 2.4]. The very socket is held on.
   */
  #wentOnInChild({ state, inode }: Armed): boolean {
    const owner = this.#known(() => this.#world.daemon.owner());
    return owner?.kind === 'daemon' && owner.inode === inode && owner.process.pid !== state.pid;
  }

  /** null: this host lacks descriptors or memory to read it. That says nothing of the daemon. */
  #known<T>(read: () => T): T | null {
    try {
      return read();
    } catch {
      return null;
    }
  }

  /** Finds the process behind the port and keeps hold of it; its absence is the verdict already. null: maintenance began, or it is unknown. */
  #arm(): Armed | null {
    const { host, daemon, settings, log, watchProcess, watchEnd, watchSocket } = this.#world;
    const found = this.#known(() => {
      const owner = daemon.owner();
      return { owner, watched: owner.kind === 'daemon' ? watchProcess(owner.process) : null };
    });
    const at = host.elapsed();
    if (found === null) {
      const detail = 'this host cannot list sockets and processes: no free descriptor or memory';
      this.#take({ kind: 'layer', layer: 'protocol', at, result: 'cannot-tell', detail });
      return null;
    }
    this.#watch = watchFrom(at);
    daemon.forgetIdentity();
    const { owner, watched } = found;
    if (owner.kind === 'foreign') this.#take({ kind: 'replaced', at, detail: owner.text });
    if (owner.kind !== 'daemon' || watched === null) {
      const detail = `no ${daemon.adapter.daemonName} listens on port ${settings.cfenginePort}`;
      this.#take({ kind: 'process', at, seen: 'gone', detail });
      return null;
    }
    const name = `${owner.process.name} (pid ${owner.process.pid})`;
    log.line('monitor', 'ok', `watching ${name}`);
    this.#rehearse();
    const { process: state, inode } = owner;
    const end = watchEnd(state.pid, () => this.#lookAgain());
    return { process: watched, state, inode, end, isTold: null, hasPort: watchSocket(state.pid, inode), name };
  }

  /** What leads to a verdict is gone through once beforehand: the first run of a function is the slow one. */
  #rehearse(): void {
    const { host, settings, preciseNow } = this.#world;
    const sample = { kind: 'process', at: 0, seen: 'gone', detail: '' } as const;
    const { verdict } = judge(watchFrom(0), sample, this.#limits);
    host.readText(restartNoticeFile(settings.packageName));
    parseLocalRestart(settings.monitorLocalRestart);
    preciseNow();
    if (verdict !== null) verdictSentence(verdict, settings, 0);
  }

  #disarm(): void {
    this.#armed?.end?.close();
    this.#armed?.process.close();
    this.#armed = null;
  }

  /** The daemon may have ended: the event says so; or it is known now whether there will be one, and the pace has to follow. */
  #lookAgain(): void {
    if (this.#armed !== null) this.#lookAtProcess(this.#armed);
    this.#schedule();
    this.#writeState(null);
  }

  #lookAtProcess({ process: watched, name }: Armed): void {
    const now = watched.look();
    const at = this.#world.host.elapsed();
    if (now === null || now.state === 'X') this.#take({ kind: 'process', at, seen: 'gone', detail: `${name} is gone` });
    else if (now.state === 'Z')
      this.#take({ kind: 'process', at, seen: 'zombie', detail: `${name} has ended and waits to be reaped` });
    else {
      const detail = `${name} is in state ${now.state}`;
      const isStopped = now.state === 'T' || now.state === 't';
      if (isStopped) this.#take({ kind: 'process', at, seen: 'stopped', detail, mark: watched.activity() });
      else this.#take({ kind: 'process', at, seen: 'running', detail });
    }
  }

  /** Whether this monitor ran when it was to. */
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
    if (this.#inMaintenance()) this.#disarm();
    else if (this.#armed === null) this.#armed = this.#arm();
    else this.#lookAtProcess(this.#armed);
  }

  /** The next look: seldom where an event tells the end of the daemon, unless it looks as if something were wrong. */
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
      // Also where no layer is looked at: whoever reads the state sees by its age whether this monitor runs.
      if (host.elapsed() - this.#stateAt >= stateMs) this.#writeState(null);
    });
  }

  /** Whether the end of the daemon is an event; said when that is over, such as while the program in front is stopped. */
  #isEndTold(): boolean {
    const { settings, log } = this.#world;
    const armed = this.#armed;
    const isTold = armed?.end?.isArmed() === true;
    if (armed === null || isTold === armed.isTold) return isTold;
    if (armed.isTold === true) {
      const text = `csync-front.pl is stopped or does not answer: the monitor polls the daemon every ${settings.monitorProcessIntervalMs} ms`;
      log.line('monitor', 'warning', text);
    } else if (armed.isTold === false) log.line('monitor', 'ok', 'csync-front.pl runs again: the end of the daemon is an event');
    if (armed.isTold !== null || isTold) armed.isTold = isTold;
    return isTold;
  }

  async #lookAt(layer: LayerName, watching: Armed, limitMs: number): Promise<void> {
    const { host, looks } = this.#world;
    this.#noteLateness();
    const before = this.#starvations;
    if (layerOf(layer).ofDaemon && !watching.hasPort()) this.#lookWhoListens(watching);
    const began = host.elapsed();
    this.#waitFor(1);
    const found = await looks[layer](limitMs);
    // After a pause of our own the timers of this look and of the tick are due together; the pause has to be known first.
    this.#tick();
    this.#waitFor(-1);
    // Maintenance came, and perhaps went, meanwhile: what was found is of a daemon that is nobody's any more.
    if (this.#armed !== watching) return;
    const isUncertain = found.isSilence === true && this.#starvations !== before;
    const result = isUncertain ? 'cannot-tell' : found.result;
    const at = host.elapsed();
    this.#last.set(layer, { result, detail: found.detail, tookMs: at - began, at });
    const lack = found.isOurLack === true ? ({ isOurLack: true } as const) : {};
    this.#take({ kind: 'layer', layer, at, result, detail: found.detail, ...lack });
    this.#noteWarning(layer);
    this.#noteRemark(layer, found.remark ?? '');
    this.#noteCalm();
    this.#writeState(null);
  }

  /** One more look is waited for, or one less; the pace follows. */
  #waitFor(more: 1 | -1): void {
    this.#asking += more;
    if (this.#asking === (more === 1 ? 1 : 0)) this.#schedule();
  }

  /** The socket is another one: the daemon re-opened it, closed it, or somebody else has the port. */
  #lookWhoListens(watching: Armed): void {
    const { host, daemon } = this.#world;
    const owner = this.#known(() => daemon.owner());
    if (owner === null) return;
    const same = owner.kind === 'daemon' && watching.process.look()?.startTime === owner.process.startTime;
    if (owner.kind === 'free' || same) return;
    const detail =
      owner.kind === 'foreign'
        ? owner.text
        : `${owner.process.name} (pid ${owner.process.pid}) owns the port now, not ${watching.name}`;
    this.#take({ kind: 'replaced', at: host.elapsed(), detail });
  }

  /** A layer that only warns says so once, and when it is good again. */
  #noteWarning(layer: LayerName): void {
    const { failures, weight } = this.#limits.layers[layer];
    const isBad = weight === 'warn' && this.#watch.layers[layer].bad.count >= failures;
    if (isBad === this.#warned.has(layer)) return;
    if (isBad) this.#warned.add(layer);
    else this.#warned.delete(layer);
    const { host, log, settings } = this.#world;
    const text = `${layer}: ${this.#last.get(layer)?.detail ?? ''}`;
    log.line('monitor', isBad ? 'warning' : 'ok', text);
    if (isBad) log.alarm(`${host.member} ${settings.packageName} monitor: ${text}`);
  }

  /** What is no verdict but worth a line, once each time it changes: such as a daemon that answers, but refuses the file. */
  #noteRemark(layer: LayerName, now: string): void {
    const { remarkEnds } = layerOf(layer);
    if (remarkEnds === undefined || now === (this.#remarks.get(layer) ?? '')) return;
    this.#remarks.set(layer, now);
    this.#world.log.line('monitor', now === '' ? 'ok' : 'warning', now === '' ? remarkEnds : now);
  }

  /** For csync status and whoever else reads it; at every look. */
  #writeState(verdict: (Verdict & { readonly sentence: string; readonly noticed: number }) | null): void {
    const { host, report } = this.#world;
    this.#stateAt = host.elapsed();
    const epoch = host.now() - host.elapsed();
    const iso = (at: number): string => new Date(epoch + at).toISOString();
    const layers = Object.fromEntries(
      [...this.#last].map(([layer, { result, detail, tookMs, at }]) => [
        layer,
        { result, detail, milliseconds: Math.round(tookMs * 100) / 100, at: iso(at) },
      ]),
    );
    report.write({
      watching: this.#armed?.name ?? null,
      endIsEvent: this.#armed?.end?.isArmed() ?? false,
      paused: this.#paused,
      brake: this.#braked,
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

  /** Unhealthy, it stays: no failure would be acted on, and Serviceguard lets nothing unhealthy leave. Told once each time the reason changes. */
  async #endMaintenance(): Promise<void> {
    const { host, settings, daemon, log } = this.#world;
    const found = this.#maintenanceNow();
    if (found === null || !found.overdue || found.serviceguard === null) return;
    const mode = { autoRun: found.serviceguard.autoRun, file: this.#maintenanceFile };
    const why = await endServiceguardMode(host, settings, daemon, mode);
    if (why === null) log.line('monitor', 'ok', "Serviceguard's maintenance mode is ended: its time was over");
    else if (why !== this.#keptOver) {
      const text = `the time of maintenance is over, but it cannot end: ${why}. No failure is acted on until then: csync maintenance off says more`;
      log.line('monitor', 'warning', text);
      log.alarm(`${host.member} ${settings.packageName} monitor: ${text}`);
    }
    this.#keptOver = why ?? '';
  }

  /** Each look begins a whole number of its intervals after the first one: those of one pace come together, and wake this process once. */
  async #lookForEver(layer: LayerName, plan: LayerPlan | null): Promise<void> {
    const { host } = this.#world;
    for (let due = host.elapsed(); plan !== null; ) {
      if (this.#armed !== null) await this.#lookAt(layer, this.#armed, plan.limitMs);
      else if (layer === 'protocol') await this.#endMaintenance();
      const isSuspicious = this.#watch.layers[layer].bad.count > 0;
      // A look out of turn, after a bad one, is no reason to let the next in turn go by.
      const reachedMs = host.elapsed() + earlyMs - due;
      if (reachedMs >= 0) due += (Math.floor(reachedMs / plan.everyMs) + 1) * plan.everyMs;
      const untilDue = due - host.elapsed();
      await host.pause(isSuspicious ? Math.min(untilDue, suspiciousMs) : untilDue);
    }
  }
}
