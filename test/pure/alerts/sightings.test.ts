/** What csync alert run sees: from output of its own member, and nothing from what is missing. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { alertLook, clusterSightings, rankOf, timeOf } from '../../../src/cluster/alerts/sightings.ts';
import { untimed } from '../../../src/cluster/remote/answers.ts';
import { emptyRoster, rosterText } from '../../../src/contract/roster.ts';
import type { ClusterView, PackageStatus } from '../../../src/engine/engine.ts';
import { settingsFor } from '../../support.ts';

const place = settingsFor();
const key = {
  digest: `MD5=${'0'.repeat(32)}`,
  publicKey: '-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n',
};
const packed = (change: object) => gzipSync(rosterText({ ...emptyRoster, serial: 1, key, ...change })).toString('base64');
const now = Date.parse('2026-11-30T12:00:00');
const read = (...lines: string[]) => alertLook(place, 'm2').read({ ...untimed(`${lines.join('\n')}\n`), asked: now / 1000 });

describe('on the member itself', () => {
  it('an answer that was cut off says nothing', () => {
    expect(read('')).toEqual({ happened: { promotion: null }, seen: {} });
  });

  it.each<[string, object]>([
    ['{"epoch":4,"at":5,"failover":null}', { mark: '4', at: 5, text: 'm2 is the cfengine master for csync.lab' }],
    [
      '{"epoch":4,"at":5,"failover":{"from":"m1","milliseconds":412}}',
      { text: 'm2 is the cfengine master for csync.lab, after a failover from m1 with an outage of 0.4 s' },
    ],
  ])('a promotion: %s', (text, expected) => expect(read(`promotion ${text}`).happened.promotion).toMatchObject(expected));

  it.each<[string, string[], unknown]>([
    [
      'short of room',
      ['mounted 1', 'space 1000 100000 4096 90000 100000 /csync'],
      [{ text: expect.stringContaining('3 MB (1 %) are free') }],
    ],
    [
      'short of inodes',
      ['mounted 1', 'space 90000 100000 4096 10 100000 /csync'],
      [{ text: expect.stringContaining('10 inodes (0 %)') }],
    ],
    ['enough', ['mounted 1', 'space 90000 100000 4096 90000 100000 /csync'], []],
    ['a disk that does not answer', ['mounted 1', 'space '], undefined],
    ['mounted nowhere here', ['mounted 0'], 'elsewhere'],
  ])('space: %s', (_title, lines, expected) => {
    const { space } = read(...lines).seen;
    if (Array.isArray(expected) && expected.length > 0) expect(space).toMatchObject(expected);
    else expect(space).toEqual(expected);
  });

  const failed = 'Nov 30 11:59:00 m2 csync start: failed';
  it.each<[string, string[], unknown]>([
    [
      'a start that failed, with its reason',
      [
        'log read',
        `failure ${failed} [mount-failed] It cannot be mounted. | step=mount`,
        `failure ${failed} [script-failed] Start, part 1 failed after 5 ms: next. | exit=2`,
      ],
      { mark: 'm2/Nov-30-11:59:00', text: 'a start of csync on m2 failed: [mount-failed] It cannot be mounted.' },
    ],
    [
      'a start that was stopped',
      ['log read', `failure ${failed} [script-stopped] The script was stopped after 110 s.`],
      { text: expect.stringContaining('[script-stopped]') },
    ],
    ['a halt that failed', ['log read', 'failure Nov 30 11:59:00 m2 csync halt: failed [script-failed] Halt failed.'], null],
    ['a log without a failure', ['log read'], null],
    ['a log that cannot be read', [], undefined],
  ])('%s', (_title, lines, expected) => {
    const found = read(...lines).happened['failed-failover'];
    if (typeof expected === 'object' && expected !== null) expect(found).toMatchObject(expected);
    else expect(found).toBe(expected);
  });

  it.each([
    ['Nov 30 11:59:00', now - 60_000],
    ['Dec 31 23:00:00', Date.parse('2025-12-31T23:00:00')],
    ['Nov 99 11:59:00', 0],
  ])('the year of %s', (stamp, expected) => expect(timeOf(stamp, now)).toBe(expected));

  it.each<[string, string[], unknown]>([
    ['no host is set up', ['unset 1'], []],
    ['a roster that cannot be read', [], undefined],
    ['a damaged roster', ['roster AAAA'], undefined],
    ['a roster of a newer csync', [`roster ${packed({ version: 2 })}`], undefined],
    ['nothing is pending', [`roster ${packed({})}`], []],
    [
      'a key that not every client has',
      [`roster ${packed({ nextKey: key })}`],
      [{ text: expect.stringContaining(`the next key ${key.digest}`) }],
    ],
  ])('the rotation of keys: %s', (_title, lines, expected) => {
    const rotation = read(...lines).seen['key-rotation'];
    if (Array.isArray(expected)) expect(rotation).toMatchObject(expected);
    else expect(rotation).toBe(expected);
  });

  it('a rehearsal of csync rehearse on this member', () => {
    const one = (ready: boolean) => read(`rehearsed {"version":1,"ready":${ready},"sentence":"not on m3"}`).seen.rehearsal;
    expect([one(true), one(false)]).toEqual([[], [expect.objectContaining({ text: 'the last rehearsal failed: not on m3' })]]);
  });
});

describe('in the cluster', () => {
  const serves: PackageStatus = {
    status: 'up',
    state: 'running',
    owner: 'm1',
    autoRun: true,
    switching: new Map([
      ['m1', true],
      ['m2', true],
      ['m3', true],
    ]),
  };
  const view = (change: Partial<PackageStatus> | null, members: Record<string, string> = {}): ClusterView => ({
    name: 'lab',
    members: new Map(Object.entries({ m1: 'up', m2: 'up', m3: 'up', ...members })),
    packages: new Map(change === null ? [] : [[place.packageName, { ...serves, ...change }]]),
  });
  const texts = (seen: ReturnType<typeof clusterSightings>) =>
    Object.fromEntries(
      Object.entries(seen).map(([event, list]) => [event, typeof list === 'string' ? list : list.map(({ text }) => text)]),
    );
  const down = { status: 'down', state: 'halted', owner: null };

  it.each<[string, ClusterView | null, object]>([
    ['no answer', null, {}],
    ['no such package', view(null), {}],
    ['maintenance mode', view({ state: 'maintenance' }), {}],
    ['another word of the engine', view({ status: 'changing' }), {}],
    ['all is well', view({}), { 'package-down': [], readiness: [] }],
    [
      'a member that is down',
      view({}, { m3: 'down' }),
      { 'package-down': [], readiness: ['csync cannot fail over to m3: it is down in the cluster'] },
    ],
    [
      'the active member counts for nothing',
      view({ switching: new Map([['m1', false]]) }),
      { 'package-down': [], readiness: [] },
    ],
    ['disabled', view({ autoRun: false }), { 'package-down': [], readiness: ['csync cannot fail over: AUTO_RUN disabled'] }],
    [
      'halted',
      view({ ...down, autoRun: false }),
      { 'package-down': [expect.stringMatching(/clients have no master: AUTO_RUN disabled: an administrator halted it/)] },
    ],
    [
      'failed everywhere',
      view({
        ...down,
        switching: new Map([
          ['m1', false],
          ['m2', false],
          ['m3', false],
        ]),
      }),
      { 'package-down': [expect.stringContaining('no member may start it')] },
    ],
    ['down, although it may start', view(down), { 'package-down': [expect.stringContaining('it does not start')] }],
  ])('%s', (_title, seen, expected) => expect(texts(clusterSightings(seen, place))).toEqual(expected));

  it.each<[string, ClusterView | null, number[]]>([
    ['all up', view({}), [0, 1, 2]],
    ['the first is down: it comes last', view({}, { m1: 'down' }), [3, 0, 1]],
    ['unknown', null, [0, 1, 2]],
    ['all down', view({}, { m1: 'down', m2: 'down', m3: 'down' }), [0, 1, 2]],
  ])('who reports first: %s', (_title, seen, ranks) => {
    expect(['m1', 'm2', 'm3'].map((member) => rankOf(member, seen, place))).toEqual(ranks);
  });
});
