/** The steps of start and halt, carried out on a member that is made of plain data. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../src/host/host.ts';
import { copiesUnmounted } from '../../../src/member/steps/mount-copies.ts';
import * as steps from '../../../src/member/steps/steps.ts';
import type { SimulatedFile, SimulatedProcess } from '../../../src/simulated/member-facts.ts';
import { settingsFor } from '../../support.ts';
import { SimulatedMember } from './simulated-member.ts';

const settings = settingsFor({ halt_grace_seconds: 5 });
const daemonName = 'cf-serverd';
const sentinel = '/csync/dsau/csync.sentinel';
const served = { listens: true } as const;
const ours = { source: '/dev/vg_csync/lv_csync', target: '/csync', type: 'ext4', options: ['rw'] };

/** The policy file system is here. */
function memberWithPackage(): SimulatedMember {
  const member = new SimulatedMember();
  member.mount(ours);
  return member;
}

const carryOut = (member: SimulatedMember, step: (context: steps.StepContext) => Parameters<SimulatedMember['carryOut']>[0]) =>
  member.carryOut(step(member.context(settings)));

describe('halt: the daemon lets go of the policy file system', () => {
  const reset = 'resets the connections of clients';
  const transfer = { listens: true, holds: true } as const;

  it.each<[string, Partial<SimulatedProcess>, string[], number]>([
    ['an idle one is left alone', served, [], 0],
    ['one in a transfer that ignores nothing loses its clients only', transfer, [reset], 5],
    ['one whose transfer hangs gets SIGTERM', { ...transfer, ignoresReset: true }, [reset, 'sends SIGTERM to cf-serverd'], 6],
    [
      'one that does not end is killed after five seconds more',
      { ...transfer, ignoresReset: true, ignoresTerm: true },
      [reset, 'sends SIGTERM to cf-serverd', 'sends SIGKILL to cf-serverd'],
      11,
    ],
    [
      'a stopped one is killed without waiting for what it cannot do',
      { ...transfer, ignoresReset: true, state: 'T' },
      [reset, 'sends SIGTERM to cf-serverd', 'sends SIGKILL to cf-serverd'],
      6,
    ],
    [
      'one that ends, but is not reaped, counts as ended',
      { ...transfer, ignoresReset: true, unreaped: true },
      [reset, 'sends SIGTERM to cf-serverd'],
      6,
    ],
  ])('%s', async (_title, daemon, effects, seconds) => {
    const member = memberWithPackage();
    member.add(daemonName, daemon);
    const expected = effects.length === 0 ? 'ok' : 'done';
    expect(await carryOut(member, steps.daemonLetsGo)).toMatchObject({ failed: null, outcome: expected, effects });
    expect(member.elapsed() / 1000).toBeCloseTo(seconds, 0);
  });

  it('a transfer that ends within the grace costs neither the daemon nor its clients anything', async () => {
    const member = memberWithPackage();
    const daemon = member.add(daemonName, transfer);
    member.after(4.9, () => Object.assign(daemon, { holds: false }));
    expect(await carryOut(member, steps.daemonLetsGo)).toMatchObject({ failed: null, outcome: 'done', effects: [] });
    expect(member.elapsed() / 1000).toBeLessThan(5);
  });

  it('the next file of a fetch, opened right behind the last one, fails no halt', async () => {
    for (const free of [2, 3]) {
      const member = memberWithPackage();
      const daemon = member.add(daemonName, transfer);
      let looks = 0;
      Object.defineProperty(daemon, 'holds', { get: () => ++looks !== free });
      expect(await carryOut(member, steps.daemonLetsGo)).toMatchObject({ failed: null, outcome: 'done', effects: [] });
    }
  });

  it('a transfer that ends a little after the reset costs no daemon', async () => {
    const member = memberWithPackage();
    const daemon = member.add(daemonName, { ...transfer, ignoresReset: true });
    member.after(5.9, () => Object.assign(daemon, { holds: false }));
    expect(await carryOut(member, steps.daemonLetsGo)).toMatchObject({ failed: null, effects: [reset] });
  });

  it('without ss the daemon is ended all the same', async () => {
    const member = memberWithPackage();
    member.answers.ss = { exitCode: null, errorCode: 'ENOENT' };
    member.add(daemonName, transfer);
    expect(await carryOut(member, steps.daemonLetsGo)).toMatchObject({ failed: null, effects: ['sends SIGTERM to cf-serverd'] });
  });

  it('every process of the daemon that holds it is ended, and no other', async () => {
    const member = memberWithPackage();
    member.add(daemonName, { ...transfer, ignoresReset: true });
    member.add(daemonName, { holds: true, ignoresReset: true });
    member.add(daemonName);
    member.add('bash', { holds: true, ignoresReset: true });
    const { effects } = await carryOut(member, steps.daemonLetsGo);
    expect(effects).toEqual([reset, 'sends SIGTERM to cf-serverd', 'sends SIGTERM to cf-serverd']);
    expect(member.processes.map(({ name }) => name)).toEqual([daemonName, 'bash']);
  });

  it('another process that holds it is never killed, but is named', async () => {
    const member = memberWithPackage();
    member.add(daemonName, served);
    member.add('bash', { holds: true });
    member.add('cf-serverd2', { holds: true });
    expect(await carryOut(member, steps.daemonLetsGo)).toMatchObject({ failed: null, outcome: 'ok', effects: [] });
    const named = await carryOut(member, steps.othersNamed);
    expect(named).toMatchObject({ failed: null, outcome: 'warning', effects: [] });
    expect(named.text).toContain('bash (pid 101), cf-serverd2 (pid 102) use /csync');
  });

  it('no process is named where only the daemon holds it', async () => {
    const member = memberWithPackage();
    member.add(daemonName, transfer);
    expect(await carryOut(member, steps.othersNamed)).toMatchObject({ failed: null, outcome: 'ok' });
  });

  it('copies of the mount are unknown while the own mount table is unreadable', async () => {
    const member = memberWithPackage();
    member.tables = [{ process: { pid: 77, name: 'conmon', state: 'S', startTime: '1' }, text: '' }];
    expect(await carryOut(member, copiesUnmounted)).toMatchObject({ outcome: 'warning', effects: [] });
  });

  it.each([
    ['none', [''], 'ok', []],
    ['mounts of other devices', ['36 35 98:9 / /csync rw - ext4 /dev/x rw'], 'ok', []],
    ['one that a container has, elsewhere', ['36 35 98:0 / /host/csync rw - ext4 /dev/x rw'], 'warning', ['/host/csync']],
    ['two', ['36 35 98:0 / /a rw - ext4 /dev/x rw\n37 35 98:0 / /b rw - ext4 /dev/x rw'], 'warning', ['/a', '/b']],
    ['one that the unmount reaches', ['36 35 98:0 / /csync rw master:7 - ext4 /dev/x rw'], 'ok', []],
    ['one that another unmount reaches', ['36 35 98:0 / /csync rw master:8 - ext4 /dev/x rw'], 'warning', ['/csync']],
  ])('copies of the mount in other mount namespaces are unmounted there: %s', async (_what, texts, outcome, targets) => {
    const member = memberWithPackage();
    member.file('/proc/self/mountinfo', '21 1 8:1 / / rw - ext4 /dev/a rw\n22 21 98:0 / /csync rw shared:7 - ext4 /dev/x rw\n');
    member.answers.nsenter = {};
    const process = { pid: 77, name: 'conmon', state: 'S', startTime: '1' };
    member.tables = texts.map((text) => ({ process, text }));
    const { outcome: is, effects } = await carryOut(member, copiesUnmounted);
    expect([is, effects]).toEqual([
      outcome,
      targets.map((target) => `nsenter --target 77 --mount --root --wd -- umount --lazy ${target}`),
    ]);
  });

  it.each<[string, Partial<CommandResult> | null, string, string]>([
    ['is thawed', {}, 'done', '/csync was frozen (fsfreeze) and is thawed'],
    ['that is not frozen is left alone', null, 'ok', '/csync is not frozen'],
    ['without fsfreeze', { exitCode: null, errorCode: 'ENOENT' }, 'warning', 'fsfreeze -u failed (ENOENT)'],
    ['that does not thaw', { exitCode: null, timedOut: true }, 'warning', 'fsfreeze -u timed out'],
  ])('a policy file system %s keeps no halt from going on', async (_title, answer, outcome, text) => {
    const member = new SimulatedMember();
    if (answer !== null) member.answers.fsfreeze = answer;
    const result = await carryOut(member, steps.policyFileSystemThawed);
    expect(result).toMatchObject({ failed: null, outcome, effects: ['fsfreeze -u /csync'] });
    expect(result.text).toContain(text);
  });

  it.each<[string, readonly string[] | Partial<CommandResult>, string, string, string[]]>([
    ['no client is left alone', [], 'ok', 'No client is connected to 10.9.0.100', []],
    ['three clients are reset', ['10.9.0.21:1', '10.9.0.21:2', '10.9.0.22:1'], 'done', 'No client is connected', [reset]],
    ['a missing ss is only a warning', { exitCode: null, errorCode: 'ENOENT' }, 'warning', 'list the connections (ENOENT)', []],
    [
      'a refusing ss is only a warning',
      { exitCode: 255, stderr: 'Cannot open netlink socket: Permission denied\n' },
      'warning',
      '(Cannot open netlink socket: Permission denied)',
      [],
    ],
  ])('clients: %s', async (_title, given, outcome, text, effects) => {
    const member = new SimulatedMember();
    if ('exitCode' in given) member.answers.ss = given;
    else member.connections = given as readonly string[];
    const result = await carryOut(member, steps.clientsDisconnected);
    expect(result).toMatchObject({ failed: null, outcome, effects });
    expect(result.text).toContain(text);
  });

  it.each<[string, string[], string, string]>([
    ['that withstands the reset is named', ['10.9.0.21:4000'], 'warning', '10.9.0.21:4000 are connected to 10.9.0.100'],
    ['that comes meanwhile is not', ['10.9.0.22:4000'], 'done', 'No client is connected'],
  ])('a client %s', async (_title, after, outcome, text) => {
    const member = Object.assign(new SimulatedMember(), { connections: ['10.9.0.21:4000'] });
    const step = steps.clientsDisconnected(member.context(settings));
    const run = async () => {
      await step.action?.run({ code: 'clients-connected', text: '' });
      member.connections = after;
    };
    const result = await member.carryOut({ ...step, action: { what: '', run } });
    expect(result).toMatchObject({ outcome, text: expect.stringContaining(text) });
  });

  it.each([
    ['nothing is mounted', [], null, 'ok'],
    ['something is mounted elsewhere', [{ ...ours, target: '/csync2' }], null, 'ok'],
    ['it is mounted', [ours], 'still-held', 'failed'],
    ['anything is mounted there', [{ ...ours, source: 'tmpfs' }], 'still-held', 'failed'],
  ])('unmounted: %s', async (_title, mounts, failed, outcome) => {
    const member = new SimulatedMember();
    member.mount(...mounts);
    expect(await carryOut(member, steps.policyFileSystemGone)).toMatchObject({ failed, outcome, effects: [] });
  });
});

