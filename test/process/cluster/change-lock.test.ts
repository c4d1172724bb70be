/** The lock of a cluster: its scripts on one member, run by this host's shell, and a holder with three members that are directories here. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/base/problem.ts';
import { policyLookScript, policyPlace } from '../../../src/cluster/policy/look.ts';
import { underChangeLock } from '../../../src/cluster/remote/change-lock.ts';
import { fenced, keepScript, leaseDirectory, leaseSeconds, lostStatus } from '../../../src/cluster/remote/lease-scripts.ts';
import { busyStatus, hostScript } from '../../../src/cluster/remote/shell-text.ts';
import { masterFilesScript } from '../../../src/cluster/setup/look.ts';
import { type MemberShell, openSshShell } from '../../../src/host/admin/member-shell.ts';
import { notRootStatus } from '../../../src/host/admin/no-answer.ts';
import { changingMembers } from '../../../src/verbs/common/connections.ts';
import { eventually, isRoot, scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();
let made = 0;

function freshDirectory(): string {
  made += 1;
  return join(scratch, `lease-${made}`);
}

const sh = (script: string) => spawnSync('/bin/sh', ['-s'], { input: script, encoding: 'utf8', timeout: 60_000 });

/** A keeper that stands, as `hold` starts it. */
async function keeper(directory: string, token: string) {
  const child: ChildProcess = spawn('/bin/sh', ['-c', keepScript({ directory, token }, `who ${token}`)]);
  const ended = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  child.stdout?.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  await eventually('the keeper to stand', () => said.includes('csync-connected') || child.exitCode !== null);
  return {
    ask: async (line: string): Promise<string> => {
      const before = said.length;
      child.stdin?.write(`${line}\n`);
      await eventually('its answer', () => said.length > before);
      return said.slice(before).trim();
    },
    end: async () => {
      child.stdin?.end();
      await ended;
    },
  };
}

/** What a lease was renewed last becomes so much longer ago. */
function age(directory: string, seconds: number, boot?: string): void {
  const file = join(directory, 'lease');
  const [token = '', seen = '', renewed = '', ...who] = readFileSync(file, 'utf8').trim().split(' ');
  writeFileSync(file, `${[token, boot ?? seen, Number(renewed) - seconds, ...who].join(' ')}\n`);
}

const take = (directory: string, token: string) =>
  spawnSync('/bin/sh', ['-c', keepScript({ directory, token }, `who ${token}`)], {
    input: '',
    encoding: 'utf8',
    timeout: 60_000,
  });

describe('a lease on a member', () => {
  it('is one holder’s while it is renewed, and free at once when that one has ended', async () => {
    const directory = freshDirectory();
    const one = await keeper(directory, 'one');
    expect(await one.ask('17')).toBe('renewed 17');
    expect(take(directory, 'two')).toMatchObject({ status: busyStatus, stderr: 'who one\n' });
    await one.end();
    expect(take(directory, 'two')).toMatchObject({ status: 0 });
  });

  it.each([
    ['was renewed a second less ago than it lasts', leaseSeconds - 2, undefined, busyStatus],
    ['was not renewed for as long as it lasts', leaseSeconds, undefined, 0],
    ['is of another boot', 0, '00000000-0000-0000-0000-000000000000', 0],
  ])('that %s', async (_, seconds, boot, status) => {
    const directory = freshDirectory();
    const vanished = await keeper(directory, 'vanished');
    age(directory, seconds, boot);
    expect(take(directory, 'next').status).toBe(status);
    await vanished.end();
  });

  it('that others took meanwhile is neither renewed nor given back by who had it', async () => {
    const directory = freshDirectory();
    const late = await keeper(directory, 'late');
    age(directory, leaseSeconds);
    const now = await keeper(directory, 'now');
    expect(await late.ask('1')).toBe('lost');
    await late.end();
    expect(take(directory, 'third')).toMatchObject({ status: busyStatus, stderr: 'who now\n' });
    await now.end();
  });

  it('is not given back by an earlier keeper of the same holder that finds out late', async () => {
    const directory = freshDirectory();
    const broken = await keeper(directory, 'same');
    const again = await keeper(directory, 'same');
    await broken.end();
    expect(await again.ask('2')).toBe('renewed 2');
    await again.end();
  });
});

