/**
 * The one door to the system. Everything that reads or changes the machine goes through a Host, so that decisions can
 * be tested on plain data and nothing depends on an ambient environment. `host/member-host.ts` is the lean one that the
 * member bundles carry (Node built-ins only); `host/real.ts` adds what the administrator's side needs.
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

export interface CommandOptions {
  /** Milliseconds; the whole process group is killed when it is over. */
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /**
   * 'capture' (default) collects output. 'ignore' is obligatory for anything that may leave a daemon behind: a daemon
   * that inherited a pipe would keep the call waiting for ever.
   */
  readonly output?: 'capture' | 'ignore';
}

/** A process, identified so that a reused pid is never mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot. */
  readonly startTime: string;
}

export interface ProcessState extends ProcessIdentity {
  /** One letter as in /proc/PID/stat: R S D Z T t X I. */
  readonly state: string;
  readonly command: string;
}

export interface MountEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

export type StepOutcome = 'already' | 'done' | 'failed' | 'skipped';
