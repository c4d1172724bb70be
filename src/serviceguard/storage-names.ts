/** The names under which packages speak of storage: one thing has several, and all of them are legal in a package file. Pure. */

/** A volume group as LVM names it, from `vg_csync`, `/dev/vg_csync` or `/dev/vg_csync/`. */
export function volumeGroupName(value: string): string {
  return value.replace(/^\/dev\//, '').replace(/\/+$/, '');
}

/** The volume group of a logical volume's device, under either of its names; null: a device of another kind (NFS, a disk). */
export function volumeGroupOfDevice(device: string): string | null {
  const mapped = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)((?:[^/-]|--)+)-(?!-)[^/]+$/.exec(device)?.[1];
  if (mapped !== undefined) return mapped.replaceAll('--', '-');
  const group = /^\/dev\/([^/]+)\/[^/]+$/.exec(device)?.[1] ?? null;
  return group === null || ['mapper', 'disk', 'block', 'dm', 'cciss', 'md'].includes(group) ? null : group;
}

/** A path without doubled slashes and without one behind it. */
export function plainPath(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}
