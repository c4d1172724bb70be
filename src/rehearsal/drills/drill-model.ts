/** A drill and its building blocks. Data only. */

/** The active member, the first one that the package may move to, the one after. */
export type Part = 'master' | 'next' | 'third';

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

/** `front`: csync-front.pl. */
export type SignalTarget = 'daemon' | 'monitor' | 'front' | 'startScript' | 'haltScript';

export type Act =
  | { readonly do: 'type'; readonly on: Part; readonly order: OrderName; readonly member?: Part }
  /** To the daemon, or a program of the package. A stopped process continues after two minutes. */
  | {
      readonly do: 'signal';
      readonly on: Part;
      readonly to: SignalTarget;
      readonly signal: 'KILL' | 'TERM' | 'STOP' | 'CONT';
      readonly ifThere?: true;
      /** In the background, when such a process exists, for a minute at most. */
      readonly whenItRuns?: true;
    }
  /** As root, with {mount}, {address}, {subnet}, {policy}, {port}, {directory}, {logs} and {daemon}. */
  | { readonly do: 'script'; readonly on: Part; readonly text: string; readonly script: string }
  | { readonly do: 'machine'; readonly on: Part; readonly verb: 'crash' | 'boot' | 'cut' | 'heal' }
  /** Until the package runs on any member, on another than `from`, on that member; is down, or starts elsewhere. */
  | { readonly do: 'wait'; readonly until: 'moved' | 'down' | 'starting' | 'served' | Part; readonly from?: Part }
  /** Nothing may happen for so long. */
  | { readonly do: 'watch'; readonly seconds: number };

export type Follows =
  | 'moves'
  /** On that role's member. */
  | Part
  /** No client notices. */
  | 'stays'
  /** Clients may notice. */
  | 'recovers';

export interface Drill {
  readonly name: string;
  readonly title: string;
  readonly done: string;
  readonly must: string;
  readonly cleaned: string;
  readonly where: 'any' | 'lab';
  readonly members: 2 | 3;
  /** Seconds; null: none. */
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
/** The member undoes it after two minutes, even if the drill was killed. */
export const passing = (on: Part, text: string, undo: string, ...lines: readonly string[]): Act =>
  script(on, text, `( sleep 120; ${undo} ) </dev/null >/dev/null 2>&1 &`, ...lines);
export const machine = (verb: 'crash' | 'boot' | 'cut' | 'heal', on: Part): Act => ({ do: 'machine', on, verb });
export const wait = (until: 'moved' | 'down' | 'starting' | 'served' | Part): Act => ({ do: 'wait', until });
export const watch = (seconds: number): Act => ({ do: 'watch', seconds });

export const switchOn = (on: Part): Act => type('next', 'switch member on', on);
export const startDaemon = (on: Part): Act =>
  script(
    on,
    'the cfengine daemon is started, if none runs',
    'pgrep -x {daemon} >/dev/null || ( {start} ) </dev/null >/dev/null 2>&1 || true',
  );
/** By its usual names; matches no shell with these names in its command line. */
export const syslogd = (name: 'STOP' | 'CONT'): string =>
  `pkill -${name} -x 'r?syslogd|syslog-ng|systemd-journal'; pkill -${name} -f '^/bin/busybox [s]yslogd '; true`;
export const ballast = '{mount}/csync-drill-ballast';
export const noBallast = (on: Part): Act => script(on, 'the filler file is removed', `rm -f ${ballast}`);
export const contIfThere = (to: 'monitor' | 'front'): Act => ({ ...signal(to, 'CONT'), ifThere: true }) as Act;
/** At its start: its launcher must abort it. */
export const stopScript = (on: Part, to: 'startScript' | 'haltScript'): Act => ({
  do: 'signal',
  on,
  to,
  signal: 'STOP',
  whenItRuns: true,
});
/** Its own file system: freezing another would hang the whole machine. */
export const logDirectory = '{logs}';
export const switchedOn = 'the member where it failed, which was disabled for the package, is enabled';

export const moves = { detect: 3, outage: 20 } as const;
export const byProbe = { detect: 30, outage: 50 } as const;
export const planned = { detect: null, outage: 20 } as const;
export const unnoticed = { detect: null, outage: 0 } as const;

const usual = { members: 2, budget: moves, follows: 'moves', cleaned: switchedOn, cleanup: [switchOn('master')] } as const;

type Row = Omit<Drill, 'where' | keyof typeof usual> & Partial<Drill>;

export function drillsOf(where: Drill['where'], rows: readonly Row[]): readonly Drill[] {
  return rows.map((row) => ({ where, ...usual, ...row }));
}
