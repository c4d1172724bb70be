/**
 * Observe a member or a client during a drill on a real cluster: one bash a host, which exits when its input closes and removes its file.
 * Lines `SECONDS WORD...` by its clock. Pure.
 */

import { parseLogLine } from '../base/log-line.ts';
import { hexOf, isIpv6 } from '../base/network.ts';
import { shellWord } from '../base/shell-word.ts';
import { decimal } from '../cluster/remote/answers.ts';
import { hostScript, script } from '../cluster/remote/shell-text.ts';
import { standingWord } from '../host/admin/member-shell.ts';
import type { JournalEntry } from '../lab/emulation/journal.ts';
import type { Settings } from '../settings/settings.ts';

/** Seconds. */
const memberPause = '0.02';
const clientPause = '0.05';
/** 0.01 s. A connection that took longer made the client wait. */
const clientLateCs = 10;
/** 0.01 s; cuts off an attempt, the start of its program included. */
const clientLimitCs = 30;
/** 0.01 s. A program that started later made no attempt. */
const clientStartCs = 5;

/** Only root writes there. */
export const watchFile = (token: string): string => `/run/csync-rehearsal-${token}`;

const begin = (token: string): string[] => [
  `file=${watchFile(token)}`,
  'umask 077',
  ': > "$file" || exit 73',
  // After SIGKILL the file stays until a boot.
  `trap 'rm -f "$file" "$file.at"' EXIT`,
  "trap 'exit 0' HUP INT TERM",
  'now() { if [ -n "$EPOCHREALTIME" ]; then stamp=$EPOCHREALTIME; else stamp=$(date +%s.%N); fi; }',
  'report() { echo "$stamp $*" >> "$file"; }',
  // The file is complete up to this check.
  'looked() { echo "$1" > "$file.at"; }',
  `echo ${standingWord}`,
];

/** `read -t` is the pause, and detects that the input closed. */
function inBash(around: typeof script, lines: readonly string[], ...more: readonly string[]): string {
  return around(
    ...more,
    'command -v bash >/dev/null || { echo "bash is missing there" >&2; exit 69; }',
    `exec bash --norc -c ${shellWord(lines.join('\n'))}`,
  );
}

/** Reports mount, address and lines of the package log. */
export function memberWatch(
  { mountPoint, packageAddress, packageName, scriptLogFile, packageDirectory }: Settings,
  token: string,
): string {
  const lines = [
    ...begin(token),
    'mount=0; address=0',
    // The log may appear later: then all lines are new.
    'log_open=; follow() { [ -r "$log" ] && exec 8< "$log" && log_open=1; }',
    'follow && cat <&8 > /dev/null',
    'while :; do',
    '  now; m=0; a=0; last=',
    `  while read -r _ target _; do [ "$target" != ${shellWord(mountPoint)} ] || m=1; done < /proc/self/mounts`,
    isIpv6(packageAddress)
      ? // Without the marks of duplicate address detection (tentative 40, failed 08), while it does not answer.
        `  while read -r digits _ _ _ flags _; do [ "$digits" = ${hexOf(packageAddress)} ] && [ $((0x$flags & 0x48)) = 0 ] && a=1; done < /proc/net/if_inet6`
      : `  while read -r line; do case $line in *"|-- "${packageAddress}) last=1 ;; *"32 host LOCAL"*) [ -z "$last" ] || a=1; last= ;; *"|-- "*) last= ;; esac; done < /proc/net/fib_trie`,
    '  [ $m = $mount ] || { mount=$m; report mounted $m $before; }',
    '  [ $a = $address ] || { address=$a; report address $a $before; }',
    '  [ -n "$log_open" ] || follow',
    '  [ -z "$log_open" ] || while IFS= read -r line <&8; do report log "$line"; done',
    '  before=$stamp; looked "$stamp"',
    `  read -r -t ${memberPause} _; [ $? -gt 128 ] || exit 0`,
    'done',
  ];
  return inBash(
    script,
    lines,
    `SG_PACKAGE=${shellWord(packageName)}`,
    `log="${scriptLogFile || `${packageDirectory}/${packageName}.log`}"`,
    'export log',
  );
}

/**
 * Reports connections to the port. A wait may have begun while no host had the address. A busy client starts programs late: only the
 * connection counts.
 */
