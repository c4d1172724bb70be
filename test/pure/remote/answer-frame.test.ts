/** The frame around what a script prints on another host, by the shells that members have. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { framed, framedLine, unbegunWords, unframed } from '../../../src/host/admin/frame.ts';
import { have } from '../../support.ts';

const mark = 'Mk-3_x';
const shells = ['/bin/sh', 'bash', 'dash'].filter((shell) => have(shell));

/** A login shell that prints around the script: `before` and `after` are shell lines. */
function loggedIn(shell: string, script: string, before = '', after = '') {
  const login = `${before}\n${shell} -s; status=$?\n${after}\nexit $status`;
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', login], {
    input: framed(script, mark),
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 24,
  });
  return { exitCode: status, signal, timedOut: false, errorCode: null, stdout, stderr };
}

describe.each(shells)('an answer through %s', (shell) => {
  const answer = (script: string, before?: string, after?: string) => unframed(loggedIn(shell, script, before, after), mark);

  it('is what the script printed, line by line, with its errors and its status', () => {
    const script = 'printf "a  b\\n\\n\\tc"; echo; echo "x=$((1 + 1)) & /\\\\"; echo wrong >&2; exit 3';
    expect(answer(script)).toMatchObject({ exitCode: 3, stdout: 'a  b\n\n\tc\nx=2 & /\\\n', stderr: 'wrong\n' });
  });

  it('is empty where it printed nothing', () => {
    expect(answer(':')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['printf Welcome', 'printf Bye'],
    ['echo Welcome; echo Welcome >&2', 'echo Bye >&2; exit 9'],
    [`echo "${mark}"; echo "${mark}="; echo "${mark}=0="`, `printf "${mark}:"`],
  ])('has nothing of a login that prints: %s', (before, after) => {
    expect(answer('echo "name m1 10.0.0.1"', before, after)).toMatchObject({
      exitCode: 0,
      stdout: 'name m1 10.0.0.1\n',
      stderr: '',
    });
  });

  it('keeps a large one whole, and one with bytes that are no text', () => {
    expect(answer('head -c 3000000 /dev/zero | tr "\\0" x; printf "\\377\\n"').stdout).toHaveLength(3_000_002);
  });

  it('has the variables, traps and descriptors that its script makes, and the status of a script that a signal ended', () => {
    expect(answer('trap "echo left" EXIT; exec 9>/dev/null 7>&9; exit 4').stdout).toBe('left\n');
    expect(answer("kill -TERM $(exec sh -c 'echo $PPID')").exitCode).toBe(143);
  });

  it('does not begin where half of it arrived', () => {
    const text = framed('echo one; echo two', mark);
    for (const part of [text.slice(0, 40), text.slice(0, text.indexOf('trap :'))]) {
      const { status, stdout } = spawnSync(shell, ['-s'], { input: part, encoding: 'utf8' });
      expect(stdout).not.toContain('one');
      expect(
        unframed({ exitCode: status, signal: null, timedOut: false, errorCode: null, stdout, stderr: '' }, mark).exitCode,
      ).toBe(255);
    }
  });
});

describe('an answer that is not whole', () => {
  const ended = { exitCode: 0, signal: null, timedOut: false, errorCode: null };

  it('is no success, and has what the host said among its errors', () => {
    const read = unframed({ ...ended, stdout: 'This service allows sftp connections only.\n', stderr: 'banner\n' }, mark);
    expect(read.exitCode).toBe(255);
    expect(read.stderr).toBe(`This service allows sftp connections only.\nbanner\n${unbegunWords} 0\n`);
  });

  it('has the lines that came whole, and not the half of one', () => {
    const stdout = `\n${mark}=begin=${mark}\n${mark}:one:${mark}\n${mark}:ha`;
    const read = unframed({ ...ended, exitCode: 255, stdout, stderr: `${mark}=begin=${mark}\nConnection to m2 closed.\n` }, mark);
    expect(read).toMatchObject({ exitCode: 255, stdout: 'one\n' });
    expect(read.stderr).toContain('Connection to m2 closed.\n');
  });

  it('was whole although ssh was killed at its time limit', () => {
    const stdout = `${mark}=begin=${mark}\n${mark}:one:${mark}\n\n${mark}=7=${mark}\n`;
    expect(unframed({ ...ended, exitCode: null, signal: 'SIGKILL', timedOut: true, stdout, stderr: '' }, mark)).toMatchObject({
      exitCode: 7,
      timedOut: false,
      stdout: 'one\n',
    });
  });
});

describe('a line of a script that stays', () => {
  it('is the one between the marks, with any other text in that line', () => {
    expect(framedLine(`Welcome: ${mark}:renewed 1:${mark}tick`, mark)).toBe('renewed 1');
    expect([framedLine('renewed 1', mark), framedLine(`${mark}:renewed`, mark), framedLine(`${mark}=0=${mark}`, mark)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
