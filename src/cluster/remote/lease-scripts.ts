/**
 * The cluster's lock on one member: a lease in /run that its holder renews, judged by the member's time since boot. A vanished holder
 * blocks others for `leaseSeconds` at most; a boot ends it. POSIX shell with coreutils and flock. Pure.
 */

import { shellWord } from '../../base/shell-word.ts';
import { standingWord } from '../../host/admin/member-shell.ts';
import { busyStatus, hostScript, rootLine } from './shell-text.ts';

export const leaseSeconds = 30;
export const renewEverySeconds = 5;
/** The script did not run: its caller lost the lease. */
export const lostStatus = 76;
/** For another user of the lease file, who needs milliseconds. */
const turnSeconds = 5;

export interface Lease {
  readonly directory: string;
  readonly token: string;
}

/** In /run: a boot ends it. */
export const leaseDirectory = (packageName: string): string => `/run/csync-change-${packageName}`;

/**
 * Shell functions. The lease is one line: token (`-`: returned), boot, seconds since that boot, holder. Readers and writers hold `lock`, a
 * holder's scripts share `running`.
 */
function leaseLines({ directory, token }: Lease): string[] {
  return [
    `lease_at=${shellWord(directory)} lease_mine=${token}`,
    `lease_is_mine() { [ "\${lease_token%.*}" = "$lease_mine" ]; }`,
    `lease_turn() { exec 7>> "$lease_at/lock" && flock -w ${turnSeconds} 7; }`,
    'lease_read() {',
    '  lease_token= lease_boot= lease_from=0 lease_who=',
    '  [ ! -r "$lease_at/lease" ] || read -r lease_token lease_boot lease_from lease_who < "$lease_at/lease"',
    `  read -r lease_now lease_rest < /proc/uptime; lease_now=\${lease_now%%.*}`,
    '  read -r lease_this < /proc/sys/kernel/random/boot_id',
    '  case $lease_from in *[!0-9]* | "") lease_from=0 ;; esac',
    '}',
    `lease_lives() { [ "$lease_boot" = "$lease_this" ] && [ $((lease_now - lease_from)) -lt ${leaseSeconds} ]; }`,
  ];
}

/**
 * Takes the lease, or prints the holder (busyStatus). Renews it with each input line; returns it when its input closes, and after
 * leaseSeconds without input. `who`: for messages.
 */
export function keepScript(lease: Lease, who: string): string {
  return hostScript(
    'umask 077',
    ...leaseLines(lease),
    `{ mkdir -p -m 700 -- "$lease_at" && [ -O "$lease_at" ]; } || { ${rootLine}; exit 1; }`,
    `lease_write() { printf '%s %s %s %s\\n' "$1" "$lease_this" "$lease_now" ${shellWord(who)} > "$lease_at/new" && mv -f -- "$lease_at/new" "$lease_at/lease"; }`,
    `lease_turn || { echo "another csync is using the lease" >&2; exit ${busyStatus}; }`,
    'lease_read',
    // A keeper may detect a broken connection late, and must not return its successor's lease.
    'lease_me=$lease_mine.$$',
    'if ! lease_is_mine; then',
    `  if [ "$lease_token" != - ] && lease_lives; then printf '%s\\n' "$lease_who" >&2; exit ${busyStatus}; fi`,
    // A script of a vanished holder may still run.
    '  exec 8>> "$lease_at/running"',
    '  if ! flock -n 8; then',
    '    lease_runs=; while read -r lease_pid; do [ ! -d "/proc/$lease_pid" ] || lease_runs="$lease_runs $lease_pid"; done < "$lease_at/running"',
    `    printf '%s; it exited, but what it started still runs here: process%s\\n' "$lease_who" "$lease_runs" >&2; exit ${busyStatus}`,
    '  fi',
    '  exec 8>&-; : > "$lease_at/running"',
    'fi',
    'lease_write "$lease_me" || exit 1',
    'exec 7>&-',
    `echo ${standingWord}`,
    `while lease_line=$(timeout --foreground ${leaseSeconds} head -n 1) && [ -n "$lease_line" ]; do`,
    '  lease_turn || exit 1',
    '  lease_read',
    '  [ "$lease_token" = "$lease_me" ] || { echo lost; exit 0; }',
    '  lease_write "$lease_me" || exit 1',
    '  exec 7>&-',
    '  echo "renewed $lease_line"',
    'done',
    'lease_turn || exit 1',
    'lease_read',
    '[ "$lease_token" != "$lease_me" ] || lease_write -',
    'exit 0',
  );
}

/** Runs the script only while its holder has the lease; no other process gets it before the exit. */
export function fenced(lease: Lease, script: string): string {
  return [
    ...leaseLines(lease),
    `lease_lost() { echo "csync-lease-lost: \${lease_who:-no process}" >&2; exit ${lostStatus}; }`,
    '[ -d "$lease_at" ] && lease_turn || { lease_read; lease_lost; }',
    'lease_read',
    'lease_is_mine && lease_lives || lease_lost',
    'exec 8>> "$lease_at/running" && flock -s -n 8 && echo $$ >&8 || lease_lost',
    'exec 7>&-',
    // A daemon must not hold the lock.
    '{',
    script.trimEnd(),
    '} 8>&-',
    '',
  ].join('\n');
}

/** The present holder. null: the script ran. */
export function lostTo({ exitCode, stderr }: { readonly exitCode: number | null; readonly stderr: string }): string | null {
  return exitCode === lostStatus ? (/^csync-lease-lost: (.*)$/m.exec(stderr)?.[1] ?? null) : null;
}
