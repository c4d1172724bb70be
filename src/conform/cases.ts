/**
 * What the scripts of a package have to do when Serviceguard calls them, as a table: where a member is, what was done to it,
 * which call comes, what has to be true behind it. Exit statuses by consequence: a start ends with 1 when no other member can
 * cure it and with 2 when one can; a halt fails only while the policy file system is held [serviceguard.md 3.3]. Data only;
 * shell texts run in the sandbox, with the words of inside.ts and the variables of sandbox.ts.
 */
import { parseLayerPlan } from '../settings/rules.ts';
import type { Settings } from '../settings/settings.ts';

/** Where a case begins. The daemon runs in each of them, as it does on every member. */
export type State =
  /** Neither storage nor address is here. */
  | 'halted'
  /** Serviceguard has mounted the policy file system and added the address. */
  | 'mounted'
  /** As after a start: with the mark of one on the file system. Made by hand, so that halts can be judged when starts cannot. */
  | 'running';

export interface Call {
  /** external_pre_script, external_script or the service's command, as the package file names them. */
  readonly script: 'pre' | 'main' | 'service';
  readonly words: readonly string[];
  /** On top of what Serviceguard passes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory; / when it is not said. */
  readonly from?: 'mount point';
  readonly umask?: string;
  readonly limitSeconds?: number;
  /** SIGTERM, as soon as the log has the line of this step. */
  readonly heldAt?: string;
  /** While it runs: when the log says so, do this, go on for so long, signal it then. */
  readonly once?: {
    readonly logged?: RegExp;
    readonly sh?: string;
    readonly forSeconds?: number;
    readonly signal?: 'SIGTERM';
  };
}

export type Expectation = { readonly says: string } & (
  | { readonly kind: 'ends'; readonly with: readonly number[] }
  /** With a status of its own choice, but not by a signal. */
  | { readonly kind: 'fails' }
  /** By SIGTERM or with any status. */
  | { readonly kind: 'is over' }
  | { readonly kind: 'within'; readonly seconds: number }
  | { readonly kind: 'stays' }
  | { readonly kind: 'log' | 'output'; readonly has: RegExp }
  | { readonly kind: 'log lacks'; readonly pattern: RegExp }
  | { readonly kind: 'silent' }
  | { readonly kind: 'pipes closed' }
  | { readonly kind: 'daemon'; readonly is: 'same' | 'one' | 'another' | 'none' }
  | { readonly kind: 'mounted' | 'address'; readonly is: boolean }
  | { readonly kind: 'nothing left' }
  /** Shell text in the sandbox that ends with 0. */
  | { readonly kind: 'true'; readonly sh: string }
);

export interface Case {
  readonly name: string;
  readonly state: State;
  readonly given: readonly string[];
  readonly calls: readonly {
    /** Shell text that comes before this call, and behind the one before it. */
    readonly first?: string;
    readonly call: Call;
    readonly expect: readonly Expectation[];
  }[];
  /** Seconds it takes by the settings, which can be longer than anybody waits. */
  readonly takes?: (settings: Settings) => number;
}

const ends = (...status: readonly number[]): Expectation => ({
  says: `ends with ${status.join(' or ')}`,
  kind: 'ends',
  with: status,
});
const fails: Expectation = { says: 'ends with a failure', kind: 'fails' };
const within = (seconds: number): Expectation => ({ says: `takes no longer than ${seconds} s`, kind: 'within', seconds });
const silent: Expectation = { says: 'says nothing outside of the log', kind: 'silent' };
const sameDaemon: Expectation = { says: 'leaves the daemon alone', kind: 'daemon', is: 'same' };
const oneDaemon: Expectation = { says: 'one daemon runs behind it', kind: 'daemon', is: 'one' };
const pipesClosed: Expectation = { says: "nobody keeps the caller's pipes open", kind: 'pipes closed' };
const nothingLeft: Expectation = { says: 'leaves no process of the scripts behind', kind: 'nothing left' };
const logs = (has: RegExp, says: string): Expectation => ({ says, kind: 'log', has });
const names = (code: string): Expectation => logs(new RegExp(`\\[${code}\\]`), `the log names it ${code} and says what helps`);
const isTrue = (says: string, sh: string): Expectation => ({ says, kind: 'true', sh });
const saying = (says: string, expectation: Expectation): Expectation => ({ ...expectation, says });

