/** What is handed to the package log arrives in order, even if the process that handed it over dies. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileReplacer, isInMemory } from '../../../src/host/member/log-writer.ts';
import { realMemberHost } from '../../../src/host/member/member-host.ts';
import { openMemberLog } from '../../../src/host/member/member-log.ts';
import { eventually, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const head = { member: 'm1', packageName: 'csync', script: 'start' };
const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

describe('the package log', () => {
  it('has the lines of a process that was killed right behind the last one', async () => {
    const file = join(scratch, 'killed.log');
    const program = `const { openMemberLog } = await import(${JSON.stringify(join(repository, 'src/host/member/member-log.ts'))});
      const log = openMemberLog(${JSON.stringify(file)}, { member: 'm1', packageName: 'csync', script: 'start' });
      for (let line = 0; line < 100; line += 1) log.plain(String(line));
      process.kill(process.pid, 'SIGKILL');`;
    const ran = spawnSync(process.execPath, ['--import', './scripts/typescript.mjs', '--input-type=module', '-e', program], {
      cwd: repository,
    });
    expect(ran.signal).toBe('SIGKILL');
    const wanted = Array.from({ length: 100 }, (_, line) => `${line}\n`).join('');
    await eventually('all lines', () => textOf(file) === wanted);
  });

  it('has the output of programs between the lines before and behind them', async () => {
    const file = join(scratch, 'attended.log');
    const log = openMemberLog(file, head);
    log.plain('before');
    expect(await realMemberHost().attend(['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'], file)).toBe(3);
    log.line('ok', { code: 'mounted', text: 'behind' });
    await log.flush();
    expect(textOf(file)).toMatch(/^before\nout\nerr\n\w{3} [ \d]\d [\d:]{8} m1 csync start: ok \[mounted\] behind\n$/);
  });

  it('takes lines again after its process has exited for want of any', async () => {
    const file = join(scratch, 'idle.log');
    const log = openMemberLog(file, head, 1);
    let wanted = '';
    for (const line of ['one', 'two', 'three']) {
      log.plain(line);
      wanted += `${line}\n`;
      await eventually(line, () => textOf(file) === wanted);
    }
  });
});

describe('a file that is replaced', () => {
  it('has the newest text in the end, and its mode', async () => {
    const file = join(scratch, 'csync.prom');
    let failures = 0;
    const write = fileReplacer(file, () => {
      failures += 1;
    });
    for (let text = 0; text < 20; text += 1) write(`${text}\n`);
    await eventually('the last one', () => textOf(file) === '19\n');
    expect(failures).toBe(0);
    expect(spawnSync('/usr/bin/stat', ['-c', '%a', file], { encoding: 'utf8' }).stdout).toBe('644\n');
  });

  it('that cannot be written is reported', async () => {
    let isTold = false;
    fileReplacer(join(scratch, 'missing', 'csync.prom'), () => {
      isTold = true;
    })('text');
    await eventually('it to be reported', () => isTold);
    mkdirSync(join(scratch, 'missing'));
    expect(existsSync(join(scratch, 'missing', 'csync.prom'))).toBe(false);
  });

  it('lies in memory, or it does not', () => {
    expect(isInMemory('/proc/version')).toBe(false);
    expect(isInMemory('/no/such/place')).toBe(false);
  });
});
