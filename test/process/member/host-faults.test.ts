/**
 * Faults of the host under the member scripts: no descriptor left, no process left, no room in /run, a pid that another process took,
 * a clock that jumps, no standard streams. Shipped scripts as real processes, against the stand-in of cfengine generation 2.
 */
import { describe, expect, it } from 'vitest';
import { parseMonitorState } from '../../../src/contract/monitor-state.ts';
import { eventually, everyStepIt } from '../../support.ts';
import { type Member, memberFor, useMember, whyNoMember } from './generation2-member.ts';

/** From the death of the daemon to the exit of the service, on a machine that other tests use as well. */
const noticedMs = 2000;

/** Every layer each second, so that two bad probes in a row need two seconds. */
const hasty = {
  monitor_port: 'every 1 s, limit 1 s, 2 in a row, fail',
  monitor_storage: 'every 1 s, limit 1 s, 2 in a row, fail',
  monitor_address: 'every 1 s, limit 1 s, 2 in a row, fail',
};

interface Service {
  readonly member: Member;
  /** Pids of the daemon, of csync-front.pl and of the monitor. */
  readonly pid: string;
  readonly front: string;
  readonly monitor: string;
  readonly end: Promise<number | null>;
  log(): Promise<string>;
  /** When the protocol was probed last with success, by the monitor's own report. */
  provedAt(): Promise<number>;
}

async function pidOf(member: Member, commandLine: string): Promise<string> {
  const looked = `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '${commandLine}' && echo "\${p#/proc/}"; done; true`;
  return (await member.demand(looked)).trim().split('\n')[0] ?? '';
}

/** Serviceguard's part: the service runs until it exits. Not as nsenter's own child, with which nsenter would stop for ever. */
function serve(member: Member, streams = ''): Promise<number | null> {
  const running = member.begin(`cd /tmp; env -i ${member.directory}/conf/csync/csync.sh monitor ${streams} & wait $!`);
  return running.ended.then(({ exitCode }) => exitCode);
}

/** A master whose monitor has probed the daemon. */
async function served(member: Member, changes: Readonly<Record<string, unknown>> = {}): Promise<Service> {
  await member.render({ ...hasty, ...changes });
  const pid = await member.startDaemon();
  await member.mount();
  expect((await member.script('csync.sh start')).exitCode).toBe(0);
  await member.demand(`: > ${member.log}`);
  const end = serve(member);
  const log = async () => (await member.sh(`cat ${member.log}`)).stdout;
  const provedAt = async () => {
    const layer = parseMonitorState((await member.sh('cat /run/csync-monitor-csync.json')).stdout)?.layers.protocol;
    return layer?.result === 'good' ? Date.parse(layer.at) : 0;
  };
  await eventually('the monitor to watch', async () =>
    (await log()).includes(`monitor: ok [watching] The monitor watches cfservd (pid ${pid})`),
  );
  await eventually('the first probe', provedAt);
  const front = await pidOf(member, '^/usr/bin/perl .*csync-front.pl');
  return { member, pid, front, monitor: await pidOf(member, '^[^ ]*node .*csync-monitor.cjs'), end, log, provedAt };
}

/** Kills the daemon; returns how the service exits, and after how many ms. */
async function killed({ member, pid, end }: Service): Promise<{ status: number | null; ms: number }> {
  const began = performance.now();
  await member.demand(`kill -KILL ${pid}`);
  return { status: await end, ms: performance.now() - began };
}

describe.skipIf(whyNoMember !== null)('without a free descriptor, seconds long', { concurrent: true }, () => {
  const atMost = (monitor: string, descriptors: number): string => `prlimit --pid ${monitor} --nofile=${descriptors}:4096`;

  it('the monitor cannot decide, does not move the package, and probes again when it has descriptors', async (context) => {
    const service = await served(await memberFor(context));
    const { member, monitor } = service;
    // As long as it takes two bad probes in a row twice over.
    await member.demand(`${atMost(monitor, 3)}; sleep 4; ${atMost(monitor, 1024)}`);
    const before = Date.now();
    await eventually('a probe that succeeds', async () => (await service.provedAt()) > before);
    expect(await service.log()).not.toContain('monitor: failed');
    expect((await killed(service)).status).toBe(1);
    expect(await service.log()).toContain('The cfengine daemon exited');
  });

  it('the monitor leaves as fast as ever when the daemon dies', async (context) => {
    const service = await served(await memberFor(context));
    await service.member.demand(atMost(service.monitor, 3));
    const { status, ms } = await killed(service);
    expect(status).toBe(1);
    expect(ms).toBeLessThan(noticedMs);
  });

  it('the monitor counts it as a failure after monitor_unknown_limit_seconds', async (context) => {
    const service = await served(await memberFor(context), { monitor_unknown_limit_seconds: 5 });
    const began = performance.now();
    await service.member.demand(atMost(service.monitor, 3));
    expect(await service.end).toBe(1);
    const seconds = (performance.now() - began) / 1000;
    expect(seconds).toBeGreaterThan(4);
    expect(seconds).toBeLessThan(8);
  });
});

