/** Values that Serviceguard allows and csync does not support. Pure. */
import type { Field } from './settings.ts';

const single: Partial<Record<Field, string>> = {
  packageAddress: 'address',
  packageDnsName: 'DNS name',
  packageSubnet: 'subnet',
  volumeGroup: 'volume group',
  logicalVolume: 'logical volume',
  mountPoint: 'file system',
};

/** Why csync refuses the value; follows "KEY is VALUE, but". null: only its form is wrong. */
export function whyUnsupported(field: Field, value: unknown): string | null {
  const values = Array.isArray(value) ? value : [value];
  const several = values.flatMap((one) => (typeof one === 'string' ? one.split(/[\s,]+/).filter(Boolean) : []));
  if (field === 'packageAddress' && several.some((one) => /^fe[89ab]/i.test(one)))
    return 'a package cannot have a link-local address';
  const what = single[field];
  if (what !== undefined && several.length > 1) return `csync supports one ${what} a package`;
  if (field === 'fileSystemType' && several.some((one) => /^(nfs|cifs)/i.test(one)))
    return 'csync supports a local file system on a logical volume only: ext2, ext3, ext4, xfs or btrfs';
  return null;
}
