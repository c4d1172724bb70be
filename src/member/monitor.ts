/**
 * The package's service: watches this member's daemon and ends, non-zero, when it is no longer a master. Serviceguard
 * takes any end as the failure. SIGTERM is the halt of the package and ends it at once with 0.
 * Called as: csync-monitor.cjs DIRECTORY main
 */
import { watchFile } from '../host/file-event.ts';
import type { ProcessState } from '../host/host.ts';
import { listeningInodes, realMemberHost } from '../host/member-host.ts';
import { openMemberLog } from '../host/member-log.ts';
import { type EndWatch, watchEnd } from '../host/process-end.ts';
import { type ProcessWatch, watchProcess } from '../host/process-watch.ts';
import { type LayerPlan, parseLayerPlan, parseLocalRestart } from '../settings.ts';
import { Daemon } from './daemon.ts';
import { explain } from './failures.ts';
import { maintenanceFileName, maintenanceFrom } from './judgements.ts';
import { openLooks } from './layers.ts';
import { localRestartFile, mayRestart } from './local-restart.ts';
import { endServiceguardMode } from './maintenance.ts';
import { type MonitorState, monitorStateFile } from './monitor-state.ts';
import { isAnnounced, restartNoticeFile } from './restart-notice.ts';
import { expand, readSettingsFile } from './settings-file.ts';
import {
  eachLayer,
  judge,
  type LayerLimit,
  type LayerName,
  type LayerResult,
  type Limits,
  layerNames,
  type Sample,
  type Verdict,
  verdictSentence,
  type Watch,
  watchFrom,
} from './watch.ts';

// First of all: a halt may come at any moment.
process.on('SIGTERM', () => process.exit(0));

const host = realMemberHost();
const [directory = '.'] = process.argv.slice(2);
const read = readSettingsFile(host, directory);
if (!read.ok) {
  const log = openMemberLog(`${directory}/csync.log`, host.member, 'csync');
  log.line('monitor', 'failed', explain(read.finding, host.member, 'csync'));
  log.flush();
  process.exit(1);
}
const { settings } = read;
const log = openMemberLog(expand(host, settings.scriptLogFile), host.member, settings.packageName);
const daemon = new Daemon(host, settings);
const protocolPlan: LayerPlan = {
  everyMs: settings.monitorIntervalSeconds * 1000,
  limitMs: settings.monitorTimeoutSeconds * 1000,
  failures: settings.monitorFailures,
  weight: 'fail',
};
const wanted: Readonly<Record<LayerName, LayerPlan | null>> = {
  port: parseLayerPlan(settings.monitorPort) ?? null,
  protocol: protocolPlan,
  storage: parseLayerPlan(settings.monitorStorage) ?? null,
  content: parseLayerPlan(settings.monitorContent) ?? null,
  address: parseLayerPlan(settings.monitorAddress) ?? null,
};
const unlimited: LayerLimit = { failures: Number.POSITIVE_INFINITY, weight: 'warn' };
const limitOf = (name: LayerName): LayerLimit => wanted[name] ?? unlimited;
const limits: Limits = { layers: eachLayer(limitOf), unknownLimitMs: settings.monitorUnknownLimitSeconds * 1000 };
const looks = openLooks(host, settings, daemon);
process.on('exit', looks.close);
/** Later than this, the monitor counts itself as starved: twice its own pace, but no less than half a second. */
const starvedMs = Math.max(500, settings.monitorProcessIntervalMs * 2);
/** Where an event tells both the end of the daemon and maintenance, looking at them is but the cross-check. */
const crossCheckMs = Math.max(2000, settings.monitorProcessIntervalMs);
/** Maintenance has to be noticed within a second also where nothing tells it. */
const maintenanceLookMs = 1000;
/** Whoever ended the helper that tells the end may do so again: no new one before. */
const endWatchAgainMs = 60_000;

let watch: Watch = watchFrom(host.elapsed());
let quality = '';
const last = new Map<
  LayerName,
  { readonly result: LayerResult; readonly detail: string; readonly tookMs: number; readonly at: number }
>();
const warned = new Set<LayerName>();
let paused = false;
let armed: Armed | null = null;

const maintenanceFile = `${directory}/${maintenanceFileName}`;
const maintenanceEvents = watchFile(directory, maintenanceFileName, () => {
  tick();
  schedule();
});
const noticeFile = restartNoticeFile(settings.packageName);

function maintenanceNow(): ReturnType<typeof maintenanceFrom> {
  return settings.maintenanceFlag ? maintenanceFrom(host.readText(maintenanceFile), host.now()) : null;
}

