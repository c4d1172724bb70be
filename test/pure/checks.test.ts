/** The checks before an apply: a sound cluster has no problem, and each thing that is wrong is told once, by name. */
import { describe, expect, it } from 'vitest';
import { type CheckedMember, type CheckInput, judgeChecks, parseFacts } from '../../src/cluster/checks.ts';
import { demand } from '../../src/problem.ts';
import { parsePackageFile } from '../../src/serviceguard/package-file.ts';
import { settingsFor } from '../support.ts';

const settings = settingsFor({ members: ['m1', 'm2'] });
const sound = `fstab /dev/sda1 / ext4 defaults 0 1
mount /dev/sda1 / ext4 rw 0 0
point directory 0
forward 10.9.0.100
backward csync.lab csync
network 10.9.0.0/24 eth0 1500
lvm present
group
hosttags on
node v20.19.0
daemon CFEngine Core 3.21.0
free 900000 /conf
free 900000 /run
port OTHER 0
clock 100.0
`;

/** Lines of m2 in place of, or beside, the sound ones; a line of one word takes all of that word away. */
function member(name: string, changes: readonly string[] = []): CheckedMember {
  const words = new Set(changes.map((line) => line.replace(/^\+/, '').split(' ')[0]));
  const kept = sound
    .replace('OTHER', name === 'm1' ? 'm2' : 'm1')
    .split('\n')
    .filter((line) => !words.has(line.split(' ')[0]) || changes.some((change) => change.startsWith(`+${line.split(' ')[0]} `)));
  const added = changes.map((line) => line.replace(/^\+/, '')).filter((line) => line.includes(' '));
  return { member: name, facts: parseFacts([...kept, ...added].join('\n')), why: '', clockAhead: 0, clockDoubt: 0.1 };
}

function judge(changes: readonly string[] = [], more: Partial<CheckInput> = {}) {
  return judgeChecks({ settings, members: [member('m1'), member('m2', changes)], others: [], owner: null, ...more });
}

const other = (text: string) => ({ others: [demand(parsePackageFile(`package_name web\n${text}`, 'web.conf'))] });

