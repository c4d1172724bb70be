/**
 * external_script stop (role main): the daemon releases the policy file system before address and mount are removed. external_pre_script
 * stop (role pre): last; the daemon runs on as a client. HALT_SCRIPT stop (role legacy): both. Role daemon: in the background. Fails only
 * while this member holds something of the package, even with damaged settings.
 */

import { forgetSet } from '../steps/running-set.ts';
import { runScript, type ScriptContext } from '../steps/script.ts';
import { haltRole, haltWithoutSettings } from './roles.ts';

async function halt(context: ScriptContext): Promise<number> {
  const exit = await haltRole(context);
  if (exit === 0 && (context.role === 'pre' || context.role === 'legacy')) forgetSet(context);
  return exit;
}

void runScript({ name: 'halt', run: halt, withoutSettings: haltWithoutSettings });
