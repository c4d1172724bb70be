/** The control script of a legacy package, on a member made of plain data: order, rollback, exit statuses, log texts. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { legacyHalt, legacyStart } from '../../../src/member/legacy/legacy-scripts.ts';
import type { ScriptContext } from '../../../src/member/steps/script.ts';
import { settingsDigest } from '../../../src/settings/settings.ts';
import { settingsFor } from '../../support.ts';
import { planLog, SimulatedMember } from './simulated-member.ts';

const directory = '/conf/csync';
const device = '/dev/vg_csync/lv_csync';
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A member that is ready for a start, or, `running`, has the package. */
function memberReady(settings = settingsFor(), running = false): SimulatedMember {
  const member = new SimulatedMember();
  member.addresses = [];
  member.file('/csync', null, 0o755);
  member.file(`${directory}/manifest.json`, JSON.stringify({ settingsDigest: settingsDigest(settings) }), 0o644);
  member.file('/usr/bin/cf-serverd', '', 0o755);
  member.file('/usr/bin/cf-agent', '', 0o755);
  member.file('/var/lib/cfengine3/ppkeys/localhost.priv', keys.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string);
  member.file('/var/lib/cfengine3/ppkeys/localhost.pub', keys.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string);
  member.add('cf-serverd', { listens: true });
  if (!running) return member;
  member.tags = ['m1'];
  member.active = true;
  member.mount({ source: device, target: '/csync', type: 'ext4', options: ['rw'] });
  member.addresses = ['10.9.0.100'];
  return member;
}

/** Something lies on the policy file system. */
function withPolicy(member: SimulatedMember, name = 'dsau'): SimulatedMember {
  member.group.files.set(`/csync/${name}`, { text: null, mode: 0o755, inode: 1 });
  return member;
}

async function run(
  script: (context: ScriptContext) => Promise<number>,
  member: SimulatedMember,
  { settings = settingsFor(), dryRun = false, hurried = false } = {},
) {
  const { log, lines, plain } = planLog();
  const digest = () => settingsDigest(settings);
  const more = { directory, digest, role: 'legacy', logFile: '/log/csync.log', dryRun, hurried, log } as const;
  const status = await script({ ...member.context(settings), ...more });
  return { status, lines, plain: plain.join('\n'), commands: member.commands };
}

const started = [
  'vgchange --addtag m1 vg_csync',
  'vgchange -a y vg_csync',
  `fsck -t ext4 -p ${device}`,
  `mount -t ext4 -o rw ${device} /csync`,
  'cmmodnet -a -i 10.9.0.100 10.9.0.0',
  'cmrunserv csync_monitor >> /log/csync.log 2>&1 /conf/csync/csync_control.sh monitor',
];
const halted = [
  'cmhaltserv csync_monitor',
  'cmmodnet -r -i 10.9.0.100 10.9.0.0',
  'umount /csync',
  'vgchange -a n vg_csync',
  'vgchange --deltag m1 vg_csync',
];

