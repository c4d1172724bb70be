/** A real hour of a machine that is short of everything, and a monitor that must not conclude that a healthy daemon failed. */

import { random } from '../../src/base/random.ts';
import { parseMonitorState } from '../../src/contract/monitor-state.ts';
import { runProcess, startProcess } from '../../src/host/processes.ts';
import type { Bench } from './bench.ts';
import { figure, type Table } from './figures.ts';
import { bootMember, say, until } from './member.ts';

/** Each for a while, again and again; all of it in the member, and ended with it. */
const loads: readonly (readonly [name: string, script: string])[] = [
  ['monitor stopped', 'pkill -STOP -f "[c]sync-monitor.cjs"; sleep SECONDS; pkill -CONT -f "[c]sync-monitor.cjs"'],
  ['four processes that compute', 'for n in 1 2 3 4; do timeout SECONDS sh -c "while :; do :; done" & done; wait'],
  ['2,000 processes', 'n=0; while [ $n -lt 2000 ]; do sleep SECONDS & n=$((n + 1)); done; wait'],
  ['memory', 'timeout SECONDS perl -e \'while (1) { my @all = map { "x" x 1000000 } 1 .. 1500; }\' || :'],
];

export async function measureSoak({ workshop, progress }: Bench, minutes: number): Promise<Table[]> {
  const member = await bootMember(workshop);
  try {
    let isOver = false;
    const monitor = startProcess(member.argv('exec env -i "$PACKAGE/csync.sh" monitor'), { env: member.variables });
    void monitor.ended.then(() => {
      isOver = true;
    });
    const state = async () => parseMonitorState(await say(member, 'cat /run/csync-monitor-csync.json 2>/dev/null || :'));
    await until('the monitor', async () => (await state())?.endIsEvent === true, 20_000);
    const descriptors = async () =>
      Number(await say(member, 'p=$(pgrep -f "node.*[c]sync-monitor.cjs" | tail -1); ls /proc/$p/fd | wc -l'));
    const before = await descriptors();
    const next = random(1);
    const counts = new Map<string, number>(loads.map(([name]) => [name, 0]));
    const end = performance.now() + minutes * 60_000;
    while (performance.now() < end && !isOver) {
      const [name = '', script = ''] = loads[Math.floor(next() * loads.length)] ?? [];
      // A minute of a stopped monitor now and then; the rest is shorter, so that there is more of it.
      const seconds = next() < 0.1 ? 60 : 3 + Math.floor(next() * 25);
      await runProcess(member.argv(script.replaceAll('SECONDS', String(seconds))), { timeoutMs: 180_000, env: member.variables });
      counts.set(name, (counts.get(name) ?? 0) + 1);
      progress(`  ${figure((end - performance.now()) / 60_000)} minutes left, after ${seconds} s of: ${name}`);
    }
    const { starvations = Number.NaN } = (await state()) ?? {};
    const row = [
      'false alarms',
      isOver ? '1' : '0',
      String(minutes),
      [...counts].map(([name, count]) => `${name}: ${count}`).join(', '),
      String(starvations),
      `${before} -> ${isOver ? '-' : await descriptors()}`,
    ];
    monitor.kill('SIGTERM');
    await monitor.ended;
    return [
      {
        title: 'Load',
        head: ['', 'n', 'minutes', 'periods of load (3 to 60 s)', 'times the monitor did not run', 'descriptors'],
        rows: [row],
        notes: [
          'Settings of the benchmark, real cf-serverd. 48 simulated hours of load are part of the tests (test/pure/monitor/monitor-loop.test.ts): 0 false alarms.',
        ],
      },
    ];
  } finally {
    await member.close();
  }
}
