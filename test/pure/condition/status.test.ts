/** What a condition amounts to: verdict, exit status, and the command that helps. */

import { describe, expect, it } from 'vitest';
import { type MemberCondition, parseCondition } from '../../../src/cluster/condition/member-condition.ts';
import { judgeStatus, type MemberStatus, type StatusInput, statusExit } from '../../../src/cluster/condition/status.ts';
import { statusText } from '../../../src/cluster/condition/status-text.ts';
import { emptyRoster, withWaiting } from '../../../src/contract/roster.ts';
import type { PackageStatus } from '../../../src/engine/engine.ts';
import type { MemberShell } from '../../../src/host/admin/member-shell.ts';
import { lookAtStatus } from '../../../src/verbs/cluster/status.ts';
import { runningOn, settingsFor } from '../../support.ts';

const settings = settingsFor({ members: ['m1', 'm2'] });
const idle: MemberCondition = {
  daemons: 1,
  mounted: false,
  address: false,
  clock: { ahead: 0, doubt: 0.1 },
  sentinel: null,
  policyDigest: null,
  staged: null,
  leaving: null,
  room: null,
  view: { cards: ['02:00:00:00:00:02'], behind: '02:00:00:00:00:01' },
  maintenance: null,
  monitor: null,
};
const serving: MemberCondition = {
  ...idle,
  mounted: true,
  address: true,
  sentinel: '{"epoch":3,"member":"m1","at":"2026-11-23T10:00:00.000Z"}',
  policyDigest: 'ab'.repeat(32),
  room: 'enough',
  view: { cards: ['02:00:00:00:00:01', '02:00:00:00:0a:01'], behind: null },
};
const gone = (why: string) => ({ why, remedy: 'ssh -o BatchMode=yes m2 true' });
const member = (name: string, more: Partial<MemberStatus> = {}): MemberStatus => ({
  member: name,
  seen: idle,
  noAnswer: { why: '', remedy: '' },
  inCluster: 'up',
  switching: true,
  staleFiles: [],
  ...more,
});
const misled = member('m3', { seen: { ...idle, view: { cards: ['02:00:00:00:00:03'], behind: '02:00:00:00:00:02' } } });
const up = runningOn('m1');
const down: PackageStatus = { ...up, status: 'down', state: 'halted', owner: null };

const input = (m1: Partial<MemberStatus>, m2: Partial<MemberStatus> = {}, more: Partial<StatusInput> = {}): StatusInput => ({
  place: settings,
  applied: true,
  clusterAnswers: true,
  status: up,
  clients: [],
  roster: emptyRoster,
  unread: [],
  clusterMembers: ['m1', 'm2'],
  moving: false,
  now: Date.UTC(2026, 10, 23, 12),
  members: [member('m1', { seen: serving, ...m1 }), member('m2', m2)],
  ...more,
});

describe('files of a newer csync', () => {
  const told = (m1: Partial<MemberStatus>, more: Partial<StatusInput> = {}) => {
    const { condition, advice } = judgeStatus(input(m1, {}, more));
    return { condition, advice: advice.map(({ text }) => text) };
  };

  it('the state of a monitor is named, and the condition does not depend on it', () => {
    expect(told({ seen: { ...serving, monitor: 2 } })).toEqual({
      condition: 'serving',
      advice: [expect.stringMatching(/^the state of the monitor on m1 has format 2: a newer csync wrote it/)],
    });
  });

  it('a roster is named, and nothing is concluded from its absence', () => {
    const unread = [{ text: 'm2: roster.json has format 2', remedy: 'csync toolkit status' }];
    expect(told({}, { unread, clusterMembers: ['m1', 'm2', 'm9'] })).toEqual({
      condition: 'serving',
      advice: ['m2: roster.json has format 2'],
    });
  });
});

describe('a monitor that reports no more', () => {
  const seconds = (ago: number): string => new Date(Date.UTC(2026, 10, 23, 12) - ago * 1000).toISOString();
  const reported = (ago: number, more: Partial<MemberCondition> = {}) => ({
    seen: {
      ...serving,
      monitor: {
        ...{ version: 1 as const, package: 'csync', member: 'm1', pid: 7, startedAt: seconds(9000), at: seconds(ago) },
        ...{
          watching: 'cf-serverd (pid 42)',
          endIsEvent: true,
          paused: false,
          brake: null,
          starvations: 0,
          layers: {},
          verdict: null,
        },
      },
      ...more,
    },
  });
  const isTold = (m1: Partial<MemberStatus>, more: Partial<StatusInput> = {}): boolean =>
    judgeStatus(input(m1, {}, more)).advice.some(({ text }) => text.includes('the last report of the monitor on m1'));

  it.each<[string, Partial<MemberStatus>, boolean]>([
    ['reports are fresh', reported(40), false],
    ['the last one is older than any may be', reported(100), true],
    ['by a clock that is ahead', reported(40, { clock: { ahead: 60, doubt: 0.1 } }), true],
    ['by a clock that is behind', reported(100, { clock: { ahead: -60, doubt: 0.1 } }), false],
    ['by a clock that is not known', reported(100, { clock: { ahead: Number.NaN, doubt: Number.NaN } }), false],
    ['during maintenance', reported(100, { maintenance: '' }), false],
    ['the package has just started', reported(100, { sentinel: `{"epoch":3,"member":"m1","at":"${seconds(5)}"}` }), false],
  ])('%s', (_, m1, wanted) => {
    expect(isTold(m1)).toBe(wanted);
  });

  it('counts only where the package runs', () => {
    expect(isTold(reported(100), { status: down })).toBe(false);
  });
});