/** Looked at before each sample counts, so that what is done after the file was written is never held against the daemon. */
function inMaintenance(): boolean {
  const found = maintenanceNow();
  if ((found !== null) !== paused) {
    const end = found?.until == null ? 'until it is taken away' : `until ${new Date(found.until).toISOString()}`;
    const text =
      found === null
        ? `Starting ${settings.packageName} toolkit monitoring again after maintenance (maintenance is over: watching again)`
        : `${settings.packageName} toolkit pausing, monitoring, and entering maintenance mode (paused for maintenance ${end}: nothing of the daemon fails over)`;
    log.line('monitor', found === null ? 'ok' : 'warning', text);
    paused = found !== null;
  }
  return paused;
}

function take(sample: Sample): void {
  if (isRestarting || inMaintenance()) return;
  watch = judge(watch, sample, limits);
  const { verdict } = watch;
  if (verdict === null) return;
  if (isOfDaemon[verdict.reason] && isRestart()) return;
  if (isOfDaemon[verdict.reason] && recordRestart()) void restartInPlace(verdict);
  else end(verdict);
}

/** The failure of the package: said everywhere, and over. */
function end(verdict: Verdict): never {
  const sentence = verdictSentence(verdict, settings, host.now() - host.elapsed());
  log.line('monitor', 'failed', sentence);
  writeState({ ...verdict, sentence });
  log.alarm(`${host.member} ${settings.packageName} monitor: ${sentence}`);
  process.exit(1);
}

const restartWindowSeconds = parseLocalRestart(settings.monitorLocalRestart) ?? null;
let isRestarting = false;

/** Whether the daemon is to be restarted in place now; then that is on record, so that another monitor does not do it again. */
function recordRestart(): boolean {
  const file = localRestartFile(settings.packageName);
  const sinceBoot = secondsSinceBoot();
  if (!mayRestart(restartWindowSeconds, host.readText(file), sinceBoot)) return false;
  // A program that is not cfengine's cannot be restarted into one.
  if (daemon.owner().kind === 'foreign') return false;
  try {
    host.writeDurably(file, `${sinceBoot}\n`, 0o644);
    return true;
  } catch (error) {
    log.line('monitor', 'warning', `no restart in place: ${file} cannot be written (${(error as Error).message})`);
    return false;
  }
}

/** The package stays if that helps; if not, the verdict stands, and what was tried is part of its evidence. */
async function restartInPlace(verdict: Verdict): Promise<void> {
  isRestarting = true;
  const { daemonName } = daemon.adapter;
  const why = `${verdict.reason}: ${verdict.evidence}`;
  log.line('monitor', 'warning', `restarting ${daemonName} in place, before the package would move (${why})`);
  log.alarm(`${host.member} ${settings.packageName} monitor: restarting ${daemonName} in place (${why})`);
  disarm();
  await daemon.start({ code: 'daemon-dead', text: verdict.evidence });
  const finding = await daemon.judgeRunning();
  isRestarting = false;
  // Maintenance began meanwhile: nothing of the daemon fails over.
  if (finding !== null && !inMaintenance())
    end({ ...verdict, evidence: `${verdict.evidence}; a restart in place did not help: ${finding.text}` });
  watch = watchFrom(host.elapsed());
  lookAgain();
  tick();
}

function secondsSinceBoot(): number {
  return Number.parseFloat(host.readText('/proc/uptime') ?? '');
}

/** Whether a verdict is about the daemon's process, which is another one after a restart. */
const isOfDaemon: Readonly<Record<Verdict['reason'], boolean>> = {
  gone: true,
  zombie: true,
  stopped: true,
  replaced: true,
  port: true,
  protocol: true,
  storage: false,
  content: false,
  address: false,
  unknown: false,
};

/** Looked at only when the daemon would be given up: then its end may have been announced, and the next one is awaited. */
function isRestart(): boolean {
  if (!isAnnounced(host.readText(noticeFile), armed?.state ?? null, secondsSinceBoot())) return false;
  if (armed !== null)
    log.line('monitor', 'warning', `${armed.name} is ended for a restart that was announced: waiting for the next`);
  watch = watchFrom(host.elapsed());
  disarm();
  return true;
}

interface Armed {
  readonly process: ProcessWatch;
  readonly state: ProcessState;
  end: EndWatch;
  endWatchedAt: number;
  readonly inode: string;
  readonly name: string;
}

