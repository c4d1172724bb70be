/** Checks that a member can mount the policy file system, and that nothing else does. Pure. */

import type { Problem } from '../../base/problem.ts';
import { words } from '../../base/shell-word.ts';
import { deviceOf, fstabMount } from '../../contract/policy-file-system.ts';
import { roomBy } from '../../contract/space.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import { fileSystemTypes } from '../../settings/file-systems.ts';
import { type CheckInput, type Findings, first, type Looked, problem } from './check-model.ts';

const freeLimitKilobytes = 50_000;

export function judgeMountPoint({ member, facts }: Looked, { settings: { mountPoint }, owner }: CheckInput): Findings {
  const [kind, entries] = words(first(facts, 'point'));
  if (kind === undefined) return [{ leftOut: 'the report of the member was cut short' }];
  if (kind === 'missing') return [problem('error', 'mount-point', member, `${mountPoint} is missing`, `mkdir ${mountPoint}`)];
  if (kind === 'other')
    return [problem('error', 'mount-point', member, `${mountPoint} is not a directory`, 'rename it, then mkdir it')];
  const mounted = (facts.get('mount') ?? []).some((line) => line.split(' ')[1] === mountPoint);
  if (mounted && owner === member) return [];
  if (mounted)
    return [
      problem(
        'error',
        'mount-point',
        member,
        `a file system is mounted at ${mountPoint}, but the package does not run here`,
        `umount ${mountPoint}`,
      ),
    ];
  if (entries === '0') return [];
  const text = `${mountPoint} is not empty while unmounted: clients of this member's daemon would take its content for the policy, and purge theirs`;
  return [problem('error', 'mount-point', member, text, contentAway(mountPoint))];
}

/** The package seals the directory (chattr +i), so nothing is written there while it is unmounted. */
function contentAway(mountPoint: string): string {
  const away = `/var/tmp${mountPoint.replaceAll('/', '-')}`;
  return `ls -A ${mountPoint}; then move its content away: mkdir -p ${away}; chattr -i ${mountPoint}; find ${mountPoint} -mindepth 1 -maxdepth 1 -exec mv -t ${away} {} +`;
}

export function judgeFstab({ member, facts }: Looked, { settings }: CheckInput): readonly Problem[] {
  return (facts.get('fstab') ?? []).flatMap((line) => {
    const when = fstabMount(settings, words(line));
    if (when === null) return [];
    const [source = '', target = ''] = words(line);
    const text = `/etc/fstab mounts ${source} at ${target} ${when}, without ${engineFor(settings).title}`;
    const remedy = 'remove the line, or set noauto without an option of systemd; then systemctl daemon-reload';
    return [problem('error', 'fstab', member, text, remedy)];
  });
}

export function judgeOtherMounts({ member, facts }: Looked, { settings: { mountPoint } }: CheckInput): readonly Problem[] {
  return (facts.get('mount') ?? []).flatMap((line) => {
    const [source = '', target = ''] = line.split(' ');
    if (!target.startsWith(`${mountPoint}/`)) return [];
    const text = `${source} is mounted at ${target}, below the mount point: the policy file system could not be unmounted`;
    return [problem('error', 'other-mounts', member, text, `mount it elsewhere: umount ${target}`)];
  });
}

export function judgeVolumeGroup({ member, facts }: Looked, { settings: { volumeGroup }, owner }: CheckInput): Findings {
  if (!facts.has('lvm')) return [{ leftOut: 'LVM (vgs) is missing there' }];
  if (!facts.has('group'))
    return [
      problem(
        'error',
        'volume-group',
        member,
        `volume group ${volumeGroup} is missing`,
        'vgs; check that the disk is shared with this member',
      ),
    ];
  const problems: Problem[] = [];
  const tags = words(first(facts, 'group')?.replaceAll(',', ' '));
  problems.push(...hostTagProblems(member, first(facts, 'hosttags'), volumeGroup));
  if (facts.has('active') && owner !== member)
    problems.push(
      problem(
        'error',
        'volume-group',
        member,
        `${volumeGroup} is active here although the package is not: activated at boot, or left over. Two members could mount it at once`,
        `vgchange -a n ${volumeGroup}; prevent its activation at boot (host tags, auto_activation_volume_list)`,
      ),
    );
  if (owner === null && tags.length > 0)
    problems.push(
      problem(
        'warning',
        'volume-group',
        member,
        `${volumeGroup} has the tag ${tags.join(', ')} although the package is down`,
        `vgchange --deltag ${tags[0]} ${volumeGroup}`,
      ),
    );
  const unasked = { leftOut: 'lvmconfig, which prints whether LVM has host tags, is missing there' };
  return facts.has('hosttags') ? problems : [...problems, unasked];
}

/** `printed`: output of lvmconfig, such as hosttags=1. */
function hostTagProblems(member: string, printed: string | undefined, volumeGroup: string): Problem[] {
  if (printed === undefined || printed === 'hosttags=1') return [];
  const text = `LVM has no host tags here (lvmconfig tags/hosttags prints ${printed}), so nothing prevents ${volumeGroup} from being activated at boot, or twice`;
  const remedy = 'tags { hosttags = 1 } in /etc/lvm/lvm.conf, volume_list = ["@HOSTNAME"] in /etc/lvm/lvm_HOSTNAME.conf';
  return [problem('warning', 'volume-group', member, text, remedy)];
}

export function judgeSpace({ member, facts }: Looked, { settings: { mountPoint } }: CheckInput): Findings {
  const places = facts.get('free') ?? [];
  if (places.length === 0) return [{ leftOut: 'the report of the member was cut short' }];
  const policy = (facts.get('space') ?? []).flatMap((said): Findings => {
    const room = roomBy(said);
    if (room === 'enough') return [];
    if (room === 'unknown') return [{ leftOut: `stat -f prints nothing for ${mountPoint}` }];
    const text = `policy file system at ${mountPoint}: ${room.short}. A full file system accepts no new policy`;
    return [problem('warning', 'space', member, text, `free space below ${mountPoint}, or enlarge the file system`)];
  });
  const others = places.map(words).flatMap(([kilobytes = '', place = '']): Findings => {
    if (!/^\d+$/.test(kilobytes)) return [{ leftOut: `df prints nothing for ${place}` }];
    if (Number(kilobytes) >= freeLimitKilobytes) return [];
    const text = `${place} has ${Math.floor(Number(kilobytes) / 1000)} MB free: scripts, the history and the package log need space`;
    return [problem('warning', 'space', member, text, `free space below ${place}`)];
  });
  return [...policy, ...others];
}

/** A second protection, if the file system has one. */
export function doubleMountNotes({ settings, members }: CheckInput): string[] {
  const features = members.flatMap(({ facts }) => facts?.get('features') ?? [])[0];
  if (!fileSystemTypes[settings.fileSystemType].mountProtection || features === undefined || words(features).includes('mmp'))
    return [];
  const device = deviceOf(settings);
  return [
    `${device} has no multiple mount protection (mmp): only the tag of its volume group prevents a second mount. To enable it, halt the package, activate the volume group on one member, and run: tune2fs -O mmp ${device}. A mount then takes up to 30 s longer after a crash (docs/explanation/threat-model.md)`,
  ];
}
