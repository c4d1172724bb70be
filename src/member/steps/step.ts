/**
 * A member script is a list of steps, each of which looks, does, and looks again. What is true already is left alone;
 * what cannot be done by us is only looked at. The dry run prints this very list.
 */
import type { LogMessage } from '../../base/log-line.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import { stepSeconds } from '../deadlines.ts';
import { type Finding, failureMessage, failureTable } from '../failures.ts';
import { message, ofStep } from '../messages.ts';

export interface Step {
  readonly name: string;
  /** null: as it must be. */
  look(): Promise<Finding | null> | Finding | null;
  /** Absent: Serviceguard or the administrator has to see to it. */
  readonly action?: {
    /** Exactly what is run, or what a built-in action does. */
    readonly what: string;
    run(finding: Finding): Promise<void> | void;
  };
  /** A finding is told but ends nothing. */
  readonly optional?: boolean;
  /** Seconds before a supervisor gives the script up in this step; `stepSeconds` where it is not said. */
  readonly limitSeconds?: number;
  /** Logged when the step holds. */
  readonly good: () => LogMessage;
}

export interface StepLog {
  readonly member: string;
  readonly packageName: string;
  readonly log: MemberLog;
  readonly dryRun: boolean;
  /** Tells the supervisor of this script what it does now. */
  readonly begin?: (step: string, limitSeconds: number) => void;
}

/** Runs the steps in order to the first failure that is not optional; returns it, or null when all hold. */
export async function runSteps(steps: readonly Step[], context: StepLog): Promise<Finding | null> {
  for (const step of steps) {
    context.begin?.(step.name, step.limitSeconds ?? stepSeconds);
    const failed = await runStep(step, context);
    if (failed === null) continue;
    const failure = failureMessage(failed, context.member, context.packageName);
    context.log.line(step.optional === true ? 'warning' : 'failed', ofStep(step.name, failure));
    if (step.optional !== true && !context.dryRun) return failed;
  }
  return null;
}

async function runStep(step: Step, { log, dryRun }: StepLog): Promise<Finding | null> {
  const finding = await step.look();
  if (finding === null) {
    log.line('ok', ofStep(step.name, step.good()));
    return null;
  }
  if (step.action === undefined) return finding;
  if (dryRun) {
    log.line('would', ofStep(step.name, message('would', { command: step.action.what, why: finding.text })));
    return null;
  }
  await step.action.run(finding);
  const still = await step.look();
  if (still === null) log.line('done', ofStep(step.name, step.good()));
  return still;
}

/** Exit status of a start that ended with this finding. */
export function startExit(finding: Finding | null): 0 | 1 | 2 {
  return finding === null ? 0 : failureTable[finding.code].start;
}
