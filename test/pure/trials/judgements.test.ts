/** What a member makes of what it sees: mounts, mount point, port, names, sentinel. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maintenanceFrom, maintenanceText } from '../../../src/contract/maintenance-file.ts';
import { sentinelEpoch } from '../../../src/contract/policy-file-system.ts';
import type { Listener, MountEntry, ProcessOrigin, ProcessState, ProgramFile } from '../../../src/host/host.ts';
import type { Finding } from '../../../src/member/failures.ts';
import {
  judgeMount,
  judgeMountPoint,
  judgeName,
  judgeOrigin,
  judgePort,
  mountAt,
  type PortOwner,
} from '../../../src/member/judgements.ts';
import { settingsFor } from '../../support.ts';

const settings = settingsFor();
/** "code: text" of a finding, or "good". */
const said = (finding: Finding | null): string => (finding === null ? 'good' : `${finding.code}: ${finding.text}`);

/** "SOURCE TARGET TYPE OPTIONS", several lines parted by semicolons. */
const mounts = (text: string): MountEntry[] =>
  text === ''
    ? []
    : text.split('; ').map((line) => {
        const [source = '', target = '', type = 'ext4', options = 'rw,relatime'] = line.split(' ');
        return { source, target, type, options: options.split(',') };
      });

const ours = '/dev/vg_csync/lv_csync /csync';

describe('the mounts', () => {
  it.each([
    ['none', '', undefined],
    ['another one', '/dev/a /other', undefined],
    ['one further down', '/dev/a /csync/dsau', undefined],
    ['one with a longer name', '/dev/a /csync2', undefined],
    ['ours', '/dev/a /csync', '/dev/a'],
    ['two on top of each other: the later one is seen', '/dev/a /csync; /dev/b /csync; /dev/c /', '/dev/b'],
  ])('at the mount point: %s', (_what, text, source) => {
    expect(mountAt(mounts(text), '/csync')?.source).toBe(source);
  });

  const hyphens = { volume_group: 'vg-a', logical_volume: 'lv--b' };
  const judged: readonly [what: string, text: string, changes: Record<string, unknown>, expected: string][] = [
    ['the device under its own name', ours, {}, 'good'],
    ['the name of the device mapper', '/dev/mapper/vg_csync-lv_csync /csync', {}, 'good'],
    ['hyphens, doubled by the device mapper', '/dev/mapper/vg--a-lv----b /csync', hyphens, 'good'],
    ['hyphens, not doubled', '/dev/mapper/vg-a-lv--b /csync', hyphens, 'not-mounted: /dev/mapper/vg-a-lv--b is mounted'],
    ['nothing', '/dev/a /', {}, 'not-mounted: nothing is mounted at /csync'],
    ['another device', '/dev/vg_csync/lv_other /csync', {}, 'not-mounted: /dev/vg_csync/lv_other is mounted'],
    ['ours, covered by another', `${ours}; tmpfs /csync tmpfs`, {}, 'not-mounted: tmpfs is mounted'],
    ['another type', `${ours} xfs`, {}, 'not-mounted: /csync is of type xfs, not ext4'],
    ['the type that is set', `${ours} xfs`, { file_system_type: 'xfs' }, 'good'],
    ['read-only', `${ours} ext4 ro,relatime`, {}, 'not-mounted: /csync is mounted read-only'],
    ['errors=remount-ro, which is not read-only', `${ours} ext4 rw,errors=remount-ro`, {}, 'good'],
    ['read-only as set', `${ours} ext4 ro`, { mount_options: '-o noatime,ro' }, 'good'],
    ['read-only, though something like it is set', `${ours} ext4 ro`, { mount_options: '-o errors=remount-ro' }, 'not-mounted'],
  ];
  it.each(judged)('must be our device, type and mode: %s', (_what, text, changes, expected) => {
    expect(said(judgeMount(settingsFor(changes), mounts(text)))).toMatch(new RegExp(`^${expected}`));
  });
});

