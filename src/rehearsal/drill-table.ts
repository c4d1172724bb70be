/**
 * The drills, one row each: what is done, what must follow, how long it may take, where it may be done, how it is cleaned up. The runner
 * carries rows out, docs/drills.md is printed from them, and the page quotes them. Data only.
 *
 * A drill for a real cluster uses nothing but the engine's own commands, and signals and files over ssh.
 */

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

const type = (on: Part, order: OrderName, member?: Part): Act => ({
  do: 'type',
  on,
  order,
  ...(member === undefined ? {} : { member }),
});
const signal = (to: 'daemon' | 'monitor' | 'front', which: 'KILL' | 'TERM' | 'STOP' | 'CONT', on: Part = 'master'): Act => ({
  do: 'signal',
  on,
  to,
  signal: which,
});
const script = (on: Part, text: string, ...lines: readonly string[]): Act => ({
  do: 'script',
  on,
  text,
  script: lines.join('\n'),
});
/** As script; the member itself takes it back after two minutes, also when whoever began the drill was killed. */
const passing = (on: Part, text: string, undo: string, ...lines: readonly string[]): Act =>
  script(on, text, `( sleep 120; ${undo} ) </dev/null >/dev/null 2>&1 &`, ...lines);
const machine = (verb: 'crash' | 'boot' | 'cut' | 'heal', on: Part): Act => ({ do: 'machine', on, verb });
const wait = (until: 'moved' | 'down' | 'starting' | 'served' | Part): Act => ({ do: 'wait', until });
const watch = (seconds: number): Act => ({ do: 'watch', seconds });

/** What an administrator does after a failover: the member was switched off for the package. */
const switchOn = (on: Part): Act => type('next', 'switch member on', on);
const startDaemon = (on: Part): Act =>
  script(
    on,
    'the cfengine daemon is started, if none runs',
    'pgrep -x {daemon} >/dev/null || ( {start} ) </dev/null >/dev/null 2>&1 || true',
  );
/** Whatever takes the host's log, by the names that are common; not a shell that has them in its own line. */
const syslogd = (name: 'STOP' | 'CONT'): string =>
  `pkill -${name} -x 'r?syslogd|syslog-ng|systemd-journal'; pkill -${name} -f '^/bin/busybox [s]yslogd '; true`;
/** What was written until nothing more fitted, wherever the package is by now. */
const ballast = '{mount}/csync-drill-ballast';
const noBallast = (on: Part): Act => script(on, 'the ballast is gone', `rm -f ${ballast}`);
const contIfThere = (to: 'monitor' | 'front'): Act => ({ ...signal(to, 'CONT'), ifThere: true }) as Act;
/** Stops a script of the package as soon as it runs: its launcher has to give it up. */
const stopScript = (on: Part, to: 'startScript' | 'haltScript'): Act => ({
  do: 'signal',
  on,
  to,
  signal: 'STOP',
  whenItRuns: true,
});
/** A file system of its own for the log of the package, since a whole machine would hang with another one. */
const logDirectory = '{logs}';
const switchedOn = 'the member it failed on, which was switched off for it, is switched on';

const moves = { detect: 3, outage: 20 } as const;
const byProbe = { detect: 30, outage: 50 } as const;
const planned = { detect: null, outage: 20 } as const;
const unnoticed = { detect: null, outage: 0 } as const;

