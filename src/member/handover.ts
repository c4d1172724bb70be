/**
 * How long a failover took, across members: who gives the package up leaves a note on the policy file system, and who takes
 * it over reads it there. A member that crashed leaves none, and then nobody knows. For figures and status, and for
 * the brake, which keeps what came by a failover from failing over again at once. Pure.
 */
import * as v from 'valibot';

const handover = v.object({
  /** Epoch of the promotion that ended there. */
  epoch: v.number(),
  member: v.string(),
  /** ms since the epoch, by that member's clock: since when the master was not served, as far as was seen. */
  lostAt: v.number(),
  /** SG_HALT_REASON. */
  reason: v.string(),
});
export type Handover = v.InferOutput<typeof handover>;

const promotion = v.object({
  epoch: v.number(),
  /** ms since the epoch: when the role was proved. */
  at: v.number(),
  /** The member that gave the package up before, and how long nobody was the master; null: not known, or it was meant. */
  failover: v.nullable(v.object({ from: v.string(), milliseconds: v.number() })),
});
export type Promotion = v.InferOutput<typeof promotion>;

/** Beside the policy, not in it: clients do not get it. */
export function handoverFile(mountPoint: string): string {
  return `${mountPoint}/.csync-handover.json`;
}

/** On the member that is the master; gone with a boot. */
export function promotionFile(packageName: string): string {
  return `/run/csync-promotion-${packageName}.json`;
}

function parse<Schema extends v.GenericSchema>(schema: Schema, text: string | null): v.InferOutput<Schema> | null {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text ?? ''));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** null for none, and for what is no such note. */
export const parseHandover = (text: string | null): Handover | null => parse(handover, text);
export const parsePromotion = (text: string | null): Promotion | null => parse(promotion, text);

/** A package that somebody halted was not failing over; a note of another promotion than the last says nothing of this one. */
export function promotionAfter(epoch: number, at: number, before: Handover | null): Promotion {
  const isFailover = before !== null && before.epoch === epoch - 1 && before.reason !== 'user_halt' && before.lostAt <= at;
  return { epoch, at, failover: isFailover ? { from: before.member, milliseconds: at - before.lostAt } : null };
}