describe('the checks', () => {
  it('find nothing in a sound cluster, and say how much they looked at', () => {
    expect(judge()).toEqual({ problems: [], looks: 23, leftOut: [] });
  });

  it.each<[string, string[], string, RegExp]>([
    ['no mount point', ['point missing 0'], 'mount-point', /is missing/],
    ['a file for a mount point', ['point other 0'], 'mount-point', /no directory/],
    ['a mount point with files', ['point directory 3'], 'mount-point', /not empty/],
    ['mounted without the package', ['+mount /dev/x /csync ext4 rw 0 0'], 'mount-point', /something is mounted/],
    ['the mount point in fstab', ['+fstab /dev/sdb1 /csync ext4 defaults 0 2'], 'fstab', /behind Serviceguard/],
    ['the device in fstab', ['+fstab /dev/mapper/vg_csync-lv_csync /elsewhere ext4 rw 0 2'], 'fstab', /behind Serviceguard/],
    [
      'a mount below',
      ['+mount tmpfs /csync/tmp tmpfs rw 0 0'],
      'other-mounts',
      /keep the policy file system from being unmounted/,
    ],
    ['a name that is not known', ['forward '], 'name', /is not known, not 10.9.0.100/],
    ['a name with two addresses', ['forward 10.9.0.100 10.9.0.7'], 'name', /10.9.0.7/],
    ['no way back', ['backward '], 'name', /looks both ways/],
    ['another way back', ['backward other.lab'], 'name', /looks both ways/],
    ['no interface in the subnet', ['network'], 'network', /could not be added/],
    ['a smaller MTU', ['network 10.9.0.0/24 eth0 1400'], 'network', /MTU 1400, another member 1500/],
    ['no volume group', ['group'], 'volume-group', /no volume group vg_csync/],
    ['no host tags', ['hosttags'], 'volume-group', /activated at boot, or twice/],
    ['a tag left behind', ['group m9'], 'volume-group', /tag m9 although the package is down/],
    ['no Node.js', ['node '], 'node', /cannot be run/],
    ['an old Node.js', ['node v18.20.0'], 'node', /is v18.20/],
    ['no daemon', ['daemon '], 'daemon', /cannot be run/],
    ['a port that answers nothing', ['port m1 124'], 'port', /firewall/],
    ['a port that refuses', ['port m1 1'], 'port', /no daemon runs there/],
    ['a full disk', ['free 49999 /conf'], 'space', /49 MB left/],
  ])('%s', (_title, changes, name, text) => {
    const { problems } = judge(changes);
    expect(problems.map(({ code, member: where }) => `${code} ${where}`)).toEqual([`check-${name} m2`]);
    expect(problems[0]?.text).toMatch(text);
    expect(problems[0]?.remedy).not.toBe('');
  });

  it.each<[string, string[]]>([
    ['a comment or noauto in fstab', ['+fstab /dev/sdb1 /csync ext4 rw,noauto 0 2']],
    ['names are the same in either case, with a dot at the end', ['backward CSYNC.lab.']],
    ['something else with a longer name', ['+mount tmpfs /csync2/x tmpfs rw 0 0', '+fstab /dev/sdb1 /csync2 ext4 rw 0 2']],
  ])('%s: nothing is wrong', (_title, changes) => {
    expect(judge(changes).problems).toEqual([]);
  });

  it('on the member the package runs on, its mount and its tag are right', () => {
    const { problems } = judge(['+mount /dev/x /csync ext4 rw 0 0', 'point directory 4', 'group m2'], { owner: 'm2' });
    expect(problems).toEqual([]);
  });

  it('versions that differ are told on either side', () => {
    const { problems } = judge(['daemon CFEngine Core 3.24.0']);
    expect(problems.map(({ code, member: where }) => `${code} ${where}`)).toEqual(['check-daemon m1', 'check-daemon m2']);
  });

  it('a clock counts only beyond the time for asking', () => {
    const ahead = (clockDoubt: number) => ({ members: [member('m1'), { ...member('m2'), clockAhead: -5, clockDoubt }] });
    expect(judge([], ahead(1)).problems.map(({ text }) => text)).toEqual(['the clock is 5.0 s behind']);
    expect(judge([], ahead(4)).problems).toEqual([]);
  });

  it.each<[string, string, RegExp[]]>([
    ['the same mount point', 'fs_name /dev/a/b\nfs_directory /csync\n', [/overlaps/]],
    ['one above it', 'fs_name /dev/a/b\nfs_directory /\n', []],
    ['one below it', 'fs_name /dev/a/b\nfs_directory /csync/web\n', [/overlaps/]],
    ['a similar one', 'fs_name /dev/a/b\nfs_directory /csync-web\n', []],
    [
      'the same volume group and address',
      'vg vg_csync\nip_subnet 10.9.0.0\nip_address 10.9.0.100\n',
      [/volume group/, /address/],
    ],
  ])('another package with %s', (_title, text, expected) => {
    const { problems } = judge([], other(text));
    expect(problems.map((one) => one.text)).toEqual(expected.map((one) => expect.stringMatching(one)));
  });

  it('what cannot be looked at is left out and named, never counted', () => {
    const { looks, leftOut, problems } = judge(['lvm', 'port']);
    expect([looks, problems]).toEqual([21, []]);
    expect(leftOut.map(({ name, member: where }) => `${name} ${where}`)).toEqual(['volume-group m2', 'port m2']);
    const unreachable = { members: [member('m1'), { ...member('m2'), facts: null, why: 'no route' }] };
    const gone = judge([], unreachable);
    expect(gone.problems.map(({ code }) => code)).toEqual(['check-unreachable']);
    expect([gone.looks, gone.leftOut.length]).toEqual([12, 11]);
  });

  it.each(['', 'Welcome to m1\n'])('%j is no answer', (output) => {
    expect(parseFacts(output)).toBeNull();
  });
});
