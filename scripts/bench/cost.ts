/** What an idle monitor costs, and what the member scripts cost. */
import { monitorOptions } from '../../src/base/version.ts';
import { nodeOptionsFile } from '../../src/contract/package-directory.ts';
import type { Sandbox } from '../../src/script-tests/sandbox.ts';
import type { Bench } from './bench.ts';
import { figure, type Spread, spread, type Table } from './figures.ts';
import { benchSettings, bootMember, say, until } from './member.ts';

/** Nanoseconds on a processor, kilobytes, descriptors; of a process and all below it. */
const costScript = `family() { echo "$1"; for child in $(ps -o pid= --ppid "$1"); do family "$child"; done; }
cost() {
  for p in $(family "$1"); do
    # A sleep of the shell's may end meanwhile.
    [ -r /proc/$p/schedstat ] || continue
    # Threads count, too.
    t=0; for s in /proc/$p/task/*/schedstat; do read -r one rest 2>/dev/null < $s || continue; t=$((t + one)); done
    rss=$(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$p/status)
    pss=$(sed -n 's/^Pss:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$p/smaps_rollup)
    read -r name < /proc/$p/comm
    echo "$t $rss $pss $(ls /proc/$p/fd | wc -l) $name"
  done
}`;

interface Cost {
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly pssMb: number;
  readonly descriptors: number;
  /** Each process by itself. */
  readonly parts: readonly { readonly name: string; readonly cpuMs: number; readonly rssMb: number }[];
}

async function costNow(member: Sandbox, pid: string): Promise<Cost> {
  const lines = (await say(member, `${costScript}\ncost ${pid}`)).split('\n').map((line) => line.split(' '));
  const sum = (at: number): number => lines.reduce((all, line) => all + Number(line[at]), 0);
  const parts = lines.map(([cpu, rss, , , name = '']) => ({ name, cpuMs: Number(cpu) / 1e6, rssMb: Number(rss) / 1024 }));
  return { cpuMs: sum(0) / 1e6, rssMb: sum(1) / 1024, pssMb: sum(2) / 1024, descriptors: sum(3), parts };
}

const ours = 'ours (front, monitor, reader)';
const floor = 'the same, with a TLS connection to the daemon every 30 s';
const candidates: readonly (readonly [name: string, start: (limit: string) => string])[] = [
  ['empty Node.js', () => '"$NODE" -e "setInterval(() => {}, 1e9)"'],
  ['Node.js that wakes every 10 s, without work', () => '"$NODE" -e "setInterval(() => {}, 10000)"'],
  [
    floor,
    () =>
      `"$NODE" -e "setInterval(() => {}, 10000); setInterval(() => { const socket = require('tls').connect({ port: ${benchSettings.cfenginePort}, host: '127.0.0.1', rejectUnauthorized: false }, () => socket.destroy()); socket.on('error', () => {}); }, 30000)"`,
  ],
  [ours, () => '"$PACKAGE/csync.sh" monitor'],
  ['C, pidfd and poll', (limit) => `${limit} watch "$(daemon_pid)"`],
  ['shell, every second', () => 'sh -c "while kill -0 $(daemon_pid) 2>/dev/null; do sleep 1; done"'],
];

