/**
 * A restart of the daemon in place before the package moves, once in a time. DSAU moved the package at once, and that is the
 * default [dsau-csync.md]; the rest is ours. Pure.
 */

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
