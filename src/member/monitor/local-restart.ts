/**
 * A restart of the daemon in place before the package moves, once in a time. DSAU moved the package at once, and that is the
 * default [dsau-csync.md]; the rest is ours.
 */
import { parseLocalRestart } from '../../settings/rules.ts';
import { message } from '../messages.ts';
import { type HoldWorld, known, secondsSinceBoot } from './hold.ts';

/** Gone with a boot; the next monitor finds it there. Holds the seconds since boot of the last one. */
export function localRestartFile(packageName: string): string {
  return `/run/csync-local-restart-${packageName}`;
}

/** `last`: what stands in that file; null: nothing. A window of null allows none. What cannot be read counts as long ago. */
export function mayRestart(windowSeconds: number | null, last: string | null, secondsSinceBoot: number): boolean {
  if (windowSeconds === null) return false;
  const at = /^\d+(\.\d+)?\n?$/.test(last ?? '') ? Number(last) : Number.NEGATIVE_INFINITY;
  return secondsSinceBoot - at >= windowSeconds;
}

/** Whether the daemon is to be restarted in place now; then that is on record, so that another monitor does not do it again. */
export function recordRestart({ host, settings, daemon, log }: HoldWorld): boolean {
  const windowSeconds = parseLocalRestart(settings.monitorLocalRestart) ?? null;
  if (windowSeconds === null) return false;
  const file = localRestartFile(settings.packageName);
  const sinceBoot = secondsSinceBoot(host);
  if (!mayRestart(windowSeconds, host.readText(file), sinceBoot)) return false;
  // A program that is not cfengine's cannot be restarted into one.
  const owner = known(() => daemon.owner());
  if (owner === null || owner.kind === 'foreign') return false;
  try {
    host.writeDurably(file, `${sinceBoot}\n`, 0o644);
    return true;
  } catch (error) {
    log.line('warning', message('restart-unrecorded', { file, why: (error as Error).message }));
    return false;
  }
}
