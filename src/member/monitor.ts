/**
 * The package's service: watches this member's daemon and ends, non-zero, when it is no longer a master. Serviceguard
 * takes any end as the failure. SIGTERM is the halt of the package and ends it at once with 0.
 * Called as: csync-monitor.cjs DIRECTORY main
 */
import { type ProbeResult, probePort } from '../cfengine/probe.ts';
import type { ProcessState } from '../host/host.ts';
import { listeningInodes, realMemberHost } from '../host/member-host.ts';
import { openMemberLog } from '../host/member-log.ts';
import { type EndWatch, watchEnd } from '../host/process-end.ts';
import { type ProcessWatch, watchProcess } from '../host/process-watch.ts';
import { openSlowFile, type SlowFile, type SlowRead } from '../host/slow-file.ts';
import { type LayerPlan, parseLayerPlan } from '../settings.ts';
import { Daemon } from './daemon.ts';
import { explain } from './failures.ts';
import { maintenanceFileName, maintenanceFrom, mountAt } from './judgements.ts';
import { endServiceguardMode } from './maintenance.ts';
import { type MonitorState, monitorStateFile } from './monitor-state.ts';
import { isAnnounced, restartNoticeFile } from './restart-notice.ts';
import { expand, readSettingsFile } from './settings-file.ts';
import {
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

/** To be ended with this process, however it ends. */
const helpers: SlowFile[] = [];
// First of all: a halt may come at any moment.
process.on('SIGTERM', () => process.exit(0));
process.on('exit', () => {
  for (const helper of helpers) helper.close();
});

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
const plans = new Map(layerNames.flatMap((name) => (wanted[name] === null ? [] : [[name, wanted[name]] as const])));
const unlimited: LayerLimit = { failures: Number.POSITIVE_INFINITY, weight: 'warn' };
const limitOf = (name: LayerName): LayerLimit => wanted[name] ?? unlimited;
const limits: Limits = {
  layers: {
    port: limitOf('port'),
    protocol: limitOf('protocol'),
    storage: limitOf('storage'),
    content: limitOf('content'),
    address: limitOf('address'),
  },
  unknownLimitMs: settings.monitorUnknownLimitSeconds * 1000,
};
/** Of storage and of content, which look at it each in its own time. */
const sentinel = openSlowFile(daemon.sentinelPath);
const sentinelContent = openSlowFile(daemon.sentinelPath);
helpers.push(sentinel, sentinelContent);
/** Later than this, the monitor counts itself as starved: twice its own pace, but no less than half a second. */
const starvedMs = Math.max(500, settings.monitorProcessIntervalMs * 2);
/** Where the end of the daemon is an event, looking at it is but the cross-check; and maintenance is noticed by then. */
const crossCheckMs = Math.max(1000, settings.monitorProcessIntervalMs);
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
      found === null ? 'maintenance is over: watching again' : `paused for maintenance ${end}: nothing of the daemon fails over`;
    log.line('monitor', found === null ? 'ok' : 'warning', text);
    paused = found !== null;
  }
  return paused;
}

function take(sample: Sample): void {
  if (inMaintenance()) return;
  watch = judge(watch, sample, limits);
  if (watch.verdict === null) return;
  if (isOfDaemon[watch.verdict.reason] && isRestart()) return;
  const sentence = verdictSentence(watch.verdict, settings.packageName, host.now() - host.elapsed());
  log.line('monitor', 'failed', sentence);
  writeState(sentence);
  log.alarm(`${host.member} ${settings.packageName} monitor: ${sentence}`);
  process.exit(1);
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
  const sinceBoot = Number.parseFloat(host.readText('/proc/uptime') ?? '');
  if (!isAnnounced(host.readText(noticeFile), armed?.state ?? null, sinceBoot)) return false;
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
  paceMs = isCalm ? crossCheckMs : settings.monitorProcessIntervalMs;
  dueAt = host.elapsed() + paceMs;
  timer = setTimeout(() => {
    tick();
    schedule();
  }, paceMs);
}

interface Found {
  readonly result: LayerResult;
  readonly detail: string;
  /** Nothing was heard within a limit of wall time: of a monitor that did not run meanwhile that says nothing. */
  readonly isSilence?: boolean;
}

function foundBy(answer: ProbeResult, good: string): Found {
  if (answer.kind === 'silent') return { result: 'bad', detail: answer.why, isSilence: true };
  if (answer.kind === 'cannot-tell') return { result: 'cannot-tell', detail: answer.why };
  return { result: 'good', detail: answer.kind === 'served' ? good : answer.why };
}

