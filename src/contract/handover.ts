/**
 * How long a failover took: the member that loses the package leaves a note on the policy file system for the next one. None after a crash:
 * unknown. For figures, status and the brake. Pure.
 */
import * as v from 'valibot';
import { readJson } from './read-json.ts';

const handover = v.object({
  epoch: v.number(),
  member: v.string(),
  /** ms since the epoch by that member's clock: when the master stopped serving, as far as known. */
  lostAt: v.number(),
  reason: v.string(),
});
export type Handover = v.InferOutput<typeof handover>;

const promotion = v.object({
  epoch: v.number(),
  /** ms since the epoch: when the role was proved. */
  at: v.number(),
  /** From the previous active member; null: unknown, or an administrator's halt. */
  failover: v.nullable(v.object({ from: v.string(), milliseconds: v.number() })),
  /** The process that proved it. Missing: unknown, or started by an older version. */
  daemon: v.optional(v.object({ pid: v.number(), startTime: v.string() })),
});
export type Promotion = v.InferOutput<typeof promotion>;

/** Beside the policy, so that clients do not get it. */
export function handoverFile(mountPoint: string): string {
  return `${mountPoint}/.csync-handover.json`;
}

/** On the active member; a boot removes it. */
export function promotionFile(packageName: string): string {
  return `/run/csync-promotion-${packageName}.json`;
}

/** null: missing or damaged. */
export const parseHandover = (text: string | null): Handover | null => readJson(handover, text);
export const parsePromotion = (text: string | null): Promotion | null => readJson(promotion, text);

/** An administrator's halt is no failover. Only a note of the previous epoch counts. */
export function promotionAfter(epoch: number, at: number, before: Handover | null): Promotion {
  const isFailover = before !== null && before.epoch === epoch - 1 && before.reason !== 'user_halt' && before.lostAt <= at;
  return { epoch, at, failover: isFailover ? { from: before.member, milliseconds: at - before.lostAt } : null };
}

/** Longer than a start that fails, and its halt. */
const carriedMs = 600_000;

/**
 * What a halt leaves: `own` if this member's promotion of that epoch was proved. After a start that failed behind its mark (`marked`: its
 * writer), a recent note of the member that lost the role goes on. null: the note stays as it is.
 */
export function noteOfHalt(
  own: Handover,
  { proved, marked, noteBefore }: { proved: Promotion | null; marked: string | null; noteBefore: () => Handover | null },
): Handover | null {
  if (proved?.epoch === own.epoch) return own;
  if (marked !== own.member) return null;
  const before = noteBefore();
  const goesOn = before !== null && before.epoch === own.epoch - 1 && own.lostAt - before.lostAt < carriedMs;
  return goesOn ? { ...before, epoch: own.epoch } : own;
}
