/**
 * The service of the package. Exits non-zero when this member's daemon is no longer a master; Serviceguard takes any exit as the failure.
 * SIGTERM is the halt: exit 0 at once. `csync-monitor.cjs DIRECTORY main`, behind csync-front.pl if perl exists; `csync-monitor.cjs -
 * figures ADDRESS` serves the figures.
 */

import { logLine } from '../../base/log-line.ts';
import { maintenanceFileName } from '../../contract/maintenance-file.ts';
import { placeOfSet } from '../../contract/package-directory.ts';
import { connectionsOf } from '../../host/member/connections.ts';
import { watchFile } from '../../host/member/file-event.ts';
import { realMemberHost } from '../../host/member/member-host.ts';
import { alarmDatagram, openMemberLog } from '../../host/member/member-log.ts';
import { watchProcess, watchSocket } from '../../host/member/process-watch.ts';
import { openServiceFront } from '../../host/member/service-front.ts';
import { Daemon } from '../daemon.ts';
import { failureMessage } from '../failures.ts';
import { message, sentence } from '../messages.ts';
import { expand, logWords, packageNameOf, readSettingsFile } from '../settings-file.ts';
import { openLooks } from './layers.ts';
import { MonitorLoop } from './loop.ts';
import { figuresRole, runFigures } from './report/figures.ts';
import { openMonitorReport } from './report/report.ts';

/** Lines are rare, so their writer exits in between. */
const logIdleMs = 1000;

async function monitor(directory: string): Promise<never> {
  const front = openServiceFront();
  const host = realMemberHost();
  const read = readSettingsFile(host, directory);
  const { packageDirectory } = placeOfSet(directory);
  const packageName = read.ok ? read.settings.packageName : packageNameOf(host, directory);
  const file = read.ok ? expand(host, read.settings.scriptLogFile) : `${packageDirectory}/${packageName}.log`;
  const head = { member: host.member, packageName, script: 'monitor', ...logWords(host, read) };
  const log = openMemberLog(file, head, logIdleMs);
  if (!read.ok) {
    log.line('failed', failureMessage(read.finding, host.member, packageName));
    await log.flush();
    process.exit(1);
  }
  const { settings } = read;
  front?.logTo(file, packageName, `${host.member} ${packageName} monitor:`);
  if (front?.replaced != null) {
    const replaced = message('monitor-replaced', { why: sentence(front.replaced) });
    log.line('warning', replaced);
    log.alarm('warning', replaced);
  }
  const daemon = new Daemon(host, settings);
  const looks = openLooks(host, settings, daemon, directory);
  const report = openMonitorReport(host, settings, log, front?.pid ?? process.pid);
  process.on('exit', (status) => {
    looks.close();
    report.close();
    if (status === 0) report.over();
  });
  const loop: MonitorLoop = new MonitorLoop({
    ...{ host, settings, directory: packageDirectory, daemon, log, report, watchProcess, watchSocket },
    looks: looks.look,
    later: (milliseconds, call) => {
      const timer = setTimeout(call, milliseconds);
      return () => clearTimeout(timer);
    },
    watchEnd: (pid, look) => front?.watchEnd(pid, look) ?? null,
    connections: () => connectionsOf(settings.cfenginePort),
    isMaintenanceTold: () => maintenanceEvents.isTold(),
    preciseNow: () => performance.timeOrigin + performance.now(),
    alive: () => front?.alive(),
    leave: (alarm) => {
      if (front === null) log.alarm('failed', alarm);
      else front.leave(1, alarmDatagram(packageName, logLine(head, 'failed', alarm), new Date()));
    },
    exit: () => process.exit(1),
  });
  const maintenanceEvents = watchFile(packageDirectory, maintenanceFileName, () => loop.lookAtMaintenance());
  try {
    await loop.run();
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.line('failed', message('internal-error', { why }));
    await log.flush();
  }
  process.exit(1);
}

process.on('SIGTERM', () => process.exit(0));
const [directory = '.', role = 'main', address = ''] = process.argv.slice(2);
if (role === figuresRole) runFigures(address);
else void monitor(directory);
