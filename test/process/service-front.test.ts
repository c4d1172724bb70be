/** The program in front of the monitor, as real processes: what it hears, what it says, and that neither outlives the other. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, have, repository, scratchDirectory } from '../support.ts';

const scratch = scratchDirectory();
const front = join(repository, 'src/member/csync-front.pl');

/** A monitor of a few lines, around the shipped side of the conversation; says what it hears, does what it is told on argv. */
const source = `
import { openServiceFront } from ${JSON.stringify(join(repository, 'src/host/service-front.ts'))};
const front = openServiceFront();
const [task, argument] = process.argv.slice(2);
const say = (text) => console.log(text);
if (front === null) { say('alone'); process.exit(0); }
say('service ' + front.pid + ' monitor ' + process.pid);
const pid = Number(argument);
if (task === 'watch') { const watch = front.watchEnd(pid, () => say(watch.isArmed() ? 'armed' : 'told')); }
if (task === 'leave') front.leave(Number(argument), '<25>Nov 28 03:00:00 csync: over');
if (task === 'leave when told') process.on('SIGUSR2', () => front.leave(1, '<25>Nov 28 03:00:00 csync: over'));
if (task === 'exit') process.exit(Number(argument));
if (task === 'die') process.kill(process.pid, 'SIGKILL');
setInterval(() => {}, 1000);
`;

function started(task: string, argument = '', node = process.execPath) {
  const child = spawn('/usr/bin/perl', [front, node, join(scratch, 'monitor.cjs'), task, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin' },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  const ended = new Promise<string>((resolve) => child.once('exit', (status, signal) => resolve(String(status ?? signal))));
  const monitor = () => eventually('the monitor', () => /monitor (\d+)/.exec(said)?.[1]).then(Number);
  return { pid: child.pid ?? 0, said: () => said, ended, monitor, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const gone = (pid: number) => eventually(`the end of ${pid}`, () => !isRunning(pid));

describe.skipIf(!have('perl'))('the program in front of the monitor', () => {
  beforeAll(async () => {
    mkdirSync(scratch, { recursive: true });
    writeFileSync(join(scratch, 'monitor.ts'), source);
    const bundle = { entryPoints: [join(scratch, 'monitor.ts')], outfile: join(scratch, 'monitor.cjs') };
    await build({ ...bundle, bundle: true, platform: 'node', format: 'cjs' });
  });

  it('tells the end of a process, and is what Serviceguard started', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('watch', String(victim.pid));
    await eventually('the watch', () => service.said().includes('armed'));
    expect(service.said()).toContain(`service ${service.pid} `);
    expect(service.said().match(/armed|told/g)).toEqual(['armed']);
    victim.kill('SIGKILL');
    await eventually('the end to be told', () => service.said().includes('told'));
    service.kill('SIGTERM');
    expect(await service.ended).toBe('0');
  });

  it('tells again and again that a process is stopped', async () => {
    const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    const service = started('watch', String(victim.pid));
    const told = () => service.said().match(/armed|told/g)?.length ?? 0;
    await eventually('the watch', () => told() === 1);
    victim.kill('SIGSTOP');
    await eventually('it to be told twice', () => told() >= 3, 8000);
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
    await eventually('it to be stopped', () => /^State:\s+T/m.test(readFileSync(`/proc/${service.pid}/status`, 'utf8')));
    process.kill(monitor, 'SIGUSR2');
    expect(await service.ended).toBe('SIGKILL');
    await gone(monitor);
  });

  it('starts a Node.js that does not know how to be frugal as it is', async () => {
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
    expect(readFileSync(`/proc/${monitor}/cmdline`, 'utf8').split('\0').slice(1, 3)).toEqual(['--jitless', '--no-expose-wasm']);
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
