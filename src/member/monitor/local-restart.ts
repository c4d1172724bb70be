/** One restart of the daemon in place before the package moves. Off by default: DSAU moved the package at once [dsau-csync.md]. */
import { attempt } from '../../base/attempt.ts';
import { parseLocalRestart } from '../../settings/rules.ts';
import { message } from '../messages.ts';
import { type HoldWorld, secondsSinceBoot } from './hold.ts';

/** Seconds since boot of the last restart; a boot removes the file. */
export function localRestartFile(packageName: string): string {
  return `/run/csync-local-restart-${packageName}`;
}

/** `last`: that file; unreadable counts as long ago. A window of null allows no restart. */
export function mayRestart(windowSeconds: number | null, last: string | null, secondsSinceBoot: number): boolean {
  if (windowSeconds === null) return false;
  const at = /^\d+(\.\d+)?\n?$/.test(last ?? '') ? Number(last) : Number.NEGATIVE_INFINITY;
  return secondsSinceBoot - at >= windowSeconds;
}

/** Records a permitted restart first, so that no later monitor repeats it. False: do not restart. */
export function recordRestart({ host, settings, daemon, log }: HoldWorld): boolean {
  const windowSeconds = parseLocalRestart(settings.monitorLocalRestart) ?? null;
  if (windowSeconds === null) return false;
  const file = localRestartFile(settings.packageName);
  const sinceBoot = secondsSinceBoot(host);
  if (!mayRestart(windowSeconds, host.readText(file), sinceBoot)) return false;
  // No help against another program. null: this host lacks descriptors or memory.
  const owner = attempt(() => daemon.owner(), null);
  if (owner === null || owner.kind === 'foreign') return false;
  try {
    host.writeDurably(file, `${sinceBoot}\n`, 0o644);
    return true;
  } catch (error) {
    log.line('warning', message('restart-unrecorded', { file, why: (error as Error).message }));
    return false;
  }
}
