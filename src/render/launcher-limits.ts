/**
 * Time limits of a start and a halt, in seconds. The launcher stops a script well before the time-out of Serviceguard, which would kill it
 * and disable the package on every member. Pure.
 */
import type { LauncherRole } from '../contract/package-directory.ts';
import type { Settings } from '../settings/settings.ts';

/** A script, and the halt that undoes or completes it; the second is 0 where Serviceguard does that. */
export type ScriptLimits = readonly [script: number, afterwards: number];

/** Checks of some files before the storage is activated: fast, unless something hangs. */
const mostOfPre = 20;
/** After the grace, to stop a daemon with a transfer: reset, TERM, KILL. */
const letGoSeconds = 15;

const part = (seconds: number, share: number): number => Math.max(2, Math.floor(seconds * share));

/** Both scripts of a modular package share Serviceguard's time with its own modules, which check and mount in between. */
export function startLimits({ runScriptTimeoutSeconds: all }: Settings, role: LauncherRole): ScriptLimits {
  if (role === 'pre') return [Math.min(mostOfPre, part(all, 0.2)), 0];
  return [part(all, 0.5), role === 'legacy' ? part(all, 0.3) : 0];
}

/** The administrator sets the grace for transfers; it is cut if it leaves too little time for the rest. */
export function haltLimits({ haltScriptTimeoutSeconds: all, haltGraceSeconds }: Settings, role: LauncherRole): ScriptLimits {
  if (role === 'pre') return [Math.min(mostOfPre, part(all, 0.2)), 0];
  const wanted = haltGraceSeconds + letGoSeconds;
  if (role === 'main') return [Math.max(part(all, 0.6), Math.min(wanted, part(all, 0.75))), 0];
  return [Math.max(part(all, 0.6), Math.min(wanted, part(all, 0.7))), part(all, 0.25)];
}