describe.skipIf(whyNoMember !== null)('without a free descriptor', () => {
  const fresh = useMember();

  it('no halt takes a mounted policy file system for unmounted, and no start says that no other member can cure it', async () => {
    const member = await fresh();
    await member.startDaemon();
    await member.mount();
    const limits = Array.from({ length: 14 }, (_, index) => 14 + index * 2);
    const statuses = async (words: string): Promise<string[]> => {
      const script = `env -i ${member.directory}/conf/csync/${words}`;
      const all = limits.map((limit) => `prlimit --nofile=${limit} timeout 10 ${script} > /dev/null 2>&1; echo ${limit} $?`);
      return (await member.demand(all.join('\n'))).trim().split('\n');
    };
    expect((await statuses('csync_pre.sh stop')).filter((line) => line.endsWith(' 0'))).toEqual([]);
    expect((await statuses('csync.sh start')).filter((line) => line.endsWith(' 1'))).toEqual([]);
  });
});

describe.skipIf(whyNoMember !== null)('a pid that another process takes at once', () => {
  const fresh = useMember();

  /** The daemon dies, and the next process that is started has its pid and its name. */
  const takeOver = (pid: string): string => `perl -e '
    my $pid = ${pid}; kill KILL => $pid; select undef, undef, undef, 0.001 while kill 0 => $pid;
    for (1 .. 200) {
      open my $last, ">", "/proc/sys/kernel/ns_last_pid" or die; print $last $pid - 1; close $last;
      my $child = fork // die;
      if (!$child) { exit if $$ != $pid; open my $name, ">", "/proc/self/comm"; print $name "cfservd"; close $name; sleep 60; exit }
      exit 0 if $child == $pid;
      waitpid $child, 0;
    }
    die "the pid was not given again\\n"' > /dev/null`;

  it('is not taken for the daemon', async () => {
    const service = await served(await fresh());
    await service.member.demand(takeOver(service.pid));
    expect(await service.end).toBe(1);
    expect(await service.log()).toContain(`cfservd (pid ${service.pid}) is gone`);
  });

  it('is not taken for the daemon by a service that was stopped meanwhile', async () => {
    const service = await served(await fresh());
    const { member, front, monitor, pid } = service;
    await member.demand(`kill -STOP ${front} ${monitor}; ${takeOver(pid)}; kill -CONT ${front} ${monitor}`);
    expect(await service.end).toBe(1);
    expect(await service.log()).toContain(`cfservd (pid ${pid}) is gone`);
  });
});

describe.skipIf(whyNoMember !== null)('a full /run', () => {
  const fresh = useMember();

  it('costs neither start, monitor nor halt', async () => {
    const member = await fresh();
    await member.demand(
      'mount -o remount,size=64k /run; cat /dev/zero > /run/fill 2> /dev/null; ! echo more > /run/more 2> /dev/null',
    );
    const pid = await member.startDaemon();
    await member.mount();
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
    const end = serve(member);
    await eventually('the monitor to report it', async () =>
      (await member.demand(`cat ${member.log}`)).includes('/run/csync-monitor-csync.json cannot be written'),
    );
    const began = performance.now();
    await member.demand(`kill -KILL ${pid}`);
    expect(await end).toBe(1);
    expect(performance.now() - began).toBeLessThan(noticedMs);
    expect((await member.script('csync.sh stop')).exitCode).toBe(0);
  });
});

describe.skipIf(whyNoMember !== null)('member scripts without standard input, output and error', () => {
  const fresh = useMember();

  it('start, watch and halt as with them', async () => {
    const member = await fresh();
    const pid = await member.startDaemon();
    await member.mount();
    const closed = '<&- >&- 2>&-';
    const status = async (words: string) =>
      (await member.sh(`cd /tmp && exec env -i ${member.directory}/conf/csync/${words} ${closed}`)).exitCode;
    expect(await status('csync.sh validate')).toBe(0);
    expect(await status('csync.sh start')).toBe(0);
    const end = serve(member, closed);
    const isWatching = async () =>
      (await member.demand(`cat ${member.log}`)).includes('ok [watching] The monitor watches cfservd');
    await eventually('the monitor to watch', isWatching);
    await member.demand(`kill -KILL ${pid}`);
    expect(await end).toBe(1);
    expect(await status('csync.sh stop')).toBe(0);
    await member.demand(`umount ${member.mountPoint}`);
    expect(await status('csync_pre.sh stop')).toBe(0);
  });
});

