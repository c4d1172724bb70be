/**
 * external_pre_script start (role pre): before Serviceguard touches storage. external_script start (role main): storage
 * and address are here; make sure of the daemon and prove that it is the master. RUN_SCRIPT start (role control): all of it.
 */
import { controlStart } from './control.ts';
import { explain } from './failures.ts';
import { finishWaiting } from './finish-waiting.ts';
import { runPlan, startExit } from './plan.ts';
import { announce, beforeStorage, planContext, promotion } from './plans.ts';
import { runScript, type ScriptContext } from './script.ts';
import { judgeTrust } from './trusted-files.ts';

async function start(context: ScriptContext): Promise<number> {
  const { role, host, directory, settings, log } = context;
  // Once a start: modular ones have two scripts.
  if (role !== 'main')
    for (const finding of judgeTrust(host, directory, settings))
      log.line('files', 'warning', explain(finding, host.member, settings.packageName));
  if (role === 'control') return controlStart(context);
  const plan = (role === 'pre' ? beforeStorage : promotion).map((step) => step(context));
  const failed = await runPlan(plan, planContext(context));
  if (failed === null && role === 'main') {
    announce(context);
    await finishWaiting(context);
  }
  return startExit(failed);
}

void runScript({ name: 'start', run: start, withoutSettings: () => 2 });