export function clientWatch({ packageAddress, cfenginePort }: Settings, token: string): string {
  const uptime = 'read -r up _ < /proc/uptime';
  const connect = `${uptime}; echo "\${up/./}"; exec 9<>/dev/tcp/${packageAddress}/${cfenginePort} || exit 1; ${uptime}; echo "\${up/./}"`;
  const lines = [
    ...begin(token),
    'served=; now; good=$stamp',
    'while :; do',
    `  now; begun=$stamp; ${uptime}`,
    `  said=$(timeout ${clientLimitCs / 100} bash --norc -c ${shellWord(connect)} 2> /dev/null); status=$?`,
    '  now; set -- $said',
    // 0: connected; 1: refused; otherwise cut off.
    `  if [ $status -le 1 ] || { [ -n "$1" ] && [ $((10#$1 - 10#\${up/./})) -le ${clientStartCs} ]; }; then`,
    '    is=0; [ $status != 0 ] || is=1',
    '    if [ "$is" != "$served" ]; then served=$is; report client $is $good',
    `    elif [ $is = 1 ] && [ $((10#$2 - 10#$1)) -gt ${clientLateCs} ]; then report waited 1 $good; fi`,
    '    [ $is = 0 ] || good=$stamp',
    '    looked "$begun"',
    '  fi',
    `  read -r -t ${clientPause} _; [ $? -gt 128 ] || exit 0`,
    'done',
  ];
  return inBash(hostScript, lines);
}

/** Prints the input of readFetched; fails if the watch is gone. */
export const fetchWatch = (file: string): string =>
  hostScript('echo "now $(date +%s.%N)"', `echo "at $(cat ${file}.at 2>/dev/null)"`, `cat ${file}`);

/** `now` and `looked`: ms by its clock; null: not reported. */
export function readFetched(text: string): {
  readonly now: number | null;
  readonly looked: number | null;
  readonly rest: string;
} {
  const [, now, looked, rest = ''] = /^now (.*)\nat (.*)\n([\s\S]*)$/.exec(text) ?? [];
  const millis = (word: string | undefined): number | null => (Number.isNaN(seconds(word)) ? null : seconds(word) * 1000);
  return { now: millis(now), looked: millis(looked), rest };
}

// Its locale may print a comma.
const seconds = (word = ''): number => decimal(word.replace(',', '.'));

const firstRoles: Readonly<Record<string, readonly string[]>> = { start: ['pre', 'legacy'], halt: ['main', 'legacy'] };
const lastRoles: Readonly<Record<string, readonly string[]>> = { start: ['main', 'legacy'], halt: ['pre', 'legacy'] };
const begins: Readonly<Record<string, string>> = { start: 'starting', halt: 'halting' };

function eventOf(line: string): Pick<JournalEntry, 'what' | 'text'> | null {
  const parsed = parseLogLine(line);
  if (parsed === null) return null;
  const { script, code, text, keys } = parsed;
  const { role = '', exit = '' } = keys;
  if (script === 'monitor') return code === 'verdict' ? { what: 'service-died', text: `the monitor exits: ${text}` } : null;
  const what = begins[script];
  if (what !== undefined && code === 'script-begin' && firstRoles[script]?.includes(role))
    return { what, text: `the ${script} of the package begins` };
  if (what !== undefined && /^script-(complete|failed)$/.test(code) && lastRoles[script]?.includes(role))
    return { what: `${script}-ended`, text: `the ${script} of the package ended (exit status ${exit})` };
  return null;
}

/** `aheadMs`: its clock minus ours. Skips truncated lines. */
export function readWatch(text: string, host: string, aheadMs: number): JournalEntry[] {
  const millis = (word = ''): number => seconds(word) * 1000 - aheadMs;
  return text.split('\n').flatMap((line): JournalEntry[] => {
    const [stamp, word, is = '', since, ...rest] = line.split(' ');
    const at = millis(stamp);
    if (Number.isNaN(at) || word === undefined) return [];
    const before = millis(since);
    const sinceMs = Number.isNaN(before) || before <= 0 ? {} : { sinceMs: at - before };
    if (word === 'log') {
      const said = [is, since, ...rest].join(' ');
      const found = eventOf(said);
      return found === null ? [] : [{ at, kind: 'event', member: host, ...found }];
    }
    if (word === 'client') {
      const entry = { at, kind: 'seen', member: host } as const;
      return [
        is === '1'
          ? { ...entry, what: 'client-served', text: 'reaches a master' }
          : { ...entry, what: 'client-lost', text: 'reaches no master', ...sinceMs },
      ];
    }
    if (word === 'waited')
      return [{ at, kind: 'seen', member: host, what: 'client-waited', text: 'had to wait for a connection', ...sinceMs }];
    if (word !== 'mounted' && word !== 'address') return [];
    const on = is === '1';
    return [
      {
        at,
        kind: 'seen',
        member: host,
        what: `${word}-${on ? 'on' : 'off'}`,
        text: `${word} ${on ? 'is here' : 'is gone'}`,
        ...sinceMs,
      },
    ];
  });
}