describe.skipIf(whyNoMember !== null)('a wall clock that jumps', { concurrent: true }, () => {
  const year = 365 * 86_400_000;

  it.for<[string, number]>([
    ['forward', year],
    ['back', -year],
  ])('%s by a year and returns moves no package and delays no verdict', async ([, jump], context) => {
    const member = await memberFor(context);
    const { directory } = member;
    // Date is the only wall clock of the scripts. The daemon keeps the right time.
    const clock = `const fs = require('node:fs'); const Real = Date; const jumped = '${directory}/jumped';
      const now = () => Real.now() + (fs.existsSync(jumped) ? ${jump} : 0);
      globalThis.Date = class extends Real { constructor(...all) { super(...(all.length === 0 ? [now()] : all)); } static now() { return now(); } };`;
    member.write(`${directory}/clock.cjs`, clock);
    member.write(`${directory}/node`, `#!/bin/sh\nexec ${process.execPath} --require ${directory}/clock.cjs "$@"\n`, 0o755);
    const service = await served(member, { node_path: `${directory}/node` });
    const at = await service.provedAt();
    await member.demand(`: > ${directory}/jumped`);
    await eventually('a report with the other time', async () => Math.abs((await service.provedAt()) - at) > year / 2, 40_000);
    expect(await service.log()).not.toContain('monitor: failed');
    const { status, ms } = await killed(service);
    expect(status).toBe(1);
    expect(ms).toBeLessThan(noticedMs);
    expect((await member.script('csync.sh stop')).exitCode).toBe(0);
    await member.demand(`rm ${directory}/jumped`);
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
  });
});

/** Kernels before 6.14 have one pid_max for the whole machine, which no test may change. */
async function hasOwnPidMax(member: Member): Promise<boolean> {
  const [major = 0, minor = 0] = (await member.demand('uname -r')).split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 14);
}

describe.skipIf(whyNoMember !== null)('a fork bomb', () => {
  const fresh = useMember();

  it('does not keep the package on its member when the daemon dies in it', async (context) => {
    const member = await fresh();
    if (!(await hasOwnPidMax(member))) context.skip('this kernel has no pid_max for each namespace');
    const service = await served(member);
    // Some hundred processes at most, since no pid is above pid_max, and each exits in the same second.
    const bomb =
      '$0 = "bomb"; my $end = time + 5; while (time < $end) { next if defined fork; open my $full, ">", "/tmp/full"; select undef, undef, undef, 0.05 }';
    // No process can be started by then: this one is started before.
    const killer = `select undef, undef, undef, 0.01 until -e "/tmp/full"; kill KILL => ${service.pid}; sleep 10`;
    await member.demand(
      `perl -e '${killer}' > /dev/null 2>&1 & echo 450 > /proc/sys/kernel/pid_max; perl -e '${bomb}' > /dev/null 2>&1 &`,
    );
    const began = performance.now();
    expect(await service.end).toBe(1);
    expect(performance.now() - began, 'with the time until no process could be started').toBeLessThan(noticedMs + 2000);
    // Not that one process could be started again: that none of the bomb is left to take the next pid.
    await eventually('the exit of every process of the bomb', () => member.processes('bomb').length === 0, 20_000);
    await eventually('the daemon beside the halt', async () => (await member.script('csync.sh stop')).exitCode === 0, 20_000);
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
  });
});

describe.skipIf(whyNoMember !== null)('a member under load', () => {
  const fresh = useMember();

  everyStepIt('of 2,000 processes and 12 busy loops keeps its package for 30 s, and loses it when its daemon dies', async () => {
    const service = await served(await fresh());
    const { member } = service;
    const load = '$0 = "load"; for my $n (1 .. 2000) { next if fork; exec "sleep", "60" if $n > 12; alarm 60; 1 while 1 }';
    await member.demand(`perl -e '${load}' > /dev/null 2>&1`);
    await member.demand('sleep 25');
    expect(await service.log()).not.toContain('monitor: failed');
    const { status, ms } = await killed(service);
    expect(status).toBe(1);
    expect(ms).toBeLessThan(noticedMs * 2);
  });
});
