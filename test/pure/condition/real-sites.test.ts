/** Settings of real sites, as administrators write them: each case was a false word of `csync check` or `csync init`. */
import { describe, expect, it } from 'vitest';
import { judgeChecks, parseFacts } from '../../../src/cluster/condition/checks.ts';
import { fstabMount } from '../../../src/contract/policy-file-system.ts';
import { readApplied } from '../../../src/engine/serviceguard/definition.ts';
import { readCluster } from '../../../src/engine/serviceguard/host.ts';
import { settingsFor } from '../../support.ts';

const settings = settingsFor({ members: ['m1', 'm2'] });

const toolkit = { version: '9.9.9', digest: 'a'.repeat(64) };

/** A package file as cmgetconf prints one. */
const modular = (...lines: readonly string[]): string =>
  ['package_name web', 'module_name sg/failover', 'module_version 1', 'package_type failover', ...lines, ''].join('\n');

const checked = (text: string) => {
  const read = readApplied(text);
  if (read === null) throw new Error('not read');
  return judgeChecks({
    settings,
    members: [],
    clusterMembers: [],
    others: [read],
    unreadOthers: [],
    owner: null,
    clients: null,
    toolkit,
    now: new Date(),
  });
};

describe('another package that uses the volume group of csync', () => {
  it.each([
    ['names it as LVM does', 'vg vg_csync'],
    ['names it by its device', 'vg /dev/vg_csync'],
    ['names it with a slash behind it', 'vg /dev/vg_csync/'],
    ['has a file system on it and no vg line', 'fs_name /dev/vg_csync/lv_web\nfs_directory /web\nfs_type ext4'],
    ['has one under the name of the device mapper', 'fs_name /dev/mapper/vg_csync-lv_web\nfs_directory /web\nfs_type ext4'],
  ])('%s', (_, lines) => {
    expect(checked(modular(lines)).problems.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^package web .*volume group vg_csync/),
    ]);
  });

  it('is found behind a line of other programs', () => {
    const text = `Note: the licence expires in 12 days\n*** Authorised use only ***\n${modular('vg vg_csync')}`;
    expect(checked(text).problems).toHaveLength(1);
  });

  it.each(['vg vg_csync2', 'vg /dev/vg_other', 'fs_name /dev/mapper/vg_csync--old-lv\nfs_directory /web\nfs_type ext4'])(
    'is no other one: %s',
    (lines) => expect(checked(modular(lines)).problems).toEqual([]),
  );

  it('a mount point is the same with a slash behind it, or two within', () => {
    const fs = (directory: string) => `fs_name /dev/vg_web/lv\nfs_directory ${directory}\nfs_type ext4`;
    for (const directory of ['/csync/', '//csync', '/csync//web'])
      expect(checked(modular(fs(directory))).problems, directory).toHaveLength(1);
  });
});

describe('a package whose storage csync cannot know', () => {
  const legacy = 'PACKAGE_NAME old\nRUN_SCRIPT /etc/cmcluster/old/control.sh\nHALT_SCRIPT /etc/cmcluster/old/control.sh\n';

  it('is a legacy one: skipped, by name, with its script', () => {
    const { problems, leftOut } = checked(legacy);
    expect(problems).toEqual([]);
    expect(leftOut).toEqual([
      {
        name: 'other-packages',
        member: 'the cluster',
        why: expect.stringMatching(/package old .*\/etc\/cmcluster\/old\/control\.sh/),
      },
    ]);
  });

  it('has a line that cannot be read: no definition at all, so that its reader lists it by name', () => {
    expect(readApplied(modular('vg "vg_csync'))).toBeNull();
  });
});