describe('the daemon of this member', () => {
  it.each<[string, { name?: string; daemon?: Partial<SimulatedProcess>; starts?: boolean }, string | null, string[]]>([
    ['that answers is left alone', { daemon: {} }, null, []],
    ['that is dead is started', {}, null, ['starts cf-serverd']],
    ['that hangs is ended first', { daemon: { hangs: true } }, null, ['sends SIGTERM to cf-serverd', 'starts cf-serverd']],
    [
      'that is stopped is killed first',
      { daemon: { state: 'T' } },
      null,
      ['sends SIGTERM to cf-serverd', 'sends SIGKILL to cf-serverd', 'starts cf-serverd'],
    ],
    [
      'that hangs at its end, too, is killed first',
      { daemon: { hangs: true, ignoresTerm: true } },
      null,
      ['sends SIGTERM to cf-serverd', 'sends SIGKILL to cf-serverd', 'starts cf-serverd'],
    ],
    ['that does not come up is a failure', { starts: false }, 'daemon-dead', ['starts cf-serverd']],
    [
      'whose port a foreign program has is not started, and that one not ended',
      { name: 'nginx', daemon: {} },
      'port-occupied',
      [],
    ],
  ])('%s', async (_title, { name = daemonName, daemon, starts = true }, failed, effects) => {
    const member = new SimulatedMember();
    member.daemonStarts = starts;
    if (daemon !== undefined) member.add(name, { ...served, ...daemon });
    expect(await carryOut(member, steps.daemonRunning)).toMatchObject({ failed, effects });
    expect(member.processes.filter(({ listens }) => listens)).toHaveLength(failed === 'daemon-dead' ? 0 : 1);
  });

  it('is ended with each process that has its port: a child that was stopped before its exec outlives it', async () => {
    const member = new SimulatedMember();
    for (let one = 0; one < 2; one += 1) member.add(daemonName, { ...served, state: 'T' });
    const ended = ['sends SIGTERM to cf-serverd', 'sends SIGKILL to cf-serverd'];
    const effects = [...ended, ...ended, 'starts cf-serverd'];
    expect(await carryOut(member, steps.daemonRunning)).toMatchObject({ failed: null, effects });
  });

  it.each<[string, Partial<SimulatedProcess> | null, string[], number]>([
    ['answers: it is left alone', {}, [], 0],
    ['is dead: it is started', null, ['starts the daemon beside the halt'], 0],
    ['hangs: no halt waits for what it does', { hangs: true, ignoresTerm: true }, ['starts the daemon beside the halt'], 0.5],
  ])('that, behind a halt, %s', async (_title, daemon, effects, seconds) => {
    const member = new SimulatedMember();
    if (daemon !== null) member.add(daemonName, { ...served, ...daemon });
    const made = await carryOut(member, (context) => steps.daemonRevived(context, ['node', 'csync-halt.cjs', 'daemon']));
    expect(made).toMatchObject({ failed: null, effects });
    expect(member.elapsed() / 1000).toBeLessThanOrEqual(seconds);
  });

  it('is waited for as long as it takes to answer, up to ten seconds', async () => {
    for (const [seconds, outcome] of [
      [9.5, 'done'],
      [10.5, 'failed'],
    ] as const) {
      const member = new SimulatedMember();
      member.daemonStarts = false;
      member.after(seconds, () => void member.add(daemonName, served));
      expect((await carryOut(member, steps.daemonRunning)).outcome, `after ${seconds} s`).toBe(outcome);
    }
  });

  it('does not run when it does not answer, and the answer says why', async () => {
    const member = new SimulatedMember();
    member.add(daemonName, { ...served, hangs: true });
    const { daemon } = member.context(settings);
    expect(await daemon.judgeRunning()).toEqual({
      code: 'daemon-dead',
      text: 'cf-serverd (pid 100) does not answer: no answer within 3000 ms',
    });
  });

  it.each([
    [3, ['sends SIGHUP to cf-serverd']],
    [2, []],
  ])('of generation %d is reloaded as that generation takes it', (generation, effects) => {
    const member = new SimulatedMember();
    member.add(generation === 3 ? daemonName : 'cfservd', served);
    member.context(settingsFor({ cfengine_generation: generation })).daemon.reload();
    expect(member.effects).toEqual(effects);
  });
});

