/**
 * The one door to the system. Everything that reads or changes a member goes through a Host, so that decisions can be
 * tested on plain data and nothing depends on an ambient environment. member-host.ts is the real one of the member
 * scripts.
 */
export interface CommandResult {
  /** null when a signal or the time limit ended it, or it could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** errno name such as ENOENT when the program could not be started. */
  readonly errorCode: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process, identified so that a reused pid is never mistaken for it. */
export interface ProcessState {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot. */
  readonly startTime: string;
  /** One letter as in /proc/PID/stat: R S D Z T t X I. */
  readonly state: string;
  /** /proc/PID/comm: at most 15 characters. */
  readonly name: string;
}

/** Where a process comes from; its name says nothing. */
export interface ProcessOrigin {
  /** Real, effective, saved and file system user; none when it is gone. */
  readonly users: readonly number[];
  /** Root, and who runs this. */
  readonly trusted: readonly number[];
  /** The file it runs, with " (deleted)" behind it when that was replaced; null when it cannot be told. */
  readonly program: string | null;
}

/** A program as it lies on the disk. */
export interface ProgramFile {
  /** Behind all links. */
  readonly path: string;
  /** The kernel runs an interpreter in its place. */
  readonly isScript: boolean;
}

export interface MountEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

export interface FileFacts {
  readonly kind: 'directory' | 'file' | 'block-device' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly inode: number;
}

/** Who listens on a TCP port: the socket's inode and the processes that hold it. */
export interface Listener {
  readonly inode: string;
  readonly processes: readonly ProcessState[];
}

export interface MemberHost {
  /** Short name of this member. */
  readonly member: string;
  /** As `uname -n` says it: what host tags of volume groups are made of. */
  readonly nodeName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A regular file's text; null when it cannot be read: a FIFO or a device in its place is not opened. */
  readText(path: string): string | null;
  /** Names in a directory; null when it is none. */
  list(path: string): readonly string[] | null;
  facts(path: string): FileFacts | null;
  /** SHA-256 of a file, however large; null when it cannot be read. */
  digest(path: string): string | null;
  canExecute(path: string): boolean;
  /** Bytes left on the file system of a path; null when there is none. */
  freeBytes(path: string): number | null;
  /** Writes, syncs, renames into place. Throws the errno error. */
  writeDurably(path: string, text: string, mode: number): void;
  /** Writes one line over an existing file, in the blocks it has: also a full disk takes that. Throws the errno error. */
  overwriteLine(path: string, line: string): void;
  /**
   * Writes and renames into place, without a word to the disk: for what is gone with a boot. Not where others could lead it
   * elsewhere. Throws the errno error.
   */
  replace(path: string, text: string, mode: number): void;
  /** Throws the errno error when they are unknown, such as EMFILE: nothing follows from that. So do process, listeners and holdersOf. */
  mounts(): readonly MountEntry[];
  process(pid: number): ProcessState | null;
  origin(process: ProcessState): ProcessOrigin;
  /** null when it cannot be read. */
  program(path: string): ProgramFile | null;
  listeners(port: number): readonly Listener[];
  /** Processes with anything open below a directory on that mounted file system. */
  holdersOf(mountPoint: string): readonly ProcessState[];
  ownsAddress(address: string): boolean;
  /** Addresses a name resolves to by the system's own resolver; empty when there is none, or no answer for 3 s. */
  resolve(name: string): Promise<readonly string[]>;
  /** Runs a program and collects what it says. */
  run(argv: readonly string[], timeoutMs: number): Promise<CommandResult>;
  /**
   * Runs a program to its end in our own process group, so that whoever ends our group ends it too; what it says is
   * appended to a file (null: standard output). Its exit status; null when it was killed or could not be started.
   */
  attend(argv: readonly string[], outputFile: string | null): Promise<number | null>;
  /** Runs a program that leaves a daemon behind: no descriptor of ours reaches it, nothing is collected. */
  launch(argv: readonly string[], timeoutMs: number): Promise<CommandResult>;
  /** Starts a program in a session of its own, with nothing of ours open, and does not wait for it. False: it could not be started. */
  detach(argv: readonly string[]): boolean;
  /** Signals that very process; false when it is gone or its pid belongs to another by now. */
  signal(process: ProcessState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean;
  /** Wall clock, ms since the epoch. For people; it may jump. */
  now(): number;
  /** ms since some moment; never jumps. For limits. */
  elapsed(): number;
  pause(milliseconds: number): Promise<void>;
  /** Tells the supervisor of this process, where there is one, what is done from now on, and how long that may take. */
  readonly begin: (step: string, limitSeconds: number) => void;
}
