/**
 * An announced restart of the daemon: the monitor is notified in advance which process will exit. A pause would not do: the monitor must
 * see it while it lasts, and a restart can be shorter than that, or the package may come to this member in the middle. Pure, except for the
 * text of a shell function.
 */

import { shellWord } from '../base/shell-word.ts';
import type { ProcessState } from '../host/host.ts';

/** Until then another daemon must serve: one may need 10 s each to exit, to be killed and to start, plus a reserve. */
export const restartGraceSeconds = 45;

/** In memory: removed by a boot, writable when the disk is full. */
export function restartNoticeFile(packageName: string): string {
  return `/run/csync-restart-${packageName}`;
}

/**
 * Shell function `announce PID...`: these processes exit on purpose. A process is named by its pid and its start time, a pair that is never
 * reused; the time limit counts since boot, so that no clock change moves it.
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
 * Whether the exit of `process` belongs to an announced restart that is still in time. null: no daemon runs now. A missing, damaged or
 * unreadable notice (null) announces nothing.
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