describe.skipIf(!isRoot)('a login that is not root', () => {
  const asNobody = (script: string) =>
    spawnSync('/bin/sh', ['-s'], { input: script, encoding: 'utf8', uid: 65534, gid: 65534, env: { PATH: '/usr/bin:/bin' } });

  it('gets no lease, says who it is, and changes nothing', () => {
    const directory = `/run/csync-change-test-${process.pid}`;
    const taken = asNobody(keepScript({ directory, token: 'one' }, 'who'));
    expect(taken).toMatchObject({ status: notRootStatus, stdout: '' });
    expect(taken.stderr).toMatch(/^the login there is user nobody, not root$/m);
    expect(existsSync(directory)).toBe(false);
  });

  it('makes the whole change fail before it begins, by name, with the fix', async () => {
    const refused = {
      exitCode: notRootStatus,
      signal: null,
      timedOut: false,
      errorCode: null,
      stdout: '',
      stderr: 'the login there is user ops, not root\n',
    };
    const real = openSshShell(new AbortController().signal, false);
    const shell: MemberShell = { ...real, hold: async () => refused };
    const wish = {
      packageName: 'p',
      members: ['m1', 'm2'],
      who: 'me',
      automatic: false,
      waitSeconds: 0,
      say: () => {},
      pause: async () => {},
    };
    let began = false;
    const change = underChangeLock(shell, wish, async () => {
      began = true;
    });
    await expect(change).rejects.toMatchObject({
      problems: [{ code: 'cluster-not-root', member: 'm1', remedy: expect.stringContaining('User root') }],
    });
    expect(began).toBe(false);
  });

  it('reads no policy as an empty one', () => {
    const settings = settingsFor();
    const look = asNobody(policyLookScript(policyPlace(settings), false));
    expect([look.status, look.stdout]).toEqual([notRootStatus, '']);
    expect(asNobody(masterFilesScript({ base: '/csync/dsau', directories: ['masterfiles'] }, 1)).status).toBe(notRootStatus);
  });
});

describe('a script behind the lease', () => {
  const writes = (file: string) => hostScript(`echo done > ${file}`);

  it('is carried out for the holder only, with its own status and output', async () => {
    const directory = freshDirectory();
    const holder = await keeper(directory, 'holder');
    const script = hostScript('cat', 'echo said; echo wrong >&2; exit 3');
    expect(sh(fenced({ directory, token: 'holder' }, script))).toMatchObject({ status: 3, stdout: 'said\n', stderr: 'wrong\n' });
    const file = join(scratch, 'not-written');
    expect(sh(fenced({ directory, token: 'other' }, writes(file)))).toMatchObject({
      status: lostStatus,
      stderr: 'csync-lease-lost: who holder\n',
    });
    expect(() => readFileSync(file)).toThrow();
    await holder.end();
  });

  it.each([
    ['has run out', (directory: string) => age(directory, leaseSeconds)],
    ['went with a boot', (directory: string) => rmSync(directory, { recursive: true })],
  ])('is not carried out when the lease %s', async (_, spoil) => {
    const directory = freshDirectory();
    const holder = await keeper(directory, 'holder');
    spoil(directory);
    const file = join(scratch, 'not-written');
    expect(sh(fenced({ directory, token: 'holder' }, writes(file))).status).toBe(lostStatus);
    expect(() => readFileSync(file)).toThrow();
    mkdirSync(directory, { recursive: true });
    await holder.end();
  });

  it('keeps others from the lease until it has ended, also when its holder vanished; what it started does not', async () => {
    const directory = freshDirectory();
    const holder = await keeper(directory, 'holder');
    const [gate, left] = [join(scratch, `gate-${made}`), join(scratch, `left-${made}`)];
    const script = hostScript(`sleep 1000 > /dev/null 2>&1 & echo $! > ${left}`, `until [ -e ${gate} ]; do sleep 0.05; done`);
    const running = spawn('/bin/sh', ['-c', fenced({ directory, token: 'holder' }, script)]);
    const ended = new Promise((resolve) => running.once('close', resolve));
    await eventually('it to run', () => sh(`[ -s ${left} ]`).status === 0);
    age(directory, leaseSeconds);
    const stderr = `who holder; it exited, but what it started still runs here: process ${running.pid}\n`;
    expect(take(directory, 'next')).toMatchObject({ status: busyStatus, stderr });
    writeFileSync(gate, '');
    await ended;
    expect(take(directory, 'next').status).toBe(0);
    process.kill(Number(readFileSync(left, 'utf8')), 'SIGKILL');
    await holder.end();
  });
});

