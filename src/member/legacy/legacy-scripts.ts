/** RUN_SCRIPT start and HALT_SCRIPT stop: the modular steps, between them the work of Serviceguard's modules [serviceguard.md 4.3]. */

import { customerDefined } from '../../contract/policy-file-system.ts';
import type { Finding } from '../failures.ts';
import { judgeMount } from '../judgements.ts';
import { message, ofStep } from '../messages.ts';
import { judgeManifest } from '../settings-file.ts';
import { finishWaiting } from '../steps/finish-waiting.ts';
import type { ScriptContext } from '../steps/script.ts';
import { afterStorage, announce, beforeStorage, exitOf, letGo, promotion, stepLog } from '../steps/start-and-halt.ts';
import { runSteps, type Step, startExit } from '../steps/step.ts';
import { installationSound } from '../steps/steps.ts';
import { ControlLog } from './legacy-log.ts';
import * as own from './legacy-steps.ts';

type Context = ScriptContext & own.ControlContext;

/** A part of the start and its undoing; a halt undoes all in reverse. */
interface Part {
  start(): readonly Step[];
  /** 0: this member holds nothing of it. */
  halt(): Promise<0 | 1>;
}

function partsOf(context: Context): readonly Part[] {
  const { host, settings, dryRun } = context;
  const one = (start: () => Step, halt: () => Step): Part => ({
    start: () => [start()],
    halt: async () => exitOf(await runSteps([halt()], stepLog(context))),
  });
  // A dry run on the active member reports the current state. A start over an existing mount is refused, as in a modular package.
  const running = dryRun && judgeMount(settings, host.mounts()) === null;
  return [
    {
      start: () => [settingsSound(context), ...(running ? [installationSound] : beforeStorage).map((step) => step(context))],
      halt: () => afterStorage(context),
    },
    one(
      () => own.groupActive(context),
      () => own.groupInactive(context),
    ),
    {
      start: () => [own.fileSystemChecked(context), own.fileSystemMounted(context)],
      halt: async () => exitOf(await runSteps([own.fileSystemUnmounted(context)], stepLog(context))),
    },
    one(
      () => own.addressAdded(context),
      () => own.addressRemoved(context),
    ),
    { start: () => promotion.map((step) => step(context)), halt: () => letGo(context) },
    {
      start: () => [own.customerCommands(context, 'run')],
      halt: async () => {
        if (!context.hurried) return exitOf(await runSteps([own.customerCommands(context, 'halt')], stepLog(context)));
        context.log.line('warning', ofStep('customer', message('customer-skipped', { program: customerDefined })));
        return 0;
      },
    },
    one(
      () => own.serviceStarted(context),
      () => own.serviceHalted(context),
    ),
  ];
}

/** Like validate of a modular package. */
function settingsSound({ host, directory, digest }: Context): Step {
  return {
    name: 'settings',
    look: () => judgeManifest(host, directory, digest()),
    good: () => message('settings-sound', { directory }),
  };
}

function withLog(context: ScriptContext): Context {
  return { ...context, control: new ControlLog(context.log, context.host.member) };
}

/** Undoes a failed start in reverse. Exit status by consequence. */
export async function legacyStart(script: ScriptContext): Promise<number> {
  const context = withLog(script);
  const { control, dryRun } = context;
  const parts = partsOf(context);
  if (dryRun) {
    for (const part of parts) await runSteps(part.start(), stepLog(context));
    return 0;
  }
  control.banner('Starting package at');
  let failed: Finding | null = null;
  const begun: Part[] = [];
  for (const part of parts) {
    begun.push(part);
    failed = await runSteps(part.start(), stepLog(context));
    if (failed !== null) break;
  }
  if (failed === null) {
    announce(context);
    finishWaiting(script);
    control.banner('Package start completed at');
    return 0;
  }
  let left = 0;
  for (const part of begun.reverse()) left += await part.halt();
  if (left > 0) control.banner('Package halt failed at', true);
  control.banner('Package start failed at');
  return startExit(failed);
}

/** A failed step does not prevent later ones; the exit status is 1 [serviceguard.md 4.3]. */
export async function legacyHalt(script: ScriptContext): Promise<0 | 1> {
  const context = withLog(script);
  const { control, dryRun } = context;
  const say = (text: string): void => {
    if (!dryRun) control.banner(text);
  };
  say('Halting package at');
  let left = 0;
  for (const part of [...partsOf(context)].reverse()) left += await part.halt();
  say(left === 0 ? 'Package halt completed at' : 'Package halt failed at');
  return left === 0 ? 0 : 1;
}