const good = (detail: string): Found => ({ result: 'good', detail });
const bad = (detail: string): Found => ({ result: 'bad', detail });

/** perl's word for ENOENT, in the C locale. */
const missing = 'No such file or directory';

/** What the start of the package left there, as far as this monitor saw it. */
let sentinelAtFirst: string | null = null;

function readBy(answer: SlowRead, whenRead: (text: string) => Found): Found {
  switch (answer.kind) {
    case 'text':
      return whenRead(answer.text);
    case 'error':
      return bad(`${daemon.sentinelPath} cannot be read: ${answer.why}`);
    case 'late':
      return { result: 'bad', detail: `${daemon.sentinelPath} is not read in time: its disk does not answer`, isSilence: true };
    // The mount table alone has to do: a want of ours is no failure of the disk.
    case 'no helper':
      return good(`not read: no perl (${answer.why})`);
  }
}

const looks: Readonly<Record<LayerName, (watching: Armed, limitMs: number) => Promise<Found>>> = {
  port: async (watching, limitMs) => {
    if (!listeningInodes(settings.cfenginePort).includes(watching.inode)) await lookWhoListens(watching);
    const target = { address: settings.packageAddress, port: settings.cfenginePort, timeoutMs: limitMs };
    return foundBy(await probePort(target), 'connected');
  },
  protocol: async (watching, limitMs) => {
    if (!listeningInodes(settings.cfenginePort).includes(watching.inode)) await lookWhoListens(watching);
    const answer = await daemon.ask(settings.packageAddress, limitMs);
    if (armed === watching) noteQuality(answer.kind, 'why' in answer ? answer.why : 'served');
    return foundBy(answer, 'served');
  },
  storage: async (_, limitMs) => {
    const mount = mountAt(host.mounts(), settings.mountPoint);
    if (mount === undefined) return bad(`${settings.mountPoint} is not mounted any more`);
    if (mount.options.includes('ro')) return bad(`${settings.mountPoint} cannot be written to any more: it is mounted read-only`);
    const read = await sentinel.read(limitMs);
    // Whoever took the sentinel away did not take the disk away.
    if (read.kind === 'error' && read.why === missing) return good('mounted, and the disk answers');
    return readBy(read, () => good('mounted and read'));
  },
  content: async (_, limitMs) =>
    readBy(await sentinelContent.read(limitMs), (text) => {
      sentinelAtFirst ??= text;
      return text === sentinelAtFirst ? good('as the start left it') : bad(`the sentinel is another one now: ${text.trim()}`);
    }),
  address: async () =>
    host.ownsAddress(settings.packageAddress)
      ? good('here')
      : bad(`${settings.packageAddress} is on no card of ${host.member} any more`),
};

async function lookAt(layer: LayerName, watching: Armed, limitMs: number): Promise<void> {
  const before = starvations;
  const began = host.elapsed();
  const found = await looks[layer](watching, limitMs);
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
function noteQuality(kind: string, detail: string): void {
  const now = kind === 'served' ? '' : `${kind}: ${detail}`;
  if (now === quality) return;
  quality = now;
  log.line(
    'monitor',
    now === '' ? 'ok' : 'warning',
    now === '' ? 'the sentinel is served' : `probe through ${settings.packageAddress} ${now}`,
  );
}

const startedAt = host.now();
let stateComplaint = false;

/** For csync status and whoever else reads JSON; on a disk of memory, since it is written at every look. */
function writeState(sentence: string | null): void {
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
    verdict:
      watch.verdict === null || sentence === null
        ? null
        : {
            reason: watch.verdict.reason,
            since: new Date(epoch + watch.verdict.since).toISOString(),
            noticed: performance.timeOrigin + performance.now(),
            evidence: watch.verdict.evidence,
            sentence,
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

async function lookForEver(layer: LayerName, plan: LayerPlan): Promise<void> {
  for (;;) {
    if (armed !== null) await lookAt(layer, armed, plan.limitMs);
    else if (layer === 'protocol') await endMaintenance();
    const isSuspicious = watch.layers[layer].bad.count > 0;
    await host.pause(isSuspicious ? Math.min(plan.everyMs, suspiciousMs) : plan.everyMs);
  }
}

tick();
schedule();
Promise.all([...plans].map(([layer, plan]) => lookForEver(layer, plan))).catch((error: unknown) => {
  log.line('monitor', 'failed', `internal error, please report it: ${error instanceof Error ? error.stack : String(error)}`);
  log.flush();
  process.exit(1);
});
