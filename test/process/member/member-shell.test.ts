/** Feeding a file to a script on a member; here the member is this host. */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../../src/base/problem.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';
import { unframed } from '../../../src/host/admin/frame.ts';
import { openSshShell } from '../../../src/host/admin/member-shell.ts';
import { scriptInput, scriptRunner } from '../../../src/host/admin/member-way.ts';
import { readerProgram } from '../../../src/host/admin/reader-program.ts';
import { have, isRoot, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();

function send(script: string, file: string, stop = new AbortController().signal) {
  const shell = openSshShell(stop, false);
  const sent: number[] = [];
  const ended = shell.send(shell.here, script, { file, onSent: (bytes) => void sent.push(bytes) }, 60_000);
  return { ended, sent };
}

describe('a file as the standard input of a script', () => {
  const content = randomBytes(5_000_000);
  const file = () => {
    const path = join(scratch, 'file');
    writeFileSync(path, content);
    return path;
  };

  it('arrives byte by byte, however long the script and with any content', async () => {
    const script = `: 'has $HOME, \`x\`, "y", !z and \\'\n${'# filler\n'.repeat(500)}sha256sum; echo "it's" >&2\n`;
    const { ended, sent } = send(script, file());
    expect(await ended).toMatchObject({ exitCode: 0, stdout: `${sha256(content)}  -\n`, stderr: "it's\n" });
    expect(sent.at(-1)).toBe(content.length);
    expect(sent).toEqual(sent.toSorted((one, other) => one - other));
  });

  it('is not read further than it is taken', async () => {
    const { ended, sent } = send('head -c 10 > /dev/null; exit 3', file());
    expect(await ended).toMatchObject({ exitCode: 3 });
    expect(sent.at(-1) ?? 0).toBeLessThan(content.length);
  });

  it('that cannot be read is an empty one', async () => {
    expect(await send('wc -c', join(scratch, 'absent')).ended).toMatchObject({ exitCode: 0, stdout: '0\n' });
  });

  it('can be broken off', async () => {
    const controller = new AbortController();
    const { ended } = send('cat > /dev/null; sleep 1000', file(), controller.signal);
    controller.abort(new Interrupted());
    await expect(ended).rejects.toThrow(Interrupted);
  });
});

describe('the program that runs a script', () => {
  const mark = 'Mark_of-0123';
  const script = ": 'it''s $HOME \u00e4'; wc -c; echo wrong >&2; exit 3";
  const called = ([file = '', ...words]: readonly string[], input: string) => {
    const { status, stdout, stderr } = spawnSync(file, words, { input, encoding: 'utf8', env: {}, timeout: 20_000 });
    const ended = { exitCode: status, signal: null, timedOut: false, errorCode: null, stdout, stderr };
    return { ended, answer: unframed(ended, mark) };
  };
  const programs: readonly (readonly [name: string, words: readonly string[], root: boolean])[] = [
    ['sh', scriptRunner('none').words, false],
    ['csync-root', ['/bin/sh', join(repository, 'package-templates/sudo/csync-root')], true],
  ];

  it.each(programs)('%s leaves all input behind the script to it, and no part of a script runs', (_, words, root) => {
    if (root && !isRoot) return;
    const input = scriptInput('none', script, mark);
    expect(called(words, `${input}12345`).answer).toMatchObject({ exitCode: 3, stdout: '5\n', stderr: 'wrong\n' });
    for (const length of [0, 2, 60, input.indexOf('trap :')]) {
      const { answer, ended } = called(words, input.slice(0, length));
      expect([answer.exitCode, answer.stdout, ended.stderr.includes('wrong')]).toEqual([255, '', false]);
    }
  });

  it.skipIf(!isRoot)('csync-root takes no arguments, no other first line, and no other user', () => {
    const words = programs[1]?.[1] ?? [];
    expect(called([...words, 'x'], '').ended).toMatchObject({ exitCode: 64 });
    expect(called(words, 'id\n').ended).toMatchObject({ exitCode: 64, stdout: '' });
    expect(called(['setpriv', '--reuid', '65534', ...words], '5\nid\n').ended).toMatchObject({ exitCode: 77, stdout: '' });
  });

  it.skipIf(!have('visudo'))('has a rule that sudo accepts, for two programs without arguments and nothing else', () => {
    const rule = join(repository, 'package-templates/sudo/sudoers');
    expect(spawnSync('visudo', ['-c', '-s', '-f', rule], { encoding: 'utf8' })).toMatchObject({ status: 0 });
    const allowed = readFileSync(rule, 'utf8').match(/^[^#\n]*NOPASSWD:.*$/gm) ?? [];
    expect(allowed.map((line) => line.replace(/.*NOPASSWD: /, ''))).toEqual([
      '/usr/local/sbin/csync-root ""',
      '/usr/local/sbin/csync-reader ""',
    ]);
  });

  it.skipIf(!isRoot)('csync-reader runs what it has, and nothing of what it gets', () => {
    const file = join(scratch, 'csync-reader');
    writeFileSync(file, readerProgram([{ purpose: 'a count of its input', script }], 'abc'));
    const words = ['/bin/sh', file];
    expect(called(words, scriptInput('reader', script, mark)).answer).toMatchObject({ exitCode: 3, stdout: '0\n' });
    const refused = [
      [scriptInput('reader', 'id', mark), 78],
      [scriptInput('none', script, mark), 78],
      [`$(id) ${scriptInput('reader', script, mark)}`, 64],
      ['mark *\n', 78],
    ] as const;
    for (const [input, status] of refused) expect(called(words, input).ended).toMatchObject({ exitCode: status, stdout: '' });
  });
});