/** Finds the process behind the port and keeps hold of it; its absence is the verdict already. null: maintenance began. */
function arm(): Armed | null {
  watch = watchFrom(host.elapsed());
  daemon.forgetIdentity();
  const owner = daemon.owner();
  const at = host.elapsed();
  if (owner.kind === 'foreign') take({ kind: 'replaced', at, detail: owner.text });
  const watched = owner.kind === 'daemon' ? watchProcess(owner.process) : null;
  if (owner.kind !== 'daemon' || watched === null) {
    const detail = `no ${daemon.adapter.daemonName} listens on port ${settings.cfenginePort}`;
    take({ kind: 'process', at, seen: 'gone', detail });
    return null;
  }
  const name = `${owner.process.name} (pid ${owner.process.pid})`;
  log.line('monitor', 'ok', `watching ${name}`);
  const end = watchEnd(owner.process, lookAgain);
  return { process: watched, state: owner.process, end, endWatchedAt: at, inode: owner.inode, name };
}

function disarm(): void {
  armed?.end.close();
  armed?.process.close();
  armed = null;
}

/** The daemon may have ended: the event says so, or the event itself is lost and its pace has to be another one. */
function lookAgain(): void {
  if (armed !== null) lookAtProcess(armed);
  schedule();
}

function lookAtProcess({ process: watched, name }: Armed): void {
  const now = watched.look();
  const at = host.elapsed();
  const stopped = now?.state === 'T' || now?.state === 't';
  if (now === null || now.state === 'X') take({ kind: 'process', at, seen: 'gone', detail: `${name} is gone` });
  else if (now.state === 'Z') take({ kind: 'process', at, seen: 'zombie', detail: `${name} has ended and waits to be reaped` });
  else take({ kind: 'process', at, seen: stopped ? 'stopped' : 'running', detail: `${name} is in state ${now.state}` });
}

/** When the next tick has to come. */
let dueAt = host.elapsed();
/** How often this monitor did not run for a while. */
let starvations = 0;

function tick(): void {
  const now = host.elapsed();
  const lateMs = now - dueAt;
  dueAt = now + paceMs;
  if (lateMs > starvedMs) {
    starvations += 1;
    take({ kind: 'starved', at: host.elapsed(), lateMs });
  }
  if (isRestarting) return;
  // After maintenance the daemon may be another process.
  if (inMaintenance()) disarm();
  else if (armed === null) armed = arm();
  else {
    lookAtProcess(armed);
    if (armed?.end.isArmed() === false && host.elapsed() - armed.endWatchedAt > endWatchAgainMs) {
      armed.end.close();
      armed.end = watchEnd(armed.state, lookAgain);
      armed.endWatchedAt = host.elapsed();
    }
  }
}

let paceMs = settings.monitorProcessIntervalMs;
let timer: NodeJS.Timeout | undefined;

/** The next look: seldom where an event tells the end of the daemon, unless it looks as if something were wrong. */
function schedule(): void {
  clearTimeout(timer);
  const isCalm = armed?.end.isArmed() === true && watch.stopped.count === 0;
  const isMaintenanceTold = !settings.maintenanceFlag || maintenanceEvents.isTold();
  const calmMs = isMaintenanceTold ? crossCheckMs : maintenanceLookMs;
  paceMs = isCalm ? calmMs : Math.min(calmMs, settings.monitorProcessIntervalMs);
  dueAt = host.elapsed() + paceMs;
  timer = setTimeout(() => {
    tick();
    schedule();
  }, paceMs);
}

/** Layers that ask whoever has the port. */
const asksTheOwner: ReadonlySet<LayerName> = new Set(['port', 'protocol']);

async function lookAt(layer: LayerName, watching: Armed, limitMs: number): Promise<void> {
  const before = starvations;
  if (asksTheOwner.has(layer) && !listeningInodes(settings.cfenginePort).includes(watching.inode)) await lookWhoListens(watching);
  const began = host.elapsed();
  const found = await looks.look[layer](limitMs);
  // After a pause of our own the timers of this look and of the tick are due together; the pause has to be known first.
  tick();
  // Maintenance came, and perhaps went, meanwhile: what was found is of a daemon that is nobody's any more.
  if (armed !== watching) return;
  const isUncertain = found.isSilence === true && starvations !== before;
  const result = isUncertain ? 'cannot-tell' : found.result;
  const at = host.elapsed();
  last.set(layer, { result, detail: found.detail, tookMs: at - began, at });
  take({ kind: 'layer', layer, at, result, detail: found.detail });
  noteWarning(layer);
  if (layer === 'protocol') noteQuality(found.remark ?? '');
  writeState(null);
}

