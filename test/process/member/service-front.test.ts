/** The program in front of the monitor, as real processes: what it receives, what it sends, and that neither outlives the other. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monitorOptions } from '../../../src/base/version.ts';
import { childrenOf } from '../../../src/host/processes.ts';
import { eventually, everyStepIt, have, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const front = join(repository, 'src/member/monitor/csync-front.pl');

/** A monitor of a few lines, around the shipped side of the conversation; prints what it receives, does what argv has. */
const source = `
import { openServiceFront } from ${JSON.stringify(join(repository, 'src/host/member/service-front.ts'))};
const front = openServiceFront();
const [task, argument] = process.argv.slice(2);
const say = (text) => console.log(text);
// As one that gets too little processor time: it could run, and says nothing.
const work = (seconds) => { for (const end = performance.now() + seconds * 1000; performance.now() < end; ); };
if (task === 'start slowly') work(Number(argument));
if (front === null) { say('alone'); process.exit(0); }
// Before anything is said: a signal that comes earlier would end this process.
const onSignal = {
  'leave when told': () => leave(1),
  'answer slowly': () => {
    say('at work');
    work(5);
  },
  'hang when told': () => hang(),
}[task];
if (onSignal !== undefined) process.on('SIGUSR2', onSignal);
// Its first line: without it the front waits for its start, not for an answer.
if (task === 'hang when told') front.alive();
say('service ' + front.pid + ' monitor ' + process.pid + (front.replaced === null ? '' : ' in the place of: ' + front.replaced));
const pid = Number(argument);
const hang = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
if (task === 'hang at once' && front.replaced !== null) hang();
setInterval(() => front.alive(), 100);
front.logTo(argument, 'csync', 'm1 csync monitor:');
if (task === 'watch' || task === 'answer slowly') { const watch = front.watchEnd(pid, () => say(watch.isArmed() ? 'armed' : 'told')); }
const leave = (status) => {
  front.leave(status, '<25>Nov 28 03:00:00 csync: over');
  process.exit(status);
};
if (task === 'leave') leave(Number(argument));
if (task === 'hang at once') {
  // What the front says of that wants an answer.
  front.watchEnd(process.pid, () => {});
  hang();
}
if (task === 'say whether it is armed') {
  const watch = front.watchEnd(pid, () => {});
  let was = null;
  setInterval(() => {
    if (watch.isArmed() !== was) say((was = watch.isArmed()) ? 'is armed' : 'is deaf');
  }, 20);
}
if (task === 'exit') process.exit(Number(argument));
if (task === 'die') process.kill(process.pid, 'SIGKILL');
`;

