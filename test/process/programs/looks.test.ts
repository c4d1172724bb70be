/** What the layers of the monitor find where this host lacks what would look: that is unknown, and never good. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CommandResult, MemberHost } from '../../../src/host/host.ts';
import type { Daemon } from '../../../src/member/daemon.ts';
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