export async function measureCost({ tools, workshop, progress }: Bench, seconds: number): Promise<Table[]> {
  const member = await bootMember(workshop);
  try {
    // As a package start records them for its monitor.
    await say(member, `echo '${monitorOptions(process.version).join(' ')}' > ${nodeOptionsFile('csync')}`);
    const pids: string[] = [];
    for (const [, start] of candidates)
      pids.push(
        await say(member, `{ env -i ${start(tools.limit)} > /dev/null 2>&1 < /dev/null & }; echo $!`.replace('env -i sh', 'sh')),
      );
    await until(
      'the monitor to settle',
      async () => (await member.sh('grep -q endIsEvent.:true /run/csync-monitor-csync.json')).exitCode === 0,
      20_000,
    );
    await new Promise((done) => setTimeout(done, 15_000));
    progress(`  ${seconds} s of nothing`);
    const before = await Promise.all(pids.map((pid) => costNow(member, pid)));
    const began = performance.now();
    await new Promise((done) => setTimeout(done, seconds * 1000));
    const after = await Promise.all(pids.map((pid) => costNow(member, pid)));
    const hours = (performance.now() - began) / 3_600_000;
    const ourRow = candidates.findIndex(([name]) => name === ours);
    const parts = (after[ourRow]?.parts ?? []).map(({ name, cpuMs, rssMb }) => {
      const earlier = before[ourRow]?.parts.find((part) => part.name === name)?.cpuMs ?? 0;
      return `${name} ${figure((cpuMs - earlier) / 1000 / hours)} CPU s and ${figure(rssMb)} MB`;
    });
    const rows = candidates.map(([name], at) => {
      const [first, last] = [before[at], after[at]];
      if (first === undefined || last === undefined) throw new Error(name);
      return [
        name,
        figure((last.cpuMs - first.cpuMs) / 1000 / hours),
        figure(last.rssMb),
        figure(last.pssMb),
        `${first.descriptors} -> ${last.descriptors}`,
      ];
    });
    return [
      {
        title: 'Idle',
        head: ['', 'CPU s per hour', 'RSS MB', 'PSS MB', 'descriptors'],
        rows,
        notes: [
          `Over ${seconds} s, scaled; all side by side in one member, each process with its children. RSS counts shared memory once for each process, PSS once in total. The parts of ours: ${parts.join(', ')}. Goals: 1 CPU second an hour and 10 MB above an empty Node.js.`,
          `The first goal cannot be met with Node.js on this machine. With the default intervals (port, storage, address every 10 s, protocol every 30 s) a program that wakes and connects as often needs at least ${rows.find(([name]) => name === floor)?.[1]} CPU s an hour: see the third row. Longer intervals are a setting. The exit of the daemon is an event, so waiting for it costs nothing.`,
        ],
      },
    ];
  } finally {
    await member.close();
  }
}

async function times(
  member: Sandbox,
  limit: string,
  runs: number,
  command: string,
  between: string,
): Promise<{ ms: Spread; cpu: number; mb: number }> {
  const [ms, cpu, mb]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < runs; run += 1) {
    const [took = '', used = '', peak = ''] = (await say(member, `${between}\n${limit} time 1 ${command}`)).split(' ');
    ms.push(Number(took));
    cpu.push(Number(used));
    mb.push(Number(peak) / 1024);
  }
  return { ms: spread(ms), cpu: spread(cpu).p50, mb: spread(mb).p50 };
}

export async function measureScripts({ tools, workshop }: Bench, runs: number): Promise<Table[]> {
  const member = await bootMember(workshop);
  try {
    const halted = 'if is_mounted; then ip address delete "$ADDRESS/32" dev lo 2>/dev/null || :; umount "$MOUNT_POINT"; fi';
    const mounted = 'is_mounted || serviceguard_mounts; has_address || serviceguard_adds_the_address';
    const scripts: readonly (readonly [name: string, command: string, between: string])[] = [
      ['/bin/sh -c :', '/bin/sh -c :', ':'],
      ['perl -e 1', '/usr/bin/perl -e 1', ':'],
      ['node -e 0', '"$NODE" -e 0', ':'],
      ['csync_pre.sh start', '"$PACKAGE/csync_pre.sh" start', halted],
      ['csync.sh start', '"$PACKAGE/csync.sh" start', mounted],
      ['csync.sh stop', '"$PACKAGE/csync.sh" stop', mounted],
      ['csync_pre.sh stop', '"$PACKAGE/csync_pre.sh" stop', halted],
      ['csync.sh validate', '"$PACKAGE/csync.sh" validate', mounted],
    ];
    const rows: string[][] = [];
    for (const [name, command, between] of scripts) {
      const { ms, cpu, mb } = await times(member, tools.limit, runs, command, between);
      rows.push([name, String(ms.n), ...[ms.p50, ms.p99, ms.most, cpu, mb].map(figure)]);
    }
    return [
      {
        title: 'Member scripts',
        head: ['', 'n', 'p50 ms', 'p99 ms', 'most ms', 'CPU ms', 'peak RSS MB'],
        rows,
        notes: [
          'Wall time from fork to exit, with an idle daemon. CPU time: the median, with all processes it started. The peak is that of the largest process. A start proves the role through the address, validate runs cf-promises.',
        ],
      },
    ];
  } finally {
    await member.close();
  }
}