describe('RUN_SCRIPT start', () => {
  it('leaves the tag of a member that was only halted: its machine runs and may hold the file system', async () => {
    const member = withPolicy(memberReady());
    member.tags = ['m2'];
    member.memberStates = { m1: 'running', m2: 'halted' };
    const { status, commands } = await run(legacyStart, member);
    expect(status).toBe(1);
    expect(member.tags).toEqual(['m2']);
    expect(commands.filter((one) => one.startsWith('mount'))).toEqual([]);
  });

  it('activates, checks, mounts, adds the address, promotes, starts the service; in the words of the template', async () => {
    const { status, commands, lines, plain } = await run(legacyStart, withPolicy(memberReady()));
    expect(status, JSON.stringify(lines)).toBe(0);
    expect(commands).toEqual(started);
    const order = ['settings', 'mount-point', 'seal', 'installation', 'volume-group', 'fsck', 'mount', 'address'];
    const promoted = ['mount', 'address', 'installation', 'daemon', 'policy', 'sentinel', 'proof', 'name'];
    expect(lines.map(({ step }) => step)).toEqual([...order, ...promoted, 'customer', 'service', 'announce']);
    const date = '[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\\d \\d\\d:\\d\\d:\\d\\d \\S+ \\d{4}';
    const stamp = '[A-Z][a-z]{2} [ 0-9]\\d \\d\\d:\\d\\d:\\d\\d - Node "m1":';
    const wanted = [
      '\\n\\t#{11} Node "m1": Starting package at DATE #{11}',
      'STAMP Activating volume group vg_csync with exclusive option.',
      'STAMP Checking filesystems:\\n {3}/dev/vg_csync/lv_csync',
      'STAMP Mounting /dev/vg_csync/lv_csync at /csync',
      'STAMP Adding IP address 10.9.0.100 to subnet 10.9.0.0',
      'STAMP Starting service csync_monitor using\\n {3}"/conf/csync/csync_control.sh monitor"',
      '\\n\\t#{11} Node "m1": Package start completed at DATE #{11}',
    ];
    const pattern = wanted.join('\\n').replaceAll('DATE', date).replaceAll('STAMP', stamp);
    expect(plain).toMatch(new RegExp(`^${pattern}$`));
  });

  it.each([
    ['none', 'cmrunserv csync_monitor'],
    ['unlimited', 'cmrunserv -R csync_monitor'],
    [3, 'cmrunserv -r 3 csync_monitor'],
  ])('service_restart %s is passed to cmrunserv', async (restart, beginning) => {
    const settings = settingsFor({ service_restart: restart });
    const { commands } = await run(legacyStart, withPolicy(memberReady(settings)), { settings });
    expect(commands.at(-1)).toMatch(new RegExp(`^${beginning} >> `));
  });

  it.each<[string, number, string, readonly string[]]>([
    ['vgchange --addtag', 1, 'activate_volume_group', []],
    ['vgchange -a y', 1, 'activate_volume_group', ['vgchange -a n vg_csync', 'vgchange --deltag m1 vg_csync']],
    ['fsck', 1, 'check_and_mount', ['vgchange -a n vg_csync', 'vgchange --deltag m1 vg_csync']],
    ['mount', 1, 'check_and_mount', ['vgchange -a n vg_csync', 'vgchange --deltag m1 vg_csync']],
    ['cmmodnet -a', 1, 'add_ip_address', ['umount /csync', 'vgchange -a n vg_csync', 'vgchange --deltag m1 vg_csync']],
    ['cmrunserv', 1, 'start_services', halted],
  ])('%s fails: taken back in reverse, status %i, function %s', async (command, wanted, name, undone) => {
    const member = withPolicy(memberReady());
    member.failing.set(command, 100);
    const { status, commands, plain } = await run(legacyStart, member);
    const last = commands.findLastIndex((one) => one.startsWith(command));
    expect(status).toBe(wanted);
    expect(commands.slice(last + 1)).toEqual(undone);
    expect(plain).toContain(`\tERROR:  Function ${name}\n\tERROR:  Failed to `);
    expect(plain).toMatch(/Package start failed at [^\n]*$/);
    expect([member.tags, member.mounted, member.addresses]).toEqual([[], [], []]);
  });

  it('mount is tried three times, no process is killed for it', async () => {
    const member = withPolicy(memberReady());
    member.failing.set('mount', 2);
    const { status, commands } = await run(legacyStart, member);
    expect(status).toBe(0);
    expect(commands.filter((one) => one.startsWith('mount'))).toHaveLength(3);
    expect(commands.join()).not.toContain('fuser');
  });

  it('what no other member could cure is 1, what another one may cure is 2, as with the modular scripts', async () => {
    const withoutPolicy = await run(legacyStart, withPolicy(memberReady(), 'of-another-user'));
    expect(withoutPolicy.status).toBe(1);
    expect(withoutPolicy.commands.slice(-4)).toEqual(halted.slice(1));
    const busy = memberReady();
    busy.mount({ source: '/dev/other', target: '/csync', type: 'ext4', options: ['rw'] });
    const refused = await run(legacyStart, busy);
    expect(refused.status).toBe(2);
    expect(refused.commands, 'nothing was begun').toEqual([]);
    expect(busy.mounted, 'the mount of another user is left alone').toHaveLength(1);
    const drifted = memberReady();
    drifted.file(`${directory}/manifest.json`, '{"settingsDigest":"other"}');
    expect((await run(legacyStart, drifted)).status).toBe(2);
  });

  it('what is true already is verified and left alone', async () => {
    const member = withPolicy(memberReady());
    member.tags = ['m1'];
    member.active = true;
    member.addresses = ['10.9.0.100'];
    const { status, commands } = await run(legacyStart, member);
    expect([status, commands]).toEqual([0, [started[2], started[3], started.at(-1)]]);
  });

  it('a mount of its own that was left over is refused, as in a modular package', async () => {
    expect((await run(legacyStart, memberReady(settingsFor(), true))).status).toBe(2);
  });

  it('a dry run where the package runs finds nothing to do but what every start does', async () => {
    const member = memberReady(settingsFor(), true);
    const { lines } = await run(legacyStart, withPolicy(member), { dryRun: true });
    const open = lines.filter(({ outcome }) => outcome !== 'ok');
    expect(open.map(({ step }) => step)).toEqual(['sentinel', 'service']);
  });

  it('takes the tag of a member away only when the cluster has it as down', async () => {
    const member = withPolicy(memberReady());
    member.tags = ['m2'];
    await run(legacyStart, member);
    expect(member.effects).not.toContain('vgchange --deltag m2 vg_csync');
    const after = withPolicy(memberReady());
    after.tags = ['m2'];
    after.memberStates = { m1: 'running', m2: 'failed' };
    expect((await run(legacyStart, after)).status).toBe(0);
    expect(after.tags).toEqual(['m1']);
    expect(after.effects).toContain('vgchange --deltag m2 vg_csync');
    const inCapitals = withPolicy(memberReady());
    inCapitals.tags = ['M2.example.com'];
    inCapitals.memberStates = { m1: 'running', m2: 'failed' };
    expect((await run(legacyStart, inCapitals)).status).toBe(0);
    expect(inCapitals.tags).toEqual(['m1']);
  });

  it('calls customer-defined run behind the promotion and before the service; its failure takes all back', async () => {
    const member = withPolicy(memberReady());
    member.file(`${directory}/customer-defined`, '', 0o755);
    expect((await run(legacyStart, member)).commands.slice(-2)).toEqual(['customer-defined run', started.at(-1)]);
    const failing = withPolicy(memberReady());
    failing.file(`${directory}/customer-defined`, '', 0o755);
    failing.failing.set('customer-defined run', 1);
    const { status, commands } = await run(legacyStart, failing);
    expect(status).toBe(1);
    expect(commands.slice(5)).toEqual(['customer-defined run', 'customer-defined halt', ...halted.slice(1)]);
  });

  it('a dry run prints every step and does nothing', async () => {
    const member = memberReady();
    const { status, commands, lines, plain } = await run(legacyStart, member, { dryRun: true });
    expect([status, commands, plain]).toEqual([0, [], '']);
    expect(lines.filter(({ outcome }) => outcome === 'would').map(({ step }) => step)).toEqual(
      expect.arrayContaining(['volume-group', 'fsck', 'mount', 'address', 'service']),
    );
  });
});

