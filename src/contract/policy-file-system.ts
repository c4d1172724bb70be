/** Device, mark (the sentinel) and /etc/fstab line of the policy file system. */
import { attempt } from '../base/attempt.ts';
import type { Settings } from '../settings/settings.ts';

/** Hook of a legacy package: an executable in its directory, called with run or halt. */
export const customerDefined = 'customer-defined';

export function deviceOf(settings: Settings): string {
  return `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
}

/**
 * When a line of /etc/fstab mounts the policy file system: at its mount point or below, or from its device under any name. null: never.
 * systemd's automount mounts at the first access, even with noauto.
 */
export function fstabMount(
  settings: Settings,
  fields: readonly string[],
): 'at boot' | 'on access' | 'with a unit of systemd' | null {
  const [source = '', typed = '', , options = ''] = fields;
  // A blank is its octal number [fstab(5)].
  const target = typed.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  const mapper = mapperName(settings);
  const devices = [deviceOf(settings), mapper, mapper.replace('/dev/mapper/', '/dev/disk/by-id/dm-name-')];
  const path = target.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  const isOurs = path === settings.mountPoint || path.startsWith(`${settings.mountPoint}/`) || devices.includes(source);
  if (!isOurs) return null;
  const words = options.split(',');
  if (words.some((word) => word === 'x-systemd.automount' || word === 'comment=systemd.automount')) return 'on access';
  if (!words.includes('noauto')) return 'at boot';
  return words.some((word) => /^x-systemd\.(wanted|required)-by=/.test(word)) ? 'with a unit of systemd' : null;
}

/** Hyphens are doubled. */
export function mapperName({ volumeGroup, logicalVolume }: Settings): string {
  const escaped = (name: string): string => name.replaceAll('-', '--');
  return `/dev/mapper/${escaped(volumeGroup)}-${escaped(logicalVolume)}`;
}

/** Of a staged rollout: a directory for each of its hosts, named by key, which only that host may fetch. */
export function stageDirectory({ mountPoint }: Pick<Settings, 'mountPoint'>): string {
  return `${mountPoint}/.csync-stage`;
}

/** In each of them, beside the policy. */
export const stageMarkName = 'csync.stage';

/** Served like policy. */
export const sentinelName = 'csync.sentinel';

export interface Sentinel {
  readonly epoch: number;
  readonly member: string;
  readonly at: string;
}

const readMark = (text: string | null): Partial<Sentinel> =>
  attempt(() => JSON.parse(text ?? '') as Partial<Sentinel> | null, null) ?? {};

/** 0: missing or damaged. */
export function sentinelEpoch(text: string | null): number {
  const { epoch } = readMark(text);
  return typeof epoch === 'number' && Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}

/** null: missing or damaged. */
export function sentinelMember(text: string | null): string | null {
  const { member } = readMark(text);
  return typeof member === 'string' ? member : null;
}