describe('a check of a package that moves', () => {
  const sentinel = (epoch: number, at: string): string => JSON.stringify({ epoch, member: 'm1', at });
  const old = sentinel(2, '2026-11-23T09:00:00.000Z');
  const fresh = sentinel(3, '2026-11-23T10:00:00.000Z');
  /** m1 as it is at each of its looks, the last one for ever; Serviceguard says all the while that it runs there. */
  const lookAt = async (...sentinels: readonly (string | null)[]) => {
    const left = [...sentinels];
    let looks = 0;
    const shell = {
      here: 'm1',
      stop: new AbortController().signal,
      run: async (on: string, text: string) => {
        const answer = (stdout: string) => ({ exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout, stderr: '' });
        if (text.includes('cmgetconf')) return answer('package_name csync\n');
        if (text.includes('cmviewcl'))
          return answer(
            [
              'node:m1|state=running',
              'node:m1|status=up',
              ...['name=csync', 'status=up', 'state=running', 'owner=m1', 'autorun=enabled'].map((one) => `package:csync|${one}`),
              '',
            ].join('\n'),
          );
        const lines = ['directory /d', `clock ${Date.now() / 1000}`, 'daemons 1'];
        if (on !== 'm1') return answer(`${lines.join('\n')}\n`);
        looks += 1;
        const now = left.length > 1 ? left.shift() : left[0];
        return answer([...lines, ...(now == null ? [] : ['mounted', 'address', `sentinel ${now}`]), ''].join('\n'));
      },
    } as unknown as MemberShell;
    const seen = await lookAtStatus(shell, settingsFor({ members: ['m1', 'm2'] }), []);
    return { verdict: judgeStatus(seen), looks };
  };

  it('says since when by the sentinel of this promotion, not of the previous one', async () => {
    expect((await lookAt(old, fresh)).verdict).toMatchObject({
      condition: 'serving',
      sentence: 'csync serves from m1 since 2026-11-23T10:00:00.000Z',
    });
    expect((await lookAt(null, fresh)).verdict.sentence).toBe('csync serves from m1 since 2026-11-23T10:00:00.000Z');
  });

  it('asks once more where nothing moves, and again where it does', async () => {
    expect((await lookAt(fresh)).looks).toBe(2);
    expect((await lookAt(old, fresh)).looks).toBe(4);
  });

  it('of a package that is never the same twice says that it moves, and no more', async () => {
    const many = Array.from({ length: 20 }, (_, at) => sentinel(at, '2026-11-23T09:00:00.000Z'));
    expect((await lookAt(...many)).verdict).toMatchObject({
      condition: 'unknown',
      sentence: 'csync is moving: no two checks found it on the same member',
    });
  });
});

