/**
 * The package's service: watches this member's daemon and ends, non-zero, when it is no longer a master. Serviceguard
 * takes any end as the failure. SIGTERM is the halt of the package and ends it at once with 0.
 * Called as: csync-monitor.cjs DIRECTORY main, behind csync-front.pl where there is perl.
 */
import { placeOfSet } from '../contract/package-directory.ts';
import { connectionsOf } from '../host/connections.ts';
import { watchFile } from '../host/file-event.ts';
import { realMemberHost } from '../host/member-host.ts';
import { alarmDatagram, openMemberLog } from '../host/member-log.ts';
import { watchProcess, watchSocket } from '../host/process-watch.ts';
import { openServiceFront } from '../host/service-front.ts';
import { Daemon } from './daemon.ts';
import { explain } from './failures.ts';
import { maintenanceFileName } from './judgements.ts';
import { openLooks } from './layers.ts';
import { MonitorLoop } from './monitor-loop.ts';
import { openMonitorReport } from './monitor-report.ts';
import { expand, packageNameOf, readSettingsFile } from './settings-file.ts';

// First of all: a halt may come at any moment.
process.on('SIGTERM', () => process.exit(0));

const front = openServiceFront();
const host = realMemberHost();
const [directory = '.'] = process.argv.slice(2);
const read = readSettingsFile(host, directory);
const { packageDirectory } = placeOfSet(directory);
if (!read.ok) {
  const packageName = packageNameOf(host, directory);
  const log = openMemberLog(`${packageDirectory}/${packageName}.log`, host.member, packageName);
  log.line('monitor', 'failed', explain(read.finding, host.member, packageName));
  log.flush();
  process.exit(1);
}
const { settings } = read;
const log = openMemberLog(expand(host, settings.scriptLogFile), host.member, settings.packageName);
const daemon = new Daemon(host, settings);
const looks = openLooks(host, settings, daemon);
const report = openMonitorReport(host, settings, log, front?.pid ?? process.pid);
process.on('exit', (status) => {
  looks.close();
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
  leave: (alarm) => {
    if (front === null) log.alarm(alarm);
    else front.leave(1, alarmDatagram(settings.packageName, alarm, new Date()));
    process.exit(1);
  },
});
const maintenanceEvents = watchFile(packageDirectory, maintenanceFileName, () => loop.lookAtMaintenance());
loop.run().catch((error: unknown) => {
  log.line('monitor', 'failed', `internal error, please report it: ${error instanceof Error ? error.stack : String(error)}`);
  log.flush();
  process.exit(1);
});
