/** The policy file system, as both ends name it: its device, its mark (the sentinel), its place in /etc/fstab. */
import type { Settings } from '../settings/settings.ts';

/** The administrator's own part of a legacy package: an executable of this name in its directory, called with run or halt. */
export const customerDefined = 'customer-defined';

export function deviceOf(settings: Settings): string {
  return `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
}

/**
 * Whether a line of /etc/fstab mounts the policy file system at boot, behind Serviceguard's back: at its mount point, or from
 * its device under either name.
 */
export function mountsAtBoot(settings: Settings, fields: readonly string[]): boolean {
  const [source = '', target = '', , options = ''] = fields;
  const ours = target === settings.mountPoint || source === deviceOf(settings) || source === mapperName(settings);
  return ours && !options.split(',').includes('noauto');
}

/** Device-mapper's own spelling of a logical volume: hyphens are doubled. */
export function mapperName({ volumeGroup, logicalVolume }: Settings): string {
  const escaped = (name: string): string => name.replaceAll('-', '--');
  return `/dev/mapper/${escaped(volumeGroup)}-${escaped(logicalVolume)}`;
}

/** On the policy file system; served like policy. */
export const sentinelName = 'csync.sentinel';

/** One line of the sentinel file. */
export interface Sentinel {
  readonly epoch: number;
  readonly member: string;
  readonly at: string;
}

/** The epoch of a sentinel; 0 for none or for one that is damaged. */
export function sentinelEpoch(text: string | null): number {
  try {
    const { epoch } = JSON.parse(text ?? '') as Partial<Sentinel>;
    return typeof epoch === 'number' && Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
  } catch {
    return 0;
  }
}
