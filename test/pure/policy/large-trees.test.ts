/** Policy trees of many megabytes: they are read whole, or refused with figures; what cannot be read is never an empty policy. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { staleInputs } from '../../../src/cluster/hosts/host-look.ts';
import { masterFilesScript, parseMasterFiles } from '../../../src/cluster/setup/look.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';
import { openSshShell } from '../../../src/host/admin/member-shell.ts';
import { printedWords } from '../../../src/host/admin/no-answer.ts';

import { isRoot } from '../../support.ts';

const base = mkdtempSync(join(tmpdir(), 'csync-trees-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const shell = openSshShell(new AbortController().signal, false);
const megabyte = 1024 * 1024;
const served = { base, directories: ['masterfiles', 'keys'] };

const read = (most: number, answer?: number) => shell.run(shell.here, masterFilesScript(served, most), 60_000, answer);

describe.skipIf(!isRoot)('the policy of the master', () => {
  it('is empty where nothing was published yet', async () => {
    const absent = await shell.run(shell.here, masterFilesScript({ ...served, base: `${base}/absent` }, 1), 60_000);
    expect(parseMasterFiles(absent.stdout)).toEqual(new Map());
    expect(parseMasterFiles((await read(1)).stdout)).toEqual(new Map());
  });

  it('of 20 MB is read whole, packages and all', async () => {
    mkdirSync(join(base, 'masterfiles/packages'), { recursive: true });
    for (let index = 0; index < 5; index += 1)
      writeFileSync(join(base, `masterfiles/packages/p ${index}.rpm`), randomBytes(4 * megabyte));
    writeFileSync(join(base, 'masterfiles/promises.cf'), 'body common control { }\n');
    const files = parseMasterFiles((await read(64 * megabyte, 128 * megabyte)).stdout);
    if (files === null || 'bytes' in files) throw new Error('not read');
    expect(files.size).toBe(6);
    expect(files.get('masterfiles/promises.cf')).toBe('body common control { }\n');
    const onHost = new Map([...files.keys()].map((name) => [name, sha256(readFileSync(join(base, name)))] as const));
    expect(staleInputs(files, onHost), 'a host that has the same files lacks none').toEqual([]);
  });

  it('beyond the limit is refused with figures, and its answer is short', async () => {
    const answer = await read(10 * megabyte);
    expect(parseMasterFiles(answer.stdout)).toEqual({ bytes: 5 * 4 * megabyte + 24, files: 6 });
    expect(answer.stdout.length).toBeLessThan(100);
  });

  it('is not known where the answer was cut: neither empty nor whole', async () => {
    const cut = await read(64 * megabyte, megabyte);
    expect(cut.exitCode).not.toBe(0);
    expect(printedWords({ stdout: '', stderr: cut.stderr })).toMatch(/more than 1 MB/);
    expect(parseMasterFiles('file YQ== Yg==\n')).toBeNull();
  });

  it('is not known where the served directory cannot be entered', async () => {
    writeFileSync(join(base, 'file'), '');
    const answer = await shell.run(shell.here, masterFilesScript({ ...served, base: `${base}/file` }, 1), 60_000);
    expect([answer.exitCode, answer.stdout]).toEqual([1, '']);
  });
});

describe('what a message has of the words of a script', () => {
  it('is its end, however much it printed', () => {
    const words = printedWords({ stdout: `${'x'.repeat(16 * megabyte)}\nthe reason\n`, stderr: '' });
    expect(words).toBe('...\nthe reason');
  });

  it('begins with a whole line, and says where lines are omitted', () => {
    const lines = Array.from({ length: 100 }, (_, number) => `line ${number}`);
    expect(printedWords({ stdout: lines.join('\n'), stderr: '' })).toBe(['...', ...lines.slice(-30)].join('\n'));
    const long = lines.slice(0, 20).map((line) => `${line} ${'x'.repeat(300)}`);
    expect(printedWords({ stdout: '', stderr: long.join('\n') })).toBe(['...', ...long.slice(-12)].join('\n'));
    expect(printedWords({ stdout: `${'x'.repeat(5000)}\n`, stderr: '' })).toMatch(/^\.{3}\nx{3999}$/);
  });
});