const nothingHolds = isTrue('nothing holds the policy file system', 'umount "$MOUNT_POINT" && mount "$DEVICE" "$MOUNT_POINT"');
const wholeSentinel = isTrue(
  'the sentinel is whole',
  'case $(cat "$SENTINEL") in \'{"epoch":\'*\'}\'*) ;; *) cat "$SENTINEL"; false ;; esac && ! ls "$POLICY"/*.new 2> /dev/null',
);
/** The cluster does not wait for it. */
const daemonComesUp = isTrue('a daemon comes up behind it', 'eventually listens');
const noSecret = isTrue(
  'no line of the private key is in a log or a file it left',
  '! grep -E "^[A-Za-z0-9+/=]{40,}$" "$KEY" | grep -rlFf - "$SGRUN" "$PACKAGE" "$MOUNT_POINT" /tmp /var/tmp',
);
const untouched = isTrue('changes nothing', 'fingerprint | diff /run/conform-before -');
const remember = 'fingerprint > /run/conform-before';
const epoch = (number: number) =>
  isTrue(`the sentinel has epoch ${number}`, `cat "$SENTINEL"; grep -q '"epoch":${number},' "$SENTINEL"`);

const preStart: Call = { script: 'pre', words: ['start'] };
const start: Call = { script: 'main', words: ['start'] };
const halt: Call = { script: 'main', words: ['stop'] };
const preHalt: Call = { script: 'pre', words: ['stop'] };
const validate: Call = { script: 'main', words: ['validate'] };
const monitor: Call = { script: 'service', words: ['monitor'] };

function one(name: string, state: State, given: readonly string[], call: Call, ...expect: readonly Expectation[]): Case {
  return { name, state, given, calls: [{ call, expect }] };
}

const withoutSettings = 'rm "$SET/settings.json"';
const damagedSettings = 'head -c 100 "$SET/settings.json" > /run/cut; cat /run/cut > "$SET/settings.json"';
const daemonMissing = 'kill_daemon; cannot_be_executed "$DAEMON_PROGRAM"';
const nodeMissing = 'cannot_be_executed "$NODE"';
const busy = 'mount -t tmpfs elsewhere "$MOUNT_POINT"; echo theirs > "$MOUNT_POINT/file"';
const readOnlyTmp = 'mount -o remount,ro /tmp; mount -t tmpfs -o ro tmpfs /var/tmp';
const fullLog =
  'mount -t tmpfs -o size=4k tmpfs "$(dirname "$LOG")"; cat /dev/zero > "$(dirname "$LOG")/filler" 2> /dev/null || :';
/** Block by block at the end: a big write gives up before the last ones are taken. */
const fullPolicy =
  'cat /dev/zero > "$MOUNT_POINT/filler" 2> /dev/null || :; n=0; while head -c 512 /dev/zero > "$MOUNT_POINT/filler$n"; do sync -f "$MOUNT_POINT"; n=$((n + 1)); done 2> /dev/null';