export const drills: readonly Drill[] = [
  {
    name: 'kill-daemon',
    title: "The master's daemon is killed",
    done: 'SIGKILL to the cfengine daemon of the member that runs the package',
    must: 'its monitor ends at once, the package moves, and a daemon runs again on the member that lost it',
    cleaned: switchedOn,
    where: 'any',
    members: 2,
    budget: moves,
    acts: [signal('daemon', 'KILL')],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'term-daemon',
    title: "The master's daemon is told to end",
    done: 'SIGTERM to the cfengine daemon, as a careless stop of the service would be',
    must: 'as if it had been killed: the package moves',
    cleaned: switchedOn,
    where: 'any',
    members: 2,
    budget: { detect: 10, outage: 30 },
    acts: [signal('daemon', 'TERM')],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'hang-daemon',
    title: "The master's daemon hangs",
    done: 'SIGSTOP to the cfengine daemon: the process is there, and answers nobody',
    must: 'the monitor finds it stopped or silent, the package moves, and the member has a daemon that answers again',
    cleaned: `SIGCONT, if it is still stopped; ${switchedOn}`,
    where: 'any',
    members: 2,
    budget: byProbe,
    acts: [signal('daemon', 'STOP')],
    follows: 'moves',
    cleanup: [{ ...signal('daemon', 'CONT'), ifThere: true } as Act, startDaemon('master'), switchOn('master')],
  },
  {
    name: 'kill-monitor',
    title: 'The monitor is killed',
    done: 'SIGKILL to the service command of the package',
    must: 'a package nobody watches must not go on: the engine sees the service end, and moves it',
    cleaned: switchedOn,
    where: 'any',
    members: 2,
    budget: moves,
    acts: [signal('monitor', 'KILL')],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'hang-monitor',
    title: 'The monitor hangs for a while',
    done: 'SIGSTOP to the service command, five seconds, SIGCONT',
    must: 'clients are served all the while; afterwards it does not take its own pause for a failure of the daemon',
    cleaned: 'SIGCONT',
    where: 'any',
    members: 2,
    budget: unnoticed,
    acts: [signal('monitor', 'STOP'), watch(5), signal('monitor', 'CONT'), watch(5)],
    follows: 'stays',
    cleanup: [],
  },
  {
    name: 'hang-monitor-kill',
    title: 'The daemon is killed while the monitor hangs',
    done: 'SIGSTOP to the monitor; three seconds later SIGKILL to the daemon',
    must: 'the program in front replaces the monitor that does not answer, and the package moves',
    cleaned: `SIGCONT, if it still is there; ${switchedOn}`,
    where: 'any',
    members: 2,
    budget: { detect: 12, outage: 30 },
    acts: [signal('monitor', 'STOP'), watch(3), signal('daemon', 'KILL')],
    follows: 'moves',
    cleanup: [contIfThere('monitor'), switchOn('master')],
  },
  {
    name: 'hang-front-kill',
    title: 'The daemon is killed while the program in front of the monitor hangs',
    done: 'SIGSTOP to csync-front.pl; three seconds later SIGKILL to the daemon',
    must: 'the monitor looks instead of being notified, and the package moves',
    cleaned: `SIGCONT, if it still is there; ${switchedOn}`,
    where: 'any',
    members: 2,
    budget: { detect: 20, outage: 40 },
    acts: [signal('front', 'STOP'), watch(3), signal('daemon', 'KILL')],
    follows: 'moves',
    cleanup: [contIfThere('front'), switchOn('master')],
  },
  {
    name: 'hang-service-kill',
    title: 'The daemon is killed while the whole service hangs',
    done: 'SIGSTOP to the monitor and to the program in front of it, SIGKILL to the daemon, five seconds, SIGCONT to both',
    must: 'nothing can notice while both are stopped; as soon as they run, the package moves',
    cleaned: switchedOn,
    where: 'any',
    members: 2,
    budget: { detect: 20, outage: 40 },
    acts: [
      signal('front', 'STOP'),
      signal('monitor', 'STOP'),
      signal('daemon', 'KILL'),
      watch(5),
      signal('front', 'CONT'),
      contIfThere('monitor'),
    ],
    follows: 'moves',
    cleanup: [contIfThere('front'), contIfThere('monitor'), switchOn('master')],
  },
  {
    name: 'hang-start',
    title: 'The start of the package hangs on the next member',
    done: 'the start script of the next member gets SIGSTOP as soon as it runs; SIGKILL to the daemon of the master',
    must: 'the launcher gives the start up and exits with 2; the package runs on the third member',
    cleaned: 'both members are switched on; what is still stopped continues after two minutes',
    where: 'any',
    members: 3,
    budget: { detect: 3, outage: 60 },
    acts: [stopScript('next', 'startScript'), signal('daemon', 'KILL')],
    follows: 'third',
    cleanup: [type('third', 'switch member on', 'next'), type('third', 'switch member on', 'master')],
  },
  {
    name: 'hang-halt',
    title: 'The halt of the package hangs',
    done: 'the halt script of the master gets SIGSTOP as soon as it runs; SIGKILL to the daemon',
    must: 'the launcher gives that script up, the rest of the halt releases storage and address, and the package moves',
    cleaned: `what is still stopped continues after two minutes; ${switchedOn}`,
    where: 'any',
    members: 2,
    budget: { detect: 3, outage: 60 },
    acts: [stopScript('master', 'haltScript'), signal('daemon', 'KILL')],
    follows: 'moves',
    cleanup: [startDaemon('master'), switchOn('master')],
  },
  {
    name: 'hang-syslog',
    title: 'Nothing takes what is logged to syslog',
    done: "SIGSTOP to the host's syslog daemon, /dev/log is filled until it takes no more; then SIGKILL to the daemon",
    must: 'no script waits for syslog: the package moves as always',
    cleaned: `SIGCONT; the member does that by itself after two minutes; ${switchedOn}`,
    where: 'any',
    members: 2,
    budget: moves,
    acts: [
      passing(
        'master',
        'syslog takes nothing more',
        syslogd('CONT'),
        syslogd('STOP'),
        `perl -e 'use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); connect(S, pack_sockaddr_un("/dev/log")) or die; 1 while $n++ < 100_000 && send(S, "csync drill", 0x40)'`,
      ),
      signal('daemon', 'KILL'),
    ],
    follows: 'moves',
    cleanup: [script('master', 'syslog goes on', syslogd('CONT')), switchOn('master')],
  },
  {
    name: 'disk-full-kill',
    title: 'The daemon is killed while the policy file system is full',
    done: 'a file is written until nothing more fits; then SIGKILL to the daemon',
    must: 'the package moves: a mark that cannot be written must not cost the service',
    cleaned: `the file is removed; the members do that by themselves after two minutes; ${switchedOn}`,
    where: 'any',
    members: 2,
    budget: moves,
    acts: [
      passing('next', 'the ballast will be removed in any case', `rm -f ${ballast}`),
      passing(
        'master',
        'the policy file system is filled',
        `rm -f ${ballast}`,
        `fallocate -l "$(df -P -k {mount} | awk 'NR == 2 { print $4 - 64 }')k" ${ballast} 2>/dev/null`,
        `cat /dev/zero >> ${ballast} 2>/dev/null || true`,
      ),
      signal('daemon', 'KILL'),
    ],
    follows: 'moves',
    cleanup: [noBallast('next'), noBallast('master'), switchOn('master')],
  },
  {
    name: 'haltnode',
    title: 'The member is halted',
    done: 'the member that runs the package leaves the cluster, as before a maintenance of the machine',
    must: 'the package moves',
    cleaned: 'the member joins the cluster again',
    where: 'any',
    members: 2,
    budget: planned,
    acts: [type('master', 'halt member, packages move', 'master')],
    follows: 'moves',
    cleanup: [type('next', 'run member', 'master')],
  },
  {
    name: 'move',
    title: 'The package is moved by hand',
    done: 'the package is halted, run on the next member, and switched on',
    must: 'it runs where it was told to, and may fail over again',
    cleaned: 'nothing is left to do: switching it on was part of it',
    where: 'any',
    members: 2,
    budget: planned,
    acts: [type('master', 'halt'), type('next', 'run', 'next'), type('next', 'switch on')],
    follows: 'next',
    cleanup: [],
  },
  {
    name: 'halt-run',
    title: 'The package is halted and let run again',
    done: 'the package is halted, then switched on, and the engine chooses the member',
    must: 'clients keep their policy meanwhile; it runs again on the first member that may have it',
    cleaned: 'nothing is left to do: switching it on was part of it',
    where: 'any',
    members: 2,
    budget: planned,
    acts: [type('master', 'halt'), type('master', 'switch on'), wait('served')],
    follows: 'recovers',
    cleanup: [],
  },
  {
    name: 'halt-run-here',
    title: 'The package is halted and run again where it was',
    done: 'the package is halted, run on the same member, and switched on',
    must: 'it runs on the same member; the daemon there was never ended for it',
    cleaned: 'nothing is left to do: switching it on was part of it',
    where: 'any',
    members: 2,
    budget: planned,
    acts: [type('master', 'halt'), type('master', 'run', 'master'), type('master', 'switch on')],
    follows: 'master',
    cleanup: [],
  },
  {
    name: 'switch-off-on',
    title: 'The package is switched off and on while it runs',
    done: 'the package is switched off, and on again after two seconds',
    must: 'nothing: switching says what happens at the next failure, and no client notices',
    cleaned: 'nothing is left to do',
    where: 'any',
    members: 2,
    budget: unnoticed,
    acts: [type('master', 'switch off'), watch(2), type('master', 'switch on')],
    follows: 'stays',
    cleanup: [],
  },
  {
    name: 'no-failover',
    title: 'The daemon is killed while the package may not move',
    done: 'the package is switched off; then SIGKILL to the daemon',
    must: 'the package is halted and stays down until somebody says otherwise; clients keep their policy',
    cleaned: 'the member and the package are switched on: it runs again',
    where: 'any',
    members: 2,
    budget: { detect: 3, outage: null },
    acts: [
      type('master', 'switch off'),
      signal('daemon', 'KILL'),
      wait('down'),
      watch(3),
      type('next', 'switch member on', 'master'),
      type('next', 'switch on'),
      wait('served'),
    ],
    follows: 'recovers',
    cleanup: [],
  },
  {
    name: 'pause',
    title: 'The daemon is replaced while the monitor pauses',
    done: "the monitor's maintenance file is made, the daemon gets SIGKILL and is started again, the file is removed",
    must: 'no failover; clients have a master again as soon as the daemon runs',
    cleaned: 'the file is removed, whatever happened',
    where: 'any',
    members: 2,
    budget: { detect: null, outage: 20 },
    acts: [
      script('master', 'the monitor pauses (maintenance file)', 'touch {directory}/{pause}'),
      watch(3),
      signal('daemon', 'KILL'),
      watch(2),
      startDaemon('master'),
      wait('served'),
      script('master', 'the monitor watches again', 'rm -f {directory}/{pause}'),
      watch(4),
    ],
    follows: 'recovers',
    cleanup: [script('master', 'the maintenance file is gone', 'rm -f {directory}/{pause}'), startDaemon('master')],
  },
  {
    name: 'kill-standby-daemon',
    title: "An adoptive member's daemon is killed",
    done: 'SIGKILL to the daemon of the next member',
    must: 'the package stays, and no client notices; csync check tells of the member',
    cleaned: 'the daemon is started again',
    where: 'any',
    members: 2,
    budget: unnoticed,
    acts: [signal('daemon', 'KILL', 'next'), watch(4)],
    follows: 'stays',
    cleanup: [startDaemon('next')],
  },
  {
    name: 'kill-both-daemons',
    title: 'The daemons of the master and of the next member are killed',
    done: 'SIGKILL to the daemon of the next member, then to that of the master',
    must: 'the start there finds no daemon, starts one, and proves it: the package moves all the same',
    cleaned: switchedOn,
    where: 'any',
    members: 2,
    budget: moves,
    acts: [signal('daemon', 'KILL', 'next'), signal('daemon', 'KILL')],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'haltnode-standby',
    title: 'An adoptive member is halted',
    done: 'the next member leaves the cluster',
    must: 'the package stays, and no client notices',
    cleaned: 'the member joins the cluster again',
    where: 'any',
    members: 2,
    budget: unnoticed,
    acts: [type('next', 'halt member', 'next'), watch(2)],
    follows: 'stays',
    cleanup: [type('master', 'run member', 'next')],
  },
  {
    name: 'skip-member',
    title: 'The next member is switched off for the package',
    done: 'the next member is switched off for the package; then SIGKILL to the daemon of the master',
    must: 'the package passes that member by and runs on the third',
    cleaned: 'both members are switched on',
    where: 'any',
    members: 3,
    budget: moves,
    acts: [type('master', 'switch member off', 'next'), signal('daemon', 'KILL')],
    follows: 'third',
    cleanup: [switchOn('next'), switchOn('master')],
  },
  {
    name: 'cascade',
    title: 'Two daemons fail one after the other',
    done: 'SIGKILL to the daemon of the master, and again on the member the package moved to',
    must: 'the brake: the daemon is restarted in place there, and no second member is switched off',
    cleaned: 'the member is switched on',
    where: 'any',
    members: 3,
    budget: { detect: 3, outage: 40 },
    acts: [signal('daemon', 'KILL'), wait('next'), signal('daemon', 'KILL', 'next'), watch(3)],
    follows: 'next',
    cleanup: [switchOn('master')],
  },
  {
    name: 'fail-and-return',
    title: 'There and back again',
    done: 'SIGKILL to the daemon; when the package has moved the member is switched on, and the package moved back by hand',
    must: 'it runs where it ran at first',
    cleaned: 'nothing is left to do: the switches were part of it',
    where: 'any',
    members: 2,
    budget: moves,
    acts: [
      signal('daemon', 'KILL'),
      wait('moved'),
      switchOn('master'),
      type('next', 'halt'),
      type('next', 'run', 'master'),
      type('next', 'switch on'),
    ],
    follows: 'master',
    cleanup: [],
  },
  {
    name: 'kill-at-once-again',
    title: 'The daemon is killed the moment it is the master',
    done: 'the package is halted and run on the next member; SIGKILL to its daemon as soon as the package runs',
    must: 'the monitor of a package that just started notices as well: the package moves on',
    cleaned: 'package and member are switched on',
    where: 'any',
    members: 2,
    budget: { detect: null, outage: 40 },
    acts: [
      type('master', 'halt'),
      type('next', 'run', 'next'),
      type('next', 'switch on'),
      signal('daemon', 'KILL', 'next'),
      { do: 'wait', until: 'moved', from: 'next' },
    ],
    follows: 'recovers',
    cleanup: [switchOn('next')],
  },
  {
    name: 'crash',
    title: 'The master loses power',
    done: 'the machine that runs the package is switched off',
    must: 'the others notice when the time-out for members is over, and the package moves',
    cleaned: 'the machine is switched on; the engine starts on it by itself',
    where: 'lab',
    members: 3,
    budget: { detect: 10, outage: 30 },
    acts: [machine('crash', 'master')],
    follows: 'moves',
    cleanup: [machine('boot', 'master')],
  },
  {
    name: 'crash-standby',
    title: 'An adoptive member loses power',
    done: 'the machine of the next member is switched off',
    must: 'the package stays, and no client notices',
    cleaned: 'the machine is switched on',
    where: 'lab',
    members: 3,
    budget: unnoticed,
    acts: [machine('crash', 'next'), watch(6)],
    follows: 'stays',
    cleanup: [machine('boot', 'next')],
  },
  {
    name: 'crash-then-kill',
    title: 'The next member has no power when the daemon dies',
    done: 'the machine of the next member is switched off; then SIGKILL to the daemon of the master',
    must: 'the package runs on the third member',
    cleaned: `the machine is switched on; ${switchedOn}`,
    where: 'lab',
    members: 3,
    budget: { detect: 10, outage: 30 },
    acts: [machine('crash', 'next'), watch(6), signal('daemon', 'KILL')],
    follows: 'third',
    cleanup: [machine('boot', 'next'), type('third', 'switch member on', 'master')],
  },
  {
    name: 'crash-in-start',
    title: 'The next member loses power while the package starts there',
    done: 'SIGKILL to the daemon of the master; the next member is switched off as soon as the start begins',
    must: 'the package runs on the third member, and the policy file system was never mounted twice',
    cleaned: `the machine is switched on; ${switchedOn}`,
    where: 'lab',
    members: 3,
    budget: { detect: 3, outage: 45 },
    acts: [signal('daemon', 'KILL'), wait('starting'), machine('crash', 'next')],
    follows: 'third',
    cleanup: [machine('boot', 'next'), type('third', 'switch member on', 'master'), type('third', 'switch member on', 'next')],
  },
  {
    name: 'cut',
    title: "The master's network cable is pulled",
    done: 'the only cable of the machine that runs the package is pulled',
    must: 'the package subnet is monitored: the package is halted there and moves',
    cleaned: `the cable is plugged in; ${switchedOn}`,
    where: 'lab',
    members: 3,
    budget: { detect: 10, outage: 30 },
    acts: [machine('cut', 'master')],
    follows: 'moves',
    cleanup: [machine('heal', 'master'), switchOn('master')],
  },
  {
    name: 'cut-standby',
    title: "An adoptive member's network cable is pulled",
    done: 'the only cable of the next member is pulled, and plugged in again after three seconds',
    must: 'the package stays, and no client notices',
    cleaned: 'the cable is plugged in, whatever happened',
    where: 'lab',
    members: 3,
    budget: unnoticed,
    acts: [machine('cut', 'next'), watch(3), machine('heal', 'next'), watch(2)],
    follows: 'stays',
    cleanup: [machine('heal', 'next')],
  },
  {
    name: 'address-gone',
    title: 'The package address is taken away',
    done: 'ip addr del of the package address on the member that runs the package',
    must: 'the monitor finds it gone, and the package moves with its address',
    cleaned: switchedOn,
    where: 'lab',
    members: 2,
    budget: byProbe,
    acts: [
      script(
        'master',
        'the package address is deleted (ip addr del)',
        "set -- $(ip -o -4 addr show | awk '$4 ~ /^{address}\\// { print $4, $2 }')",
        'ip addr del "$1" dev "$2"',
      ),
    ],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'disk-read-only',
    title: 'The policy file system turns read-only',
    done: 'mount -o remount,ro, as the kernel does after an error of the disk',
    must: 'the monitor finds it, and the package moves',
    cleaned: switchedOn,
    where: 'lab',
    members: 2,
    budget: byProbe,
    acts: [script('master', 'the policy file system is remounted read-only', 'mount -o remount,ro {mount}')],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'disk-full',
    title: 'The policy file system is full',
    done: 'a file is written until nothing more fits, and removed after five seconds',
    must: 'the package stays: what is there is served as before, and a failover would cure nothing',
    cleaned: 'the file is removed, whatever happened',
    where: 'lab',
    members: 2,
    budget: unnoticed,
    acts: [
      script(
        'master',
        'the policy file system is filled',
        'dd if=/dev/zero of={mount}/csync-drill-ballast bs=1M 2>/dev/null || true',
      ),
      watch(5),
      script('master', 'there is room again', 'rm -f {mount}/csync-drill-ballast'),
    ],
    follows: 'stays',
    cleanup: [script('master', 'the ballast is gone', 'rm -f {mount}/csync-drill-ballast')],
  },
  {
    name: 'log-frozen',
    title: 'The disk of the package log hangs while the daemon dies',
    done: 'the log gets a file system of its own, which is frozen (fsfreeze -f); then SIGKILL to the daemon',
    must: 'nothing on the way of a failover waits for the log: the package moves',
    cleaned: `the file system is thawed and taken away; the member thaws it by itself after two minutes; ${switchedOn}`,
    where: 'lab',
    members: 2,
    budget: moves,
    acts: [
      passing(
        'master',
        'the file system of the log is frozen',
        `fsfreeze -u ${logDirectory}`,
        'truncate -s 8M /root/csync-drill-log.img && mkfs.ext4 -q /root/csync-drill-log.img',
        // A lab host has no nodes of loop devices.
        '[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237',
        'device=$(losetup -f) && { [ -b "$device" ] || mknod "$device" b 7 "$(echo "$device" | tr -cd 0-9)"; }',
        `losetup "$device" /root/csync-drill-log.img && mount "$device" ${logDirectory} && losetup -d "$device"`,
        `fsfreeze -f ${logDirectory}`,
      ),
      signal('daemon', 'KILL'),
    ],
    follows: 'moves',
    cleanup: [
      script(
        'master',
        'the file system of the log goes on, and is taken away',
        `fsfreeze -u ${logDirectory} || true`,
        `umount -l ${logDirectory} && rm -f /root/csync-drill-log.img`,
      ),
      switchOn('master'),
    ],
  },
  {
    name: 'hung-read',
    title: 'A read hangs on the next member when the daemon dies',
    done: "a FIFO takes the place of cfengine's public key on the next member, as a disk would hang; then SIGKILL to the daemon",
    must: 'the start there gives up well below run_script_timeout; the package runs on the third member',
    cleaned: 'the key is back; both members are switched on',
    where: 'lab',
    members: 3,
    budget: { detect: 3, outage: 90 },
    acts: [
      script(
        'next',
        'who reads the public key waits for ever',
        'cd {keys} && mv localhost.pub localhost.kept && mkfifo -m 600 localhost.pub',
      ),
      signal('daemon', 'KILL'),
    ],
    follows: 'third',
    cleanup: [
      script('next', 'the public key is back', 'cd {keys} && mv -f localhost.kept localhost.pub'),
      type('third', 'switch member on', 'next'),
      type('third', 'switch member on', 'master'),
    ],
  },
  {
    name: 'busy-mount',
    title: 'Somebody works on the policy file system while the daemon dies',
    done: 'a process with its working directory there and an open file; then SIGKILL to the daemon',
    must: 'the halt ends that process, unmounts, and the package moves',
    cleaned: switchedOn,
    where: 'lab',
    members: 2,
    budget: { detect: 3, outage: 30 },
    acts: [
      script('master', 'a process holds the policy file system', 'cd {mount} && ( exec sleep 300 ) </dev/null >/dev/null 2>&1 &'),
      signal('daemon', 'KILL'),
    ],
    follows: 'moves',
    cleanup: [switchOn('master')],
  },
  {
    name: 'stale-mount-point',
    title: 'The mount point of the next member is not empty',
    done: 'a file is left under the unmounted mount point of the next member; then SIGKILL to the daemon of the master',
    must: 'the start there refuses with exit status 2, before storage is touched; the package runs on the third member',
    cleaned: 'the file is removed; both members are switched on',
    where: 'lab',
    members: 3,
    budget: { detect: 3, outage: 40 },
    acts: [
      script('next', 'a file is left under the mount point', 'chattr -i {mount} 2>/dev/null; touch {mount}/csync-drill-stale'),
      signal('daemon', 'KILL'),
    ],
    follows: 'third',
    cleanup: [
      script('next', 'the file is removed', 'rm -f {mount}/csync-drill-stale'),
      type('third', 'switch member on', 'next'),
      type('third', 'switch member on', 'master'),
    ],
  },
  {
    name: 'foreign-port',
    title: "Another program has the daemon's port on the next member",
    done: 'the daemon of the next member is ended, another program listens on its port; then SIGKILL to the daemon of the master',
    must: 'the start there refuses with exit status 2; the package runs on the third member',
    cleaned: 'the program is ended, the daemon is started; both members are switched on',
    where: 'lab',
    members: 3,
    budget: { detect: 3, outage: 60 },
    acts: [
      script(
        'next',
        'another program takes the port',
        'pkill -KILL -x {daemon}; while pgrep -x {daemon} >/dev/null; do sleep 0.05; done',
        "( exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => {port}, Listen => 5, ReuseAddr => 1) or die; sleep 300' csync-drill-port ) </dev/null >/dev/null 2>&1 &",
        'n=0; until ss -ltn | grep -q ":{port} "; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.05; done',
      ),
      signal('daemon', 'KILL'),
    ],
    follows: 'third',
    cleanup: [
      script('next', 'the other program is ended', 'pkill -KILL -f "[c]sync-drill-port"; true'),
      startDaemon('next'),
      type('third', 'switch member on', 'next'),
      type('third', 'switch member on', 'master'),
    ],
  },
];

/** The row of that name; undefined: there is none. */
export function drillNamed(name: string): Drill | undefined {
  return drills.find((drill) => drill.name === name);
}
