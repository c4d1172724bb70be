/** What the kernel says in /proc, also of processes and mounts with names that look like its own marks. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseListeningInodes, parseMounts, parseProcessStat } from '../../../src/host/member/member-host.ts';

/** /proc/PID/stat of a process; the start time is field 22. */
const stat = (name: string, state = 'S', startTime = '8123456'): string =>
  `4711 (${name}) ${state} 1 4711 4711 0 -1 4194560 1024 0 3 0 12 7 0 0 20 0 5 0 ${startTime} 187392000 2613 18446744073709551615 1\n`;

describe('/proc/PID/stat', () => {
  it.each([
    'cf-serverd',
    'tmux: server',
    'a) S 1 (b',
    '(sd-pam)',
    ')',
    '(',
    '',
    ' ',
    'kworker/0:1-eve',
    'S 1 2 3 4 5 6 7',
    'ünïcode',
  ])('returns pid, state and start time of a process named %j', (name) => {
    expect(parseProcessStat(stat(name, 'T'))).toEqual({ pid: 4711, name, state: 'T', startTime: '8123456' });
  });

  it('is read with any name, and a start time keeps all its digits', () => {
    const name = fc.string({ maxLength: 15 });
    fc.assert(
      fc.property(name, fc.constantFrom(...'RSDZTtXI'), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (comm, state, ticks) => {
        const wanted = { pid: 4711, name: comm, state, startTime: String(ticks) };
        expect(parseProcessStat(stat(comm, state, String(ticks)))).toEqual(wanted);
      }),
    );
  });

  it('is this process, too', () => {
    const own = parseProcessStat(readFileSync('/proc/self/stat', 'utf8'));
    expect(own).toMatchObject({ pid: process.pid, state: 'R' });
    expect(Number(own?.startTime)).toBeGreaterThan(0);
  });

  it.each(['', '4711', '4711 (cf-serverd)', '4711 (cf-serverd) S 1 2', '4711 cf-serverd S 1 2 3', 'No such process'])(
    'is nothing when it reads %j',
    (text) => {
      expect(parseProcessStat(text)).toBeNull();
    },
  );
});

describe('/proc/self/mounts', () => {
  it('returns source, target, type and options of each line', () => {
    const text = '/dev/vda1 / ext4 rw,relatime 0 0\n/dev/mapper/vg_csync-lv_csync /csync ext4 ro 0 0\n';
    expect(parseMounts(text)).toEqual([
      { source: '/dev/vda1', target: '/', type: 'ext4', options: ['rw', 'relatime'] },
      { source: '/dev/mapper/vg_csync-lv_csync', target: '/csync', type: 'ext4', options: ['ro'] },
    ]);
  });

  it.each([
    ['a blank', '/a\\040b', '/a b'],
    ['a tab', '/a\\011b', '/a\tb'],
    ['a newline', '/a\\012b', '/a\nb'],
    ['a backslash', '/a\\134b', '/a\\b'],
    ['a backslash before digits', '/a\\134040b', '/a\\040b'],
    ['a hash', '/a\\043b', '/a#b'],
    ['several', '/\\040\\040x', '/  x'],
    ['no octal digits', '/a\\089', '/a\\089'],
  ])('writes %s with octal digits', (_what, written, meant) => {
    expect(parseMounts(`${written} ${written} ext4 rw 0 0\n`)).toMatchObject([{ source: meant, target: meant }]);
  });

  it('returns any name the kernel has escaped', () => {
    const asKernel = (name: string) =>
      name.replace(/[ \t\n\\#]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);
    const name = fc.string({ unit: fc.oneof(fc.constantFrom(...' \t\n\\#017'), fc.string({ minLength: 1, maxLength: 1 })) });
    fc.assert(
      fc.property(name, (target) => {
        expect(parseMounts(`none ${asKernel(`/${target}`)} tmpfs rw 0 0\n`)[0]?.target).toBe(`/${target}`);
      }),
    );
  });

  it('is no mount when it is empty', () => {
    expect(parseMounts('')).toEqual([]);
  });
});

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:14BC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1 0000000000000000 100 0 0 10 0
   1: 0100007F:14BC 0B00090A:C001 01 00000000:00000000 00:00000000 00000000     0        0 31338 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31339 1 0000000000000000 100 0 0 10 0
   3: 0B00090A:C002 6400090A:14BC 0A 00000000:00000000 00:00000000 00000000     0        0 31340 1 0000000000000000 20 4 30 10 -1
   4: 6400090A:14BC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31341 1 0000000000000000 100 0 0 10 0
`;
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:14BC 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41337 1 0000000000000000 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:14BC 0000000000000000FFFF00000100007F:C001 06 00000000:00000000 03:000012AB 00000000     0        0 0 3 0000000000000000
`;

describe('/proc/net/tcp', () => {
  it.each([
    ['the daemon on any address and on the package address', tcp, 5308, ['31337', '31341']],
    ['a port of two hexadecimal digits', tcp, 22, ['31339']],
    ['a connection, which is no listener', tcp, 0xc001, []],
    ['a port no process has', tcp, 5309, []],
    ['the daemon under IPv6', tcp6, 5308, ['41337']],
    ['an empty table', tcp.split('\n')[0] ?? '', 5308, []],
    ['a file that cannot be read', '', 5308, []],
  ])('shows %s', (_what, text, port, inodes) => {
    expect(parseListeningInodes(text, port)).toEqual(inodes);
  });
});

describe('the readers of /proc', () => {
  it('never throw, for any text', () => {
    const fields = fc
      .array(fc.constantFrom('(', ')', ' ', '\n', '\\', '\\04', '0A', ':14BC', '4711', '\0'))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fields), (text) => {
        parseProcessStat(text);
        parseMounts(text);
        parseListeningInodes(text, 5308);
      }),
      { numRuns: 10_000 },
    );
  });
});
