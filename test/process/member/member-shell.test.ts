/** Feeding a file to a script on a member; here the member is this host. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../../src/base/problem.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';
import { openSshShell } from '../../../src/host/admin/member-shell.ts';
import { scratchDirectory } from '../../support.ts';

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

  it('is not taken for done where the script itself does not get through', async () => {
    const bin = join(scratch, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'base64'), '#!/bin/sh\necho "cannot fork" >&2; exit 1\n', { mode: 0o755 });
    const before = process.env.PATH;
    process.env.PATH = `${bin}:${before}`;
    const { ended } = send('cat > /dev/null', file());
    process.env.PATH = before;
    expect(await ended).toMatchObject({ exitCode: 255, stderr: expect.stringMatching(/^cannot fork\n/) });
  });

  it('can be broken off', async () => {
    const controller = new AbortController();
    const { ended } = send('cat > /dev/null; sleep 1000', file(), controller.signal);
    controller.abort(new Interrupted());
    await expect(ended).rejects.toThrow(Interrupted);
  });
});