describe('the mount point before a start', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  it.each<[string, string, string[] | null, string]>([
    ['free and empty', '/dev/a /', [], 'good'],
    ['missing', '', null, 'mount-point-missing: the mount point /csync is not a directory'],
    ['busy', '/dev/a /csync', [], 'mount-point-busy: /dev/a is already mounted at /csync'],
    ['busy, and what is mounted has files', '/dev/a /csync', ['dsau'], 'mount-point-busy: /dev/a is already mounted at /csync'],
    ['busy with something that cannot be read', 'nfs:/x /csync nfs', null, 'mount-point-busy: nfs:/x is already mounted'],
    ['not empty', '', ['dsau'], 'mount-point-not-empty: the unmounted mount point /csync holds dsau$'],
    ['with a hidden file', '', ['.stale'], 'mount-point-not-empty: .*holds .stale$'],
    ['with five files', '', names.slice(0, 5), 'mount-point-not-empty: .*holds a, b, c, d, e$'],
    ['with six files', '', names, 'mount-point-not-empty: .*holds a, b, c, d, e, ...$'],
  ])('is %s', (_what, text, entries, expected) => {
    expect(said(judgeMountPoint(settings, mounts(text), entries))).toMatch(new RegExp(`^${expected}`));
  });
});

describe('the owner of the port', () => {
  /** "INODE=NAME:PID@START,NAME:PID@START", one text a listener. */
  const listeners = (texts: readonly string[]): Listener[] =>
    texts.map((text) => {
      const [inode = '', holders = ''] = text.split('=');
      const processes = holders.split(',').filter((holder) => holder !== '');
      return {
        inode,
        processes: processes.map((holder) => {
          const [, name = '', pid = '', startTime = ''] = /^(.*):(\d+)@(\d+)$/.exec(holder) ?? [];
          return { pid: Number(pid), name, startTime, state: 'S' };
        }),
      };
    });
  const ownerOf = (owner: PortOwner): string =>
    owner.kind === 'daemon'
      ? `daemon ${owner.process.pid} ${owner.inode}`
      : owner.kind === 'free'
        ? 'free'
        : `foreign ${owner.text}`;

  it.each<[string, string[], string]>([
    ['none', [], 'free'],
    ['the daemon', ['7=cf-serverd:10@500'], 'daemon 10 7'],
    ['another program', ['7=nginx:10@500'], 'foreign port 5308 is taken by nginx (pid 10)'],
    ['two other programs', ['7=nginx:10@500', '8=sshd:11@1'], 'foreign port 5308 is taken by nginx (pid 10), sshd (pid 11)'],
    ['a process of another pid namespace', ['7='], 'foreign port 5308 is taken by a process outside this pid namespace'],
    ['a longer name', ['7=cf-serverd2:10@500'], 'foreign port 5308 is taken by cf-serverd2 (pid 10)'],
    ['the daemon on one address, nginx on another', ['6=nginx:9@1', '7=cf-serverd:10@500'], 'daemon 10 7'],
    ['the daemon and a child that inherited the socket', ['7=sh:9@600,cf-serverd:10@500'], 'daemon 10 7'],
    ['two of the daemon: the older one', ['7=cf-serverd:10@900,cf-serverd:11@500'], 'daemon 11 7'],
    ['two sockets: the older process', ['7=cf-serverd:10@900', '8=cf-serverd:11@500'], 'daemon 11 8'],
    ['ages with a different number of digits', ['7=cf-serverd:10@1000', '8=cf-serverd:11@999'], 'daemon 11 8'],
    ['the daemon under IPv4 and IPv6', ['7=cf-serverd:10@500', '8=cf-serverd:10@500'], 'daemon 10 7'],
  ])('is %s', (_what, texts, expected) => {
    const strange = ({ name }: ProcessState) => (name === 'cf-serverd' ? null : name);
    expect(ownerOf(judgePort(listeners(texts), 5308, strange))).toBe(expected);
  });
});

