/**
 * external_script stop (role main): before the address and the mount go, make the daemon let go of the policy file system.
 * external_pre_script stop (role pre): the very last; the daemon goes on as this member's own. HALT_SCRIPT stop (role
 * control): all of it. Fails only while something of the package is still held, also when settings are damaged.
 */
import type { MemberHost } from '../host/host.ts';
import { controlHalt } from './control.ts';
import type { Finding } from './failures.ts';
import { mountAt } from './judgements.ts';
import { afterStorage, letGo } from './plans.ts';
import { type Role, runScript, type ScriptContext } from './script.ts';

const byRole: Readonly<Record<Role, (context: ScriptContext) => Promise<0 | 1>>> = {
  main: letGo,
  pre: afterStorage,
  control: controlHalt,
};

/**
 * Damaged settings must not keep a package from leaving: Serviceguard's own unmount comes after role main and ends who
 * holds the file system. Only at the very end, still mounted is a failure. The mount point is the launcher's own copy.
 */
function withoutSettings(_finding: Finding, host: MemberHost, role: Role): 0 | 1 {
  const mountPoint = host.environment.CSYNC_MOUNT_POINT ?? '';
  return role !== 'main' && mountAt(host.mounts(), mountPoint) !== undefined ? 1 : 0;
}

void runScript({ name: 'halt', run: (context) => byRole[context.role](context), withoutSettings });
