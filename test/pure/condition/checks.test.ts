/** The checks before an apply: a sound cluster has no problem, and each thing that is wrong is reported once, by name. */
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import type { CheckedMember, CheckInput } from '../../../src/cluster/condition/check-model.ts';
import { judgeChecks, parseFacts } from '../../../src/cluster/condition/checks.ts';
import { parseReach } from '../../../src/cluster/condition/clients.ts';
import { nodeLines } from '../../../src/cluster/condition/node-checks.ts';
import { definition } from '../../../src/engine/serviceguard/definition.ts';
import { settingsFor } from '../../support.ts';

const settings = settingsFor({ members: ['m1', 'm2'] });
const now = new Date('2026-11-30');
const build = { version: '9.9.9', digest: 'a'.repeat(64) };
const sound = `directory /conf/csync
fstab /dev/sda1 / ext4 defaults 0 1
mount /dev/sda1 / ext4 rw 0 0
point directory 0
forward 10.9.0.100
backward csync.lab csync
network 10.9.0.0/24 eth0 1500
own 127.0.0.1 172.16.0.1 10.9.0.7 10.9.0.100
lvm present
group
hosttags hosttags=1
node v20.19.0
daemon CFEngine Core 3.21.0
toolkit-target /usr/local/lib/csync/9.9.9-aaaaaaaaaaaa/csync.mjs
toolkit-digest ${build.digest}
toolkit-version 9.9.9
toolkit-looked
digest aa  csync.sh
digest bb  manifest.json
digest cc  csync.conf
digest dd  history/0001.set.gz
free 900000 /conf
free 900000 /run
cards 00:00:00:00:00:00 CARD
behind 02:00:00:00:00:01
programs
reach OTHER 0 ok
reach 10.9.0.21 0 ok
clock 100.0
`;

/** Lines of m2 in place of, or beside, the sound ones; a line of one word takes all of that word away. */
function member(name: string, changes: readonly string[] = []): CheckedMember {
  const words = new Set(changes.map((line) => line.replace(/^\+/, '').split(' ')[0]));
  const kept = sound
    .replace('OTHER', name === 'm1' ? 'm2' : 'm1')
    .replace('own 127.0.0.1 172.16.0.1 10.9.0.7 ', name === 'm1' ? '$&' : `own 127.0.0.1 10.9.0.1${name.slice(1)} `)
    .replace('CARD', `02:00:00:00:00:0${name.slice(1)}`)
    .split('\n')
    .filter((line) => !words.has(line.split(' ')[0]) || changes.some((change) => change.startsWith(`+${line.split(' ')[0]} `)));
  const added = changes.map((line) => line.replace(/^\+/, '')).filter((line) => line.includes(' '));
  const output = [...kept, ...added].join('\n');
  return {
    member: name,
    facts: parseFacts(output),
    noAnswer: { why: '', remedy: '' },
    clock: { ahead: 0, doubt: 0.1 },
    reach: parseReach(output),
  };
}

const clients: CheckInput['clients'] = [{ address: '10.9.0.21', name: 'c1.lab', at: 0, member: 'm1', resolutionSeconds: 1 }];

function judge(changes: readonly string[] = [], more: Partial<CheckInput> = {}) {
  return judgeChecks({
    settings,
    members: [member('m1'), member('m2', changes)],
    toolkit: build,
    clusterMembers: ['m1', 'm2'],
    others: [],
    unreadOthers: [],
    owner: null,
    clients,
    now,
    ...more,
  });
}

const other = (text: string) => ({ others: [demand(definition.parse(`package_name web\n${text}`, 'web.conf'))] });

const unreachable = {
  members: [member('m1'), { ...member('m2'), facts: null, noAnswer: { why: 'no route', remedy: 'check it' } }],
};
/** How many checks a member has. */
const each = new Set(judge([], unreachable).leftOut.map(({ name }) => name)).size;
/** On both members, and one of the other packages. */
const all = 2 * each + 1;