const fullDisk = 'cat /dev/zero > /filler 2> /dev/null || :';
const readOnlyLog = 'mount -t tmpfs -o ro tmpfs "$(dirname "$LOG")"';
/** As a disk that hangs. */
const pipeLog = 'rm -f "$LOG"; mkfifo "$LOG"';
const foreignLocale = { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LC_TIME: 'de_DE.UTF-8', LANGUAGE: 'tr:de' };
const english = logs(
  /^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d /m,
  "the log keeps the form of Serviceguard's own",
);
const hostile = {
  NODE_OPTIONS: '--no-such-option',
  NODE_PATH: '/nowhere',
  PERL5OPT: '-Mnowhere',
  ENV: '/nowhere',
  IFS: '/',
  BASH_ENV: '/nowhere',
};
/** Another program on the daemon's port. */
const portTaken = `kill_daemon; perl -e 'use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1) or die; if (fork) { exit } $0 = "foreign"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; my @s; push @s, $l->accept while 1'; eventually listens`;
/** A transfer that hangs: to the scripts it is a process of the daemon's, from a file that an update replaced, with a file of the policy open. */
const hangingTransfer = `mkdir -p /run/old; cp /usr/bin/perl "/run/old/$DAEMON"; "/run/old/$DAEMON" -e 'open my $f, ">", "$ENV{POLICY}/transfer" or die; if (fork) { exit } $0 = $ENV{DAEMON}; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; sleep'; rm -r /run/old`;
const guest = `( cd "$MOUNT_POINT"; exec sleep 1000 > /dev/null 2>&1 ) & echo $! > /run/conform-guest`;

