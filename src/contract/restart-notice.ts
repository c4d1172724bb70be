/**
 * An announced restart of the daemon: which process will exit. A pause of the monitor would not do: a restart can be shorter than its
 * interval, or the package may arrive meanwhile. Pure, except for a shell function.
 */

import { shellWord } from '../base/shell-word.ts';
import type { ProcessState } from '../host/host.ts';

/** Another daemon must serve by then: 10 s each to exit, to be killed and to start, and a reserve. */
export const restartGraceSeconds = 45;

/** In memory, so full disks do not matter. */
export function restartNoticeFile(packageName: string): string {
  return `/run/csync-restart-${packageName}`;
}

/** `announce PID...`: these exit on purpose. The limit counts since boot. */
export function announceFunction(packageName: string): string {
  const file = shellWord(restartNoticeFile(packageName));
  return `announce() {
  read -r since_boot _idle < /proc/uptime || return 1
  for pid in "$@"; do
    begun=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 20)
    [ -z "$begun" ] || echo "$pid $begun $((\${since_boot%.*} + ${restartGraceSeconds}))"
  done > ${file}.new && mv -f ${file}.new ${file}
}`;
}

export type ProcessIdentity = Pick<ProcessState, 'pid' | 'startTime'>;

/** Whether a notice in time names the process; null: the exited process is unknown. A missing or damaged notice announces nothing. */
export function isAnnounced(notice: string | null, process: ProcessIdentity | null, secondsSinceBoot: number): boolean {
  return (notice ?? '').split('\n').some((line) => {
    const [, pid, startTime, until] = /^(\d+) (\d+) (\d+)$/.exec(line) ?? [];
    const named = process === null || (Number(pid) === process.pid && startTime === process.startTime);
    return until !== undefined && secondsSinceBoot < Number(until) && named;
  });
}
