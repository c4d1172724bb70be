/** Files as root: what is no file, who leads a write elsewhere, and many who write at once. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realMemberHost } from '../../../src/host/member/member-host.ts';
import { openMemberLog } from '../../../src/host/member/member-log.ts';
import { eventually, isRoot, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const host = realMemberHost();
const made = (mode = 0o755): string => {
  const directory = mkdtempSync(join(scratch, 'place-'));
  chmodSync(directory, mode);
  return directory;
};

/** A line in the package log, as far as it goes. */
async function logged(file: string): Promise<void> {
  const log = openMemberLog(file, { member: 'm1', packageName: 'csync', script: 'start' });
  log.line('ok', { code: 'mounted', text: 'text' });
  await log.flush();
}

describe('a file that is none', () => {
  it.each<[string, (path: string) => void]>([
    ['a FIFO, as a disk that hangs', (path) => spawnSync('/usr/bin/mkfifo', [path])],
    ['a directory', (path) => mkdirSync(path)],
    ['a link to a terminal', (path) => symlinkSync('/dev/ptmx', path)],
    ['a link to itself', (path) => symlinkSync(path, path)],
  ])('is not read, nor waited for: %s', (_what, make) => {
    const path = join(made(), 'file');
    make(path);
    const began = performance.now();
    expect([host.readText(path), host.digest(path), host.program(path)]).toEqual([null, null, null]);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('is no log either: the lines go to syslog alone', async () => {
    const file = join(made(), 'csync.log');
    spawnSync('/usr/bin/mkfifo', [file]);
    const began = performance.now();
    await logged(file);
    expect(performance.now() - began).toBeLessThan(1000);
    await eventually('no process to wait for it', () => spawnSync('/usr/bin/pgrep', ['-f', file]).status === 1);
  });
});

describe('what root writes', () => {
  it('follows no link that was put in the way', () => {
    const directory = made();
    writeFileSync(join(directory, 'victim'), 'untouched');
    symlinkSync('victim', join(directory, 'csync.prom.new'));
    symlinkSync('victim', join(directory, 'csync.prom'));
    host.replace(join(directory, 'csync.prom'), 'figures\n', 0o644);
    expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('untouched');
    expect(readFileSync(join(directory, 'csync.prom'), 'utf8')).toBe('figures\n');
  });

  it.runIf(isRoot).each<[string, (directory: string) => void, string]>([
    ['belongs to another user', (directory) => chownSync(directory, 12_345, 0), 'belongs to user 12345'],
    ['is open to everybody', (directory) => chmodSync(directory, 0o1777), 'can be written by everybody'],
  ])('does not go where the directory %s', async (_what, open, why) => {
    const directory = made();
    open(directory);
    expect(() => host.replace(join(directory, 'csync.prom'), 'figures\n', 0o644)).toThrow(`${directory} ${why}`);
    await logged(join(directory, 'csync.log'));
    expect(readdirSync(directory)).toEqual([]);
  });

  it.runIf(isRoot)('does not go through a link into a directory of another user', async () => {
    const [here, there] = [made(), made()];
    chownSync(there, 12_345, 0);
    symlinkSync(join(there, 'log'), join(here, 'csync.log'));
    writeFileSync(join(there, 'log'), '');
    await logged(join(here, 'csync.log'));
    expect(readFileSync(join(there, 'log'), 'utf8')).toBe('');
  });

  it.each(['000', '077'])('has the mode it is to have, with a umask of %s', (umask) => {
    const directory = join(made(), 'new');
    const program = `process.umask(0o${umask});
      const { realMemberHost } = await import(${JSON.stringify(join(repository, 'src/host/member/member-host.ts'))});
      realMemberHost().writeDurably(${JSON.stringify(join(directory, 'file'))}, 'text', 0o644);`;
    const ran = spawnSync(process.execPath, ['--import', './scripts/typescript.mjs', '--input-type=module', '-e', program], {
      cwd: repository,
      encoding: 'utf8',
    });
    expect(ran.stderr).toBe('');
    expect(statSync(join(directory, 'file')).mode & 0o777).toBe(0o644);
    expect(statSync(directory).mode & 0o022).toBe(0);
  });

  it('is whole, even if others write it at the same moment: ten processes, a hundred times each', async () => {
    const file = join(made(), 'file');
    const texts = Array.from({ length: 10 }, (_, index) => `${String(index).repeat(4096)}\n`);
    const program = `const { realMemberHost } = await import(${JSON.stringify(join(repository, 'src/host/member/member-host.ts'))});
      const host = realMemberHost();
      for (let i = 0; i < 100; i += 1) host.replace(process.argv[1], process.argv[2].repeat(4096) + '\\n', 0o644);`;
    const ended = texts.map(
      (_, index) =>
        new Promise<number | null>((resolve) => {
          const argv = ['--import', './scripts/typescript.mjs', '--input-type=module', '-e', program, file, String(index)];
          spawn(process.execPath, argv, { cwd: repository, stdio: 'ignore' }).on('exit', resolve);
        }),
    );
    expect(await Promise.all(ended)).toEqual(texts.map(() => 0));
    expect(texts).toContain(readFileSync(file, 'utf8'));
    expect(readdirSync(join(file, '..'))).toEqual(['file']);
  }, 60_000);

  it('is swept up behind a writer that was killed, and not behind one at work', () => {
    const directory = made();
    const [old, young] = ['.file.csync-0123456789abcdef', '.file.csync-fedcba9876543210'];
    for (const name of [old, young]) writeFileSync(join(directory, name), '');
    utimesSync(join(directory, old), 1, 1);
    host.writeDurably(join(directory, 'file'), 'text', 0o644);
    expect(readdirSync(directory).sort()).toEqual([young, 'file']);
  });
});

describe('a line over another one', () => {
  it.each([
    ['a shorter one', `${'x'.repeat(200)}\n`],
    ['a longer one', 'x\n'],
  ])('replaces %s as a whole, in the same file', (_what, before) => {
    const file = join(made(), 'file');
    writeFileSync(file, before);
    const { ino } = statSync(file);
    host.overwriteLine(file, '{"epoch":7}');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ epoch: 7 });
    expect([statSync(file).ino, readFileSync(file, 'utf8').endsWith('\n')]).toEqual([ino, true]);
  });

  it('is refused for what is no such line: another file, a link, more than a sector', () => {
    const directory = made();
    writeFileSync(join(directory, 'victim'), 'untouched\n');
    symlinkSync('victim', join(directory, 'link'));
    writeFileSync(join(directory, 'long'), `${'x'.repeat(600)}\n`);
    for (const name of ['link', 'long', 'absent']) expect(() => host.overwriteLine(join(directory, name), '{}'), name).toThrow();
    expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('untouched\n');
  });
});