const starts: readonly Case[] = [
  one('first step of a start', 'halted', [], preStart, ends(0), silent, sameDaemon, pipesClosed, nothingLeft, {
    says: 'does not mount anything itself',
    kind: 'mounted',
    is: false,
  }),
  {
    name: 'first step of a start, twice',
    state: 'halted',
    given: [],
    calls: [
      { call: preStart, expect: [saying('the first ends with 0', ends(0))] },
      { call: preStart, expect: [saying('the second ends with 0', ends(0))] },
    ],
  },
  one(
    'start with the mount busy',
    'halted',
    [busy],
    preStart,
    ends(2),
    names('mount-point-busy'),
    isTrue('what is mounted there stays', 'grep -q theirs "$MOUNT_POINT/file"'),
  ),
  one(
    'start with files below the mount point',
    'halted',
    ['echo stale > "$MOUNT_POINT/file"'],
    preStart,
    ends(2),
    names('mount-point-not-empty'),
    isTrue('the files stay', 'grep -q stale "$MOUNT_POINT/file"'),
  ),
  one('start without a mount point', 'halted', ['rmdir "$MOUNT_POINT"'], preStart, ends(2), names('mount-point-missing')),
  one('first step of a start with the daemon missing', 'halted', [daemonMissing], preStart, ends(2), names('program-missing')),
  one('first step of a start with settings removed', 'halted', [withoutSettings], preStart, ends(2), names('settings-damaged')),
  one('start with a key others can read', 'halted', ['chmod 644 "$KEY"'], preStart, ends(2), names('keys-unusable')),
  one(
    'start',
    'mounted',
    [],
    start,
    ends(0),
    silent,
    sameDaemon,
    pipesClosed,
    nothingLeft,
    nothingHolds,
    wholeSentinel,
    epoch(1),
    noSecret,
    english,
    logs(/ is the cfengine master for /, 'the log announces the master'),
    { says: 'leaves the policy file system mounted', kind: 'mounted', is: true },
    { says: 'leaves the address where it is', kind: 'address', is: true },
    isTrue('nothing it leaves can be written by others', '! find "$PACKAGE" "$SGRUN" "$POLICY" ! -type l -perm /022 | grep .'),
    within(15),
  ),
  {
    name: 'start twice',
    state: 'mounted',
    given: [],
    calls: [
      { call: start, expect: [saying('the first ends with 0', ends(0))] },
      { call: start, expect: [saying('the second ends with 0', ends(0)), sameDaemon, epoch(2)] },
    ],
  },
  one(
    'start with the daemon not running',
    'mounted',
    ['kill_daemon'],
    start,
    ends(0),
    oneDaemon,
    pipesClosed,
    nothingHolds,
    silent,
    isTrue('the daemon works in /', 'readlink "/proc/$(daemon_pid)/cwd"; [ "$(readlink "/proc/$(daemon_pid)/cwd")" = / ]'),
    isTrue('the daemon has a PATH', `tr '\\0' '\\n' < "/proc/$(daemon_pid)/environ" | grep '^PATH=/.*bin'`),
    isTrue(
      'the daemon has no descriptor of its caller',
      'ls -l "/proc/$(daemon_pid)/fd" > /run/open; ! grep -E "csync|conform|pipe:" /run/open',
    ),
  ),
  one(
    'start from within the policy file system',
    'mounted',
    ['kill_daemon'],
    { ...start, from: 'mount point' },
    ends(0),
    nothingHolds,
  ),
  one('start with a daemon that stands still', 'mounted', ['kill -STOP "$(daemon_pid)"'], start, ends(0), {
    says: 'another daemon runs behind it',
    kind: 'daemon',
    is: 'another',
  }),
  one(
    'start with the daemon missing',
    'mounted',
    [daemonMissing],
    start,
    ends(2),
    names('program-missing'),
    isTrue('nobody becomes master without a daemon', '! [ -e "$SENTINEL" ]'),
  ),
  one(
    'start with nothing mounted',
    'halted',
    ['serviceguard_adds_the_address'],
    start,
    ends(2),
    names('not-mounted'),
    isTrue('nothing is written below the mount point', '[ -z "$(ls -A "$MOUNT_POINT")" ]'),
  ),
  one(
    'start with another file system mounted',
    'halted',
    ['serviceguard_adds_the_address', busy],
    start,
    ends(2),
    names('not-mounted'),
  ),
  one(
    'start with the file system mounted read-only',
    'mounted',
    ['mount -o remount,ro "$MOUNT_POINT"'],
    start,
    ends(2),
    names('not-mounted'),
  ),
  one('start without the address', 'mounted', ['ip address delete "$ADDRESS/32" dev lo'], start, ends(2), names('no-address')),
  one(
    'start without the policy',
    'mounted',
    ['rmdir "$POLICY"; : > "$MOUNT_POINT/other"'],
    start,
    ends(1),
    names('policy-missing'),
  ),
  one(
    'start on an empty policy file system',
    'mounted',
    ['rmdir "$POLICY"'],
    start,
    ends(0),
    isTrue('the policy has its directory', '[ -d "$POLICY" ]'),
  ),
  one(
    'start with the policy file system full',
    'mounted',
    [fullPolicy],
    start,
    ends(0),
    names('sentinel-unwritable'),
    isTrue('nothing half-written is left', '! ls -A "$POLICY" | grep .'),
  ),
  one('start with settings removed', 'mounted', [withoutSettings], start, ends(2), names('settings-damaged'), sameDaemon),
  one('start with settings damaged', 'mounted', [damagedSettings], start, ends(2)),
  one(
    "start with another package's settings",
    'mounted',
    [],
    { ...start, environment: { PEV_CSYNC_SETTINGS_DIGEST: '0'.repeat(64) } },
    ends(2),
  ),
  one('start with its compiled script missing', 'mounted', ['rm "$SET/csync-start.cjs"'], start, ends(2), sameDaemon),
  one('start without Node.js', 'mounted', [nodeMissing], start, ends(2), {
    says: 'says what is missing',
    kind: 'output',
    has: /is missing on this member/,
  }),
  one(
    'start with another program on the port',
    'mounted',
    [portTaken],
    start,
    ends(2),
    names('port-occupied'),
    isTrue('the other program stays', 'listens'),
  ),
  one(
    'start with a name that does not resolve',
    'mounted',
    ['sed -i "/$ADDRESS/d" /etc/hosts'],
    start,
    ends(0),
    logs(/name: warning .*\[name-unresolved\]/, 'the log warns of it'),
  ),
  one('start with an empty PATH', 'mounted', ['kill_daemon'], { ...start, environment: { PATH: '' } }, ends(0), oneDaemon),
  one(
    'start with a PATH of nowhere',
    'mounted',
    ['kill_daemon'],
    { ...start, environment: { PATH: '/nowhere' } },
    ends(0),
    oneDaemon,
  ),
  one(
    'start in a foreign locale',
    'mounted',
    ['kill_daemon'],
    { ...start, environment: foreignLocale },
    ends(0),
    english,
    isTrue(
      'the daemon has the C locale',
      `tr '\\0' '\\n' < "/proc/$(daemon_pid)/environ" > /run/environ; cat /run/environ; grep -qx LC_ALL=C /run/environ && ! grep -q tr_TR /run/environ`,
    ),
  ),
  one('start with variables that harm interpreters', 'mounted', [], { ...start, environment: hostile }, ends(0)),
  one(
    'start with a umask of 000',
    'mounted',
    ['kill_daemon'],
    { ...start, umask: '000' },
    ends(0),
    isTrue(
      'nothing it leaves can be written by others',
      '! find "$SGRUN" "$POLICY" -type f -newer /etc/hostname -perm /002 ! -path "$LOG" | grep .',
    ),
  ),
  one('start with a read-only /tmp', 'mounted', [readOnlyTmp, 'kill_daemon'], start, ends(0), oneDaemon),
  one('start with a full log', 'mounted', [fullLog], start, ends(0)),
  one("start with the member's own disk full", 'mounted', [fullDisk], start, ends(0)),
  one('start with a read-only log', 'mounted', [readOnlyLog], start, ends(0)),
  one('start with a log that nobody reads', 'mounted', [pipeLog], start, ends(0)),
  one('start with the log directory missing', 'mounted', ['rm -r "$(dirname "$LOG")"'], start, ends(0)),
];

