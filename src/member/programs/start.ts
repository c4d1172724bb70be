/**
 * external_pre_script start (role pre): before Serviceguard activates the storage, if the launcher found something there. external_script
 * start (role main): starts the daemon and proves that it is the master. RUN_SCRIPT start (role legacy): everything.
 */
import { stepSeconds } from '../deadlines.ts';
import { failureMessage } from '../failures.ts';
import { ofStep } from '../messages.ts';
import { rememberSet } from '../steps/running-set.ts';
import { runScript, type ScriptContext } from '../steps/script.ts';
import { judgeTrust } from '../trusted-files.ts';
import { startRole, startWithoutSettings } from './roles.ts';

/** Unsafe file modes are only a warning, after the start; validate refuses them. */
async function start(context: ScriptContext): Promise<number> {
  const { role, host, directory, settings, log } = context;
  host.begin('files', stepSeconds);
  rememberSet(context);
  const exit = await startRole(context);
  if (exit !== 0 || role === 'pre') return exit;
  host.begin('files', stepSeconds);
  for (const finding of judgeTrust(host, directory, settings))
    log.line('warning', ofStep('files', failureMessage(finding, host.member, settings.packageName)));
  return exit;
}

void runScript({ name: 'start', run: start, withoutSettings: startWithoutSettings });
