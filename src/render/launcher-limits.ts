/** Seconds of a start and a halt. The launcher stops a script before Serviceguard's time-out would disable the package everywhere. Pure. */
import type { LauncherRole } from '../contract/package-directory.ts';
import type { Settings } from '../settings/settings.ts';

/** `afterwards`: the halt that undoes it; 0 if Serviceguard does that. */
export type ScriptLimits = readonly [script: number, afterwards: number];

/** Checks before the storage are fast, unless something hangs. */
const mostOfPre = 20;
/** After the grace: reset, TERM, KILL. */
const letGoSeconds = 15;

const part = (seconds: number, share: number): number => Math.max(2, Math.floor(seconds * share));

/** Shares the time with Serviceguard's modules, which check and mount in between. */
export function startLimits({ runScriptTimeoutSeconds: all }: Settings, role: LauncherRole): ScriptLimits {
  if (role === 'pre') return [Math.min(mostOfPre, part(all, 0.2)), 0];
  return [part(all, 0.5), role === 'legacy' ? part(all, 0.3) : 0];
}

/** Cuts the administrator's grace if it leaves too little. */
export function haltLimits({ haltScriptTimeoutSeconds: all, haltGraceSeconds }: Settings, role: LauncherRole): ScriptLimits {
  if (role === 'pre') return [Math.min(mostOfPre, part(all, 0.2)), 0];
  const wanted = haltGraceSeconds + letGoSeconds;
  if (role === 'main') return [Math.max(part(all, 0.6), Math.min(wanted, part(all, 0.75))), 0];
  return [Math.max(part(all, 0.6), Math.min(wanted, part(all, 0.7))), part(all, 0.25)];
}
