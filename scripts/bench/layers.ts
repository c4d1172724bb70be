/** How soon each other layer's fault is known, with the default settings, at random moments: many monitors see the same fault. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { childrenOf, startProcess } from '../../src/host/processes.ts';
import { stoppedLimitMs } from '../../src/member/monitor/judge.ts';
import { type LayerName, layerSchedules } from '../../src/member/monitor/layers.ts';
import type { Sandbox } from '../../src/script-tests/sandbox.ts';
import type { Bench } from './bench.ts';
import { spread, spreadHead, spreadRow, type Table } from './figures.ts';
import { benchSettings, bootMember, say, until } from './member.ts';

/** More of them, and the daemon has no time for its clients: they are as many clients, each of which asks twice a minute. */
const usualMonitors = 250;
const plans = layerSchedules(benchSettings);

interface Fault {
  readonly name: string;
  readonly layer: LayerName | 'stopped';
  /** In the member; or by its daemon's pid outside. */
  readonly make: string | ((pid: number) => void);
  readonly undo?: (pid: number) => void;
  /** Monitors that see the fault at once, where `usualMonitors` are more than the machine has time for. */
  readonly atOnce?: number;
}

/** A process that is frozen takes no signal and shows no stop: it hangs, as seen from inside. */
const freezer = existsSync('/sys/fs/cgroup/freezer/tasks')
  ? { directory: '/sys/fs/cgroup/freezer/csync-bench', procs: 'cgroup.procs', file: 'freezer.state', on: 'FROZEN', off: 'THAWED' }
  : { directory: '/sys/fs/cgroup/csync-bench', procs: 'cgroup.procs', file: 'cgroup.freeze', on: '1', off: '0' };

const faults: readonly Fault[] = [
  // All of them hurry at once: 250 starve each other, and a monitor without processor time does not judge.
  { name: 'daemon stopped (SIGSTOP)', layer: 'stopped', make: 'kill -STOP "$(daemon_pid)"', atOnce: 25 },
  {
    name: 'daemon hangs (frozen): protocol',
    layer: 'protocol',
    make: (pid) => {
      mkdirSync(freezer.directory, { recursive: true });
      writeFileSync(`${freezer.directory}/${freezer.procs}`, String(pid));
      writeFileSync(`${freezer.directory}/${freezer.file}`, freezer.on);
    },
    undo: () => {
      writeFileSync(`${freezer.directory}/${freezer.file}`, freezer.off);
    },
  },
  { name: 'address gone', layer: 'address', make: 'ip address delete "$ADDRESS/32" dev lo' },
  { name: 'file system read-only: storage', layer: 'storage', make: 'mount -o remount,ro "$MOUNT_POINT"' },
  { name: 'disk does not answer: storage', layer: 'storage', make: 'rm "$SENTINEL"; mkfifo "$SENTINEL"' },
  { name: 'another sentinel: content', layer: 'content', make: 'echo \'{"epoch":9,"member":"m9","at":"now"}\' > "$SENTINEL"' },
];

/** The next look, and as many as are wanted, each at its limit and a second apart. */
function boundMs({ layer, name }: Fault): number {
  if (layer === 'stopped') return 2000 + stoppedLimitMs + 200;
  const { everyMs, limitMs, failures } = plans[layer] ?? { everyMs: 0, limitMs: 0, failures: 0 };
  // What is known at once takes no limit.
  const looks = /answer|hangs/.test(name) ? failures * limitMs : 0;
  return everyMs + looks + (failures - 1) * Math.min(everyMs, 1000);
}

/** The daemon as this machine's own pid namespace knows it: below the process 1 of the member's. */
function daemonOutside(name: string, inside: string): number {
  const of = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(of)];
  const found = of(process.pid).find((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return status.startsWith(`Name:\t${name}\n`) && new RegExp(`^NSpid:.*\\s${inside}$`, 'm').test(status);
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no ${name} (pid ${inside} inside) below this process`);
  return found;
}

async function round(
  { tools, workshop }: Bench,
  fault: Fault,
  atOnce: number,
): Promise<{ readonly times: readonly number[]; readonly falseAlarms: number }> {
  const member: Sandbox = await bootMember(workshop);
  let undo = (): void => {};
  try {
    const verdicts: { noticed: number; reason: string }[] = [];
    let isReady = false;
    const monitors = startProcess(member.argv(`exec "$NODE" ${tools.program('many-monitors')} "$SET" ${atOnce} 30000`), {
      env: member.variables,
      stdin: 'pipe',
      onLine: (line, stream) => {
        if (stream === 'err') process.stderr.write(`  ${line}\n`);
        else if (line === 'ready') isReady = true;
        else verdicts.push(JSON.parse(line) as { noticed: number; reason: string });
      },
    });
    await until('all monitors to have looked', async () => isReady, 240_000);
    for (const verdict of verdicts) process.stderr.write(`  false alarm before the fault: ${JSON.stringify(verdict)}\n`);
    if (verdicts.length > 0) return { times: [], falseAlarms: verdicts.length };
    const inside = await say(member, 'daemon_pid');
    let began = performance.timeOrigin + performance.now();
    if (typeof fault.make === 'string')
      began = Number(await say(member, `t=$(date +%s%N); ${fault.make}; echo $((t / 1000))`)) / 1000;
    else {
      const pid = daemonOutside('cf-serverd', inside);
      undo = () => fault.undo?.(pid);
      fault.make(pid);
    }
    await until('all verdicts', async () => verdicts.length === atOnce, boundMs(fault) + 20_000);
    monitors.kill('SIGKILL');
    await monitors.ended;
    return { times: verdicts.map(({ noticed }) => noticed - began), falseAlarms: 0 };
  } finally {
    undo();
    await member.close();
    if (existsSync(freezer.directory)) await until('the empty freezer', async () => removed(freezer.directory), 5000);
  }
}

function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

export async function measureLayers(bench: Bench, wanted: number, only: RegExp): Promise<Table[]> {
  const rows: string[][] = [];
  for (const fault of faults.filter(({ name }) => only.test(name))) {
    const { atOnce = usualMonitors } = fault;
    const times: number[] = [];
    let falseAlarms = 0;
    const rounds = Math.ceil(wanted / atOnce);
    for (let number = 0; number < rounds; number += 1) {
      const found = await round(bench, fault, atOnce);
      times.push(...found.times);
      falseAlarms += found.falseAlarms;
      bench.progress(`  ${fault.name}: ${times.length} of ${rounds * atOnce}`);
    }
    const bound = boundMs(fault);
    const late = times.filter((time) => time > bound + 100).length;
    rows.push([
      ...spreadRow(fault.name, spread(times)),
      String(bound),
      String(late),
      String(rounds * atOnce - times.length),
      String(falseAlarms),
    ]);
  }
  return [
    {
      title: 'Other faults, default settings',
      head: [...spreadHead, 'bound ms', 'later', 'missed', 'false alarms'],
      rows,
      notes: [
        `${usualMonitors} monitors, 25 of a stopped daemon (the shipped loop and probes, each with its own phase) detect each fault of a real cf-serverd, ext4 and address. Bound: one interval, then the required number of probes, a second apart, each up to its time limit. Later: more than 100 ms beyond the bound.`,
      ],
    },
  ];
}
