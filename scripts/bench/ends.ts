/** How soon the end of a process is known, and how soon the monitor is gone: ours, a C program, a polling shell, keepalived where it is installed. */

import { parseMonitorState } from '../../src/contract/monitor-state.ts';
import { runProcess } from '../../src/host/processes.ts';
import type { Sandbox } from '../../src/script-tests/sandbox.ts';
import type { Bench } from './bench.ts';
import { keepalivedRun } from './comparison/keepalived.ts';
import { figure, ratio, type Spread, spread, spreadHead, spreadRow, type Table } from './figures.ts';
import { bootMember, environment, say } from './member.ts';

const stateFile = '/run/csync-monitor-csync.json';

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

interface Kind {
  readonly name: string;
  readonly rounds: number;
  /** `limit run` with this monitor above that daemon; the state file of the monitor, if it writes one, on standard error. */
  readonly run: (pid: string) => ReturnType<Sandbox['sh']>;
}

interface Ended {
  readonly noticed: Spread;
  readonly gone: Spread;
}

/**
 * Kills the real daemon of a monitor, until that monitor itself has exited; the kinds take turns. A monitor has probed the daemon before
 * each round: a daemon that answered connections takes twice as long to exit as a fresh one, and its exit is part of each time.
 */
async function ended({ progress }: Bench, member: Sandbox, kinds: readonly Kind[]): Promise<Ended[]> {
  const seen = kinds.map(() => ({ noticed: [] as number[], gone: [] as number[] }));
  const one = async ({ run }: Kind): Promise<{ noticed: number; gone: number } | null> => {
    // -K, so that it starts again at once after a kill [cfengine.md 2.4]; each is a minute old at most.
    await say(member, '[ -n "$(daemons)" ] || { cd /; "$DAEMON_PROGRAM" -K < /dev/null > /dev/null 2>&1; eventually listens; }');
    const looked = 'eventually grep -qs \'"protocol":{"result":"good"\' $state';
    await say(
      member,
      `state=${stateFile}; rm -f $state; "$PACKAGE/csync.sh" monitor > /dev/null 2>&1 & m=$!; ${looked}; kill $m; wait $m || :; rm -f $state`,
    );
    const { stdout, stderr, exitCode } = await run(await say(member, 'daemon_pid'));
    const [killed = 0, told = 0, end = 0] = stdout.trim().split(' ').map(Number);
    if (exitCode !== 0 || end === 0) return null;
    const verdict = parseMonitorState(stderr.trim().split('\n').at(-1) ?? '')?.verdict;
    const knew = told === 0 ? (verdict?.noticed ?? Number.NaN) : told * 1000;
    return { noticed: knew - killed * 1000, gone: (end - killed) * 1000 };
  };
  for (let round = 0; round < Math.max(...kinds.map(({ rounds }) => rounds)); round += 1) {
    for (const [index, kind] of kinds.entries()) {
      const figures = seen[index];
      if (figures === undefined || round >= kind.rounds) continue;
      const found = await one(kind);
      figures.noticed.push(found?.noticed ?? Number.NaN);
      figures.gone.push(found?.gone ?? Number.NaN);
    }
    if (round % 50 === 49) progress(`  ${round + 1} rounds`);
  }
  return seen.map(({ noticed, gone }) => ({ noticed: spread(noticed), gone: spread(gone) }));
}

const keepalivedName = 'keepalived, track_process';

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
    const { monitors, pollers } = wanted;
    const within = (state: string, monitor: (pid: string) => string) => (pid: string) =>
      // The state is written behind the end of the service, by a process that nothing waits for.
      member.sh(
        `${tools.limit} run ${state} ${pid} ${monitor(pid)}; status=$?; [ ${state} = - ] || eventually grep -qs '"verdict":{' ${stateFile}; cat ${stateFile} >&2 2>/dev/null; exit $status`,
      );
    const hears = (pid: string): string => `${front.join(' ')} once ${pid}`;
    const keepalived = await keepalivedRun(tools, 'cf-serverd', progress);
    const kinds: readonly Kind[] = [
      { name: 'C', rounds: monitors, run: within('-', (pid) => `${tools.limit} watch ${pid}`) },
      { name: 'Node.js behind csync-front.pl, event only', rounds: monitors, run: within('-', hears) },
      { name: 'ours', rounds: monitors, run: within(stateFile, () => '"$PACKAGE/csync.sh" monitor') },
      { name: 'shell, every second', rounds: pollers, run: within('-', poller) },
      ...(keepalived === null ? [] : [{ name: keepalivedName, rounds: pollers, run: keepalived }]),
    ];
    const all = await ended(bench, member, kinds);
    const [limit, hearing, own, shell] = all;
    if (limit === undefined || hearing === undefined || own === undefined || shell === undefined) throw new Error('no figures');
    return [
      {
        title: 'Notification of the exit of a process',
        head: spreadHead,
        rows: [spreadRow('C, pidfd and poll', c), spreadRow('ours, in the monitor', ours)],
        notes: [
          `Medians: ${ratio(ours, c)}. Missed: ${wanted.kills - ours.n} of ${wanted.kills}. The process is a sleep(1). Time from kill(2) to the call.`,
        ],
      },
      {
        title: 'A killed cf-serverd',
        head: spreadHead,
        rows: kinds.flatMap(({ name }, index) => {
          const { noticed, gone } = all[index] ?? shell;
          // The one says nothing before it is over; the other is a daemon, and acts by a script when it has heard.
          return [
            ...(noticed.n === 0 ? [] : [spreadRow(`${name}: noticed`, noticed)]),
            ...(name === keepalivedName ? [] : [spreadRow(`${name}: gone`, gone)]),
          ];
        }),
        notes: [
          `Medians: noticed ${ratio(own.noticed, limit.noticed)} of the C program (goal: 3 x), monitor gone ${ratio(own.gone, limit.gone)} (goal: 8 x), ${ratio(shell.gone, own.gone)} sooner than the shell (goal: 40 x). Missed: ${wanted.monitors - own.gone.n} of ${wanted.monitors}. Noticed: the verdict is reached. Of this, ${figure(own.noticed.p50 - hearing.noticed.p50)} ms of the ${figure(own.noticed.p50)} are spent in the monitor itself (compare the rows with the event only). Notification of an idle Node.js is ${ratio(hearing.noticed, limit.noticed)} of the C program. Gone: the service has exited, and syslog has the sentence; log and state file follow. Kills in turns, each of a daemon that a monitor has probed before.`,
        ],
      },
    ];
  } finally {
    await member.close();
  }
}
