/** What the layers of the monitor find where this host lacks what would look: that is unknown, and never good. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import type { CommandResult, MemberHost } from '../../../src/host/host.ts';
import { Daemon } from '../../../src/member/daemon.ts';
import { labelsText } from '../../../src/member/labels.ts';
import { type Found, type LayerName, openLooks } from '../../../src/member/monitor/layers.ts';
import { scratchDirectory, settingsFor } from '../../support.ts';

const settings = settingsFor();
const scratch = scratchDirectory();
const sentinelPath = join(scratch, 'sentinel');
beforeAll(() => writeFileSync(sentinelPath, '{"epoch":1}'));
const answer = (more: Partial<CommandResult>): CommandResult => ({
  ...{ exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' },
  ...more,
});

/** One probe of a layer, on a host whose programs all print that answer. */
async function found(layer: LayerName, said: Partial<CommandResult>): Promise<Found> {
  let now = 0;
  const host = {
    elapsed: () => ++now,
    mounts: () => [{ source: '/dev/mapper/x', target: settings.mountPoint, type: 'ext4', options: ['rw'] }],
    run: async () => answer(said),
  } as unknown as MemberHost;
  const looks = openLooks(host, settings, { sentinelPath } as Daemon, '/set');
  try {
    return await looks.look[layer](5000);
  } finally {
    looks.close();
  }
}

describe('the owner of the address', () => {
  it.each<[string, Partial<CommandResult>, Found]>([
    ['no other host answers', {}, { result: 'good', detail: 'no other host answers for the package address' }],
    [
      'perl is missing',
      { exitCode: null, errorCode: 'ENOENT' },
      { result: 'unknown', detail: 'not probed: perl is missing', isOurLack: true },
    ],
    [
      'perl takes too long',
      { exitCode: null, timedOut: true },
      { result: 'unknown', detail: 'not probed: perl exceeded its time limit' },
    ],
    [
      'the probe fails',
      { exitCode: 1, stderr: 'no packet socket: Operation not permitted\n' },
      { result: 'unknown', detail: 'not probed: no packet socket: Operation not permitted' },
    ],
    ['no process can be started', { exitCode: null, errorCode: 'EAGAIN' }, { result: 'unknown', detail: 'not probed: EAGAIN' }],
  ])('where %s', async (_, said, expected) => {
    expect(await found('owner', said)).toEqual(expected);
  });
});

describe('the room on the policy file system', () => {
  it.each<[string, Partial<CommandResult>, string | undefined]>([
    ['there is enough', { stdout: '9000 10000 4096 900 1000\n' }, undefined],
    ['there is little', { stdout: '999 10000 4096 900 1000\n' }, 'policy file system: 3 MB (9 %) are free'],
    ...(
      [
        ['stat fails', { exitCode: 1, stderr: 'stat: cannot read file system information' }],
        ['stat takes too long', { exitCode: null, timedOut: true }],
      ] as const
    ).map(([title, said]): [string, Partial<CommandResult>, string] => [
      title,
      said,
      'the free space of the policy file system is unknown: stat -f does not answer',
    ]),
  ])('where %s', async (_, said, remark) => {
    expect(await found('storage', said)).toEqual({
      result: 'good',
      detail: 'mounted and read',
      ...(remark === undefined ? {} : { remark }),
    });
  });
});

/** A host with these files, on which the daemon of the member listens. */
function hostWith(texts: Readonly<Record<string, string>>, said: Partial<CommandResult> = { stdout: 'a:b:unlabeled_t:s0\n' }) {
  const process = { pid: 7, name: 'cf-serverd', state: 'S', startTime: '1' };
  const program = '/usr/bin/cf-serverd';
  let runs = 0;
  const host = {
    elapsed: () => 0,
    readText: (path: string) => texts[path] ?? null,
    listeners: () => [{ inode: '1', processes: [process] }],
    origin: () => ({ users: [0, 0, 0, 0], trusted: [0], program }),
    program: () => ({ path: program, isScript: false }),
    canExecute: () => true,
    facts: () => ({ mode: 0o600 }),
    run: async () => {
      runs += 1;
      return answer(said);
    },
  } as unknown as MemberHost;
  return { host, runs: () => runs };
}

describe('a refused read, where SELinux is on', () => {
  const domain = { '/proc/7/attr/current': 'a:b:cfengine_serverd_t:s0\0' };
  const reader = { pid: 7, name: 'cf-serverd' } as const;
  const named = '; SELinux is enforcing: cf-serverd has the label a:b:cfengine_serverd_t:s0, /f has ';

  it.each<[string, Record<string, string>, Partial<CommandResult> | undefined, number, string, number]>([
    [
      'enforcing',
      { '/sys/fs/selinux/enforce': '1', ...domain },
      undefined,
      100,
      `${named}the label a:b:unlabeled_t:s0. Fix: csync check`,
      1,
    ],
    [
      'stat fails',
      { '/sys/fs/selinux/enforce': '1', ...domain },
      { exitCode: 1 },
      100,
      `${named}an unknown label. Fix: csync check`,
      1,
    ],
    ['no time is left', { '/sys/fs/selinux/enforce': '1', ...domain }, undefined, 0, '', 0],
    ['permissive', { '/sys/fs/selinux/enforce': '0', ...domain }, undefined, 100, '', 0],
    ['off', {}, undefined, 100, '', 0],
  ])('%s', async (_, texts, said, limitMs, text, programs) => {
    const { host, runs } = hostWith(texts, said);
    expect(await labelsText(host, '/f', reader, limitMs)).toBe(text);
    expect(runs()).toBe(programs);
  });

  it.each([
    [
      'names both labels in the remark of the monitor',
      { '/sys/fs/selinux/enforce': '1', ...domain },
      /: no such file; SELinux is enforcing: cf-serverd has the label .*_serverd_t:s0, .*sentinel has the label a:b:unlabeled_t/,
    ],
    ['names none where SELinux is off', {}, /: no such file$/],
  ])('%s', async (_, texts, remark) => {
    const { host } = hostWith(texts);
    const adapter = { ...adapterFor(settings), probe: async () => ({ kind: 'answered', why: 'no such file' }) as const };
    const looks = openLooks(host, settings, new Daemon(host, settings, adapter), '/set');
    const { result, remark: said } = await looks.look.protocol(5000);
    looks.close();
    expect([result, said]).toEqual(['good', expect.stringMatching(remark)]);
  });
});

it.each([
  ['1\n', /no private key cfengine can read \(.*; FIPS mode is on, which forbids MD5 and 3DES\)$/],
  ['0\n', /no private key cfengine can read \([^;]*\)$/],
])('a key that cannot be read is reported with FIPS mode, if it is on: %j', (fips, text) => {
  const { privateKey, publicKey } = adapterFor(settings);
  const texts = { '/proc/sys/crypto/fips_enabled': fips, [privateKey]: 'damaged', [publicKey]: 'damaged' };
  const { host } = hostWith(texts);
  expect(new Daemon(host, settings).judgeInstallation()).toEqual({ code: 'keys-unusable', text: expect.stringMatching(text) });
});
