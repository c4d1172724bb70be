/** A step checks, acts if needed, and checks again. Without an action it only checks. */
import type { LogMessage } from '../../base/log-line.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import { stepSeconds } from '../deadlines.ts';
import { type Finding, failureMessage, failureTable } from '../failures.ts';
import { message, ofStep } from '../messages.ts';

export interface Step {
  readonly name: string;
  look(): Promise<Finding | null> | Finding | null;
  /** Absent: Serviceguard or the administrator acts. */
  readonly action?: {
    /** The command, or what a built-in action does. */
    readonly what: string;
    run(finding: Finding): Promise<void> | void;
  };
  /** A finding is only a warning. */
  readonly optional?: boolean;
  readonly limitSeconds?: number;
  readonly hasChanged?: () => boolean;
  readonly good: () => LogMessage;
}

export interface StepLog {
  readonly member: string;
  readonly packageName: string;
  readonly log: MemberLog;
  readonly dryRun: boolean;
  readonly begin?: (step: string, limitSeconds: number) => void;
}

/** Returns the first failure that is not optional; null: none. */
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
  if (still === null) log.line(step.hasChanged?.() === false ? 'ok' : 'done', ofStep(step.name, step.good()));
  return still;
}

export function startExit(finding: Finding | null): 0 | 1 | 2 {
  return finding === null ? 0 : failureTable[finding.code].start;
}
