/** Few facts, from which every answer of a simulated host follows. */
import type { CommandResult, MountEntry } from '../host/host.ts';
import type { Settings } from '../settings/settings.ts';

export interface SimulatedProcess {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  /** On the daemon's port. */
  readonly listens: boolean;
  /** On the policy file system. */
  readonly holds: boolean;
  readonly hangs?: boolean;
  readonly ignoresTerm?: boolean;
  /** Keeps its file open when its client is reset. */
  readonly ignoresReset?: boolean;
  readonly unreaped?: boolean;
  readonly user: number;
  /** null: unknown. */
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
  /** Shared by the members. */
  abstract tags: readonly string[];
  abstract active: boolean;
  abstract readonly diskAnswers: boolean;
  abstract mounted: readonly MountEntry[];
  abstract addresses: readonly string[];
  abstract readonly linked: boolean;
  /** What every name resolves to. */
  abstract readonly names: readonly string[];
  abstract processes: readonly SimulatedProcess[];
  abstract readonly daemonStarts: boolean;
  abstract service: boolean;
  abstract readonly isMixed: boolean;
  /** Clients of the daemon under the package address. */
  abstract connections: readonly string[];
  /** Bytes left on every file system. */
  abstract readonly free: number;
  /** State of each member in cmviewcl. */
  abstract readonly memberStates: Readonly<Record<string, string>>;
  /** Output for any arguments. */
  abstract readonly answers: Readonly<Record<string, Partial<CommandResult>>>;
  /** Whether the file can change and decides something. */
  abstract counts(path: string): boolean;
  abstract fileAt(path: string): SimulatedFile | null;
  abstract namesIn(directory: string): readonly string[] | null;
  /** null: a directory; `isOver`: into the old blocks. Throws the errno error. */
  abstract put(path: string, text: string | null, mode: number, isOver: boolean): void;
}

/** Of root, with the next pid. */
export function processNamed(
  name: string,
  others: readonly SimulatedProcess[],
  more: Partial<SimulatedProcess> = {},
): SimulatedProcess {
  const pid = Math.max(99, ...others.map((other) => other.pid)) + 1;
  return { pid, name, state: 'S', listens: false, holds: false, user: 0, program: null, ...more };
}

/** Serves no client. */
export function isDeaf({ hangs, state }: SimulatedProcess): boolean {
  return hangs === true || state === 'T';
}