const dry: readonly Case[] = [
  {
    name: 'dry run of a start',
    state: 'mounted',
    given: [],
    calls: [
      // Makes the certificate for the probe, which is kept and is no change of the member's.
      { call: start, expect: [] },
      {
        first: remember,
        call: { ...start, words: ['start', '--dry-run'] },
        expect: [ends(0), untouched, sameDaemon, { says: 'prints the steps', kind: 'output', has: /sentinel: would / }],
      },
    ],
  },
  one('an unknown word', 'running', [remember], { ...start, words: ['status'] }, fails, untouched, sameDaemon),
  one('no word at all', 'running', [remember], { ...start, words: [] }, fails, untouched),
];

const halts: readonly Case[] = [
  one(
    'halt',
    'running',
    [],
    halt,
    ends(0),
    silent,
    sameDaemon,
    pipesClosed,
    nothingLeft,
    nothingHolds,
    noSecret,
    within(15),
    { says: 'leaves the unmount to Serviceguard', kind: 'mounted', is: true },
    { says: 'leaves the address to Serviceguard', kind: 'address', is: true },
  ),
  {
    name: 'halt twice',
    state: 'running',
    given: [],
    calls: [
      { call: halt, expect: [saying('the first ends with 0', ends(0))] },
      { call: halt, expect: [saying('the second ends with 0', ends(0)), sameDaemon] },
    ],
  },
  one('halt never started', 'halted', [], halt, ends(0), sameDaemon),
  one('halt with settings removed', 'running', [withoutSettings], halt, ends(0), sameDaemon),
  one('halt with settings damaged', 'running', [damagedSettings], halt, ends(0)),
  one('halt with the daemon dead', 'running', ['kill_daemon'], halt, ends(0)),
  one('halt with the daemon missing', 'running', [daemonMissing], halt, ends(0)),
  one('halt of an empty member without Node.js', 'halted', [nodeMissing], halt, ends(0)),
  {
    ...one(
      'halt with a transfer that hangs',
      'running',
      [hangingTransfer],
      halt,
      ends(0),
      nothingHolds,
      isTrue('a daemon listens behind it', 'listens'),
    ),
    takes: ({ haltGraceSeconds }) => haltGraceSeconds,
  },
  one(
    'halt with a guest on the file system',
    'running',
    [guest],
    halt,
    ends(0),
    logs(/holders: warning .*sleep/, 'the log names the guest'),
  ),
  one('halt with an empty PATH', 'running', [], { ...halt, environment: { PATH: '' } }, ends(0)),
  one('halt in a foreign locale', 'running', [], { ...halt, environment: foreignLocale }, ends(0), english),
  one('halt with a read-only /tmp', 'running', [readOnlyTmp], halt, ends(0)),
  one('halt with a full log', 'running', [fullLog], halt, ends(0)),
  one("halt with the member's own disk full", 'running', [fullDisk], halt, ends(0)),
  one('halt with a read-only log', 'running', [readOnlyLog], halt, ends(0)),
  one('halt with a log that nobody reads', 'running', [pipeLog], halt, ends(0)),
  one('halt with the policy file system full', 'running', [fullPolicy], halt, ends(0)),
  one('last step of a halt', 'running', ['serviceguard_unmounts'], preHalt, ends(0), silent, sameDaemon, nothingLeft),
  one('last step of a halt never started', 'halted', [], preHalt, ends(0), sameDaemon),
  {
    name: 'last step of a halt, twice',
    state: 'running',
    given: ['serviceguard_unmounts'],
    calls: [
      { call: preHalt, expect: [saying('the first ends with 0', ends(0))] },
      { call: preHalt, expect: [saying('the second ends with 0', ends(0)), sameDaemon] },
    ],
  },
  one('last step of a halt, still mounted', 'running', [], preHalt, ends(1), names('still-held')),
  one(
    'last step of a halt with the daemon dead',
    'running',
    ['serviceguard_unmounts', 'kill_daemon'],
    preHalt,
    ends(0),
    daemonComesUp,
    pipesClosed,
  ),
  one(
    'last step of a halt with the daemon missing',
    'running',
    ['serviceguard_unmounts', daemonMissing],
    preHalt,
    ends(0),
    isTrue('the log tells it soon', 'eventually grep -q "daemon: warning" "$LOG"'),
  ),
  one('last step of a halt with settings removed', 'running', ['serviceguard_unmounts', withoutSettings], preHalt, ends(0)),
  one('last step of a halt with settings removed, still mounted', 'running', [withoutSettings], preHalt, ends(1)),
  one('last step of a halt without Node.js', 'running', ['serviceguard_unmounts', nodeMissing], preHalt, ends(0)),
  one('last step of a halt without Node.js, still mounted', 'running', [nodeMissing], preHalt, ends(1)),
  one('last step of a halt with a full log', 'running', ['serviceguard_unmounts', fullLog], preHalt, ends(0)),
];