describe('the verdict', () => {
  it.each<[string, StatusInput, number, string, string[]]>([
    ['all is well', input({}), 0, 'serves from m1 since 2026-11-23T10:00:00.000Z, policy abababababab', []],
    [
      'the sentinel may not be read',
      input({ seen: { ...serving, sentinel: null, policyDigest: null } }),
      0,
      'serves from m1',
      [],
    ],
    [
      'a member that came is not set up',
      input({}, {}, { roster: { ...emptyRoster, serial: 1 }, clusterMembers: ['m4'] }),
      0,
      'serves from m1',
      ['csync member add m4'],
    ],
    [
      'a set-up waits',
      input({}, {}, { roster: withWaiting(emptyRoster, { host: 'm4', what: 'member' }, 'the package is down', '1') }),
      0,
      'serves from m1',
      ['csync members sync'],
    ],
    ['it would not fail over', input({}, {}, { status: { ...up, autoRun: false } }), 0, 'serves from m1', ['cmmodpkg -e csync']],
    ['a member is switched off', input({}, { switching: false }), 0, 'serves from m1', ['cmmodpkg -e -n m2 csync']],
    ['up, but nothing mounted', input({ seen: { ...serving, mounted: false } }), 1, '/csync is not mounted', ['cmhaltpkg']],
    [
      'up, but no address and no daemon',
      input({ seen: { ...serving, address: false, daemons: 0 } }),
      1,
      '10.9.0.100 is missing, no cfengine',
      ['cmhaltpkg', 'csync-cfservd start'],
    ],
    ['no room known', input({ seen: { ...serving, room: 'unknown' } }), 0, 'serves from m1', ['stat -f /csync']],
    ['little room', input({ seen: { ...serving, room: { short: '3 MB (0 %) are free' } } }), 0, 'serves', ['free space there']],
    [
      'clients reach another member',
      input({}, { seen: { ...idle, view: { ...idle.view, behind: '02:00:00:00:00:02' } } }),
      1,
      'csync runs on m1, but clients reach m2 instead (seen from m2)',
      ['remove 10.9.0.100 from m2 (ip -o -4 addr show; ip addr del 10.9.0.100/PREFIX dev INTERFACE); then on m1: arping -U'],
    ],
    [
      'clients reach a host that is no member',
      input({}, { seen: { ...idle, view: { ...idle.view, behind: '02:00:00:00:00:77' } } }),
      1,
      'clients reach another host (hardware address 02:00:00:00:00:77) instead',
      ['remove 10.9.0.100 from another host (hardware address 02:00:00:00:00:77)'],
    ],
    [
      'one member of two reaches another host',
      input({}, {}, { members: [member('m1', { seen: serving }), member('m2'), misled] }),
      0,
      'serves from m1',
      ['remove 10.9.0.100 from m2'],
    ],
    [
      'a member finds no host at the address',
      input({}, { seen: { ...idle, view: { ...idle.view, behind: 'none' } } }),
      0,
      'serves from m1',
      ['ip neigh show to 10.9.0.100'],
    ],
    [
      'no member can report whom clients reach',
      input({}, { seen: { ...idle, view: { ...idle.view, behind: null } } }),
      0,
      'serves from m1',
      ['install bash on m2'],
    ],
    [
      'the address of the owner is not to be compared',
      input({ seen: { ...serving, view: { cards: [], behind: null } } }),
      0,
      'serves from m1',
      ['install bash on m2'],
    ],
    ['mounted twice', input({}, { seen: serving }), 0, 'serves from m1', ['csync recover']],
    [
      'the owner cannot be checked',
      input({ seen: null, noAnswer: gone('no route') }),
      4,
      'runs on m1, which cannot be checked',
      ['ssh', 'ssh'],
    ],
    [
      'another member cannot',
      input({}, { seen: null, noAnswer: gone('no route') }),
      0,
      'serves from m1',
      ['ssh -o BatchMode=yes m2'],
    ],
    ['starting', input({}, {}, { status: { ...up, state: 'starting' } }), 4, 'csync is starting on m1', ['--watch']],
    ['halting', input({}, {}, { status: { ...up, state: 'halting' } }), 4, 'csync is halting on m1', ['--watch']],
    [
      'in maintenance',
      input({}, {}, { status: { ...up, state: 'maintenance', autoRun: false } }),
      0,
      'in maintenance mode on m1',
      ['csync maintenance off   (checks'],
    ],
    [
      'halted in maintenance, which cmviewcl does not show',
      input(
        { seen: { ...idle, maintenance: 'until 2026-11-23T11:30:00.000Z serviceguard auto_run=yes' } },
        {},
        { status: { ...down, autoRun: false } },
      ),
      3,
      'is halted',
      ['cmmodpkg -e', 'csync maintenance off'],
    ],
    [
      'halted by a user',
      input({ seen: idle }, {}, { status: { ...down, autoRun: false } }),
      3,
      'is halted',
      ['cmmodpkg -e csync'],
    ],
    [
      'failed everywhere',
      input({ seen: idle, switching: false }, { switching: false }, { status: down }),
      1,
      'will not start by itself',
      ['cmmodpkg -e -n m1 -n m2 csync; cmmodpkg -e csync', '-n m1', '-n m2'],
    ],
    [
      'down, with something left behind',
      input({ seen: { ...idle, mounted: true } }, {}, { status: down }),
      1,
      'still active on m1 (/csync)',
      ['csync recover'],
    ],
    [
      'neither applied nor set up',
      input({ seen: idle }, {}, { status: null, applied: false }),
      3,
      'not configured',
      ['csync members sync, then csync apply --run'],
    ],
    [
      'set up, but not applied',
      input({ seen: idle }, {}, { status: null, applied: false, roster: { ...emptyRoster, serial: 1 }, clusterMembers: [] }),
      3,
      'not configured',
      [expect.stringMatching(/^csync apply --run$/)],
    ],
    ['no Serviceguard', input({ seen: idle }, {}, { status: null, clusterAnswers: false }), 4, 'does not answer', ['cmviewcl']],
    [
      'no member there',
      input({ seen: null, noAnswer: gone('x') }, { seen: null, noAnswer: gone('y') }),
      4,
      'no member can be reached',
      ['ssh', 'ssh', 'ssh'],
    ],
    [
      'the monitor paused',
      input({ seen: { ...serving, maintenance: 'until 2026-11-23T12:30:00Z' } }),
      0,
      'serves',
      ['csync maintenance off'],
    ],
    ['a pause that is over', input({ seen: { ...serving, maintenance: 'until 2026-11-23T11:30:00Z' } }), 0, 'serves', []],
    ['a pause without an end', input({ seen: { ...serving, maintenance: '' } }), 0, 'serves', ['csync maintenance off']],
    ['no daemon on a member', input({}, { seen: { ...idle, daemons: 0 } }), 0, 'serves', ['csync members sync   (starts it']],
    ['two daemons', input({}, { seen: { ...idle, daemons: 2 } }), 0, 'serves', ['kill all except']],
    ['a member out of the cluster', input({}, { inCluster: 'down' }), 0, 'serves', ['cmrunnode m2']],
    ['files that drifted', input({}, { staleFiles: ['csync.sh'] }), 0, 'serves', ['csync diff']],
    ['a clock ahead', input({}, { seen: { ...idle, clock: { ahead: 9, doubt: 0.1 } } }), 0, 'serves', ['chrony']],
    [
      'a clock that may be ahead, or the network slow',
      input({}, { seen: { ...idle, clock: { ahead: 9, doubt: 8 } } }),
      0,
      'serves',
      [],
    ],
  ])('%s', (_title, given, exit, sentence, remedies) => {
    const verdict = judgeStatus(given);
    expect(verdict.sentence).toContain(sentence);
    expect(statusExit[verdict.condition]).toBe(exit);
    expect(verdict.advice.map(({ remedy }) => remedy)).toEqual(
      remedies.map((one) => (typeof one === 'string' ? expect.stringContaining(one) : one)),
    );
    const text = statusText(verdict, given);
    for (const { text: said } of verdict.advice) expect(text).toContain(said);
    expect(text).toMatch(/\nm1 .*\nm2 .*\n(m3 .*\n)?\nclients: none has connected yet\n$/);
  });
});

