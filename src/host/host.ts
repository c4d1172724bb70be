/**
 * The interface to the system. Everything that reads or changes a member uses a Host, so that decisions can be tested on plain data.
 * member-host.ts is the real one of the member scripts.
 */
export interface CommandResult {
  /** null when a signal or the time limit killed it, or it could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** errno name such as ENOENT when the program could not be started. */
  readonly errorCode: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process, identified so that a reused pid is never taken for it. */
export interface ProcessState {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot. */
  readonly startTime: string;
  /** One letter as in /proc/PID/stat: R S D Z T t X I. */
  readonly state: string;
  /** /proc/PID/comm: at most 15 characters. */
  readonly name: string;
}

/** The origin of a process; its name proves nothing. */
export interface ProcessOrigin {
  /** Real, effective, saved and file system user; empty for a missing process. */
  readonly users: readonly number[];
  /** Root, and our own user. */
  readonly trusted: readonly number[];
  /** The file it runs, followed by " (deleted)" if that was replaced; null: unknown. */
  readonly program: string | null;
}

/** A program on the disk. */
export interface ProgramFile {
  /** With all links resolved. */
  readonly path: string;
  /** The kernel runs it with an interpreter. */
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

/** Listeners on a TCP port: the socket's inode and its processes. */
export interface Listener {
  readonly inode: string;
  readonly processes: readonly ProcessState[];
}

export interface MemberHost {
  /** Short name of this member. */
  readonly member: string;
  /** As from `uname -n`: host tags of volume groups contain it. */
  readonly nodeName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a regular file; null if unreadable: a FIFO or a device is not opened. */
  readText(path: string): string | null;
  /** Names in a directory; null if it is none. */
  list(path: string): readonly string[] | null;
  facts(path: string): FileFacts | null;
  /** SHA-256 of a file of any size; null if unreadable. */
  digest(path: string): string | null;
  canExecute(path: string): boolean;
  /** Free bytes on the file system of a path; null: unknown. */
  freeBytes(path: string): number | null;
  /** Writes, syncs, renames into place. Throws the errno error. */
  writeDurably(path: string, text: string, mode: number): void;
  /** Overwrites an existing file with one line, in its blocks, which also works on a full disk. Throws the errno error. */
  overwriteLine(path: string, line: string): void;
  /**
   * Writes and renames into place without a sync: for files that a boot removes. Refuses paths that other users could redirect. Throws the
   * errno error.
   */
  replace(path: string, text: string, mode: number): void;
  /** Throws the errno error when unknown, such as EMFILE: nothing follows from that. So do process, listeners and holdersOf. */
  mounts(): readonly MountEntry[];
  process(pid: number): ProcessState | null;
  origin(process: ProcessState): ProcessOrigin;
  /** null if unreadable. */
  program(path: string): ProgramFile | null;
  listeners(port: number): readonly Listener[];
  /** Processes with an open file below a directory on that mounted file system. */
  holdersOf(mountPoint: string): readonly ProcessState[];
  ownsAddress(address: string): boolean;
  /** Addresses of a name by the system's resolver; empty for none, or without an answer in 3 s. */
  resolve(name: string): Promise<readonly string[]>;
  /** Runs a program and collects its output. */
  run(argv: readonly string[], timeoutMs: number): Promise<CommandResult>;
  /**
   * Runs a program in our own process group, so that a kill of our group reaches it; its output is appended to a file (null: standard
   * output). Returns its exit status; null when it was killed or could not be started.
   */
  attend(argv: readonly string[], outputFile: string | null): Promise<number | null>;
  /** Runs a program that starts a daemon: it inherits none of our descriptors, and its output is not collected. */
  launch(argv: readonly string[], timeoutMs: number): Promise<CommandResult>;
  /** Starts a program in a session of its own, without our descriptors, and does not wait for it. False: it could not be started. */
  detach(argv: readonly string[]): boolean;
  /** Sends a signal to exactly that process; false if it exited or its pid is reused. */
  signal(process: ProcessState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean;
  /** Wall clock, ms since the epoch. For people; it may jump. */
  now(): number;
  /** Monotonic clock, ms. For limits. */
  elapsed(): number;
  pause(milliseconds: number): Promise<void>;
  /** Reports to the supervisor of this process, if any, the current step and its time limit. */
  readonly begin: (step: string, limitSeconds: number) => void;
}
