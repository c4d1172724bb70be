/**
 * external_script stop (role main): before the address and the mount go, make the daemon let go of the policy file system.
 * external_pre_script stop (role pre): the very last; the daemon goes on as this member's own. Fails only while the policy
 * file system is still held, also when settings are damaged.
 */
import type { MemberHost } from '../host/host.ts';
import type { Finding } from './failures.ts';
import { mountAt } from './judgements.ts';
import { runPlan } from './plan.ts';
import { runScript, type ScriptContext } from './script.ts';
import * as steps from './steps.ts';

async function halt(context: ScriptContext): Promise<number> {
  const { host, settings, role, log, dryRun } = context;
  const planContext = { member: host.member, packageName: settings.packageName, log, dryRun };
  if (role === 'main') {
    if (mountAt(host.mounts(), settings.mountPoint) === undefined) {
      log.line('release', 'already', `${settings.mountPoint} is not mounted here`);
      return 0;
    }
    // The clients last: who connects between their reset and the end of the address hears nothing any more.
    const plan = [steps.daemonLetsGo(context), steps.othersNamed(context), steps.clientsDisconnected(context)];
    return exitOf(await runPlan(plan, planContext));
  }
  const held = exitOf(await runPlan([steps.policyFileSystemGone(context)], planContext));
  // The file system is what the cluster waits for; a daemon that does not come up is told loudly, but fails no halt.
  await runPlan([{ ...steps.daemonRunning(context), optional: true }], planContext);
  // What somebody left there has to be moved away first; sealing it in would only be in the way.
  const isEmpty = host.list(settings.mountPoint)?.length === 0;
  if (held === 0 && isEmpty) await runPlan([steps.mountPointSealed(context)], planContext);
  return held;
}

function exitOf(failed: Finding | null): 0 | 1 {
  return failed === null ? 0 : 1;
}

/**
 * Damaged settings must not keep a package from leaving: Serviceguard's own unmount comes after role main and ends who
 * holds the file system. Only at the very end, still mounted is a failure. The mount point is the launcher's own copy.
 */
function withoutSettings(_finding: Finding, host: MemberHost, role: 'main' | 'pre'): 0 | 1 {
  const mountPoint = host.environment.CSYNC_MOUNT_POINT ?? '';
  return role === 'pre' && mountAt(host.mounts(), mountPoint) !== undefined ? 1 : 0;
}

void runScript({ name: 'halt', run: halt, withoutSettings });
