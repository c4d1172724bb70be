/**
 * external_script stop (role main): before the address and the mount go, make the daemon let go of the policy file system.
 * external_pre_script stop (role pre): the very last; the daemon goes on as this member's own. HALT_SCRIPT stop (role legacy): all of it. What a halt leaves to a process of its own is
 * role daemon. Fails only while something of the package is still held, also when settings are damaged.
 */

import { forgetSet } from '../steps/running-set.ts';
import { runScript, type ScriptContext } from '../steps/script.ts';
import { haltRole, haltWithoutSettings } from './roles.ts';

async function halt(context: ScriptContext): Promise<number> {
  const exit = await haltRole(context);
  // Behind the last step of all.
  if (exit === 0 && (context.role === 'pre' || context.role === 'legacy')) forgetSet(context);
  return exit;
}

void runScript({ name: 'halt', run: halt, withoutSettings: haltWithoutSettings });
