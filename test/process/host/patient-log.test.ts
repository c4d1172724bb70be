/** The log of a member as the lab's daemon writes it: nothing waits for one that hangs. A FIFO without a reader hangs as a frozen disk does. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PatientLog, readText, writeTextWithin } from '../../../src/host/lab/lab-files.ts';
import { eventually, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const took = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

describe('the log of a member', () => {
  it('has its lines in order, and those of who got its descriptor behind them', async () => {
    const path = join(scratch, 'log');
    const log = new PatientLog(path, 5000);
    for (let line = 0; line < 100; line += 1) log.append(`${line}\n`);
    const descriptor = await log.open();
    expect(descriptor).not.toBeNull();
    writeSync(descriptor ?? -1, 'theirs\n');
    closeSync(descriptor ?? -1);
    log.append('last\n');
    await log.flushed();
    const numbers = Array.from({ length: 100 }, (_, line) => `${line}\n`).join('');
    expect(readFileSync(path, 'utf8')).toBe(`${numbers}theirs\nlast\n`);
  });

  it('that hangs is waited for once and for no longer than the limit; what comes later is written when it goes on', async () => {
    const path = join(scratch, 'hung');
    execFileSync('sh', ['-c', `mkfifo ${path}`]);
    const log = new PatientLog(path, 200);
    log.append('one\n');
    expect(await took(() => log.flushed())).toBeLessThan(2000);
    log.append('two\n');
    expect(await took(async () => expect(await log.open()).toBeNull())).toBeLessThan(100);
    expect(await took(() => log.flushed())).toBeLessThan(100);
    const reader = spawn('sh', ['-c', `exec 3<>${path}; head -n 2 <&3`], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    reader.stdout.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
    await eventually('both lines to come', () => said === 'one\ntwo\n');
  });
});

describe('files of a member', () => {
  it('that are FIFOs are not read', () => {
    const path = join(scratch, 'fifo');
    execFileSync('sh', ['-c', `mkfifo ${path}`]);
    expect(readText(path)).toBeNull();
    writeFileSync(join(scratch, 'file'), 'text');
    expect(readText(join(scratch, 'file'))).toBe('text');
    expect(readText('/proc/self/status')).toMatch(/^Name:/);
  });

  it('are written within a limit, or it is said that they are not', async () => {
    expect(await writeTextWithin(5000, join(scratch, 'written'), 'text', 0o600)).toBe(true);
    expect(readFileSync(join(scratch, 'written'), 'utf8')).toBe('text');
    expect(await writeTextWithin(5000, join(scratch, 'missing', 'written'), 'text')).toBe(false);
    execFileSync('sh', ['-c', `mkfifo ${join(scratch, 'hung-file.partial')}`]);
    const hung = writeTextWithin(200, join(scratch, 'hung-file'), 'text');
    expect(await hung).toBe(false);
    // Let go of what waits, or this process could not end.
    const reader = spawn('cat', [join(scratch, 'hung-file.partial')], { stdio: 'ignore' });
    expect(await new Promise((resolve) => reader.once('exit', resolve))).toBe(0);
    await eventually('the write to come to its end', () => existsSync(join(scratch, 'hung-file')));
  });
});
