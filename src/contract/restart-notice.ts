/**
 * A restart of the daemon that is meant, told to the monitor beforehand by naming the very process that is ended for it.
 * A pause would not do: it has to be seen while it lasts, and a restart can be over between two looks of the monitor, or the
 * package may have come to this member in the middle. Pure, but for the text of a shell function.
 */

import { shellWord } from '../base/shell-word.ts';
import type { ProcessState } from '../host/host.ts';

/** By then another daemon has to serve: as long as one may take to end, be killed and come up, each 10 s, and a reserve. */
export const restartGraceSeconds = 45;

/** Gone with a boot, and still there when the disk is full. */
export function restartNoticeFile(packageName: string): string {
  return `/run/csync-restart-${packageName}`;
}

/**
 * Shell function `announce PID...`: these processes are about to be ended on purpose. A process is named by its pid and its
 * start, which together are never used again; the end is counted since boot, so that no clock can move it.
 */
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

/**
 * Whether what is seen of `process` belongs to a restart that was announced and is not over yet. null: there is no daemon
 * just now. What is no such notice, or cannot be read (null), announces nothing.
 */
export function isAnnounced(
  notice: string | null,
  process: Pick<ProcessState, 'pid' | 'startTime'> | null,
  secondsSinceBoot: number,
): boolean {
  return (notice ?? '').split('\n').some((line) => {
    const [, pid, startTime, until] = /^(\d+) (\d+) (\d+)$/.exec(line) ?? [];
    const named = process === null || (Number(pid) === process.pid && startTime === process.startTime);
    return until !== undefined && secondsSinceBoot < Number(until) && named;
  });
}