/** Also those of a test that failed: a front and its monitors live for as long as the package runs. */
const services: { readonly kill: (signal: NodeJS.Signals) => boolean; readonly monitors: () => number[] }[] = [];
afterAll(() => {
  for (const { kill, monitors } of services) {
    kill('SIGKILL');
    for (const pid of monitors()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  }
});

/** A perl that becomes its arguments, with a filter of system calls by which pidfd_open (434) fails with ENOSYS (38), as before Linux 5.3. */
const withoutPidfd = `
my $filter = pack('SCCL' x 4, 0x20, 0, 0, 0, 0x15, 0, 1, 434, 6, 0, 0, 0x50000 | 38, 6, 0, 0, 0x7fff0000);
syscall(157, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
my $program = pack('Sx6P', 4, $filter);
syscall(157, 22, 2, $program) == 0 or die "seccomp: $!";
exec @ARGV;`;

function started(task: string, argument = '', node = process.execPath, before: readonly string[] = []) {
  const words = [node, ...monitorOptions(process.version), join(scratch, 'monitor.cjs'), task, argument];
  const child = spawn('/usr/bin/perl', [...before, front, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin' },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  const ended = new Promise<string>((resolve) => child.once('exit', (status, signal) => resolve(String(status ?? signal))));
  const monitors = () => [...said.matchAll(/monitor (\d+)/g)].map(([, monitor]) => Number(monitor));
  const monitor = () => eventually('the monitor', () => monitors()[0]);
  const service = {
    pid: child.pid ?? 0,
    said: () => said,
    ended,
    monitor,
    monitors,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  };
  services.push(service);
  return service;
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const isStopped = (pid: number) =>
  eventually(`${pid} to be stopped`, () => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
const gone = (pid: number) => eventually(`the end of ${pid}`, () => !isRunning(pid));

// Each with a service of its own; what they wait for are seconds.
describe.skipIf(!have('perl'))('the program in front of the monitor', { concurrent: true }, () => {
  beforeAll(async () => {
    mkdirSync(scratch, { recursive: true });
    writeFileSync(join(scratch, 'monitor.ts'), source);
    const bundle = { entryPoints: [join(scratch, 'monitor.ts')], outfile: join(scratch, 'monitor.cjs') };
    await build({ ...bundle, bundle: true, platform: 'node', format: 'cjs' });
  });

  it('reports the exit of a process, and is what Serviceguard started', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('watch', String(victim.pid));
    await eventually('the watch', () => service.said().includes('armed'));
    expect(service.said()).toContain(`service ${service.pid} `);
    expect(service.said().match(/armed|told/g)).toEqual(['armed']);
    victim.kill('SIGKILL');
    await eventually('the exit to be reported', () => service.said().includes('told'));
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
  });

  it('reports again and again that a process is stopped', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('watch', String(victim.pid));
    const told = () => service.said().match(/armed|told/g)?.length ?? 0;
    await eventually('the watch', () => told() === 1);
    victim.kill('SIGSTOP');
    await eventually('it to be reported twice', () => told() >= 3, 8000);
    victim.kill('SIGKILL');
    service.kill('SIGTERM');
    await service.ended;
  });

  it('says so when a process cannot be watched', async () => {
    const service = started('watch', '999999999');
    await eventually('the answer', () => service.said().includes('told'));
    service.kill('SIGTERM');
    await service.ended;
  });

  it.each([
    ['leave', '1', '1'],
    ['leave', '0', '0'],
    ['exit', '3', '3'],
    ['exit', '0', '0'],
    ['die', '', '1'],
  ])('%s %s ends the service with %s', async (task, argument, status) => {
    const service = started(task, argument);
    const monitor = await service.monitor();
    expect(await service.ended).toBe(status);
    await gone(monitor);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('%s to it ends the monitor as well', async (signal) => {
    const service = started('nothing');
    const monitor = await service.monitor();
    service.kill(signal);
    expect(await service.ended).toBe(signal === 'SIGTERM' ? '0' : signal);
    await gone(monitor);
  });

  it('does not keep the package here when it is stopped', async () => {
    const service = started('leave when told');
    const monitor = await service.monitor();
    service.kill('SIGSTOP');
    await isStopped(service.pid);
    process.kill(monitor, 'SIGUSR2');
    expect(await service.ended).toBe('SIGKILL');
    await gone(monitor);
  });

  /** ms from the end of what the monitor watches until another monitor takes its place. */
  async function replacedAfterEnd(service: ReturnType<typeof started>, victim: ReturnType<typeof spawn>): Promise<number> {
    const began = performance.now();
    victim.kill('SIGKILL');
    await eventually('another monitor', () => service.said().includes('in the place of'), 8000);
    return performance.now() - began;
  }

  it('replaces a monitor that is stopped, two seconds after the end of what it watches', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('watch', String(victim.pid));
    const monitor = await service.monitor();
    await eventually('the watch', () => service.said().includes('armed'));
    process.kill(monitor, 'SIGSTOP');
    await isStopped(monitor);
    const took = await replacedAfterEnd(service, victim);
    expect(took).toBeGreaterThanOrEqual(2000);
    expect(took).toBeLessThan(4000);
    expect(service.said()).toContain(`in the place of: the monitor (pid ${monitor}) did not answer`);
    await gone(monitor);
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
  });

  it('leaves a monitor alone that only gets to its answer late', { timeout: 30_000 }, async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('answer slowly', String(victim.pid));
    const monitor = await service.monitor();
    await eventually('the watch', () => service.said().includes('armed'));
    process.kill(monitor, 'SIGUSR2');
    await eventually('the monitor to be at work', () => service.said().includes('at work'));
    victim.kill('SIGKILL');
    await eventually('the exit to be reported', () => service.said().includes('told'), 20_000);
    expect(service.monitors()).toEqual([monitor]);
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
  });

  it('leaves a monitor alone whose start takes long', { timeout: 40_000 }, async () => {
    const service = started('start slowly', '12');
    const monitor = await eventually('the monitor', () => service.monitors()[0], 30_000);
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
    expect(service.monitors()).toEqual([monitor]);
    expect(service.said()).not.toContain('in the place of');
  });

  everyStepIt(
    'replaces a monitor in an endless loop after 30 s of its processor time',
    async () => {
      const service = started('start slowly', '1e9');
      const childOf = () => childrenOf(service.pid)[0];
      const monitor = await eventually('the monitor', childOf);
      const used = () => Number(readFileSync(`/proc/${monitor}/stat`, 'utf8').split(' ')[13]);
      await eventually('most of that time', () => used() > 2500, 120_000);
      expect(childOf()).toBe(monitor);
      const next = await eventually('another monitor', () => childrenOf(service.pid).find((one) => one !== monitor), 40_000);
      service.kill('SIGTERM');
      expect(await service.ended).toBe('0');
      for (const each of [monitor, next]) await gone(each);
    },
    180_000,
  );

  it('replaces a monitor that hangs and is sent nothing, within 20 s and the waits on the way', { timeout: 60_000 }, async () => {
    const service = started('hang when told');
    const monitor = await service.monitor();
    const began = performance.now();
    process.kill(monitor, 'SIGUSR2');
    await eventually('another monitor', () => service.said().includes('in the place of'), 40_000);
    expect(performance.now() - began).toBeGreaterThanOrEqual(18_000);
    expect(service.said()).toContain(`in the place of: the monitor (pid ${monitor}) sent nothing`);
    await gone(monitor);
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
  });

  it('exits with 1 when the monitor that takes the place of another one does not answer either, and logs it', {
    timeout: 40_000,
  }, async () => {
    const log = join(scratch, 'package.log');
    const service = started('hang at once', log);
    await service.monitor();
    const began = performance.now();
    expect(await service.ended).toBe('1');
    expect(performance.now() - began).toBeLessThan(16_000);
    expect(service.monitors()).toHaveLength(2);
    for (const monitor of service.monitors()) await gone(monitor);
    await eventually('the line in the log', () => existsSync(log) && readFileSync(log, 'utf8') !== '');
    expect(readFileSync(log, 'utf8')).toMatch(
      /^\w{3} [ \d]\d [\d:]{8} m1 csync monitor: failed \[monitor-hung\] The monitor did not start, and so did/,
    );
  });

  it('is known by the monitor to be stopped, and to run again', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('say whether it is armed', String(victim.pid));
    await eventually('the watch', () => service.said().includes('is armed'));
    service.kill('SIGSTOP');
    await eventually('the monitor to see it', () => /is armed\nis deaf\n$/.test(service.said()));
    service.kill('SIGCONT');
    await eventually('the monitor to see that, too', () => /is deaf\nis armed\n$/.test(service.said()));
    victim.kill('SIGKILL');
    service.kill('SIGTERM');
    await service.ended;
  });

  it.skipIf(process.arch !== 'x64')('on a kernel without pidfd the monitor is asked to poll', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('watch', String(victim.pid), process.execPath, ['-e', withoutPidfd, '/usr/bin/perl']);
    await eventually('the answer', () => /^(told|armed)$/m.exec(service.said()));
    expect(/^(told|armed)$/m.exec(service.said())?.[1]).toBe('told');
    victim.kill('SIGKILL');
    service.kill('SIGTERM');
    await service.ended;
  });

  it('leaves no monitor behind that is stopped when the package is halted', async () => {
    const service = started('nothing');
    const monitor = await service.monitor();
    process.kill(monitor, 'SIGSTOP');
    await isStopped(monitor);
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
    await gone(monitor);
  });

  it('starts a Node.js that does not have the options, as after an upgrade, without them', async () => {
    const modest = join(scratch, 'modest-node');
    writeFileSync(
      modest,
      `#!/bin/sh\ncase $1 in -*) echo "$0: bad option: $1" >&2; exit 9 ;; esac\nexec ${process.execPath} "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const service = started('nothing', '', modest);
    const monitor = await service.monitor();
    expect(readFileSync(`/proc/${monitor}/cmdline`, 'utf8')).not.toContain('--jitless');
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
    await gone(monitor);
  });

  it('starts Node.js without its compiler', async () => {
    const service = started('nothing');
    const monitor = await service.monitor();
    expect(readFileSync(`/proc/${monitor}/cmdline`, 'utf8').split('\0').slice(1)).toEqual([
      ...monitorOptions(process.version),
      join(scratch, 'monitor.cjs'),
      'nothing',
      '',
      '',
    ]);
    service.kill('SIGTERM');
    await service.ended;
    await gone(monitor);
  });

  it('can be done without', async () => {
    const child = spawn(process.execPath, [join(scratch, 'monitor.cjs'), 'nothing'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (piece: Buffer) => {
      said += piece;
    });
    await new Promise((done) => child.once('exit', done));
    expect(said).toBe('alone\n');
  });
});
