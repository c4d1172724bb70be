/**
 * Rotates the cluster's key pair without locking out a host: every host trusts the next key, then the members switch, then the old key ends.
 * The switch waits for unreachable hosts. The roster has the progress, so a rotation can resume at any point. Pure.
 */
import { clusterKeys, type NamedKey, type Roster } from '../../contract/roster.ts';
import type { SetupView } from './look.ts';

export interface RotationPlan {
  readonly rosters: readonly Roster[];
  /** Hosts that block the switch. */
  readonly waits: readonly { readonly host: string; readonly why: string; readonly remedy: string }[];
}

/** `next`: for a new rotation. `atOnce`: clients without the next key refuse the master until they get it. `excluded`: hosts to skip. */
export function planRotation(
  roster: Roster,
  view: SetupView,
  next: NamedKey,
  { atOnce, excluded }: { readonly atOnce: boolean; readonly excluded: ReadonlySet<string> },
): RotationPlan {
  if (roster.key === null) return { rosters: [roster], waits: [] };
  if (roster.nextKey === null && roster.formerKeys.length > 0) return { rosters: [roster, retire(roster)], waits: [] };
  const isExcludedClient = (name: string): boolean => excluded.has(name) && !roster.members.some((one) => one.name === name);
  const offered = offer(roster, view, next);
  const waits = unready(offered, view, atOnce).filter(({ host }) => !isExcludedClient(host));
  if (waits.length > 0) return { rosters: [offered], waits };
  const switched: Roster = {
    ...offered,
    key: offered.nextKey,
    nextKey: null,
    formerKeys: [...offered.formerKeys, ...(offered.key === null ? [] : [offered.key])],
  };
  return { rosters: [offered, switched, retire(switched)], waits: [] };
}

/** A rotation that was killed before its pair reached a member has lost it: a new pair replaces it. */
function offer(roster: Roster, { hosts }: SetupView, next: NamedKey): Roster {
  const { nextKey } = roster;
  if (nextKey === null) return { ...roster, nextKey: next };
  const members = roster.members.map(({ name }) => hosts.get(name)?.facts ?? null);
  const isLost = members.every(
    (facts) => facts !== null && facts.next !== nextKey.digest && facts.own?.digest !== nextKey.digest,
  );
  return isLost ? { ...roster, nextKey: next, retired: [...roster.retired, nextKey.digest] } : roster;
}

function retire(roster: Roster): Roster {
  return {
    ...roster,
    formerKeys: [],
    retired: [...roster.retired, ...roster.formerKeys.map(({ digest }) => digest)],
    // A deleted member's keys are worthless now.
    waiting: roster.waiting.filter(({ what }) => what !== 'deleted member'),
  };
}

/** Neither have the next key nor can get it now. */
function unready(roster: Roster, { hosts }: SetupView, atOnce: boolean): RotationPlan['waits'] {
  const silent = (name: string): string | null => {
    const seen = hosts.get(name);
    if (seen?.facts != null) return null;
    return seen?.noAnswer?.why ?? 'it was not checked';
  };
  const remedy =
    'csync keys rotate   (continues when it answers; both keys are valid until then). Without that client: csync keys rotate --at-once';
  const members = roster.members.flatMap(({ name }) => {
    const why = silent(name);
    return why === null ? [] : [{ host: name, why: `the switch to the next key waits for this member: ${why}`, remedy }];
  });
  const clients = roster.clients.flatMap(({ name, holds }) => {
    const why = silent(name);
    if (atOnce || why === null || holds.includes(roster.nextKey?.digest ?? '')) return [];
    return [{ host: name, why: `the switch to the next key waits for this client: ${why}`, remedy }];
  });
  return [...members, ...clients];
}

export function rotationText(roster: Roster): string | null {
  const { nextKey, formerKeys, clients } = roster;
  if (nextKey !== null) {
    const lack = clients.filter(({ holds }) => !holds.includes(nextKey.digest)).map(({ name }) => name);
    const whom = lack.length === 0 ? 'every client has it' : `${lack.length} of ${clients.length} clients do not have it yet`;
    return `the next key ${nextKey.digest} is being distributed: ${whom}`;
  }
  if (formerKeys.length === 0) return null;
  return `the members have switched to ${clusterKeys(roster)[0]?.digest}; the previous key is not removed yet`;
}
