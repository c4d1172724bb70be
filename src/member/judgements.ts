/**
 * What an observation means. Pure: facts in, a finding or null out; the tables of the tests are written against these.
 */
import type { Listener, MountEntry, ProcessOrigin, ProcessState, ProgramFile } from '../host/host.ts';
import type { Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';

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

/** `strange`: why a process is not the daemon, in words that name it; null: it is. */
export function judgePort(
  listeners: readonly Listener[],
  port: number,
  strange: (process: ProcessState) => string | null,
): PortOwner {
  const holders = listeners.flatMap(({ inode, processes }) =>
    processes.map((process) => ({ process, inode, strange: strange(process) })),
  );
  const daemon = holders
    .filter((holder) => holder.strange === null)
    .sort((a, b) => Number(a.process.startTime) - Number(b.process.startTime))[0];
  if (daemon !== undefined) return { kind: 'daemon', process: daemon.process, inode: daemon.inode };
  if (listeners.length === 0) return { kind: 'free' };
  const names = holders.map(({ process, strange: why }) => `${why} (pid ${process.pid})`).join(', ');
  return { kind: 'foreign', text: `port ${port} is taken by ${names || 'a process outside this pid namespace'}` };
}

const deleted = ' (deleted)';

/**
 * A process is called what it likes. The daemon is one that root (or who runs this) runs from the configured program: also
 * from a file that an update has replaced since, under the same path or, where versions have directories of their own, the
 * same name. A program that is a script runs in its interpreter, and only its user can be told. In words that name it.
 */
export function judgeOrigin(process: ProcessState, origin: ProcessOrigin, program: ProgramFile | null): string | null {
  const user = origin.users.find((each) => !origin.trusted.includes(each));
  if (user !== undefined) return `${process.name}, which user ${user} runs`;
  if (origin.program === null || program === null || program.isScript) return null;
  const path = origin.program.endsWith(deleted) ? origin.program.slice(0, -deleted.length) : origin.program;
  const base = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
  if (path === program.path || (path !== origin.program && base(path) === base(program.path))) return null;
  return `${process.name}, which is ${path} and not ${program.path}`;
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

/** Beside the scripts; while it lies there the monitor pauses [serviceguard.md 3.8, where each toolkit has its own name]. */
export const maintenanceFileName = 'csync.debug';

export interface Maintenance {
  /** Wall clock, ms; null: until the file is taken away. */
  readonly until: number | null;
  /** Serviceguard's own mode goes with it and has to be ended, too; whether the package could fail over before. */
  readonly serviceguard: { readonly autoRun: boolean } | null;
}

/** One line. Monitors of before the second half was written take it for the end of a pause. */
export function maintenanceText({ until, serviceguard }: Maintenance): string {
  const end = until === null ? '' : `until ${new Date(until).toISOString()}`;
  return `${end}${serviceguard === null ? '' : ` serviceguard auto_run=${serviceguard.autoRun ? 'yes' : 'no'}`}\n`;
}

/** What the maintenance file says. One that was only touched, or says anything else, is maintenance without an end. */
export function parseMaintenance(text: string): Maintenance {
  const until = Date.parse(/^until (\S+)/.exec(text)?.[1] ?? '');
  const autoRun = /^until \S+ serviceguard auto_run=(yes|no)$/m.exec(text)?.[1];
  return {
    until: Number.isNaN(until) ? null : until,
    serviceguard: autoRun === undefined ? null : { autoRun: autoRun === 'yes' },
  };
}

/**
 * Maintenance now; null: none, or it is over. One that goes with Serviceguard's mode is not over before that was ended:
 * then it is `overdue`.
 */
export function maintenanceFrom(text: string | null, now: number): (Maintenance & { readonly overdue: boolean }) | null {
  if (text === null) return null;
  const found = parseMaintenance(text);
  const overdue = found.until !== null && now >= found.until;
  return overdue && found.serviceguard === null ? null : { ...found, overdue };
}
