import { describe, expect, it } from 'vitest';
import type { Listener, MountEntry } from '../../src/host/host.ts';
import { parseListeningInodes, parseMounts, parseProcessStat } from '../../src/host/member-host.ts';
import { judgeMount, judgeMountPoint, judgeName, judgePort, sentinelEpoch } from '../../src/member/judgements.ts';
import { settingsFor } from '../support.ts';

const settings = settingsFor({ volume_group: 'vg-a', logical_volume: 'lv_b', mount_options: 'rw,noatime' });
const mount = (change: Partial<MountEntry> = {}): MountEntry => ({
  source: '/dev/vg-a/lv_b',
  target: '/csync',
  type: 'ext4',
  options: ['rw'],
  ...change,
});

describe('the mount point before a start', () => {
  it.each<[string, MountEntry[], string[] | null, string | null]>([
    ['free and empty', [mount({ target: '/other' })], [], null],
    ['mounted already', [mount()], [], 'mount-point-busy'],
    ['no directory', [], null, 'mount-point-missing'],
    ['not empty', [], ['stale'], 'mount-point-not-empty'],
    ['only a hidden file', [], ['.hidden'], 'mount-point-not-empty'],
    ['a name it is the beginning of', [mount({ target: '/csync2' })], [], null],
  ])('%s', (_, mounts, entries, code) => {
    expect(judgeMountPoint(settings, mounts, entries)?.code ?? null).toBe(code);
  });

  it('names what lies there, but not a thousand files', () => {
    const entries = Array.from({ length: 1000 }, (_, index) => `f${index}`);
    expect(judgeMountPoint(settings, [], entries)?.text).toBe('the unmounted mount point /csync holds f0, f1, f2, f3, f4, ...');
  });
});

describe('the mount after Serviceguard’s modules', () => {
  it.each<[string, MountEntry[], RegExp | null]>([
    ['as configured', [mount()], null],
    ['by device mapper’s name, hyphens doubled', [mount({ source: '/dev/mapper/vg--a-lv_b' })], null],
    ['absent', [], /nothing is mounted/],
    ['from another device', [mount({ source: '/dev/sdb1' })], /sdb1.*not \/dev\/vg-a\/lv_b/],
    ['of another type', [mount({ type: 'xfs' })], /of type xfs, not ext4/],
    ['read-only after an error', [mount({ options: ['ro', 'noatime'] })], /read-only/],
    ['covered by another mount', [mount(), mount({ source: 'tmpfs', type: 'tmpfs' })], /tmpfs is mounted/],
  ])('%s', (_, mounts, text) => {
    const finding = judgeMount(settings, mounts);
    if (text === null) expect(finding).toBeNull();
    else expect(finding).toMatchObject({ code: 'not-mounted', text: expect.stringMatching(text) });
  });

  it('read-only is fine where the settings say so', () => {
    expect(judgeMount({ ...settings, mountOptions: 'ro,noatime' }, [mount({ options: ['ro'] })])).toBeNull();
  });
});

describe('who has the port', () => {
  const listener = (inode: string, ...names: string[]): Listener => ({
    inode,
    processes: names.map((name, index) => ({ pid: 100 + index, startTime: String(500 - index), state: 'S', name })),
  });
  it.each<[string, Listener[], object]>([
    ['nobody', [], { kind: 'free' }],
    ['the daemon', [listener('7', 'cf-serverd')], { kind: 'daemon', inode: '7' }],
    ['the daemon, on two sockets', [listener('7', 'cf-serverd'), listener('8', 'cf-serverd')], { kind: 'daemon', inode: '7' }],
    ['its oldest process, while it forks', [listener('7', 'cf-serverd', 'cf-serverd')], { process: { pid: 101 } }],
    ['somebody else', [listener('7', 'nginx')], { kind: 'foreign', text: 'port 5308 is taken by nginx (pid 100)' }],
    ['who cannot be seen', [listener('7')], { kind: 'foreign', text: expect.stringContaining('outside this pid namespace') }],
  ])('%s', (_, listeners, owner) => {
    expect(judgePort(listeners, 'cf-serverd', 5308)).toMatchObject(owner);
  });
});

describe('the package’s name', () => {
  it.each([
    [['10.9.0.100'], null],
    [['10.9.0.1', '10.9.0.100'], null],
    [[], 'csync.lab does not resolve'],
    [['10.9.0.1'], 'csync.lab resolves to 10.9.0.1, not to 10.9.0.100'],
  ])('resolving to %j', (addresses, text) => {
    expect(judgeName(settings, addresses)?.text ?? null).toBe(text);
  });
});

describe('the sentinel’s epoch', () => {
  it.each([
    [null, 0],
    ['', 0],
    ['{"epoch":41,"member":"m1","at":"x"}', 41],
    ['{"epoch":"41"}', 0],
    ['{"epoch":-1}', 0],
    ['{"epoch":1e300}', 0],
    ['{"epoch":41', 0],
    ['null', 0],
  ])('%j is %i', (text, epoch) => {
    expect(sentinelEpoch(text)).toBe(epoch);
  });
});

describe('what the kernel says', () => {
  const rest = 'S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 424242 20';
  it.each([
    [`41 (cf-serverd) ${rest}`, { pid: 41, name: 'cf-serverd', state: 'S', startTime: '424242' }],
    [`41 (a) b (c) ${rest}`, { pid: 41, name: 'a) b (c', state: 'S', startTime: '424242' }],
    ['', null],
    ['41 (cf-serverd', null],
    ['41 (cf-serverd) S 1', null],
  ])('of a process: %j', (text, process) => {
    expect(parseProcessStat(text)).toEqual(process);
  });

  it('of mounts, with blanks in names', () => {
    expect(parseMounts('/dev/a /mnt/my\\040disk ext4 rw,noatime 0 0\ntmpfs /a\\134b tmpfs ro 0 0\n')).toEqual([
      { source: '/dev/a', target: '/mnt/my disk', type: 'ext4', options: ['rw', 'noatime'] },
      { source: 'tmpfs', target: '/a\\b', type: 'tmpfs', options: ['ro'] },
    ]);
  });

  it('of listeners: the port in hex, sockets that listen and no others', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 00000000:14BC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 x',
      '   1: 0100007F:14BC 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1 x',
      '   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 x',
      '   3: 00000000000000000000000000000000:14BC 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 444 1 x',
    ].join('\n');
    expect(parseListeningInodes(table, 5308)).toEqual(['111', '444']);
    expect(parseListeningInodes('', 5308)).toEqual([]);
  });
});
