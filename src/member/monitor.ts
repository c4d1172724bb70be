/**
 * The package's service: watches this member's daemon and ends, non-zero, when it is no longer a master. Serviceguard
 * takes any end as the failure. SIGTERM is the halt of the package and ends it at once with 0.
 * Called as: csync-monitor.cjs DIRECTORY main
 */
import type { ProcessState } from '../host/host.ts';
import { listeningInodes, realMemberHost } from '../host/member-host.ts';
import { openMemberLog } from '../host/member-log.ts';
import { type EndWatch, watchEnd } from '../host/process-end.ts';
import { type ProcessWatch, watchProcess } from '../host/process-watch.ts';
import { Daemon } from './daemon.ts';
import { explain } from './failures.ts';
import { maintenanceFileName, maintenanceFrom, mountAt } from './judgements.ts';
import { endServiceguardMode } from './maintenance.ts';
import { isAnnounced, restartNoticeFile } from './restart-notice.ts';
import { expand, readSettingsFile } from './settings-file.ts';
import { judge, type Limits, type Sample, type Verdict, verdictSentence, type Watch, watchFrom } from './watch.ts';

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
const limits: Limits = { failures: settings.monitorFailures, unknownLimitMs: settings.monitorUnknownLimitSeconds * 1000 };
/** Later than this, the monitor counts itself as starved: twice its own pace, but no less than half a second. */
const starvedMs = Math.max(500, settings.monitorProcessIntervalMs * 2);
/** Where the end of the daemon is an event, looking at it is but the cross-check; and maintenance is noticed by then. */
const crossCheckMs = Math.max(1000, settings.monitorProcessIntervalMs);
/** Whoever ended the helper that tells the end may do so again: no new one before. */
const endWatchAgainMs = 60_000;

let watch: Watch = watchFrom(host.elapsed());
let quality = '';
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
  log.alarm(`${host.member} ${settings.packageName} monitor: ${sentence}`);
  process.exit(1);
}

/** Whether a verdict is about the daemon's process, which is another one after a restart. */
const isOfDaemon: Readonly<Record<Verdict['reason'], boolean>> = {
  gone: true,
  zombie: true,
  stopped: true,
  replaced: true,
  silent: true,
  unmounted: false,
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
let starvedDuringProbe = false;

function tick(): void {
  const now = host.elapsed();
  const lateMs = now - dueAt;
  dueAt = now + paceMs;
  if (lateMs > starvedMs) {
    starvedDuringProbe = true;
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

async function probe(watching: Armed): Promise<void> {
  take({ kind: 'mount', at: host.elapsed(), mounted: mountAt(host.mounts(), settings.mountPoint) !== undefined });
  if (!listeningInodes(settings.cfenginePort).includes(watching.inode)) await lookWhoListens(watching);
  starvedDuringProbe = false;
  const answer = await daemon.ask(settings.packageAddress, settings.monitorTimeoutSeconds * 1000);
  // After a pause of our own the timers of probe and tick are due together; the pause has to be known first.
  tick();
  // Maintenance came, and perhaps went, meanwhile: the answer is of a daemon that is nobody's any more.
  if (armed !== watching) return;
  const at = host.elapsed();
  const detail = 'why' in answer ? answer.why : 'served';
  // The limit of a probe is wall time; a monitor that did not run meanwhile has measured nothing.
  const silent = answer.kind === 'silent' && !starvedDuringProbe;
  const answered = answer.kind === 'served' || answer.kind === 'answered';
  take({ kind: 'probe', at, result: answered ? 'answered' : silent ? 'silent' : 'cannot-tell', detail });
  noteQuality(answer.kind, detail);
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

async function probeForEver(): Promise<void> {
  for (;;) {
    if (armed !== null) await probe(armed);
    else await endMaintenance();
    await host.pause(settings.monitorIntervalSeconds * 1000);
  }
}

tick();
schedule();
probeForEver().catch((error: unknown) => {
  log.line('monitor', 'failed', `internal error, please report it: ${error instanceof Error ? error.stack : String(error)}`);
  log.flush();
  process.exit(1);
});
