/** Storage has several names that are legal in a package file. Pure. */

/** LVM's name, from `vg_csync`, `/dev/vg_csync` or `/dev/vg_csync/`. */
export function volumeGroupName(value: string): string {
  return value.replace(/^\/dev\//, '').replace(/(?<!\/)\/+$/, '');
}

/** By either name of a device; null: another kind (NFS, a disk). */
export function volumeGroupOfDevice(device: string): string | null {
  const mapped = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)((?:[^/-]|--)+)-(?!-)[^/]+$/.exec(device)?.[1];
  if (mapped !== undefined) return mapped.replaceAll('--', '-');
  const group = /^\/dev\/([^/]+)\/[^/]+$/.exec(device)?.[1] ?? null;
  return group === null || ['mapper', 'disk', 'block', 'dm', 'cciss', 'md'].includes(group) ? null : group;
}

/** No doubled slashes, none at the end. */
export function plainPath(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}
