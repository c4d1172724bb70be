import type { MemberHost } from '../../host/host.ts';
import type { Finding } from '../failures.ts';
import { mountAt } from '../judgements.ts';
import { legacyHalt, legacyStart } from '../legacy/legacy-scripts.ts';
import { finishWaiting } from '../steps/finish-waiting.ts';
import type { Role } from '../steps/parts.ts';
import type { ScriptContext } from '../steps/script.ts';
import { afterStorage, announce, beforeStorage, letGo, promotion, reviveDaemon, stepLog } from '../steps/start-and-halt.ts';
import { runSteps, startExit } from '../steps/step.ts';

export async function startRole(context: ScriptContext): Promise<number> {
  const { role } = context;
  if (role === 'legacy') return legacyStart(context);
  const steps = (role === 'pre' ? beforeStorage : promotion).map((step) => step(context));
  const failed = await runSteps(steps, stepLog(context));
  if (failed === null && role === 'main') {
    announce(context);
    finishWaiting(context);
  }
  return startExit(failed);
}

/** Another member may have sound settings. */
export const startWithoutSettings = () => 2;

const haltByRole: Readonly<Record<Role, (context: ScriptContext) => Promise<0 | 1>>> = {
  main: letGo,
  pre: afterStorage,
  legacy: legacyHalt,
  daemon: reviveDaemon,
};

export function haltRole(context: ScriptContext): Promise<0 | 1> {
  return haltByRole[context.role](context);
}

/**
 * Damaged settings must not prevent a halt. Serviceguard unmounts after role main, so "still mounted" is a failure only at the very end.
 * The mount point comes from the launcher.
 */
export function haltWithoutSettings(_finding: Finding, host: MemberHost, role: Role): 0 | 1 {
  const mountPoint = host.environment.CSYNC_MOUNT_POINT ?? '';
  return role !== 'main' && mountAt(host.mounts(), mountPoint) !== undefined ? 1 : 0;
}
