/**
 * Many monitors in one process: the shipped loop and the shipped probes, each with its own phase. Prints one line of JSON for
 * each verdict. Called as: many-monitors.cjs PACKAGE-DIRECTORY COUNT SPREAD-MS; "ready" when all have probed everything.
 */
import { connectionsOf } from '../../../src/host/member/connections.ts';
import { realMemberHost } from '../../../src/host/member/member-host.ts';
import { watchProcess, watchSocket } from '../../../src/host/member/process-watch.ts';
import { Daemon } from '../../../src/member/daemon.ts';
import { openLooks } from '../../../src/member/monitor/layers.ts';
import { MonitorLoop } from '../../../src/member/monitor/loop.ts';
import { readSettingsFile } from '../../../src/member/settings-file.ts';

const [directory = '', count = '1', spreadMs = '5000'] = process.argv.slice(2);
const host = realMemberHost();
const read = readSettingsFile(host, directory);
if (!read.ok) throw new Error(read.finding.text);
// Content counts here as any other layer does, so that it has a verdict to be measured.
const settings = { ...read.settings, monitorContent: read.settings.monitorContent.replace('warn', 'fail') };
let unready = Number(count);
const stoppedLookMs = 2000;

function begin(number: number): void {
  const daemon = new Daemon(host, settings);
  const looks = openLooks(host, settings, daemon, directory);
  let isReady = false;
  let isOver = false;
  const over = new Promise<never>(() => {});
  const loop = new MonitorLoop({
    host: { ...host, pause: (ms) => (isOver ? over : host.pause(ms)) },
    settings,
    directory,
    daemon,
    looks: looks.look,
    log: { line: () => {}, plain: () => {}, flush: async () => {}, alarm: () => {} },
    report: {
      write: ({ layers, verdict }) => {
        if (isOver) return;
        if (!isReady && Object.keys(layers).length === 5) {
          isReady = true;
          unready -= 1;
          if (unready === 0) process.stdout.write('ready\n');
        }
        if (verdict !== null)
          process.stdout.write(
            `${JSON.stringify({ number, reason: verdict.reason, noticed: verdict.noticed, evidence: verdict.evidence })}\n`,
          );
      },
      over: () => {},
      close: () => {},
    },
    later: (ms, call) => {
      const timer = setTimeout(() => isOver || call(), ms);
      return () => clearTimeout(timer);
    },
    watchProcess,
    // As csync-front.pl does it.
    watchEnd: (pid, look) => {
      const timer = setInterval(() => {
        const state = host.process(pid)?.state;
        if (state === 'T' || state === 't') look();
      }, stoppedLookMs);
      return { isArmed: () => true, close: () => clearInterval(timer) };
    },
    connections: () => connectionsOf(settings.cfenginePort),
    isMaintenanceTold: () => true,
    watchSocket,
    preciseNow: () => performance.timeOrigin + performance.now(),
    alive: () => {},
    leave: () => {},
    exit: () => {
      isOver = true;
      looks.close();
      throw new Error('over');
    },
  });
  loop.run().catch((error: Error) => {
    if (error.message !== 'over') throw error;
  });
}

process.on('uncaughtException', (error) => {
  if (error.message !== 'over') {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  }
});
for (let number = 0; number < Number(count); number += 1) setTimeout(() => begin(number), Math.random() * Number(spreadMs));
process.stdin.resume().on('end', () => process.exit(0));