describe('a change under the lock', () => {
  /** Members are directories of this host; one that is away does not answer. */
  function cluster() {
    const home = freshDirectory();
    mkdirSync(home);
    const away = new Set<string>();
    const packageName = 'trial';
    const members = ['m1', 'm2', 'm3'];
    const there = (member: string): string => join(home, member);
    const openShell = (): MemberShell => {
      const real = openSshShell(new AbortController().signal, false);
      const at = (member: string, script: string) => script.replaceAll(leaseDirectory(packageName), there(member));
      const unreached = { exitCode: 255, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: 'No route to host' };
      return {
        here: 'elsewhere',
        stop: real.stop,
        run: async (member, script, limit) => (away.has(member) ? unreached : real.run(real.here, at(member, script), limit)),
        send: real.send,
        hold: async (member, script) => (away.has(member) ? unreached : real.hold(real.here, at(member, script))),
      };
    };
    const change = <T>(who: string, waitSeconds: number | null, work: (shell: MemberShell) => Promise<T>, automatic = false) => {
      const said: string[] = [];
      const say = (line: string): void => void said.push(line);
      const wish = { packageName, members, who, automatic, waitSeconds, say, pause: (ms: number) => sleep(ms) };
      return { said, done: underChangeLock(openShell(), wish, work) };
    };
    return { change, away, members, there };
  }
  const problemsOf = async (done: Promise<unknown>): Promise<readonly string[]> => {
    const failure = await done.then(
      () => null,
      (error: unknown) => error,
    );
    return failure instanceof Failure ? failure.problems.map(({ code, text }) => `${code}: ${text}`) : [String(failure)];
  };

  it('waits for the one that is under way, says for whom, and goes on when that has ended', async () => {
    const { change } = cluster();
    const order: string[] = [];
    let letGo = (): void => {};
    const first = change('csync apply of one', 0, async () => {
      order.push('first');
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      order.push('first ends');
    });
    await eventually('the first to work', () => order.length === 1);
    const second = change('csync rollback of two', null, async () => void order.push('second'));
    await eventually('the second to wait', () => second.said.length === 1);
    expect(second.said).toEqual(['waiting up to 60 s for the lock of the cluster, held by csync apply of one']);
    letGo();
    await Promise.all([first.done, second.done]);
    expect(order).toEqual(['first', 'first ends', 'second']);
  });

  it('ends with one sentence when the other one takes longer than it waits; for what began by itself it waits longer', async () => {
    const { change } = cluster();
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let holds = false;
    const work = (): Promise<void> => {
      holds = true;
      return held;
    };
    const first = change('csync members sync of the start', 0, work, true);
    await eventually('the first to work', () => holds);
    const none = change('csync apply of one', 0, async () => 'changed');
    expect(await problemsOf(none.done)).toEqual([
      'change-busy: nothing was changed: another change is running, csync members sync of the start (automatic); waited 0 s for it',
    ]);
    const patient = change('csync apply of one', null, async () => 'changed');
    await eventually('it to wait', () => patient.said.length === 1);
    expect(patient.said[0]).toContain('up to 600 s');
    letGo();
    expect(await patient.done).toBe('changed');
    await first.done;
  });

  it('goes on while most members answer, and leaves no lease behind on any of them', async () => {
    const { change, away, there } = cluster();
    away.add('m2');
    const { done } = change('csync apply of one', 0, async (shell) => {
      expect(await shell.run('m1', hostScript('echo here'), 10_000)).toMatchObject({ exitCode: 0, stdout: 'here\n' });
      expect(await shell.run('m2', hostScript('echo here'), 10_000)).toMatchObject({ exitCode: 255 });
      return 'done';
    });
    expect(await done).toBe('done');
    for (const member of ['m1', 'm3']) expect(readFileSync(join(there(member), 'lease'), 'utf8')).toMatch(/^- /);
  });

  it('takes the lease again on a member that was booted meanwhile', async () => {
    const { change, there } = cluster();
    const { done } = change('csync apply of one', 0, async (shell) => {
      rmSync(there('m2'), { recursive: true });
      return (await shell.run('m2', hostScript('echo here'), 10_000)).stdout;
    });
    expect(await done).toBe('here\n');
  });

  it('changes nothing more once another process has the lease of a member', async () => {
    const { change, there } = cluster();
    let intruder: Awaited<ReturnType<typeof keeper>> | null = null;
    const { done } = change('csync apply of one', 0, async (shell) => {
      age(there('m2'), leaseSeconds);
      intruder = await keeper(there('m2'), 'two');
      await shell.run('m2', hostScript('echo changed'), 10_000);
    });
    expect(await problemsOf(done)).toEqual([
      'change-lock-lost: the lock of the cluster was lost, so csync changes nothing more: m2: now held by who two',
    ]);
    await (intruder as Awaited<ReturnType<typeof keeper>> | null)?.end();
  });

  it('is not waited for a time that is none', () => {
    const change = { verb: 'apply', dryRun: false, wait: Number.NaN } as const;
    expect(() => changingMembers(change, settingsFor(), async () => 0)).toThrow(/a number of seconds/);
  });
});
