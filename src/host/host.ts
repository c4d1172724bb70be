/** The interface to the system; decisions are tested with plain data behind it. */
export interface CommandResult {
  /** null: killed, or not started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Such as ENOENT if it could not start. */
  readonly errorCode: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessState {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat. */
  readonly startTime: string;
  /** R S D Z T t X I. */
  readonly state: string;
  /** At most 15 characters. */
  readonly name: string;
}

/** A process's name proves nothing. */
export interface ProcessOrigin {
  /** Real, effective, saved and file system; empty: no process. */
  readonly users: readonly number[];
  /** Root, and our own user. */
  readonly trusted: readonly number[];
  /** With " (deleted)" if replaced; null: unknown. */
  readonly program: string | null;
}

export interface ProgramFile {
  /** Links resolved. */
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
  readonly mode: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly inode: number;
}

export interface Listener {
  readonly inode: string;
  readonly processes: readonly ProcessState[];
}

export interface MemberHost {
  readonly member: string;
  /** `uname -n`: in host tags of volume groups. */
  readonly nodeName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** null: unreadable; a FIFO or device is not opened. */
  readText(path: string): string | null;
  list(path: string): readonly string[] | null;
  facts(path: string): FileFacts | null;
  /** Of any size; null: unreadable. */
  digest(path: string): string | null;
  canExecute(path: string): boolean;
  /** null: unknown. */
  freeBytes(path: string): number | null;
  /** Syncs. Throws the errno error. */
  writeDurably(path: string, text: string, mode: number): void;
  /** Writes into the file's blocks, so it works on a full disk. Throws the errno error. */
  overwriteLine(path: string, line: string): void;
  /** No sync: for files that a boot removes. Refuses paths that other users could redirect. Throws the errno error. */
  replace(path: string, text: string, mode: number): void;
  /** Throws the errno error if unknown, such as EMFILE; so do process, listeners and holdersOf. */
  mounts(): readonly MountEntry[];
  process(pid: number): ProcessState | null;
  origin(process: ProcessState): ProcessOrigin;
  /** null: unreadable. */
  program(path: string): ProgramFile | null;
  listeners(port: number): readonly Listener[];
  /** Have a file open below the mount point. */
  holdersOf(mountPoint: string): readonly ProcessState[];
  /** Of each other mount namespace: one process, and the text of /proc/PID/mountinfo. */
  mountTables(): readonly { readonly process: ProcessState; readonly text: string }[];
  ownsAddress(address: string): boolean;
  /** Empty: no address, or no answer in 3 s. */
  resolve(name: string): Promise<readonly string[]>;
  run(argv: readonly string[], timeoutMs: number): Promise<CommandResult>;
  /** In our process group, so that a kill reaches it; appends output to a file (null: standard output). null: killed or not started. */
  attend(argv: readonly string[], outputFile: string | null): Promise<number | null>;
  /** Starts a daemon without our descriptors; output is lost. */
  launch(argv: readonly string[], timeoutMs: number): Promise<CommandResult>;
  /** In its own session, without our descriptors; does not wait. False: not started. */
  detach(argv: readonly string[]): boolean;
  /** Exactly that process; false: it exited. */
  signal(process: ProcessState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean;
  /** Wall clock in ms, for people; may jump. */
  now(): number;
  /** Monotonic ms, for limits. */
  elapsed(): number;
  pause(milliseconds: number): Promise<void>;
  /** Current step and its limit, for the supervisor, if any. */
  readonly begin: (step: string, limitSeconds: number) => void;
}
