/**
 * How long a failover took. The member that loses the package writes a note to the policy file system, and the next one reads it; a crash
 * leaves none, and then the time is unknown. Used for figures, status and the brake, which prevents a second failover in quick succession.
 * Pure.
 */
import * as v from 'valibot';
import { readJson } from '../contract/read-json.ts';

const handover = v.object({
  /** Epoch of the promotion that ended. */
  epoch: v.number(),
  member: v.string(),
  /** ms since the epoch by the clock of that member: when the master stopped serving, as far as known. */
  lostAt: v.number(),
  /** SG_HALT_REASON. */
  reason: v.string(),
});
export type Handover = v.InferOutput<typeof handover>;

const promotion = v.object({
  epoch: v.number(),
  /** ms since the epoch: when the role was proved. */
  at: v.number(),
  /** The previous active member, and how long no master served; null: unknown, or a halt by an administrator. */
  failover: v.nullable(v.object({ from: v.string(), milliseconds: v.number() })),
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

/** null for a missing or damaged note. */
export const parseHandover = (text: string | null): Handover | null => readJson(handover, text);
export const parsePromotion = (text: string | null): Promotion | null => readJson(promotion, text);

/** A halt by an administrator is no failover. A note of another epoch than the previous one does not count. */
export function promotionAfter(epoch: number, at: number, before: Handover | null): Promotion {
  const isFailover = before !== null && before.epoch === epoch - 1 && before.reason !== 'user_halt' && before.lostAt <= at;
  return { epoch, at, failover: isFailover ? { from: before.member, milliseconds: at - before.lostAt } : null };
}
