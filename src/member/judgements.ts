/**
 * What an observation means. Pure: facts in, a finding or null out; the tables of the tests are written against these.
 */
import type { Listener, MountEntry, ProcessState } from '../host/host.ts';
import type { Settings } from '../settings.ts';
import type { Finding } from './failures.ts';

export function deviceOf(settings: Settings): string {
  return `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
}

/** Device-mapper's own spelling of a logical volume: hyphens are doubled. */
function mapperName({ volumeGroup, logicalVolume }: Settings): string {
  const escaped = (name: string): string => name.replaceAll('-', '--');
  return `/dev/mapper/${escaped(volumeGroup)}-${escaped(logicalVolume)}`;
}

/** The topmost mount at the mount point; later lines of the table cover earlier ones. */
export function mountAt(mounts: readonly MountEntry[], target: string): MountEntry | undefined {
  return mounts.findLast((mount) => mount.target === target);
}

/** Before anything is mounted: the place must be a free, empty directory [cfengine.md 1.6, 2.6]. */
export function judgeMountPoint(
  settings: Settings,
  mounts: readonly MountEntry[],
  entries: readonly string[] | null,
): Finding | null {
  const { mountPoint } = settings;
  const mounted = mountAt(mounts, mountPoint);
  if (mounted !== undefined) return { code: 'mount-point-busy', text: `${mounted.source} is mounted at ${mountPoint} already` };
  if (entries === null) return { code: 'mount-point-missing', text: `the mount point ${mountPoint} is no directory` };
  if (entries.length > 0) {
    const shown = entries.slice(0, 5).join(', ');
    return {
      code: 'mount-point-not-empty',
      text: `the unmounted mount point ${mountPoint} holds ${shown}${entries.length > 5 ? ', ...' : ''}`,
    };
  }
  return null;
}

/** After Serviceguard's modules: our file system, from our device, writable. */
export function judgeMount(settings: Settings, mounts: readonly MountEntry[]): Finding | null {
  const { mountPoint, fileSystemType, mountOptions } = settings;
  const mount = mountAt(mounts, mountPoint);
  const wrong = (text: string): Finding => ({ code: 'not-mounted', text });
  if (mount === undefined) return wrong(`nothing is mounted at ${mountPoint}`);
  if (mount.source !== deviceOf(settings) && mount.source !== mapperName(settings)) {
    return wrong(`${mount.source} is mounted at ${mountPoint}, not ${deviceOf(settings)}`);
  }
  if (mount.type !== fileSystemType) return wrong(`${mountPoint} is of type ${mount.type}, not ${fileSystemType}`);
  const wantedReadOnly = mountOptions.split(/[\s,]+/).includes('ro');
  if (mount.options.includes('ro') && !wantedReadOnly) return wrong(`${mountPoint} is mounted read-only`);
  return null;
}

/** Who listens on the daemon's port. Pid files are not asked: they prove nothing in either generation. */
export type PortOwner =
  | { readonly kind: 'free' }
  | { readonly kind: 'daemon'; readonly process: ProcessState; readonly inode: string }
  | { readonly kind: 'foreign'; readonly text: string };

export function judgePort(listeners: readonly Listener[], daemonName: string, port: number): PortOwner {
  const holders = listeners.flatMap((listener) => listener.processes.map((process) => ({ process, inode: listener.inode })));
  const daemon = holders
    .filter(({ process }) => process.name === daemonName)
    .sort((a, b) => Number(a.process.startTime) - Number(b.process.startTime))[0];
  if (daemon !== undefined) return { kind: 'daemon', ...daemon };
  if (listeners.length === 0) return { kind: 'free' };
  const names = holders.map(({ process }) => `${process.name} (pid ${process.pid})`).join(', ');
  return { kind: 'foreign', text: `port ${port} is taken by ${names || 'a process outside this pid namespace'}` };
}

/** Names that resolve, but not to the package's address, are as bad as none. */
export function judgeName(settings: Settings, addresses: readonly string[]): Finding | null {
  const { packageDnsName, packageAddress } = settings;
  if (addresses.includes(packageAddress)) return null;
  const text =
    addresses.length === 0
      ? `${packageDnsName} does not resolve`
      : `${packageDnsName} resolves to ${addresses.join(', ')}, not to ${packageAddress}`;
  return { code: 'name-unresolved', text };
}

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

/** Beside the scripts; while it lies there the monitor pauses [serviceguard.md 3.8, where each toolkit has its own name]. */
export const maintenanceFileName = 'csync.debug';

export interface Maintenance {
  /** Wall clock, ms; null: until the file is taken away. */
  readonly until: number | null;
}

/**
 * What the maintenance file says: `until TIME` ends by itself; one that was only touched, or says anything else, does not.
 * null: no maintenance, or it is over.
 */
export function maintenanceFrom(text: string | null, now: number): Maintenance | null {
  if (text === null) return null;
  const until = Date.parse(/^until (\S+)/.exec(text)?.[1] ?? '');
  if (Number.isNaN(until)) return { until: null };
  return now < until ? { until } : null;
}