describe('the checks', () => {
  it('note that nothing in the file system itself forbids a second mount, where that can be seen', () => {
    const features = (words: string) => judge([`features has_journal ext_attr ${words}extent`]).notes;
    expect(features('')).toEqual([
      expect.stringMatching(/^\/dev\/vg_csync\/lv_csync has no multiple mount protection \(mmp\).*tune2fs -O mmp/),
    ]);
    expect(features('mmp ')).toEqual([]);
  });

  it('take rules of now, and of a generation that has none', () => {
    expect([judge(['rules-age -1']).problems, judge(['rules-age 5']).problems, judge([]).problems]).toEqual([[], [], []]);
  });

  it('note an address that several members have where nothing uses it, such as that of a bridge', () => {
    const { problems, notes } = judge(['own 127.0.0.1 10.9.0.12 172.16.0.1']);
    expect([problems, notes]).toEqual([
      [],
      ['m1, m2 have the same address 172.16.0.1, outside of package_subnet: csync does not use it'],
    ]);
  });

  it('find nothing in a sound cluster, and report how much they checked', () => {
    expect(judge()).toMatchObject({ problems: [], notes: [], looks: all, leftOut: [] });
  });

  it.each<[string, string[], string, RegExp]>([
    ['no mount point', ['point missing 0'], 'mount-point', /is missing/],
    ['a file for a mount point', ['point other 0'], 'mount-point', /not a directory/],
    ['a mount point with files', ['point directory 3'], 'mount-point', /not empty/],
    ['mounted without the package', ['+mount /dev/x /csync ext4 rw 0 0'], 'mount-point', /a file system is mounted/],
    ['the mount point in fstab', ['+fstab /dev/sdb1 /csync ext4 defaults 0 2'], 'fstab', /without Serviceguard/],
    ['the device in fstab', ['+fstab /dev/mapper/vg_csync-lv_csync /elsewhere ext4 rw 0 2'], 'fstab', /without Serviceguard/],
    ['a mount below', ['+mount tmpfs /csync/tmp tmpfs rw 0 0'], 'other-mounts', /policy file system could not be unmounted/],
    ['a name that is not known', ['forward '], 'name', /resolves to nothing, not to 10.9.0.100/],
    ['a name with two addresses', ['forward 10.9.0.100 10.9.0.7'], 'name', /10.9.0.7/],
    ['a name that also has an IPv6 address', ['forward6 2001:db8::100'], 'name', /also resolves to 2001:db8::100: .*one address/],
    ['no way back', ['backward '], 'name', /needs both directions/],
    ['another way back', ['backward other.lab'], 'name', /needs both directions/],
    ['no interface in the subnet', ['network'], 'network', /cannot be added/],
    ['a smaller MTU', ['network 10.9.0.0/24 eth0 1400'], 'network', /MTU 1400, another member has 1500/],
    ['an address that another member has, too', ['own 127.0.0.1 10.9.0.12 10.9.0.7 10.9.0.100'], 'shared-address', /10\.9\.0\.7/],
    ['no volume group', ['group'], 'volume-group', /volume group vg_csync is missing/],
    ['no host tags', ['hosttags hosttags=0'], 'volume-group', /activated at boot, or twice/],
    ['a tag left behind', ['group m9'], 'volume-group', /tag m9 although the package is down/],
    ['an active volume group', ['active yes'], 'volume-group', /active here although the package is not/],
    ['rules of the future', ['rules-age -7200'], 'rules', /cfservd\.conf is dated 7200 s in the future/],
    ['no Node.js', ['node '], 'node', /cannot be run/],
    ['an old Node.js', ['node v18.20.0'], 'node', /is v18.20/],
    ['a carried Node.js that cannot be run', ['runtime '], 'node', /runtime\/node cannot be run/],
    ['an old one, although the member has a newer', ['runtime v18.20.0'], 'node', /runtime\/node is v18.20/],
    ['no csync', ['toolkit-target ', 'toolkit-digest ', 'toolkit-version '], 'toolkit', /is missing at .*pending work/],
    ['a csync that cannot be run', ['toolkit-version '], 'toolkit', /cannot be run/],
    [
      'an older csync',
      ['toolkit-digest aa', 'toolkit-version 9.8.0'],
      'toolkit',
      /is version 9.8.0, and this csync is version 9.9.9/,
    ],
    ['another build', [`toolkit-digest ${'b'.repeat(64)}`], 'toolkit', /is another build of it/],
    ['no daemon', ['daemon '], 'daemon', /cannot be run/],
    ['a port that answers nothing', ['reach m1 124 ok', 'reach 10.9.0.21 0 ok'], 'port', /firewall/],
    ['a port that refuses', ['reach m1 1 ok', 'reach 10.9.0.21 0 ok'], 'port', /no daemon listens there/],
    ['a way that swallows large packets', ['reach m1 0 lost', 'reach 10.9.0.21 0 ok'], 'mtu', /lost on the way to m1, small/],
    ['a client that does not listen', ['reach m1 0 ok', 'reach 10.9.0.21 1 ok'], 'client-port', /1 of 1 clients .*c1.lab \(10/],
    ['a client behind a small MTU', ['reach m1 0 ok', 'reach 10.9.0.21 0 lost'], 'client-mtu', /lost on the way to c1.lab/],
    ['no perl', ['lacks perl'], 'programs', /perl is missing: the monitor .* next check.*policy commit/],
    ['a perl that does not run', ['lacks perl-runs'], 'programs', /does not run: .*cannot run on this member/],
    ['a perl without its modules', ['lacks perl-Fcntl'], 'programs', /module Fcntl: .*mount table only/],
    ['no bash', ['lacks bash'], 'programs', /bash is missing: .*cannot test connections/],
    ['no flock', ['lacks flock'], 'programs', /flock is missing: .*cannot change this member/],
    [
      'scripts on a file system without programs',
      ['+mount /dev/x /conf xfs rw,noexec 0 0'],
      'noexec',
      /\/conf is mounted noexec/,
    ],
    ['a full disk', ['free 49999 /conf'], 'space', /49 MB free/],
    ['a policy file system that fills up', ['space 768 81920 4096 5000 5120 /csync'], 'space', /3 MB \(0 %\) are free/],
  ])('%s', (_title, changes, name, text) => {
    const { problems } = judge(changes);
    expect(problems.map(({ code, member: where }) => `${code} ${where}`)).toEqual([`check-${name} m2`]);
    expect(problems[0]?.text).toMatch(text);
    expect(problems[0]?.remedy).not.toBe('');
  });

  it.each<[string, string[]]>([
    ['a comment or noauto in fstab', ['+fstab /dev/sdb1 /csync ext4 rw,noauto 0 2']],
    ['names are the same in either case, with a dot at the end', ['backward CSYNC.lab.']],
    [
      '/tmp and /run without programs',
      ['+mount tmpfs /tmp tmpfs rw,noexec 0 0', '+mount tmpfs /run tmpfs rw,noexec 0 0', '+mount /dev/y /con xfs noexec 0 0'],
    ],
    ['a second mount with programs', ['+mount /dev/x /conf xfs noexec 0 0', '+mount /dev/x /conf xfs rw 0 0']],
    ['a path with a smaller MTU that says so', ['reach m1 0 smaller', 'reach 10.9.0.21 0 smaller']],
    [
      'another package file, a log, other sets of the history',
      [
        'digest aa  csync.sh',
        '+digest bb  manifest.json',
        '+digest xx  csync.conf',
        '+digest xx  csync.log',
        '+digest x  history/1',
      ],
    ],
    ['a csync whose files cannot be compared, of this version', ['toolkit-digest ']],
    ['something else with a longer name', ['+mount tmpfs /csync2/x tmpfs rw 0 0', '+fstab /dev/sdb1 /csync2 ext4 rw 0 2']],
  ])('%s: nothing is wrong', (_title, changes) => {
    expect(judge(changes).problems).toEqual([]);
  });

  it('report the Node.js of each member: the carried one where the package has one, with the last day of its support', () => {
    const { problems, nodes } = judge(['node ', 'runtime v24.22.3']);
    expect(problems, 'the member needs none of its own').toEqual([]);
    expect(nodes).toEqual([
      { member: 'm1', version: '20.19.0', file: '/usr/bin/node', supportedUntil: '2026-04-30', hasEnded: true },
      { member: 'm2', version: '24.22.3', file: '$SGCONF/csync/runtime/node', supportedUntil: '2028-04-30', hasEnded: false },
    ]);
    expect(nodeLines(nodes)).toEqual([
      'm1: Node.js 20.19.0 at /usr/bin/node, without security fixes since 2026-04-30. Fix: install Node.js 24 there, or csync apply --with-runtime=FILE',
      'm2: Node.js 24.22.3 at $SGCONF/csync/runtime/node, supported until 2028-04-30',
    ]);
    expect(nodeLines(judge().nodes), 'one line for all that have the same').toEqual([expect.stringMatching(/^m1, m2: Node/)]);
    expect(nodeLines(judge(['node v99.1.0']).nodes)[1], 'of a line that csync does not know').toBe(
      'm2: Node.js 99.1.0 at /usr/bin/node',
    );
    expect(nodeLines(judge(['node ']).nodes), 'one that cannot be run is a problem').toHaveLength(1);
    expect(judge([], unreachable).nodes, 'and nothing is known of an unreachable member').toHaveLength(1);
  });

  it('a member that the cluster spells differently is named, with the name to write', () => {
    const spelled = (...clusterMembers: string[]) =>
      judge([], { clusterMembers }).problems.map(({ code, member: where, remedy }) => `${code} ${where}: ${remedy}`);
    expect(spelled('M1', 'm2.example.com')).toEqual([
      'check-member-name m1: write M1 in members of csync.yaml',
      'check-member-name m2: write m2.example.com in members of csync.yaml',
    ]);
    expect([spelled('m1', 'm3'), spelled()], 'one that is no member yet, and a cluster that does not answer').toEqual([[], []]);
  });

  it('on the active member, its mount and its tag are right', () => {
    const owner = member('m2', ['+mount /dev/x /csync ext4 rw 0 0', 'point directory 4', 'group m2', 'address 1', 'behind']);
    const { problems } = judge([], { owner: 'm2', members: [member('m1', ['behind 02:00:00:00:00:02']), owner] });
    expect(problems).toEqual([]);
  });

  it('scripts are compared with what most members have; neither is right between two, and none at all is no package yet', () => {
    const of = (...names: string[][]) =>
      judgeChecks({
        ...{ settings, clusterMembers: [], toolkit: build, others: [], unreadOthers: [], owner: null, clients, now },
        members: names.map((changes, index) => member(`m${index + 1}`, changes)),
      }).problems.map(({ text, member: where }) => `${where}: ${text.split(' from most')[0]}`);
    const other = ['digest xx  csync.sh', '+digest bb  manifest.json'];
    expect(of([], other, [])).toEqual(['m2: csync.sh differs']);
    expect(of([], ['digest'], [])).toEqual(['m2: csync.sh, manifest.json differ']);
    expect(of([], other)).toEqual(['m2: csync.sh differs']);
    expect(of(['digest'], ['digest'])).toEqual([]);
  });

  it('scripts of sets that are not applied do not count: a new member never had them', () => {
    const [old, applied] = ['0123456789abcdef', 'fedcba9876543210'];
    const kept = [
      `+digest aa  sets/${old}/csync.sh`,
      `+digest bb  sets/${applied}/csync.sh`,
      `+applied ${applied} /csync ${old}`,
    ];
    const fresh = [`+digest bb  sets/${applied}/csync.sh`, `+applied ${applied} /csync`];
    const of = (...names: string[][]) =>
      judgeChecks({
        ...{ settings, clusterMembers: [], toolkit: build, others: [], unreadOthers: [], owner: null, clients, now },
        members: names.map((changes, index) => member(`m${index + 1}`, changes)),
      }).problems.map(({ text, member: where }) => `${where}: ${text.split(' from most')[0]}`);
    expect(of(kept, kept, fresh)).toEqual([]);
    const damaged = [`+digest cc  sets/${applied}/csync.sh`, `+applied ${applied} /csync ${old}`];
    expect(of(kept, kept, damaged)).toEqual([`m3: sets/${applied}/csync.sh differs`]);
    expect(of(kept, kept, [`+digest aa  sets/${old}/csync.sh`, `+applied ${old} /csync`])).toEqual([
      `m3: applied, sets/${applied}/csync.sh differ`,
    ]);
  });

  it('versions that differ are reported on either side', () => {
    const { problems } = judge(['daemon CFEngine Core 3.24.0']);
    expect(problems.map(({ code, member: where }) => `${code} ${where}`)).toEqual(['check-daemon m1', 'check-daemon m2']);
  });

  it('a clock counts only beyond the time for asking', () => {
    const ahead = (doubt: number) => ({ members: [member('m1'), { ...member('m2'), clock: { ahead: -5, doubt } }] });
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

  it('what cannot be checked is skipped and named, never counted', () => {
    const { looks, leftOut, problems } = judge(['lvm', 'reach']);
    expect([looks, problems]).toEqual([all - 5, []]);
    const reached = ['port m2', 'mtu m2', 'client-port m2', 'client-mtu m2'];
    expect(leftOut.map(({ name, member: where }) => `${name} ${where}`)).toEqual(['volume-group m2', ...reached]);
    const gone = judge([], unreachable);
    expect(gone.problems.map(({ code }) => code)).toEqual(['check-unreachable']);
    expect([gone.looks, gone.leftOut.length]).toEqual([each + 1, each]);
    expect(judge(['reach m1 0 silent', 'reach 10.9.0.21 - -']).leftOut.map(({ name, why }) => `${name}: ${why}`)).toEqual([
      'mtu: no answer to ping from m1',
      expect.stringContaining('client-port: bash'),
      expect.stringContaining('client-mtu: ping of iputils'),
    ]);
  });

  it('room that is not known is skipped, never enough', () => {
    const left = (changes: string[]) => judge(changes).leftOut.map(({ name, member: where, why }) => `${name} ${where}: ${why}`);
    expect(left(['free - /conf', '+free 900000 /run'])).toEqual(['space m2: df prints nothing for /conf']);
    expect(left(['free'])).toEqual(['space m2: the report of the member was cut short']);
    expect(left(['space  /csync'])).toEqual(['space m2: stat -f prints nothing for /csync']);
  });

  it('where the others find the address is reported of the active member', () => {
    const told = (changes: string[]) => {
      const { problems, leftOut } = judge(changes, { owner: 'm1' });
      return [
        ...problems.map(({ severity, member: on, text }) => `${severity} ${on}: ${text}`),
        ...leftOut.map(({ why }) => why),
      ];
    };
    expect(told(['behind 02:00:00:00:00:01'])).toEqual([]);
    expect(told(['behind 02:00:00:00:00:02'])).toEqual([
      'error m1: 10.9.0.100 belongs to m1, but clients reach m2 instead (seen from m2)',
    ]);
    expect(told(['behind none'])).toEqual(['warning m1: m2 finds no host at 10.9.0.100, the address of m1']);
    expect(told(['behind'])).toEqual(['unknown whether clients reach m1: m2 cannot determine which host has 10.9.0.100']);
  });

  it('packages that cannot be read are skipped by name, and are no sign that nothing clashes', () => {
    const { looks, leftOut, problems } = judge([], { unreadOthers: ['cmgetconf -p web fails on m1'] });
    expect([looks, problems]).toEqual([2 * each, []]);
    expect(leftOut).toEqual([{ name: 'other-packages', member: 'the cluster', why: 'cmgetconf -p web fails on m1' }]);
  });

  it('clients that are not known, or are none yet, are skipped on every member', () => {
    const why = (more: Partial<CheckInput>) => judge([], more).leftOut.map((one) => `${one.name} ${one.member}: ${one.why}`);
    const everywhere = ['m1', 'm2'].flatMap((member) => ['client-port', 'client-mtu'].map((name) => `${name} ${member}`));
    expect(why({ clients: null }).map((line) => line.split(': ')[0])).toEqual(everywhere);
    expect(why({ clients: null })[0]).toMatch(/^client-port m1: no member could read/);
    expect(why({ clients: [] })[3]).toMatch(/^client-mtu m2: no client has connected/);
  });

  it('of many clients the first ten are named', () => {
    const many = Array.from({ length: 14 }, (_, index) => `10.9.1.${index}`);
    const found = judge(['reach m1 0 ok', ...many.map((address) => `+reach ${address} 1 ok`)], {
      clients: many.map((address) => ({ address, name: null, at: 0, member: 'm1', resolutionSeconds: 1 })),
    }).problems.filter(({ member: where }) => where === 'm2');
    expect(found.map(({ text }) => text)).toEqual([expect.stringMatching(/14 of 14 .*10\.9\.1\.9 and 4 more\./)]);
  });

  it.each(['', 'Welcome to m1\n'])('%j is no answer', (output) => {
    expect(parseFacts(output)).toBeNull();
  });
});

describe('on hardened members', () => {
  const on = (...lines: string[]): string[] => ['+contexts read', ...lines.map((line) => `+${line}`)];
  const enforcing = (...lines: string[]) => on('selinux Enforcing', ...lines);
  const cf = 'domain system_u:system_r:cfengine_serverd_t:s0';
  const label = (access: string, type: string) => `label ${access} system_u:object_r:${type}:s0 /csync/dsau/site one.cf`;
  const moved = 'context /conf/csync/a b has context user_u:object_r:user_home_t:s0, should be system_u:object_r:usr_t:s0';
  const found = (of: string[], others: string[] = of, generation: 2 | 3 = 3) => {
    const { problems, leftOut } = judge([], {
      settings: generation === 3 ? settings : settingsFor({ members: ['m1', 'm2'], cfengine_generation: 2 }),
      members: [member('m1', others), member('m2', of)],
    });
    return [
      ...problems.filter((one) => one.member === 'm2').map(({ severity, code, text }) => `${severity} ${code}: ${text}`),
      ...leftOut.filter((one) => one.member === 'm2').map(({ name, why }) => `skipped ${name}: ${why}`),
    ];
  };

  it.each<[string, string[], string[], RegExp[]]>([
    ['SELinux off', on('selinux Disabled'), on('selinux Disabled'), []],
    ['enforcing everywhere, all as it should be', enforcing(cf, label('granted', 'var_t')), enforcing(), []],
    ['enforcing here only', enforcing(), on('selinux Permissive'), [/^warning check-selinux: .*not on m1 \(Permissive\)/]],
    ['enforcing on the other one only', on('selinux Permissive'), enforcing(), []],
    [
      'a file that was moved there',
      enforcing(moved),
      enforcing(),
      [/^warning check-labels: .*\/conf\/csync\/a b has user_home_t, should be usr_t/],
    ],
    [
      'the kernel refuses the policy',
      enforcing(cf, label('refused', 'unlabeled_t')),
      enforcing(),
      [/^error check-labels: .*cfengine_serverd_t, to read \/csync\/dsau\/site one\.cf \(unlabeled_t\): clients get no policy/],
    ],
    [
      'the kernel was not asked',
      enforcing(cf, label('unknown', 'unlabeled_t')),
      enforcing(),
      [/^warning check-labels: the usual SELinux policy does not permit.*\(unlabeled_t\)$/],
    ],
    ['the right label, not asked', enforcing(cf, label('unknown', 'cfengine_var_lib_t')), enforcing(), []],
    [
      'a daemon that is not confined',
      enforcing('domain a:b:unconfined_service_t:s0', label('unknown', 'unlabeled_t')),
      enforcing(),
      [],
    ],
    [
      'permissive',
      on('selinux Permissive', cf, label('unknown', 'unlabeled_t')),
      on('selinux Permissive'),
      [/^warning check-labels: .*It is permissive here/],
    ],
    [
      'confined here, the policy is mounted on the other one',
      enforcing(cf),
      enforcing(label('granted', 'default_t')),
      [/^warning check-labels: .*\(default_t\)\. The package is not here now: this counts after a failover/],
    ],
    ['no matchpathcon', ['+selinux Enforcing'], enforcing(), [/^skipped labels: matchpathcon/]],
    ['FIPS mode, and everything works', on('fips accepted', 'key-name MD5=ab'), [], []],
    [
      'FIPS mode, Node.js of the system',
      on('fips refused error:0308010C: unsupported', 'key-name MD5=ab'),
      [],
      [/^error check-fips: .*Node\.js of the member scripts refuses.*0308010C/],
    ],
    [
      'FIPS mode, cfengine with the OpenSSL of the system',
      on('fips accepted', 'key-name '),
      [],
      [/^error check-fips: .*cf-key cannot name its own key/],
    ],
    ['FIPS mode, no key yet', on('fips accepted', 'key-version cf-key: 3.21.0 '), [], [/^skipped fips: /]],
    ['FIPS mode, no Node.js that runs', on('fips ', 'key-name MD5=ab'), [], [/^skipped fips: .*does not run/]],
    ['confined here and there, and granted there', enforcing(cf), enforcing(cf, label('granted', 'site_t')), []],
    ['no FIPS mode', on('key-name '), [], []],
    ['CFEngine Enterprise', on('key-name SHA=ab'), [], [/^error check-enterprise: /]],
    [
      'CFEngine Enterprise without a key',
      on('key-version CFEngine Core 3.21.0 CFEngine Enterprise 3.21.0 '),
      [],
      [/^error check-enterprise: /],
    ],
  ])('%s', (_what, here, there, expected) => {
    const said = found(here, there);
    expect(said).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(said[index]).toMatch(pattern);
  });

  it('cfengine 2 in FIPS mode is a warning', () => {
    expect(found(on('fips accepted'), [], 2)).toEqual([expect.stringMatching(/^warning check-fips: .*Blowfish/)]);
  });

  it('each problem has a fix', () => {
    const { problems } = judge([
      ...enforcing(moved, cf, label('refused', 'tmp_t')),
      '+fips refused error:0308010C: unsupported',
      '+key-name ',
    ]);
    expect(problems.map(({ code, remedy }) => [code, remedy])).toEqual([
      ['check-selinux', expect.stringContaining('ausearch -m avc')],
      ['check-labels', expect.stringMatching(/^restorecon -v '\/conf\/csync\/a b'$/)],
      ['check-labels', expect.stringContaining('context=system_u:object_r:cfengine_var_lib_t:s0')],
      ['check-fips', expect.stringContaining('csync apply --with-runtime=FILE')],
      ['check-fips', expect.stringContaining('fips-mode-setup --disable')],
    ]);
  });

  it('the fix of many labels is one command that can be typed', () => {
    const paths = ['/c/a b', '/c/b', '/c/c', '/c/d'];
    const lines = paths.map((path) => `context ${path} has context u:r:tmp_t:s0, should be u:r:usr_t:s0`);
    const [found] = judge(enforcing(...lines)).problems.filter(({ code }) => code === 'check-labels');
    expect(found?.remedy).toBe("restorecon -v '/c/a b' /c/b /c/c   (and 1 more)");
  });
});
