/** Judges observations: a finding or null. Pure. */
import { deviceOf, mapperName } from '../contract/policy-file-system.ts';
import type { Listener, MountEntry, ProcessOrigin, ProcessState, ProgramFile } from '../host/host.ts';
import { mountsReadOnly } from '../settings/mount-options.ts';
import type { Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';

/** The topmost mount; later lines of the table cover earlier ones. */
export function mountAt(mounts: readonly MountEntry[], target: string): MountEntry | undefined {
  return mounts.findLast((mount) => mount.target === target);
}

/** It must be an empty directory [cfengine.md 1.6, 2.6]. */
export function judgeMountPoint(
  settings: Settings,
  mounts: readonly MountEntry[],
  entries: readonly string[] | null,
): Finding | null {
  const { mountPoint } = settings;
  const mounted = mountAt(mounts, mountPoint);
  if (mounted !== undefined) return { code: 'mount-point-busy', text: `${mounted.source} is already mounted at ${mountPoint}` };
  if (entries === null) return { code: 'mount-point-missing', text: `the mount point ${mountPoint} is not a directory` };
  if (entries.length > 0) {
    const shown = entries.slice(0, 5).join(', ');
    return {
      code: 'mount-point-not-empty',
      text: `the unmounted mount point ${mountPoint} holds ${shown}${entries.length > 5 ? ', ...' : ''}`,
    };
  }
  return null;
}

/** It must be our file system, from our device, writable. */
export function judgeMount(settings: Settings, mounts: readonly MountEntry[]): Finding | null {
  const { mountPoint, fileSystemType, mountOptions } = settings;
  const mount = mountAt(mounts, mountPoint);
  const wrong = (text: string): Finding => ({ code: 'not-mounted', text });
  if (mount === undefined) return wrong(`nothing is mounted at ${mountPoint}`);
  if (mount.source !== deviceOf(settings) && mount.source !== mapperName(settings)) {
    return wrong(`${mount.source} is mounted at ${mountPoint}, not ${deviceOf(settings)}`);
  }
  if (mount.type !== fileSystemType) return wrong(`${mountPoint} is of type ${mount.type}, not ${fileSystemType}`);
  if (mount.options.includes('ro') && !mountsReadOnly(mountOptions)) return wrong(`${mountPoint} is mounted read-only`);
  return null;
}

/** Not by pid file, which proves nothing in either generation. */
export type PortOwner =
  | { readonly kind: 'free' }
  | { readonly kind: 'daemon'; readonly process: ProcessState; readonly inode: string }
  | { readonly kind: 'foreign'; readonly text: string };

/** `strange`: why a process is not the daemon; null: it is. */
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
 * Runs as root (or our user), from the configured program or a file that an update replaced: same path, or same name if versions have
 * directories. A name proves nothing. A script runs in its interpreter, so only its user is checked.
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

/** A name that resolves to another address is as bad as none. */
export function judgeName(settings: Settings, addresses: readonly string[]): Finding | null {
  const { packageDnsName, packageAddress } = settings;
  if (addresses.includes(packageAddress)) return null;
  const text =
    addresses.length === 0
      ? `${packageDnsName} does not resolve`
      : `${packageDnsName} resolves to ${addresses.join(', ')}, not to ${packageAddress}`;
  return { code: 'name-unresolved', text };
}
