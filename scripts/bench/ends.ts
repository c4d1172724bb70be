/** How soon the end of a process is known, and how soon the monitor is gone: ours, a C program, a polling shell, keepalived's way. */

import type { Sandbox } from '../../src/conform/sandbox.ts';
import { runProcess } from '../../src/host/processes.ts';
import { parseMonitorState } from '../../src/member/monitor-state.ts';
import type { Bench } from './bench.ts';
import { figure, ratio, type Spread, spread, spreadHead, spreadRow, type Table } from './figures.ts';
import { bootMember, say } from './member.ts';

const stateFile = '/run/csync-monitor-csync.json';
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

async function numbers(argv: readonly string[], scale: number): Promise<Spread> {
  const { stdout, exitCode, stderr } = await runProcess(argv, { timeoutMs: 1_800_000, env: environment });
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return spread(
    stdout
      .trim()
      .split('\n')
      .map((line) => Number(line) * scale),
  );
}

interface Ended {
  readonly noticed: Spread;
  readonly gone: Spread;
  readonly missed: number;
}

/** The kill of the real daemon beneath a monitor, until that monitor itself is gone. `state`: where it says when it knew. */
async function ended(
  { tools, progress }: Bench,
  member: Sandbox,
  rounds: number,
  state: string,
  monitor: (pid: string) => string,
): Promise<Ended> {
  const [noticed, gone]: [number[], number[]] = [[], []];
  let missed = 0;
  for (let round = 0; round < rounds; round += 1) {
    // -K, so that it starts again at once after a kill [cfengine.md 2.4]; each is a minute old at most.
    await say(member, '[ -n "$(daemons)" ] || { cd /; "$DAEMON_PROGRAM" -K < /dev/null > /dev/null 2>&1; eventually listens; }');
    const pid = await say(member, 'daemon_pid');
    const command = `${tools.limit} run ${state} ${pid} ${monitor(pid)}`;
    const seen = await member.sh(`${command}; status=$?; cat ${stateFile} >&2 2>/dev/null; exit $status`);
    const [killed = 0, told = 0, end = 0] = seen.stdout.trim().split(' ').map(Number);
    if (seen.exitCode !== 0 || end === 0) missed += 1;
    else {
      const own =
        state === '-'
          ? told * 1000
          : (parseMonitorState(seen.stderr.trim().split('\n').at(-1) ?? '')?.verdict?.noticed ?? Number.NaN);
      noticed.push(own === 0 ? Number.NaN : own - killed * 1000);
      gone.push((end - killed) * 1000);
    }
    if (round % 50 === 49) progress(`  ${round + 1} of ${rounds}`);
  }
  return { noticed: spread(noticed), gone: spread(gone), missed };
}

/** As HP's toolkits look: a loop with a sleep of a second. */
const poller = (pid: string): string => `/bin/sh -c 'echo armed; while kill -0 ${pid} 2>/dev/null; do sleep 1; done; exit 1'`;

export async function measureEnds(bench: Bench, wanted: { kills: number; monitors: number; pollers: number }): Promise<Table[]> {
  const { tools, workshop, progress } = bench;
  progress(`the event: ${wanted.kills} kills`);
  const front = ['/usr/bin/perl', `${tools.directory}/csync-front.pl`, process.execPath, tools.program('event-listener')];
  const c = await numbers([tools.limit, 'event', String(wanted.kills)], 1 / 1000);
  const ours = await numbers([...front, String(wanted.kills)], 1);
  progress(`whole monitors: ${wanted.monitors} kills of cf-serverd each, ${wanted.pollers} of them for the shell`);
  const member = await bootMember(workshop);
  try {
    const limit = await ended(bench, member, wanted.monitors, '-', (pid) => `${tools.limit} watch ${pid}`);
    // As the monitor's own Node.js is started.
    const hears = `${front.slice(0, 3).join(' ')} ${tools.program('event-listener')} once`;
    const hearing = await ended(bench, member, wanted.monitors, '-', (pid) => `${hears} ${pid}`);
    const own = await ended(bench, member, wanted.monitors, stateFile, () => '"$PACKAGE/csync.sh" monitor');
    const shell = await ended(bench, member, wanted.pollers, '-', poller);
    return [
      {
        title: 'The end of a process, told',
        head: spreadHead,
        rows: [spreadRow('C, pidfd and poll', c), spreadRow('ours, in the monitor', ours)],
        notes: [
          `Medians: ${ratio(ours, c)}. Missed: ${wanted.kills - ours.n} of ${wanted.kills}. The process is a sleep(1); from kill(2) to the call.`,
        ],
      },
      {
        title: 'A killed cf-serverd',
        head: spreadHead,
        rows: [
          spreadRow('C: noticed', limit.noticed),
          spreadRow('Node.js behind our front that only hears: noticed', hearing.noticed),
          spreadRow('ours: noticed', own.noticed),
          spreadRow('C: gone', limit.gone),
          spreadRow('ours: gone', own.gone),
          spreadRow('shell, every second: gone', shell.gone),
        ],
        notes: [
          `Medians: noticed ${ratio(own.noticed, limit.noticed)} of the C program (goal: 3 x), monitor gone ${ratio(own.gone, limit.gone)} (goal: 8 x), ${ratio(shell.gone, own.gone)} sooner than the shell (goal: 40 x). Missed: ${own.missed} of ${wanted.monitors}. Noticed: the verdict is reached (by the third row, ${figure(own.noticed.p50 - hearing.noticed.p50)} ms of the ${figure(own.noticed.p50)} are the monitor's own, and hearing of it in an idle Node.js is ${ratio(hearing.noticed, limit.noticed)} of the C program); gone: what Serviceguard waits for has ended, with log, state file and syslog written.`,
        ],
      },
    ];
  } finally {
    await member.close();
  }
}