describe('a process that is called like the daemon', () => {
  const path = '/usr/bin/cf-serverd';
  const root = [0, 0, 0, 0];
  it.each<[string, Partial<ProcessOrigin>, Partial<ProgramFile> | null, string | null]>([
    ['run by root from the configured program', {}, {}, null],
    ['of a user', { users: [65_534, 65_534, 65_534, 65_534] }, {}, 'cf-serverd, which user 65534 runs'],
    ['that a user started through a set-uid program', { users: [1000, 0, 0, 0] }, {}, 'cf-serverd, which user 1000 runs'],
    ['of the user who runs this', { users: [7, 7, 7, 7], trusted: [0, 7] }, {}, null],
    ['from a file that an update replaced', { program: `${path} (deleted)` }, {}, null],
    ['from the directory of the last version', { program: '/opt/cfengine-1/bin/cf-serverd (deleted)' }, {}, null],
    ['from another file', { program: '/tmp/cf-serverd' }, {}, `cf-serverd, which is /tmp/cf-serverd and not ${path}`],
    ['from another file, removed since', { program: '/tmp/x (deleted)' }, {}, `cf-serverd, which is /tmp/x and not ${path}`],
    ['whose file is unknown', { program: null }, {}, null],
    ['while the configured program is missing', { program: '/tmp/x' }, null, null],
    ['that is a script', { program: '/usr/bin/perl' }, { isScript: true }, null],
    [
      'that is a script of a user',
      { program: '/usr/bin/perl', users: [5, 5, 5, 5] },
      { isScript: true },
      'cf-serverd, which user 5 runs',
    ],
  ])('is judged by where it comes from: %s', (_what, origin, program, expected) => {
    const process = { pid: 10, name: 'cf-serverd', startTime: '1', state: 'S' };
    const from: ProcessOrigin = { users: root, trusted: [0], program: path, ...origin };
    expect(judgeOrigin(process, from, program === null ? null : { path, isScript: false, ...program })).toBe(expected);
  });
});

describe('the name of the package', () => {
  it.each<[string, string[], string]>([
    ['the package address', ['10.9.0.100'], 'good'],
    ['the package address among others', ['10.9.0.7', '10.9.0.100'], 'good'],
    ['nothing', [], 'name-unresolved: csync.lab does not resolve'],
    ['something else', ['10.9.0.10'], 'name-unresolved: csync.lab resolves to 10.9.0.10, not to 10.9.0.100'],
    ['two others', ['10.9.0.1', '::1'], 'name-unresolved: csync.lab resolves to 10.9.0.1, ::1, not to 10.9.0.100'],
  ])('resolves to %s', (_what, addresses, expected) => {
    expect(said(judgeName(settings, addresses))).toBe(expected);
  });
});

describe('the epoch of a sentinel', () => {
  it.each<[string, string | null, number]>([
    ['none', null, 0],
    ['an empty file', '', 0],
    ['half a line', '{"epoch":4,"mem', 0],
    ['no JSON', 'epoch 4', 0],
    ['null', 'null', 0],
    ['a list', '[4]', 0],
    ['a number alone', '4', 0],
    ['no epoch', '{"member":"m1"}', 0],
    ['text for an epoch', '{"epoch":"4"}', 0],
    ['a fraction', '{"epoch":4.5}', 0],
    ['a negative one', '{"epoch":-4}', 0],
    ['zero', '{"epoch":0}', 0],
    ['one that is too great to count on', '{"epoch":9007199254740992}', 0],
    ['NULs after a crash', '\0'.repeat(64), 0],
    ['the first', '{"epoch":1,"member":"m1","at":"2026-11-23T10:00:00.000Z"}\n', 1],
    ['a later one', '{"at":"x","epoch":4711}', 4711],
  ])('is read from %s', (_what, text, epoch) => {
    expect(sentinelEpoch(text)).toBe(epoch);
  });

  it('is a whole number from 0, with any content of the file', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((epoch) => JSON.stringify({ epoch })),
        ),
        (text) => {
          const epoch = sentinelEpoch(text);
          expect(Number.isSafeInteger(epoch) && epoch >= 0).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('maintenance', () => {
  const now = Date.UTC(2026, 10, 23, 12);
  it.each<[string, string | null, object | null]>([
    ['no file', null, null],
    ['a file that was only touched', '', { until: null, serviceguard: null, overdue: false }],
    ['an end that is to come', 'until 2026-11-23T12:00:01.000Z\n', { until: now + 1000, serviceguard: null, overdue: false }],
    [
      "one with Serviceguard's mode",
      maintenanceText({ until: now + 1000, serviceguard: { autoRun: false } }),
      { until: now + 1000, serviceguard: { autoRun: false }, overdue: false },
    ],
    [
      'one that a user has to end',
      maintenanceText({ until: now, serviceguard: { autoRun: true } }),
      { until: now, serviceguard: { autoRun: true }, overdue: true },
    ],
    ['an end that is now', 'until 2026-11-23T12:00:00.000Z\n', null],
    ['an end that was', 'until 2026-11-23T11:00:00Z', null],
    ['words', 'by Jane, ask her', { until: null, serviceguard: null, overdue: false }],
    ['an unreadable time', 'until tomorrow', { until: null, serviceguard: null, overdue: false }],
  ])('%s', (_title, text, expected) => {
    expect(maintenanceFrom(text, now)).toEqual(expected);
  });
});
