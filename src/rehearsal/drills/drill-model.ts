/** What a drill is, and the parts that its rows are made of. Data only. */

/** Members by their part: the master at the beginning, the first member it may move to, the one after that. */
export type Part = 'master' | 'next' | 'third';

/** What an administrator can want of the engine. */
export type OrderName =
  | 'switch on'
  | 'switch off'
  | 'switch member on'
  | 'switch member off'
  | 'run'
  | 'halt'
  | 'halt member'
  | 'halt member, packages move'
  | 'run member';

/** `front` is the program in front of the monitor. */
export type SignalTarget = 'daemon' | 'monitor' | 'front' | 'startScript' | 'haltScript';

export type Act =
  /** Typed there, in the words of the engine; about a member where `member` says which. */
  | { readonly do: 'type'; readonly on: Part; readonly order: OrderName; readonly member?: Part }
  /** A signal to the cfengine daemon, or to a program of the package. What is stopped continues by itself after two minutes. */
  | {
      readonly do: 'signal';
      readonly on: Part;
      readonly to: SignalTarget;
      readonly signal: 'KILL' | 'TERM' | 'STOP' | 'CONT';
      /** That there is no such process is no failure. */
      readonly ifThere?: true;
      /** Sent behind the drill's back, as soon as there is such a process; for a minute. */
      readonly whenItRuns?: true;
    }
  /** A shell script as root; {mount}, {address}, {subnet}, {policy}, {port}, {directory}, {logs} and {daemon} are filled in. */
  | { readonly do: 'script'; readonly on: Part; readonly text: string; readonly script: string }
  /** Power and cable; in the lab only. */
  | { readonly do: 'machine'; readonly on: Part; readonly verb: 'crash' | 'boot' | 'cut' | 'heal' }
  /** Until the package runs: anywhere, elsewhere than on `from` (the master), on that member; until it is down, or a start begins elsewhere. */
  | { readonly do: 'wait'; readonly until: 'moved' | 'down' | 'starting' | 'served' | Part; readonly from?: Part }
  /** Nothing is done, and nothing may happen, for so many seconds. */
  | { readonly do: 'watch'; readonly seconds: number };

export type Follows =
  /** On another member. */
  | 'moves'
  /** On the member of that part. */
  | Part
  /** Where it was, and no client notices. */
  | 'stays'
  /** Where it was; clients may notice. */
  | 'recovers';

export interface Drill {
  readonly name: string;
  readonly title: string;
  /** For people: what is done. */
  readonly done: string;
  /** For people: what must follow. */
  readonly must: string;
  /** For people: how it is cleaned up. */
  readonly cleaned: string;
  readonly where: 'any' | 'lab';
  /** Members it takes. */
  readonly members: 2 | 3;
  /** Seconds; null: no limit of its own. */
  readonly budget: { readonly detect: number | null; readonly outage: number | null };
  readonly acts: readonly Act[];
  readonly follows: Follows;
  readonly cleanup: readonly Act[];
}

export const type = (on: Part, order: OrderName, member?: Part): Act => ({
  do: 'type',
  on,
  order,
  ...(member === undefined ? {} : { member }),
});
export const signal = (
  to: 'daemon' | 'monitor' | 'front',
  which: 'KILL' | 'TERM' | 'STOP' | 'CONT',
  on: Part = 'master',
): Act => ({
  do: 'signal',
  on,
  to,
  signal: which,
});
export const script = (on: Part, text: string, ...lines: readonly string[]): Act => ({
  do: 'script',
  on,
  text,
  script: lines.join('\n'),
});
/** As script; the member itself takes it back after two minutes, also when whoever began the drill was killed. */
export const passing = (on: Part, text: string, undo: string, ...lines: readonly string[]): Act =>
  script(on, text, `( sleep 120; ${undo} ) </dev/null >/dev/null 2>&1 &`, ...lines);
export const machine = (verb: 'crash' | 'boot' | 'cut' | 'heal', on: Part): Act => ({ do: 'machine', on, verb });
export const wait = (until: 'moved' | 'down' | 'starting' | 'served' | Part): Act => ({ do: 'wait', until });
export const watch = (seconds: number): Act => ({ do: 'watch', seconds });

/** What an administrator does after a failover: the member was switched off for the package. */
export const switchOn = (on: Part): Act => type('next', 'switch member on', on);
export const startDaemon = (on: Part): Act =>
  script(
    on,
    'the cfengine daemon is started, if none runs',
    'pgrep -x {daemon} >/dev/null || ( {start} ) </dev/null >/dev/null 2>&1 || true',
  );
/** Whatever takes the host's log, by the names that are common; not a shell that has them in its own line. */
export const syslogd = (name: 'STOP' | 'CONT'): string =>
  `pkill -${name} -x 'r?syslogd|syslog-ng|systemd-journal'; pkill -${name} -f '^/bin/busybox [s]yslogd '; true`;
/** What was written until nothing more fitted, wherever the package is by now. */
export const ballast = '{mount}/csync-drill-ballast';
export const noBallast = (on: Part): Act => script(on, 'the ballast is gone', `rm -f ${ballast}`);
export const contIfThere = (to: 'monitor' | 'front'): Act => ({ ...signal(to, 'CONT'), ifThere: true }) as Act;
/** Stops a script of the package as soon as it runs: its launcher has to give it up. */
export const stopScript = (on: Part, to: 'startScript' | 'haltScript'): Act => ({
  do: 'signal',
  on,
  to,
  signal: 'STOP',
  whenItRuns: true,
});
/** A file system of its own for the log of the package, since a whole machine would hang with another one. */
export const logDirectory = '{logs}';
export const switchedOn = 'the member it failed on, which was switched off for it, is switched on';

export const moves = { detect: 3, outage: 20 } as const;
export const byProbe = { detect: 30, outage: 50 } as const;
export const planned = { detect: null, outage: 20 } as const;
export const unnoticed = { detect: null, outage: 0 } as const;
