/** csync alert run as a real process, with hooks that do what programs of administrators do. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AlertState, alertStateFile, alertStateText, noAlertState } from '../../../src/contract/alerts.ts';
import { noticeOf } from '../../../src/verbs/cluster/alert-delivery.ts';
import { checkedOutput } from '../../outputs.ts';
import { eventually, isRoot, repository, settingsFor } from '../../support.ts';

const program = join(repository, 'dist/csync.mjs');
const member = hostname().split('.')[0] ?? '';
const packageName = `hooks-test-${process.pid}`;
const state = alertStateFile(packageName);

interface Ran {
  readonly exitCode: number | null;
  readonly hooks: { hook: string; ok: boolean; result: string }[];
  readonly refused: { hook: string; why: string }[];
  readonly skipped: string | null;
  readonly codes: string[];
}

describe.skipIf(!isRoot)('csync alert run', { timeout: 60_000 }, () => {
  let place = '';
  let directory = '';
  const settings = (changes: object = {}) =>
    writeFileSync(
      join(place, 'settings.json'),
      JSON.stringify({
        ...settingsFor(),
        packageName,
        members: [member],
        alertDirectory: directory,
        alertTimeoutSeconds: 1,
        ...changes,
      }),
    );
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'csync-hooks-'));
    directory = join(place, 'alerts.d');
    mkdirSync(directory);
    settings();
  });
  afterEach(() => {
    rmSync(place, { recursive: true });
    for (const name of readdirSync('/run').filter((one) => one.includes(packageName)))
      rmSync(`/run/${name}`, { recursive: true });
  });

  const hook = (name: string, text: string, mode = 0o755): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  const words = ['alert', 'run', '--json'];
  const run = async (...more: string[]): Promise<Ran> => {
    const argv = [...words, ...more, '--settings', join(place, 'settings.json')];
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8' });
    const { hooks = [], refused = [], skipped = null, problems } = JSON.parse(await checkedOutput(argv, stdout || stderr));
    return { exitCode: status, hooks, refused, skipped, codes: problems.map(({ code }: { code: string }) => code) };
  };
  /** Processes that have this word in their command line. */
  const running = (word: string): string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(word);
      } catch {
        return false;
      }
    });
  const notice = noticeOf(
    { event: 'space', subject: '', state: 'raised', text: 'two\nlines \u001b[31m', fix: 'free it', since: 0 },
    packageName,
    member,
    Date.now(),
  );
  const queued = (attempts: Record<string, number> = {}): AlertState => ({
    ...noAlertState,
    queue: [
      {
        notice,
        results: Object.fromEntries(
          Object.entries(attempts).map(([name, number]) => [name, { ok: false, result: '', attempts: number, at: '' }]),
        ),
      },
    ],
  });
  const stored = (): AlertState => JSON.parse(readFileSync(state, 'utf8'));

  it('passes the event in the environment and as JSON, without anything that steers a terminal', async () => {
    hook('record', `#!/bin/sh\nenv | grep ^CSYNC_ALERT_ | sort > ${place}/env\ncat > ${place}/json\n`);
    writeFileSync(state, alertStateText(queued()));
    expect(await run()).toMatchObject({ exitCode: 0, hooks: [{ hook: 'record', ok: true, result: 'succeeded' }] });
    expect(JSON.parse(readFileSync(join(place, 'json'), 'utf8'))).toEqual(notice);
    const lines = readFileSync(join(place, 'env'), 'utf8').trim().split('\n');
    const names = lines.map((line) => line.replace(/^CSYNC_ALERT_(\w+)=.*$/, '$1'));
    expect(names).toEqual([
      'AT',
      'ATTEMPT',
      'EVENT',
      'FIX',
      'KEY',
      'MEMBER',
      'PACKAGE',
      'RUN',
      'SEVERITY',
      'SINCE',
      'STATE',
      'TEXT',
      'VERSION',
    ]);
    expect(lines).toContain('CSYNC_ALERT_TEXT=two lines \\u001b[31m');
    expect(stored().queue).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['hangs', 'exec sleep 86401', /^killed after 1 s$/],
    ['ignores SIGTERM', "trap '' TERM; while :; do sleep 86402; done", /^killed after 1 s$/],
    ['fills its output', 'exec yes 86403', /printed more than 1 MB$/],
    ['fails', 'echo no route >&2; exit 3', /^exit status 3: no route$/],
    ['is killed', 'kill -9 $$', /^ended by SIGKILL$/],
  ])('a hook that %s', async (_title, script, expected) => {
    hook('bad', `#!/bin/sh\n${script}\n`);
    hook('good', `#!/bin/sh\ntouch ${place}/called\n`);
    const { exitCode, hooks, codes } = await run('--test');
    expect([exitCode, codes]).toEqual([5, ['alert-hook']]);
    expect(hooks).toMatchObject([
      { hook: 'bad', ok: false, result: expect.stringMatching(expected) },
      { hook: 'good', ok: true },
    ]);
    expect(existsSync(join(place, 'called'))).toBe(true);
    expect(['86401', '86402', '86403'].flatMap(running)).toEqual([]);
  });

  it('a hook that forks and goes: what it left in other sessions is killed, also with its output open', async () => {
    hook('forks', '#!/bin/sh\nfor one in 1 2 3 4 5 6 7 8; do setsid sleep 86404 & done\nexit 0\n');
    expect(await run('--test')).toMatchObject({ exitCode: 0, hooks: [{ ok: true }] });
    await eventually('what it left to be gone', () => running('86404').length === 0);
  });

  it('a hook that reads nothing, and one without an interpreter', async () => {
    hook('deaf', '#!/bin/sh\nexec <&-\nexit 0\n');
    hook('lost', '#!/no/such/shell\n');
    expect((await run('--test')).hooks).toMatchObject([
      { hook: 'deaf', ok: true },
      { hook: 'lost', ok: false, result: expect.stringMatching(/^exit status 127: nice: .*No such file/) },
    ]);
  });

  it.each<[string, () => void, string]>([
    ['is not executable', () => void hook('one', '#!/bin/sh\n', 0o644), 'it is not executable'],
    ['others can write', () => void hook('one', '#!/bin/sh\n', 0o757), 'can be written by everybody'],
    ['a group can write', () => chownSync(hook('one', '#!/bin/sh\n', 0o775), 0, 7), 'can be written by group 7'],
    ['is of another user', () => chownSync(hook('one', '#!/bin/sh\n'), 7, 0), 'belongs to user 7'],
    ['is a directory', () => mkdirSync(join(directory, 'one')), 'it is no regular file'],
    ['is a FIFO', () => void spawnSync('sh', ['-c', 'mkfifo -m 755 "$0"', join(directory, 'one')]), 'it is no regular file'],
    ['is a link to nothing', () => void spawnSync('ln', ['-s', '/no/such', join(directory, 'one')]), 'it cannot be read'],
  ])('a hook that %s is not run, and reported', async (_title, make, why) => {
    make();
    const { exitCode, hooks, refused, codes } = await run('--test');
    expect([exitCode, hooks, codes]).toEqual([5, [], ['alert-hook']]);
    expect(refused).toMatchObject([{ hook: 'one', why: expect.stringContaining(why) }]);
    expect(stored().hooks).toMatchObject([{ name: 'one', refused: expect.stringContaining(why) }]);
  });

  it.each<[string, () => void]>([
    ['is missing', () => rmSync(directory, { recursive: true })],
    ['others can write', () => chmodSync(directory, 0o757)],
    ['is a file', () => void spawnSync('sh', ['-c', 'rm -r "$0"; : > "$0"', directory])],
  ])('of a directory that %s nothing is run', async (_title, make) => {
    hook('one', `#!/bin/sh\ntouch ${place}/called\n`);
    make();
    expect(await run('--test')).toMatchObject({ exitCode: 5, hooks: [], codes: ['alert-hook'] });
    expect(existsSync(join(place, 'called'))).toBe(false);
  });

  it('names with a dot do not count: a copy of an editor or of a package manager', async () => {
    for (const name of ['mail.dpkg-old', 'mail~', '.mail.swp', 'README.md']) hook(name, `#!/bin/sh\ntouch ${place}/called\n`);
    expect(await run('--test')).toMatchObject({ hooks: [], refused: [] });
    expect(existsSync(join(place, 'called'))).toBe(false);
  });

  it('a failed hook is called again, five times in all; the one that succeeded is not', async () => {
    hook('bad', `#!/bin/sh\necho x >> ${place}/bad; exit 1\n`);
    hook('good', `#!/bin/sh\necho x >> ${place}/good\n`);
    writeFileSync(state, alertStateText(queued()));
    for (let once = 1; once <= 5; once += 1) {
      expect(stored().queue).toHaveLength(1);
      expect((await run()).exitCode).toBe(5);
    }
    expect((await run()).hooks).toEqual([]);
    expect(stored().queue).toEqual([]);
    expect(stored().results).toMatchObject({ bad: { ok: false, attempts: 5 }, good: { ok: true } });
    expect(['bad', 'good'].map((name) => readFileSync(join(place, name), 'utf8'))).toEqual(['x\n'.repeat(5), 'x\n']);
  });

  it('an event waits for a hook where there is none yet', async () => {
    writeFileSync(state, alertStateText(queued()));
    expect(await run()).toMatchObject({ hooks: [] });
    hook('late', '#!/bin/sh\n');
    expect((await run()).hooks).toMatchObject([{ hook: 'late', ok: true }]);
  });

  it('a run that is killed counts as an attempt, and leaves nothing that stops the next one', async () => {
    settings({ alertTimeoutSeconds: 300 });
    hook('hangs', '#!/bin/sh\nexec sleep 86405\n');
    writeFileSync(state, alertStateText(queued({ hangs: 4 })));
    const argv = [program, ...words, '--settings', join(place, 'settings.json')];
    const first: ChildProcess = spawn(process.execPath, argv, { stdio: 'ignore' });
    await eventually('the hook to run', () => running('86405').length === 1);
    // Meanwhile another one reports that, and does not wait.
    expect(await run()).toMatchObject({ exitCode: 0, hooks: [], skipped: expect.stringContaining('another csync alert run') });
    first.kill('SIGKILL');
    await eventually(
      'its lock to be free',
      () => spawnSync('flock', ['-n', `/run/csync-alerts-${packageName}.lock`, 'true']).status === 0,
    );
    expect(await run()).toMatchObject({ exitCode: 0, hooks: [] });
    expect(stored().results.hangs).toMatchObject({ attempts: 5, result: 'csync alert run was ended while it ran' });
    for (const pid of running('86405')) process.kill(Number(pid), 'SIGKILL');
  });

  it('calls no hook if it cannot remember that it did', async () => {
    hook('one', `#!/bin/sh\ntouch ${place}/called\n`);
    mkdirSync(state);
    expect(await run('--test')).toMatchObject({ exitCode: 5, codes: ['alert-state'] });
    expect(existsSync(join(place, 'called'))).toBe(false);
  });

  it('a dry run calls nothing and writes nothing', async () => {
    hook('one', `#!/bin/sh\ntouch ${place}/called\n`);
    expect(await run('--test', '--dry-run')).toMatchObject({ exitCode: 0, hooks: [{ hook: 'one', result: 'would run' }] });
    expect([existsSync(join(place, 'called')), existsSync(state)]).toEqual([false, false]);
  });

  it('is off by default', async () => {
    settings({ alertDirectory: 'off' });
    expect(await run()).toMatchObject({ exitCode: 0, skipped: 'alert_directory is off in the applied settings' });
    expect(await run('--test')).toMatchObject({ exitCode: 3, codes: ['alert-off'] });
  });
});
