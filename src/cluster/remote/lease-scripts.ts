/**
 * The lock of a cluster, on one member: a lease that its holder renews. What a member knows of it lies in /run, and only the member's own
 * time since boot judges it; so a holder that vanished blocks nobody for longer than `leaseSeconds`, and a member that was booted has
 * no lease. Plain POSIX shell with coreutils and flock. Pure: text in, text out.
 */

import { shellWord } from '../../base/shell-word.ts';
import { standingWord } from '../../host/admin/member-shell.ts';
import { busyStatus, hostScript } from './shell-text.ts';

/** A lease that was not renewed for so long is nobody's. */
export const leaseSeconds = 30;
export const renewEverySeconds = 5;
/** Exit status of a script that was not carried out, since the lease is not its caller's any more. */
export const lostStatus = 76;
/** How long who wants to read or write the lease waits for another one who does so; it takes milliseconds. */
const turnSeconds = 5;

export interface Lease {
  /** The directory on the member; fixed by the package's name. */
  readonly directory: string;
  /** Of this holder, and of no other. */
  readonly token: string;
}

/** Where the lease of a package lies: a directory of /run, so that a boot ends it. */
export const leaseDirectory = (packageName: string): string => `/run/csync-change-${packageName}`;

/**
 * Functions of the shell, with names of their own since scripts follow them. The lease is one line: token, boot, seconds since that
 * boot, who; the token is `-` where it was given back. Whoever reads or writes it has `lock`; a script of a holder has `running` while it lasts, shared with others of his.
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
 * Takes the lease, or says who has it (busyStatus), then renews it with each line that comes. It ends, and gives the lease back, at the
 * end of its standard input, and when nothing comes for as long as a lease lasts. `who` is for people.
 */
export function keepScript(lease: Lease, who: string): string {
  return hostScript(
    'umask 077',
    ...leaseLines(lease),
    'mkdir -p -m 700 -- "$lease_at" || exit 1',
    `lease_write() { printf '%s %s %s %s\\n' "$1" "$lease_this" "$lease_now" ${shellWord(who)} > "$lease_at/new" && mv -f -- "$lease_at/new" "$lease_at/lease"; }`,
    `lease_turn || { echo "another csync is at it" >&2; exit ${busyStatus}; }`,
    'lease_read',
    // With its own number: a keeper whose connection broke may find out late, and must not give back what the next one has.
    'lease_me=$lease_mine.$$',
    'if ! lease_is_mine; then',
    `  if [ "$lease_token" != - ] && lease_lives; then printf '%s\\n' "$lease_who" >&2; exit ${busyStatus}; fi`,
    // Its holder is gone, but what he began here may not be.
    '  exec 8>> "$lease_at/running"',
    '  if ! flock -n 8; then',
    '    lease_runs=; while read -r lease_pid; do [ ! -d "/proc/$lease_pid" ] || lease_runs="$lease_runs $lease_pid"; done < "$lease_at/running"',
    `    printf '%s; that is gone, but what it began still runs here: process%s\\n' "$lease_who" "$lease_runs" >&2; exit ${busyStatus}`,
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

/** The script as it was, once the lease is seen to be its holder's; nobody else gets the lease before it has ended. */
export function fenced(lease: Lease, script: string): string {
  return [
    ...leaseLines(lease),
    `lease_lost() { echo "csync-lease-lost: \${lease_who:-nobody has it}" >&2; exit ${lostStatus}; }`,
    '[ -d "$lease_at" ] && lease_turn || { lease_read; lease_lost; }',
    'lease_read',
    'lease_is_mine && lease_lives || lease_lost',
    'exec 8>> "$lease_at/running" && flock -s -n 8 && echo $$ >&8 || lease_lost',
    'exec 7>&-',
    // Closed for all that it starts: a daemon must not keep others waiting for as long as it lives.
    '{',
    script.trimEnd(),
    '} 8>&-',
    '',
  ].join('\n');
}

/** What a script that was not carried out says of who has the lease now; null: it was carried out. */
export function lostTo({ exitCode, stderr }: { readonly exitCode: number | null; readonly stderr: string }): string | null {
  return exitCode === lostStatus ? (/^csync-lease-lost: (.*)$/m.exec(stderr)?.[1] ?? null) : null;
}