const validations: readonly Case[] = [
  one('validate', 'halted', [remember], validate, ends(0), untouched, sameDaemon, nothingLeft, pipesClosed),
  one('validate on the member that runs the package', 'running', [remember], validate, ends(0), untouched, sameDaemon),
  one('validate of the first script', 'halted', [remember], { ...validate, script: 'pre' }, ends(0), untouched),
  one('validate with a script that drifted', 'halted', ['echo "// drifted" >> "$SET/csync-halt.cjs"'], validate, ends(1), {
    says: 'names the file',
    kind: 'output',
    has: /csync-halt\.cjs differs/,
  }),
  one('validate with settings removed', 'halted', [withoutSettings], validate, ends(1)),
  one('validate with the manifest removed', 'halted', ['rm "$SET/manifest.json"'], validate, ends(1)),
  one(
    'validate with a launcher that cannot be executed',
    'halted',
    ['cannot_be_executed "$PACKAGE/csync_pre.sh"'],
    validate,
    ends(1),
  ),
  one('validate with the daemon missing', 'halted', [daemonMissing], validate, ends(1), {
    says: 'says so',
    kind: 'output',
    has: /\[program-missing\]/,
  }),
  one('validate with files below the mount point', 'halted', ['echo stale > "$MOUNT_POINT/file"'], validate, ends(1), {
    says: 'says so',
    kind: 'output',
    has: /\[mount-point-not-empty\]/,
  }),
  one('validate without Node.js', 'halted', [nodeMissing], validate, fails),
  one('validate in a foreign locale', 'halted', [], { ...validate, environment: foreignLocale }, ends(0)),
  one('validate with a read-only /tmp', 'halted', [readOnlyTmp], validate, ends(0)),
];