/** The socket is another one: the daemon re-opened it, closed it, or somebody else has the port. */
async function lookWhoListens(watching: Armed): Promise<void> {
  const owner = daemon.owner();
  const same = owner.kind === 'daemon' && watching.process.look()?.startTime === owner.process.startTime;
  if (owner.kind === 'free' || same) return;
  const detail =
    owner.kind === 'foreign'
      ? owner.text
      : `${owner.process.name} (pid ${owner.process.pid}) owns the port now, not ${watching.name}`;
  take({ kind: 'replaced', at: host.elapsed(), detail });
}

/** A layer that only warns says so once, and when it is good again. */
function noteWarning(layer: LayerName): void {
  const { failures, weight } = limitOf(layer);
  const isBad = weight === 'warn' && watch.layers[layer].bad.count >= failures;
  if (isBad === warned.has(layer)) return;
  if (isBad) warned.add(layer);
  else warned.delete(layer);
  log.line('monitor', isBad ? 'warning' : 'ok', `${layer}: ${last.get(layer)?.detail ?? ''}`);
}

/** What is no verdict but worth a line, once each time it changes: such as a daemon that answers, but refuses the file. */
function noteQuality(now: string): void {
  if (now === quality) return;
  quality = now;
  if (now === '') log.line('monitor', 'ok', 'the sentinel is served');
  else log.line('monitor', 'warning', `probe through ${settings.packageAddress} ${now}`);
}

const startedAt = host.now();
let stateComplaint = false;

/** For csync status and whoever else reads JSON; on a disk of memory, since it is written at every look. */
function writeState(verdict: (Verdict & { readonly sentence: string }) | null): void {
  const epoch = host.now() - host.elapsed();
  const state: MonitorState = {
    version: 1,
    package: settings.packageName,
    member: host.member,
    pid: process.pid,
    startedAt: new Date(startedAt).toISOString(),
    at: new Date(host.now()).toISOString(),
    watching: armed?.name ?? null,
    endIsEvent: armed?.end.isArmed() ?? false,
    paused,
    layers: Object.fromEntries(
      [...last].map(([layer, { result, detail, tookMs, at }]) => [
        layer,
        { result, detail, milliseconds: Math.round(tookMs * 100) / 100, at: new Date(epoch + at).toISOString() },
      ]),
    ),
    verdict: verdict && {
      reason: verdict.reason,
      since: new Date(epoch + verdict.since).toISOString(),
      noticed: performance.timeOrigin + performance.now(),
      evidence: verdict.evidence,
      sentence: verdict.sentence,
    },
  };
  try {
    host.writeDurably(monitorStateFile(settings.packageName), `${JSON.stringify(state)}\n`, 0o644);
  } catch (error) {
    if (!stateComplaint)
      log.line('monitor', 'warning', `${monitorStateFile(settings.packageName)} cannot be written: ${(error as Error).message}`);
    stateComplaint = true;
  }
}

let keptOver = '';

/** Unhealthy, it stays: no failure would be acted on, and Serviceguard lets nothing unhealthy leave. Told once each time the reason changes. */
async function endMaintenance(): Promise<void> {
  const found = maintenanceNow();
  if (found === null || !found.overdue || found.serviceguard === null) return;
  const mode = { autoRun: found.serviceguard.autoRun, file: maintenanceFile };
  const why = await endServiceguardMode(host, settings, daemon, mode);
  if (why === null) log.line('monitor', 'ok', "Serviceguard's maintenance mode is ended: its time was over");
  else if (why !== keptOver) {
    const text = `the time of maintenance is over, but it cannot end: ${why}. No failure is acted on until then: csync maintenance off says more`;
    log.line('monitor', 'warning', text);
    log.alarm(`${host.member} ${settings.packageName} monitor: ${text}`);
  }
  keptOver = why ?? '';
}

/** After a first bad look, not its own pace but this: once is not enough, and whether it was once is what has to be known. */
const suspiciousMs = 1000;

async function lookForEver(layer: LayerName, plan: LayerPlan | null): Promise<void> {
  for (; plan !== null; ) {
    if (armed !== null) await lookAt(layer, armed, plan.limitMs);
    else if (layer === 'protocol') await endMaintenance();
    const isSuspicious = watch.layers[layer].bad.count > 0;
    await host.pause(isSuspicious ? Math.min(plan.everyMs, suspiciousMs) : plan.everyMs);
  }
}

tick();
schedule();
Promise.all(layerNames.map((layer) => lookForEver(layer, wanted[layer]))).catch((error: unknown) => {
  log.line('monitor', 'failed', `internal error, please report it: ${error instanceof Error ? error.stack : String(error)}`);
  log.flush();
  process.exit(1);
});
