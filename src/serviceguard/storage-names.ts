/** Names of storage: one thing has several, all legal in a package file. Pure. */

/** As LVM, from `vg_csync`, `/dev/vg_csync` or `/dev/vg_csync/`. */
export function volumeGroupName(value: string): string {
  return value.replace(/^\/dev\//, '').replace(/(?<!\/)\/+$/, '');
}

/** Of a device, under either name; null: another kind (NFS, a disk). */
export function volumeGroupOfDevice(device: string): string | null {
  const mapped = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)((?:[^/-]|--)+)-(?!-)[^/]+$/.exec(device)?.[1];
  if (mapped !== undefined) return mapped.replaceAll('--', '-');
  const group = /^\/dev\/([^/]+)\/[^/]+$/.exec(device)?.[1] ?? null;
  return group === null || ['mapper', 'disk', 'block', 'dm', 'cciss', 'md'].includes(group) ? null : group;
}

/** Without doubled slashes, and without one at the end. */
export function plainPath(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}
