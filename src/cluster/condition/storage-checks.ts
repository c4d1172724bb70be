/** Whether a member could mount the policy file system, and nobody else does. Pure. */
import type { Problem } from '../../base/problem.ts';
import { deviceOf, mountsAtBoot } from '../../contract/policy-file-system.ts';
import { roomBy } from '../../contract/space.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import { fileSystemTypes } from '../../settings/file-systems.ts';
import { type CheckInput, type Findings, first, type Looked, problem, words } from './check-model.ts';

const freeLimitKilobytes = 50_000;

export function judgeMountPoint({ member, facts }: Looked, { settings: { mountPoint }, owner }: CheckInput): Findings {
  const [kind, entries] = words(first(facts, 'point'));
  if (kind === undefined) return [{ leftOut: 'the look was cut short' }];
  if (kind === 'missing') return [problem('error', 'mount-point', member, `${mountPoint} is missing`, `mkdir ${mountPoint}`)];
  if (kind === 'other')
    return [problem('error', 'mount-point', member, `${mountPoint} is no directory`, 'move it away; mkdir it')];
  const mounted = (facts.get('mount') ?? []).some((line) => line.split(' ')[1] === mountPoint);
  if (mounted && owner === member) return [];
  if (mounted)
    return [
      problem(
        'error',
        'mount-point',
        member,
        `something is mounted at ${mountPoint}, and the package is not here`,
        `umount ${mountPoint}`,
      ),
    ];
  if (entries === '0') return [];
  const text = `${mountPoint} is not empty while unmounted: clients of a daemon here would take that for the policy, and purge theirs`;
  return [problem('error', 'mount-point', member, text, `see what it is, and move it away: ls -A ${mountPoint}`)];
}

export function judgeFstab({ member, facts }: Looked, { settings }: CheckInput): readonly Problem[] {
  return (facts.get('fstab') ?? []).flatMap((line) => {
    if (!mountsAtBoot(settings, words(line))) return [];
    const [source = '', target = ''] = words(line);
    const text = `/etc/fstab mounts ${source} at ${target} at boot, behind ${engineFor(settings).title}'s back`;
    return [problem('error', 'fstab', member, text, 'take the line out, or give it the option noauto')];
  });
}

export function judgeOtherMounts({ member, facts }: Looked, { settings: { mountPoint } }: CheckInput): readonly Problem[] {
  return (facts.get('mount') ?? []).flatMap((line) => {
    const [source = '', target = ''] = line.split(' ');
    if (!target.startsWith(`${mountPoint}/`)) return [];
    const text = `${source} is mounted at ${target}, below the mount point: it would keep the policy file system from being unmounted`;
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
        `there is no volume group ${volumeGroup}`,
        'vgs; is the disk shared with this member?',
      ),
    ];
  const problems: Problem[] = [];
  const tags = words(first(facts, 'group')?.replaceAll(',', ' '));
  if (!facts.has('hosttags'))
    problems.push(
      problem(
        'warning',
        'volume-group',
        member,
        `LVM knows no host tags here, so nothing keeps ${volumeGroup} from being activated at boot, or twice`,
        'tags { hosttags = 1 } in /etc/lvm/lvm.conf, volume_list = ["@HOSTNAME"] in /etc/lvm/lvm_HOSTNAME.conf',
      ),
    );
  if (facts.has('active') && owner !== member)
    problems.push(
      problem(
        'error',
        'volume-group',
        member,
        `${volumeGroup} is active here although the package is not: activated at boot, or left over; two members could mount it at once`,
        `vgchange -a n ${volumeGroup}; keep it from the next boot (host tags, auto_activation_volume_list)`,
      ),
    );
  if (owner === null && tags.length > 0)
    problems.push(
      problem(
        'warning',
        'volume-group',
        member,
        `${volumeGroup} carries the tag ${tags.join(', ')} although the package is down`,
        `vgchange --deltag ${tags[0]} ${volumeGroup}`,
      ),
    );
  return problems;
}

export function judgeSpace({ member, facts }: Looked, { settings: { mountPoint } }: CheckInput): Findings {
  const places = facts.get('free') ?? [];
  if (places.length === 0) return [{ leftOut: 'the look was cut short' }];
  const policy = (facts.get('space') ?? []).flatMap((said): Findings => {
    const room = roomBy(said);
    if (room === 'enough') return [];
    if (room === 'unknown') return [{ leftOut: `stat -f prints nothing for ${mountPoint}` }];
    const text = `on the policy file system at ${mountPoint} ${room.short}: a full one takes no new policy`;
    return [problem('warning', 'space', member, text, `make room below ${mountPoint}, or enlarge the file system`)];
  });
  const others = places.map(words).flatMap(([kilobytes = '', place = '']): Findings => {
    if (!/^\d+$/.test(kilobytes)) return [{ leftOut: `df prints nothing for ${place}` }];
    if (Number(kilobytes) >= freeLimitKilobytes) return [];
    const text = `${place} has ${Math.floor(Number(kilobytes) / 1000)} MB left: scripts, sets of the history and the package log need room`;
    return [problem('warning', 'space', member, text, `make room below ${place}`)];
  });
  return [...policy, ...others];
}

/** Host tags keep a volume group from being activated twice; this is the second line behind them, where there is a file system that has one. */
export function doubleMountNotes({ settings, members }: CheckInput): string[] {
  const features = members.flatMap(({ facts }) => facts?.get('features') ?? [])[0];
  if (!fileSystemTypes[settings.fileSystemType].mountProtection || features === undefined || words(features).includes('mmp'))
    return [];
  const device = deviceOf(settings);
  return [
    `${device} has no multiple mount protection (mmp): only the tag of its volume group keeps a second member from mounting it. With the package halted and the volume group active on one member: tune2fs -O mmp ${device}; a mount then takes up to 30 s longer after a crash (docs/explanation/threat-model.md)`,
  ];
}
