/**
 * external_pre_script start (role pre): before Serviceguard touches storage. external_script start (role main): storage
 * and address are here; make sure of the daemon and prove that it is the master.
 */
import { runPlan, startExit } from './plan.ts';
import { runScript, type ScriptContext } from './script.ts';
import * as steps from './steps.ts';

const plans = {
  pre: [steps.mountPointFree, steps.mountPointSealed, steps.installationSound],
  main: [
    steps.policyFileSystemMounted,
    steps.addressPresent,
    steps.installationSound,
    steps.daemonRunning,
    steps.policyPresent,
    steps.sentinelWritten,
    steps.roleProved,
    // Last: a resolver that takes its time must not keep the proof waiting.
    steps.nameRegistered,
  ],
} as const;

async function start(context: ScriptContext): Promise<number> {
  const { host, settings, role, dryRun, log } = context;
  const plan = plans[role].map((step) => step(context));
  const failed = await runPlan(plan, { member: host.member, packageName: settings.packageName, log, dryRun });
  if (failed === null && role === 'main' && !dryRun) {
    log.line(
      'announce',
      'ok',
      `${host.member} is the cfengine master for ${settings.packageDnsName} (${settings.packageAddress})`,
    );
  }
  return startExit(failed);
}

void runScript({ name: 'start', run: start, withoutSettings: () => 2 });