it.each(['starting', 'halting'])('says what has not finished while the package is %s', (state) => {
  const { advice } = judgeStatus(input({}, {}, { status: { ...up, state } }));
  expect(advice.map(({ text }) => text)).toEqual([
    expect.stringContaining(state === 'starting' ? 'its start has not finished' : 'its halt has not finished'),
  ]);
});

describe("the end of Serviceguard's maintenance mode", () => {
  const said = (maintenance: string | null) =>
    judgeStatus(input({ seen: { ...serving, maintenance } }, {}, { status: { ...up, state: 'maintenance', autoRun: false } }))
      .advice;
  it.each<[string, string | null, RegExp]>([
    [
      'is to come',
      'until 2026-11-23T12:30:00.000Z serviceguard auto_run=yes',
      /the monitor disables the mode at 2026-11-23T12:30/,
    ],
    ['is overdue', 'until 2026-11-23T11:30:00.000Z serviceguard auto_run=no', /should have ended at 2026-11-23T11:30/],
    ['is none, if it was begun by hand', null, /the mode has no time limit/],
  ])('%s', (_title, maintenance, expected) => {
    expect(said(maintenance).map(({ text }) => text)).toEqual([expect.stringMatching(expected)]);
  });
});

describe('what a member said of itself', () => {
  it('is read with the doubt about its clock', () => {
    const said =
      'daemons 1\ncards 00:00:00:00:00:00 02:00:00:00:00:01\nmounted 1\nspace 768 81920 4096 5000 5120 /csync\nsentinel {"at":"x y"}\npolicy abc\nclock 105.5\n';
    expect(parseCondition({ text: said, asked: 100, answered: 102 })).toEqual({
      daemons: 1,
      mounted: true,
      address: false,
      clock: { ahead: 4.5, doubt: 1 },
      sentinel: '{"at":"x y"}',
      policyDigest: 'abc',
      staged: null,
      leaving: null,
      room: { short: '3 MB (0 %) are free' },
      view: { cards: ['02:00:00:00:00:01'], behind: null },
      maintenance: null,
      monitor: null,
    });
    expect(parseCondition({ text: 'Connection closed', asked: 1, answered: 2 })).toBeNull();
  });
});
