/**
 * external_pre_script start (role pre): before Serviceguard activates the storage. external_script start (role main): storage and address
 * are active; start the daemon and prove that it is the master. RUN_SCRIPT start (role legacy): everything.
 */
import { stepSeconds } from '../deadlines.ts';
import { failureMessage } from '../failures.ts';
import { ofStep } from '../messages.ts';
import { leaveBeside } from '../steps/beside-start.ts';
import { rememberSet } from '../steps/running-set.ts';
import { runScript, type ScriptContext } from '../steps/script.ts';
import { judgeTrust } from '../trusted-files.ts';
import { startRole, startWithoutSettings } from './roles.ts';

/** Unsafe file modes are only a warning here, once a start; validate refuses them. */
function start(context: ScriptContext): Promise<number> {
  const { role, host, directory, settings, log } = context;
  host.begin('files', stepSeconds);
  rememberSet(context);
  if (role !== 'main')
    for (const finding of judgeTrust(host, directory, settings))
      log.line('warning', ofStep('files', failureMessage(finding, host.member, settings.packageName)));
  if (role !== 'main' && !context.dryRun) leaveBeside(context);
  return startRole(context);
}

void runScript({ name: 'start', run: start, withoutSettings: startWithoutSettings });