const watching = { logged: /monitor: ok watching / } as const;
const ended = (says: string, seconds: number): readonly Expectation[] => [
  saying(says, fails),
  saying(`within ${seconds} s`, within(seconds)),
  nothingLeft,
];

const monitors: readonly Case[] = [
  one(
    'monitor ended by SIGTERM',
    'running',
    [],
    { ...monitor, limitSeconds: 6, once: { ...watching, signal: 'SIGTERM' } },
    ends(0),
    within(2),
    sameDaemon,
    nothingLeft,
    silent,
  ),
  one(
    'monitor ended by SIGTERM at once',
    'running',
    [],
    { ...monitor, limitSeconds: 6, once: { sh: 'eventually a_script_runs', signal: 'SIGTERM' } },
    { says: 'is over', kind: 'is over' },
    within(2),
    nothingLeft,
  ),
  {
    ...one(
      'monitor while all is well',
      'running',
      [],
      { ...monitor, once: { ...watching, forSeconds: 3, signal: 'SIGTERM' } },
      { says: 'goes on', kind: 'stays' },
      sameDaemon,
      silent,
      { says: 'keeps the log quiet', kind: 'log lacks', pattern: /(monitor: .*\n){4}/ },
    ),
  },
  one(
    'monitor of a daemon that is killed',
    'running',
    [],
    { ...monitor, once: { ...watching, sh: 'kill_daemon' } },
    ...ended('ends with a failure', 3),
    logs(/monitor: failed .*has ended/, 'the log has the verdict'),
  ),
  one(
    'monitor of a daemon that stands still',
    'running',
    [],
    { ...monitor, once: { ...watching, sh: 'kill -STOP "$(daemon_pid)"' } },
    ...ended('ends with a failure', 7),
  ),
  one(
    'monitor of a daemon that is replaced',
    'running',
    [],
    { ...monitor, once: { ...watching, sh: 'kill_daemon; "$DAEMON_PROGRAM" < /dev/null > /dev/null 2>&1 || :' } },
    ...ended('ends with a failure', 3),
  ),
  {
    ...one(
      'monitor when the file system goes',
      'running',
      [],
      // The monitor itself may be looking at it.
      { ...monitor, limitSeconds: 60, once: { ...watching, sh: 'eventually serviceguard_unmounts' } },
      { says: 'ends with a failure', kind: 'fails' },
    ),
    takes: ({ monitorStorage }) => (parseLayerPlan(monitorStorage)?.everyMs ?? Number.POSITIVE_INFINITY) / 1000,
  },
  one(
    'monitor in a foreign locale',
    'running',
    [],
    {
      ...monitor,
      environment: { ...foreignLocale, ...hostile },
      once: { ...watching, sh: 'tr "\\0" "\\n" < "/proc/$(script_pid)/environ" > /run/conform-environ', signal: 'SIGTERM' },
    },
    ends(0),
    isTrue(
      'runs in the C locale',
      'grep ^L /run/conform-environ; grep -qx LC_ALL=C /run/conform-environ && ! grep -q tr_TR /run/conform-environ',
    ),
    isTrue(
      'runs without the variables of its caller',
      '! grep -E "^(NODE_OPTIONS|NODE_PATH|IFS|service_restart)=" /run/conform-environ',
    ),
  ),
  one('monitor without a daemon', 'running', ['kill_daemon'], monitor, ...ended('ends with a failure', 3)),
  one('monitor with settings removed', 'running', [withoutSettings], monitor, fails),
  one('monitor without Node.js', 'running', [nodeMissing], monitor, fails),
  one(
    'monitor with a full log',
    'running',
    [fullLog, '( sleep 2; kill_daemon ) > /dev/null 2>&1 &'],
    { ...monitor, limitSeconds: 15 },
    saying('ends with a failure all the same', fails),
  ),
];

