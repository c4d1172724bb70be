import type { Call, Case, Expectation, State } from './case-model.ts';

export const ends = (...status: readonly number[]): Expectation => ({
  says: `exits with ${status.join(' or ')}`,
  kind: 'ends',
  with: status,
});

export const fails: Expectation = { says: 'exits with a failure', kind: 'fails' };

export const within = (seconds: number): Expectation => ({ says: `takes no longer than ${seconds} s`, kind: 'within', seconds });

export const silent: Expectation = { says: 'prints only to the log', kind: 'silent' };

export const sameDaemon: Expectation = { says: 'does not touch the daemon', kind: 'daemon', is: 'same' };

export const oneDaemon: Expectation = { says: 'one daemon runs afterwards', kind: 'daemon', is: 'one' };

export const pipesClosed: Expectation = { says: "no process keeps the caller's pipes open", kind: 'pipes closed' };

export const nothingLeft: Expectation = { says: 'leaves no process of the scripts', kind: 'nothing left' };

export const logs = (has: RegExp, says: string): Expectation => ({ says, kind: 'log', has });

export const names = (code: string): Expectation => logs(new RegExp(`\\[${code}\\]`), `the log has ${code} with its fix`);

export const isTrue = (says: string, sh: string): Expectation => ({ says, kind: 'true', sh });

/** A halt starts the daemon beside itself. */
export const nothingStays = isTrue('no process of the scripts stays', 'eventually no_scripts');

export const saying = (says: string, expectation: Expectation): Expectation => ({ ...expectation, says });

export const nothingHolds = isTrue(
  'no process uses the policy file system',
  'umount "$MOUNT_POINT" && mount "$DEVICE" "$MOUNT_POINT"',
);

export const wholeSentinel = isTrue(
  'the sentinel is complete',
  'case $(cat "$SENTINEL") in \'{"epoch":\'*\'}\'*) ;; *) cat "$SENTINEL"; false ;; esac && ! ls "$POLICY"/*.new 2> /dev/null',
);

/** The cluster does not wait for it. */
export const daemonComesUp = isTrue('a daemon starts afterwards', 'eventually listens');

export const noSecret = isTrue(
  'no line of the private key is in a log or a file',
  '! grep -E "^[A-Za-z0-9+/=]{40,}$" "$KEY" | grep -rlFf - "$SGRUN" "$PACKAGE" "$MOUNT_POINT" /tmp /var/tmp',
);

export const untouched = isTrue('changes nothing', 'fingerprint | diff /run/conform-before -');

export const remember = 'fingerprint > /run/conform-before';

export const epoch = (number: number) =>
  isTrue(`the sentinel has epoch ${number}`, `cat "$SENTINEL"; grep -q '"epoch":${number},' "$SENTINEL"`);

export const preStart: Call = { script: 'pre', words: ['start'] };

export const start: Call = { script: 'main', words: ['start'] };

export const halt: Call = { script: 'main', words: ['stop'] };

export const preHalt: Call = { script: 'pre', words: ['stop'] };

export const validate: Call = { script: 'main', words: ['validate'] };

export const monitor: Call = { script: 'service', words: ['monitor'] };

export function one(name: string, state: State, given: readonly string[], call: Call, ...expect: readonly Expectation[]): Case {
  return { name, state, given, calls: [{ call, expect }] };
}

export const withoutSettings = 'rm "$SET/settings.json"';

export const damagedSettings = 'head -c 100 "$SET/settings.json" > /run/cut; cat /run/cut > "$SET/settings.json"';

export const daemonMissing = 'kill_daemon; cannot_be_executed "$DAEMON_PROGRAM"';

export const nodeMissing = 'cannot_be_executed "$NODE"';

export const busy = 'mount -t tmpfs elsewhere "$MOUNT_POINT"; echo theirs > "$MOUNT_POINT/file"';

export const readOnlyTmp = 'mount -o remount,ro /tmp; mount -t tmpfs -o ro tmpfs /var/tmp';

export const fullLog =
  'mount -t tmpfs -o size=4k tmpfs "$(dirname "$LOG")"; cat /dev/zero > "$(dirname "$LOG")/filler" 2> /dev/null || :';

/** A large write fails before the last blocks are used. */
export const fullPolicy =
  'cat /dev/zero > "$MOUNT_POINT/filler" 2> /dev/null || :; n=0; while head -c 512 /dev/zero > "$MOUNT_POINT/filler$n"; do sync -f "$MOUNT_POINT"; n=$((n + 1)); done 2> /dev/null';

export const fullDisk = 'cat /dev/zero > /filler 2> /dev/null || :';

export const readOnlyLog = 'mount -t tmpfs -o ro tmpfs "$(dirname "$LOG")"';

/** Stands for a disk that hangs. */
export const pipeLog = 'rm -f "$LOG"; mkfifo "$LOG"';

export const foreignLocale = { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LC_TIME: 'de_DE.UTF-8', LANGUAGE: 'tr:de' };

export const english = logs(
  /^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d /m,
  "the log keeps the format of Serviceguard's own lines",
);

export const hostile = {
  NODE_OPTIONS: '--no-such-option',
  NODE_PATH: '/nowhere',
  PERL5OPT: '-Mnowhere',
  ENV: '/nowhere',
  IFS: '/',
  BASH_ENV: '/nowhere',
};

export const portTaken = `kill_daemon; perl -e 'use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1) or die; if (fork) { exit } $0 = "foreign"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; my @s; push @s, $l->accept while 1'; eventually listens`;

/** The daemon's name, a replaced file, a policy file open. */
export const hangingTransfer = `mkdir -p /run/old; cp /usr/bin/perl "/run/old/$DAEMON"; "/run/old/$DAEMON" -e 'open my $f, ">", "$ENV{POLICY}/transfer" or die; if (fork) { exit } $0 = $ENV{DAEMON}; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; sleep'; rm -r /run/old`;

export const guest = `( cd "$MOUNT_POINT"; exec sleep 1000 > /dev/null 2>&1 ) & echo $! > /run/conform-guest`;