describe('programs and keys', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const keys = '/var/lib/cfengine3/ppkeys';
  const sound: Readonly<Record<string, Omit<SimulatedFile, 'inode'>>> = {
    '/usr/bin/cf-serverd': { text: 'ELF', mode: 0o755 },
    '/usr/bin/cf-agent': { text: 'ELF', mode: 0o755 },
    [keys]: { text: null, mode: 0o700 },
    [`${keys}/localhost.priv`]: { text: privateKey, mode: 0o600 },
    [`${keys}/localhost.pub`]: { text: publicKey, mode: 0o600 },
  };

  it.each<[string, string, Partial<SimulatedFile> | null, string]>([
    ['all in order', keys, {}, 'ok [installed] The programs and keys of cfengine are usable'],
    ['a public key everybody may read', `${keys}/localhost.pub`, { mode: 0o644 }, 'ok '],
    ['no daemon', '/usr/bin/cf-serverd', null, 'failed [program-missing] /usr/bin/cf-serverd cannot be executed'],
    ['an agent that is no program', '/usr/bin/cf-agent', { mode: 0o644 }, 'failed [program-missing] /usr/bin/cf-agent cannot'],
    ['a key directory others may enter', keys, { mode: 0o755 }, `failed [keys-unusable] ${keys} has mode 755`],
    ['no private key', `${keys}/localhost.priv`, null, 'failed [keys-unusable] '],
    ['no public key', `${keys}/localhost.pub`, null, 'failed [keys-unusable] '],
    [
      'a private key others may read',
      `${keys}/localhost.priv`,
      { mode: 0o640 },
      `failed [keys-unusable] ${keys}/localhost.priv can be read`,
    ],
    [
      'a damaged private key',
      `${keys}/localhost.priv`,
      { text: privateKey.slice(0, 400) },
      `failed [keys-unusable] ${keys}/localhost.priv is no private key`,
    ],
    [
      'an empty private key',
      `${keys}/localhost.priv`,
      { text: '' },
      `failed [keys-unusable] ${keys}/localhost.priv is no private key`,
    ],
  ])('%s', async (_title, path, change, expected) => {
    const member = new SimulatedMember();
    for (const [name, file] of Object.entries(sound)) {
      const { text, mode } = { ...file, ...(name === path ? change : {}) };
      if (name !== path || change !== null) member.file(name, text, mode);
    }
    const { outcome, text } = await carryOut(member, steps.installationSound);
    expect(`${outcome} ${text}`.startsWith(expected), `${outcome} ${text}`).toBe(true);
    expect(text).not.toContain(privateKey.split('\n')[1]);
  });

  it('make an identity for the probe once, which is kept and found by the next script', async () => {
    const member = new SimulatedMember();
    member.file(`${keys}/localhost.priv`, privateKey);
    const first = await member.context(settings).daemon.identity();
    expect(member.effects).toEqual([expect.stringMatching(/^writes csync-probe-[0-9a-f]{32}\.pem$/)]);
    expect(await member.context(settings).daemon.identity()).toEqual(first);
    expect(member.effects).toHaveLength(1);
    const [kept] = [...member.files].filter(([path]) => path.startsWith('/run/csync-probe-'));
    expect(kept?.[1]).toMatchObject({ text: first?.certificate, mode: 0o644 });
  });

  it.each([
    ['text', 'damaged'],
    ['nothing', ''],
    ['half of it', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('make the identity anew when what was kept of it is %s', async (_what, text) => {
    const member = new SimulatedMember();
    member.file(`${keys}/localhost.priv`, privateKey);
    await member.context(settings).daemon.identity();
    const path = `/run/${member.effects[0]?.slice('writes '.length)}`;
    member.file(path, text, 0o644);
    const identity = await member.context(settings).daemon.identity();
    expect(identity?.certificate).toContain('BEGIN CERTIFICATE');
    expect(identity?.certificate).not.toBe(text);
    expect(member.readText(path)).toBe(identity?.certificate);
  });

  it('make an identity as well where it cannot be kept', async () => {
    const member = new SimulatedMember();
    member.writesFail = 'EROFS';
    member.file(`${keys}/localhost.priv`, privateKey);
    expect(await member.context(settings).daemon.identity()).not.toBeNull();
  });

  it('that cannot be read for a moment are read again at the next question', async () => {
    const member = new SimulatedMember();
    const { daemon } = member.context(settings);
    expect(await daemon.identity()).toBeNull();
    member.file(`${keys}/localhost.priv`, privateKey);
    expect(await daemon.identity()).not.toBeNull();
  });
});

describe('start: what Serviceguard has done is only checked', () => {
  type Given = Partial<Pick<SimulatedMember, 'addresses' | 'names' | 'mounted'>> & { readonly files?: readonly string[] };
  it.each<[string, (context: steps.StepContext) => Parameters<SimulatedMember['carryOut']>[0], Given, string, string | null]>([
    ['a free mount point', steps.mountPointFree, { files: ['/csync'] }, 'ok', null],
    ['no mount point', steps.mountPointFree, {}, 'failed', 'mount-point-missing'],
    ['a file in the mount point', steps.mountPointFree, { files: ['/csync', '/csync/x'] }, 'failed', 'mount-point-not-empty'],
    ['a busy mount point', steps.mountPointFree, { files: ['/csync'], mounted: [ours] }, 'failed', 'mount-point-busy'],
    ['the mount', steps.policyFileSystemMounted, { mounted: [ours] }, 'ok', null],
    ['no mount', steps.policyFileSystemMounted, {}, 'failed', 'not-mounted'],
    ['the address', steps.addressPresent, {}, 'ok', null],
    ['no address', steps.addressPresent, { addresses: ['10.9.0.10'] }, 'failed', 'no-address'],
    ['the name', steps.nameRegistered, {}, 'ok', null],
    ['no name, which keeps no master down', steps.nameRegistered, { names: [] }, 'warning', null],
    ['the policy', steps.policyPresent, { files: ['/csync/dsau'] }, 'ok', null],
    ['no policy', steps.policyPresent, {}, 'failed', 'policy-missing'],
  ])('%s', async (_title, step, { files = [], ...given }, outcome, failed) => {
    const member = Object.assign(new SimulatedMember(), given);
    for (const path of files) member.file(path, null, 0o755);
    expect(await carryOut(member, step)).toMatchObject({ outcome, failed, effects: [] });
  });

  it('an empty file system gets its policy directory; the mount point of one that is not mounted never does', async () => {
    const directory = (mounted: (typeof ours)[]) => {
      const member = Object.assign(new SimulatedMember(), { mounted });
      member.file('/csync', null, 0o755);
      member.file('/csync/lost+found', null, 0o700);
      return member;
    };
    expect((await carryOut(directory([ours]), steps.policyPresent)).effects).toEqual(['makes dsau']);
    expect((await carryOut(directory([]), steps.policyPresent)).effects).toEqual([]);
    const other = directory([ours]);
    other.file('/csync/other', 'text');
    expect((await carryOut(other, steps.policyPresent)).effects).toEqual([]);
  });

  it('a file where the policy directory should be is no policy', async () => {
    const member = new SimulatedMember();
    member.file('/csync/dsau', 'text');
    expect((await carryOut(member, steps.policyPresent)).failed).toBe('policy-missing');
  });
});

describe('the mount point', () => {
  it.each<[string, Partial<CommandResult>, string]>([
    ['is sealed', {}, 'done'],
    ['is good enough where the file system knows no seal', { exitCode: 1, stderr: 'Operation not supported' }, 'done'],
    ['is good enough on a tmpfs', { exitCode: 1, stderr: 'chattr: Inappropriate ioctl for device' }, 'done'],
    ['that cannot be sealed is only warned of', { exitCode: 1, stderr: 'chattr: Permission denied' }, 'warning'],
    ['without chattr is only warned of', { exitCode: null, errorCode: 'ENOENT' }, 'warning'],
  ])('%s', async (_title, chattr, outcome) => {
    const member = Object.assign(new SimulatedMember(), { answers: { chattr } });
    expect(await carryOut(member, steps.mountPointSealed)).toMatchObject({
      failed: null,
      outcome,
      effects: ['chattr +i /csync'],
    });
  });
});

describe('the sentinel', () => {
  const epochAfter = async (member: SimulatedMember) => {
    const { failed, text } = await carryOut(member, steps.sentinelWritten);
    expect([failed, text]).toEqual([
      null,
      `[promoted] This promotion has epoch ${JSON.parse(member.readText(sentinel) ?? '').epoch}: its mark is on the policy file system.`,
    ]);
    return JSON.parse(member.readText(sentinel) ?? '') as unknown;
  };

  it('raises its epoch at each start, and says who and when', async () => {
    const member = memberWithPackage();
    expect(await epochAfter(member)).toEqual({ epoch: 1, member: 'm1', at: '2026-11-23T10:00:00.000Z' });
    expect(await epochAfter(member)).toMatchObject({ epoch: 2 });
    member.file(sentinel, '{"epoch":41,"member":"m2"}');
    expect(await epochAfter(member)).toMatchObject({ epoch: 42, member: 'm1' });
  });

  it('that is damaged begins anew instead of stopping a start', async () => {
    const member = memberWithPackage();
    member.file(sentinel, '{"epo');
    expect(await epochAfter(member)).toMatchObject({ epoch: 1 });
  });

  it('does not count on from one that cannot be read: its number may be taken', async () => {
    const member = memberWithPackage();
    member.file(sentinel, null);
    expect(await carryOut(member, steps.sentinelWritten)).toMatchObject({ failed: null, outcome: 'warning', effects: [] });
  });

  it('has the next number also where only the note of the last halt has the last one', async () => {
    const member = memberWithPackage();
    member.file(sentinel, '{"epo');
    member.file('/csync/.csync-handover.json', '{"epoch":7,"member":"m2","lostAt":1,"reason":"failure"}');
    expect(await epochAfter(member)).toMatchObject({ epoch: 8 });
  });

  it.each(['ENOSPC', 'EDQUOT'])('is written over the old one where %s leaves no room for another', async (code) => {
    const member = memberWithPackage();
    member.file(sentinel, '{"epoch":41,"member":"m2"}');
    member.writesFail = code;
    expect(await epochAfter(member)).toMatchObject({ epoch: 42, member: 'm1' });
    expect(member.effects).toEqual(['overwrites csync.sentinel']);
  });

  it.each<[string, string | null, string]>([
    ['ENOSPC', null, 'cannot be written: ENOSPC. '],
    ['EROFS', '{"epoch":1}', 'cannot be written: EROFS. '],
    ['EIO', '{"epoch":1}', 'cannot be written: EIO. '],
    ['ENOSPC', '{"epoch":1}', 'cannot be written: ENOSPC, nor overwritten in place: EIO. '],
  ])('that cannot be written (%s, before it %s) is reported, and costs no start', async (code, before, said) => {
    const member = memberWithPackage();
    if (before !== null) member.file(sentinel, before);
    member.writesFail = code;
    member.overwritesFail = 'EIO';
    const { failed, outcome, text } = await carryOut(member, steps.sentinelWritten);
    expect([failed, outcome]).toEqual([null, 'warning']);
    expect(text).toContain(`[sentinel-unwritable] ${sentinel} ${said}`);
    expect(member.readText(sentinel)).toBe(before);
  });
});

describe('the proof of the role', () => {
  const master = (): SimulatedMember => {
    const member = memberWithPackage();
    member.file(sentinel, '{"epoch":1}');
    member.add(daemonName, served);
    return member;
  };
  const stat = { size: 11, mtime: 1, inode: 1 };

  it('is that the daemon serves through the package address what lies on the disk here', async () => {
    expect(await carryOut(master(), steps.roleProved)).toMatchObject({ outcome: 'ok', effects: [] });
  });

  it('is the directory of the policy where no promotion ever left a mark', async () => {
    const member = memberWithPackage();
    member.file('/csync/dsau', null, 0o755);
    member.add(daemonName, served);
    expect(await carryOut(member, steps.roleProved)).toMatchObject({
      outcome: 'ok',
      text: '[role-proved] A request through 10.9.0.100 returned the /csync/dsau of this member.',
    });
  });

  it('is none where an impostor answers, nor is its file', async () => {
    const member = master();
    member.answer = { kind: 'stranger', why: "answers with another key than the cluster's" };
    expect(await carryOut(member, steps.roleProved)).toMatchObject({ failed: 'role-unproved' });
  });

  it.each<[string, (member: SimulatedMember) => void, string]>([
    [
      'another inode',
      (member) => Object.assign(member, { answer: { kind: 'served', stat: { ...stat, inode: 2 } } }),
      'serves another',
    ],
    [
      'another time',
      (member) => Object.assign(member, { answer: { kind: 'served', stat: { ...stat, mtime: 2 } } }),
      'serves another',
    ],
    [
      'another size',
      (member) => Object.assign(member, { answer: { kind: 'served', stat: { ...stat, size: 12 } } }),
      'serves another',
    ],
    [
      'a file that is not here',
      (member) => Object.assign(member, { answer: { kind: 'served', stat } }).group.files.clear(),
      'serves another',
    ],
    ['a refusal', (member) => void member.group.files.clear(), 'Unspecified server refusal'],
    ['no address', (member) => Object.assign(member, { addresses: [] }), 'ECONNREFUSED'],
    [
      'a daemon that cannot write',
      (member) => Object.assign(member, { answer: { kind: 'silent', why: 'hung up' }, free: 999 }),
      'hung up; the file system of /var/lib/cfengine3, where the daemon writes for each peer, is full',
    ],
  ])('is not %s; one reload and ten seconds are all that is tried', async (_title, change, text) => {
    const member = master();
    change(member);
    const result = await carryOut(member, steps.roleProved);
    expect(result).toMatchObject({ failed: 'role-unproved', effects: ['sends SIGHUP to cf-serverd'] });
    expect(result.text).toContain(text);
    expect(member.elapsed() / 1000).toBeCloseTo(10, 0);
  });

  it("of generation 2 may take this member's own key, under the address that the daemon saw, which is never replaced", async () => {
    const own = '/var/lib/cfengine3/ppkeys/localhost.pub';
    const trusted = '/var/lib/cfengine3/ppkeys/root-10.9.0.11.pub';
    const member = master();
    member.file(own, 'the public key', 0o600);
    member.answer = { kind: 'unproved', why: 'BAD: key could not be accepted on trust', from: '10.9.0.11', isTrust: true };
    member.after(0.5, () => Object.assign(member, { answer: null }));
    expect(await carryOut(member, steps.roleProved)).toMatchObject({ failed: null, effects: ['writes root-10.9.0.11.pub'] });
    expect(member.files.get(trusted)).toMatchObject({ text: 'the public key', mode: 0o644 });
    const another = master();
    another.file(trusted, 'of another host', 0o644);
    another.file(own, 'the public key', 0o600);
    another.answer = { kind: 'unproved', why: 'BAD: keys did not match', from: '10.9.0.11', isTrust: true };
    const refused = await carryOut(another, steps.roleProved);
    expect(refused).toMatchObject({ failed: 'role-unproved', effects: [] });
    expect(refused.text).toContain('BAD: keys did not match');
  });

  it('of generation 2 may take another start of a daemon that cannot read what the key encloses', async () => {
    const member = master();
    member.answer = { kind: 'unproved', why: 'BAD: Unspecified server refusal', from: '10.9.0.11', isTrust: false };
    const { failed, effects } = await carryOut(member, steps.roleProved);
    expect(failed).toBe('role-unproved');
    expect(effects).toEqual(['sends SIGTERM to cf-serverd', 'starts cf-serverd']);
  });

  it('may take a reload', async () => {
    const member = master();
    member.answer = { kind: 'answered', why: 'BAD: Unspecified server refusal' };
    member.after(0.5, () => Object.assign(member, { answer: null }));
    expect(await carryOut(member, steps.roleProved)).toMatchObject({
      failed: null,
      outcome: 'done',
      effects: ['sends SIGHUP to cf-serverd'],
    });
    expect(member.elapsed() / 1000).toBeLessThan(1);
  });
});
