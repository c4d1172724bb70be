/**
 * How long a start and a halt may take before their launcher gives them up: well below the time-outs of Serviceguard, which
 * kill a script and switch the package off everywhere. Seconds. Pure.
 */
import type { LauncherRole } from '../contract/package-directory.ts';
import type { Settings } from '../settings/settings.ts';

/** A script, and what takes back or finishes what it left; the second is 0 where Serviceguard does that. */
export type ScriptLimits = readonly [script: number, afterwards: number];

/** What happens before the storage is touched looks at some files; nothing of it takes long where nothing hangs. */
const mostOfPre = 20;
/** To end a daemon that transfers, behind the grace: a reset, TERM, KILL. */
const letGoSeconds = 15;

const part = (seconds: number, share: number): number => Math.max(2, Math.floor(seconds * share));

/** Both scripts of a modular package share Serviceguard's time with its own modules, which check and mount between them. */
export function startLimits({ runScriptTimeoutSeconds: all }: Settings, role: LauncherRole): ScriptLimits {
  if (role === 'pre') return [Math.min(mostOfPre, part(all, 0.2)), 0];
  return [part(all, 0.5), role === 'legacy' ? part(all, 0.3) : 0];
}

/** The grace for transfers is the administrator's, and is waited for as long as it leaves a rest. */
export function haltLimits({ haltScriptTimeoutSeconds: all, haltGraceSeconds }: Settings, role: LauncherRole): ScriptLimits {
  if (role === 'pre') return [Math.min(mostOfPre, part(all, 0.2)), 0];
  const wanted = haltGraceSeconds + letGoSeconds;
  if (role === 'main') return [Math.max(part(all, 0.6), Math.min(wanted, part(all, 0.75))), 0];
  return [Math.max(part(all, 0.6), Math.min(wanted, part(all, 0.7))), part(all, 0.25)];
}