describe('csync init', () => {
  const view = 'name=c\nnode:m1|name=m1\n';
  const found = (configuration: string) => readCluster(view, configuration);

  it.each([
    ['package:web|name=web\npackage:web|vg:/dev/vg_csync|vg=/dev/vg_csync\n'],
    ['package:web|name=web\npackage:web|vg:vg_csync|vg=vg_csync\n'],
    ['package:web|name=web\npackage:web|fs_name:/dev/vg_csync/lv|fs_name=/dev/vg_csync/lv\n'],
  ])('knows whose a volume group is: %j', (configuration) => {
    expect(found(configuration)?.packageOfVolumeGroup).toEqual(new Map([['vg_csync', 'web']]));
  });

  it('names the packages whose storage the cluster does not show', () => {
    const legacy = 'package:old|name=old\npackage:old|style=legacy\npackage:old|run_script=/etc/cmcluster/old/control.sh\n';
    expect(
      found(`${legacy}package:web|name=web\npackage:web|module_name:sg/failover|module_name=sg/failover\n`)?.unknownStorage,
    ).toEqual(['old']);
    expect(found('')?.unknownStorage).toEqual([]);
    expect(readCluster(`${view}package:lost|name=lost\n`, '')?.unknownStorage).toEqual(['lost']);
  });
});

describe('a line of fstab', () => {
  const of = (line: string) => fstabMount(settings, line.split(' '));

  it.each([
    ['/dev/vg_csync/lv_csync /csync ext4 defaults 0 2', 'at boot'],
    ['/dev/vg_csync/lv_csync /csync ext4 noauto,x-systemd.automount 0 2', 'on access'],
    ['/dev/vg_csync/lv_csync /csync ext4 noauto,comment=systemd.automount 0 2', 'on access'],
    ['/dev/vg_csync/lv_csync /csync ext4 noauto,x-systemd.wanted-by=local-fs.target 0 2', 'with a unit of systemd'],
    ['/dev/disk/by-id/dm-name-vg_csync-lv_csync /elsewhere ext4 rw 0 2', 'at boot'],
    ['UUID=1-2 /csync/ ext4 rw 0 2', 'at boot'],
    ['tmpfs /csync/spool tmpfs rw 0 0', 'at boot'],
    ['server:/export /csync/data nfs noauto,x-systemd.automount 0 0', 'on access'],
  ])('%s', (line, when) => expect(of(line)).toBe(when));

  it.each([
    '/dev/vg_csync/lv_csync /csync ext4 rw,noauto 0 2',
    '/dev/sdb1 /csync2 ext4 rw 0 2',
    'tmpfs /csync2/spool tmpfs x-systemd.automount 0 0',
    '/dev/vg_csync/lv_csync none swap sw,noauto 0 0',
  ])('that mounts nothing: %s', (line) => expect(of(line)).toBeNull());
});

describe('host tags', () => {
  const judged = (...lines: readonly string[]) => {
    const facts = parseFacts(['lvm present', 'group', ...lines, 'clock 100.0'].join('\n'));
    const one = { member: 'm1', facts, noAnswer: { why: '', remedy: '' }, clock: { ahead: 0, doubt: 1 }, reach: [] };
    const report = judgeChecks({
      settings,
      toolkit,
      members: [one],
      clusterMembers: [],
      others: [],
      unreadOthers: [],
      owner: null,
      clients: null,
      now: new Date(),
    });
    const of = (list: readonly { readonly text: string }[]) =>
      list.map(({ text }) => text).filter((text) => text.includes('host tag'));
    return {
      problems: of(report.problems),
      leftOut: report.leftOut.filter(({ name }) => name === 'volume-group').map(({ why }) => why),
    };
  };

  it('are on where LVM itself says so', () => {
    expect(judged('hosttags hosttags=1')).toEqual({ problems: [], leftOut: [] });
  });

  it.each(['hosttags hosttags=0', 'hosttags hosttags=10'])('are not known to be on: %s', (line) => {
    expect(judged(line).problems).toHaveLength(1);
  });

  it('are neither on nor off where LVM cannot be asked', () => {
    expect(judged()).toEqual({ problems: [], leftOut: [expect.stringMatching(/lvmconfig/)] });
  });
});
