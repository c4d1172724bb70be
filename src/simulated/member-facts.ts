/** What a simulated member is made of: few facts, from which every answer of its host follows. */
import type { CommandResult, MountEntry } from '../host/host.ts';
import type { Settings } from '../settings/settings.ts';

export interface SimulatedProcess {
  readonly pid: number;
  readonly name: string;
  /** One letter as in /proc/PID/stat. */
  readonly state: string;
  /** Owns the daemon's port. */
  readonly listens: boolean;
  /** Has something open on the policy file system. */
  readonly holds: boolean;
  /** Does not answer, though it runs. */
  readonly hangs?: boolean;
  readonly ignoresTerm?: boolean;
  /** Keeps its file open when its client is reset. */
  readonly ignoresReset?: boolean;
  /** Stays a zombie: its parent does not reap it. */
  readonly unreaped?: boolean;
  readonly user: number;
  /** The file it runs; null: unknown. */
  readonly program: string | null;
}

export interface SimulatedFile {
  /** null: a directory. */
  readonly text: string | null;
  readonly mode: number;
  readonly inode: number;
}

export abstract class MemberFacts {
  abstract readonly nodeName: string;
  abstract readonly settings: Settings;
  /** Host tags of the volume group, which the members share. */
  abstract tags: readonly string[];
  /** The volume group is active here. */
  abstract active: boolean;
  /** Whether the disk of the volume group answers. */
  abstract readonly diskAnswers: boolean;
  abstract mounted: readonly MountEntry[];
  /** On the interfaces of this member, which may have no link. */
  abstract addresses: readonly string[];
  abstract readonly linked: boolean;
  /** What every name resolves to. */
  abstract readonly names: readonly string[];
  abstract processes: readonly SimulatedProcess[];
  /** Whether a start of the daemon succeeds. */
  abstract readonly daemonStarts: boolean;
  /** The service of a legacy package was started. */
  abstract service: boolean;
  /** The settings of the set are not those that its other files were rendered with. */
  abstract readonly isMixed: boolean;
  /** Clients that are connected to the daemon under the package address. */
  abstract connections: readonly string[];
  /** Bytes left on every file system. */
  abstract readonly free: number;
  /** Of each member, its state in cmviewcl. */
  abstract readonly memberStates: Readonly<Record<string, string>>;
  /** Programs that print this for any arguments, and change nothing. */
  abstract readonly answers: Readonly<Record<string, Partial<CommandResult>>>;
  /** Whether what lies there can change, and anything is decided by it. */
  abstract counts(path: string): boolean;
  abstract fileAt(path: string): SimulatedFile | null;
  abstract namesIn(directory: string): readonly string[] | null;
  /** Writes a file, or a directory (null); `isOver`: into the blocks of the old one. Throws the errno error. */
  abstract put(path: string, text: string | null, mode: number, isOver: boolean): void;
}

/** A process of root with the next pid. */
export function processNamed(
  name: string,
  others: readonly SimulatedProcess[],
  more: Partial<SimulatedProcess> = {},
): SimulatedProcess {
  const pid = Math.max(99, ...others.map((other) => other.pid)) + 1;
  return { pid, name, state: 'S', listens: false, holds: false, user: 0, program: null, ...more };
}

/** Listens, and serves no client. */
export function isDeaf({ hangs, state }: SimulatedProcess): boolean {
  return hangs === true || state === 'T';
}