/** A script may be killed anywhere; the same call again finishes the work. */
function interrupted(
  name: string,
  state: State,
  given: readonly string[],
  call: Call,
  steps: readonly string[],
  behind: readonly Expectation[],
): Case {
  return {
    name: `${name} ended by SIGTERM`,
    state,
    given,
    calls: [
      ...steps.flatMap((step, index) => [
        {
          call: { ...call, heldAt: step, limitSeconds: 6 },
          expect: [
            saying(`at step "${step}" it is over at once`, { says: '', kind: 'within', seconds: 3 }),
            // Behind its last step a script is over in no time, whatever it makes of the signal.
            ...(index === 0
              ? [
                  saying(`at step "${step}" it does not go on`, {
                    says: '',
                    kind: 'log lacks',
                    pattern: /ends with exit/,
                  } as const),
                ]
              : []),
          ],
        },
        { call, expect: [saying(`again after step "${step}" ends with 0`, ends(0))] },
      ]),
      { call, expect: behind },
    ],
  };
}

const interruptions: readonly Case[] = [
  interrupted('first step of a start', 'halted', [], preStart, ['mount-point', 'seal', 'installation'], [sameDaemon]),
  interrupted(
    'start',
    'mounted',
    [],
    start,
    ['mount', 'address', 'installation', 'daemon', 'policy', 'sentinel', 'proof', 'name'],
    [sameDaemon, wholeSentinel, nothingHolds, nothingLeft],
  ),
  interrupted(
    'start with the daemon not running',
    'mounted',
    ['kill_daemon'],
    start,
    ['installation', 'daemon'],
    [oneDaemon, nothingLeft],
  ),
  interrupted('halt', 'running', [], halt, ['release', 'clients', 'holders'], [sameDaemon, nothingHolds, nothingLeft]),
  interrupted(
    'last step of a halt',
    'running',
    ['serviceguard_unmounts'],
    preHalt,
    ['unmounted', 'daemon', 'seal'],
    [sameDaemon, nothingLeft],
  ),
];

/** What a cluster does with a member over time; what one call leaves behind must not disturb the next. */
const lives: readonly Case[] = [
  {
    name: 'start, halt and start again',
    state: 'halted',
    given: [],
    calls: [
      { call: preStart, expect: [saying('the first step ends with 0', ends(0))] },
      {
        first: 'serviceguard_mounts; serviceguard_adds_the_address',
        call: start,
        expect: [saying('the start ends with 0', ends(0))],
      },
      { call: halt, expect: [saying('the halt ends with 0', ends(0)), sameDaemon, nothingHolds] },
      {
        first: 'serviceguard_unmounts; ip address delete "$ADDRESS/32" dev lo',
        call: preHalt,
        expect: [saying('the last step ends with 0', ends(0))],
      },
      { call: preStart, expect: [saying('the first step ends with 0 again', ends(0))] },
      {
        first: 'serviceguard_mounts; serviceguard_adds_the_address',
        call: start,
        expect: [saying('the start ends with 0 again', ends(0)), epoch(2), oneDaemon],
      },
    ],
  },
];

export const cases: readonly Case[] = [...lives, ...starts, ...dry, ...halts, ...validations, ...monitors, ...interruptions];

/** The name under which an expectation is reported and chosen. */
export function assertionName(one: Case, expectation: Expectation): string {
  return `${one.name}: ${expectation.says}`;
}