describe('HALT_SCRIPT stop', () => {
  it('halts the service, lets go, takes address, mount and volume group away; in the words of the template', async () => {
    const { status, commands, plain } = await run(legacyHalt, memberReady(settingsFor(), true));
    expect([status, commands]).toEqual([0, halted]);
    for (const text of [
      'Halting package at',
      'Halting service csync_monitor',
      'Remove IP address 10.9.0.100 from subnet 10.9.0.0',
      'Unmounting filesystem on /dev/vg_csync/lv_csync',
      'Deactivating volume group vg_csync',
      'Package halt completed at',
    ])
      expect(plain).toContain(`Node "m1": ${text}`);
  });

  it('takes the address away although its interface has lost the link', async () => {
    const member = memberReady(settingsFor(), true);
    member.linked = false;
    expect((await run(legacyHalt, member)).commands).toEqual(halted);
  });

  it('of a package that is not here is done', async () => {
    const { status, commands } = await run(legacyHalt, memberReady());
    expect([status, commands]).toEqual([0, ['cmhaltserv csync_monitor']]);
  });

  it('ends who keeps the file system, and only while it is mounted', async () => {
    const member = memberReady(settingsFor(), true);
    member.add('bash', { holds: true });
    const { status, commands, plain } = await run(legacyHalt, member);
    expect([status, commands.slice(2, 5)]).toEqual([0, ['umount /csync', 'fuser -k -u -m /csync', 'umount /csync']]);
    expect(plain).toContain('\tWARNING:   Running fuser to remove anyone using the file system directly.');
  });

  it.each([
    ['umount', 'umount_fs', 3],
    ['vgchange -a n', 'deactivate_volume_group', 3],
    ['cmmodnet -r', 'remove_ip_address', 1],
  ])('%s fails for good: status 1, function %s, and the rest is tried all the same', async (command, name, tries) => {
    const member = memberReady(settingsFor(), true);
    member.failing.set(command, 100);
    const { status, commands, plain } = await run(legacyHalt, member);
    expect(status).toBe(1);
    expect(commands.filter((one) => one.startsWith(command))).toHaveLength(tries);
    expect(commands.some((one) => one.startsWith('vgchange -a n'))).toBe(true);
    expect(plain).toContain(`\tERROR:  Function ${name}`);
    expect(plain).toMatch(/Package halt failed at [^\n]*$/);
  });

  it('a service that does not halt is only a warning; customer commands that fail are not', async () => {
    const member = memberReady(settingsFor(), true);
    member.failing.set('cmhaltserv', 1);
    const { status, plain } = await run(legacyHalt, member);
    expect([status, plain]).toEqual([0, expect.stringContaining('\tWARNING:   Failed to halt service csync_monitor')]);
    const own = memberReady(settingsFor(), true);
    own.file(`${directory}/customer-defined`, '', 0o755);
    own.failing.set('customer-defined halt', 1);
    const failed = await run(legacyHalt, own);
    expect([failed.status, failed.commands.slice(2)]).toEqual([1, halted.slice(1)]);
  });
});
