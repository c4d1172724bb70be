/**
 * Another key pair for the cluster, without locking anybody out: first every host trusts the next key beside the one in use,
 * then the members switch, then the old one is no longer trusted. Whoever was not reached is remembered, and the switch
 * waits for him; the roster says how far it is, so that it can be taken up at any point. Pure.
 */
import { clusterKeys, type NamedKey, type Roster } from '../../contract/roster.ts';
import type { SetupView } from './look.ts';

export interface RotationPlan {
  /** To be reached one after the other; the last one may be short of the end. */
  readonly rosters: readonly Roster[];
  /** Hosts the switch has to wait for. */
  readonly waits: readonly { readonly host: string; readonly why: string; readonly remedy: string }[];
}

/**
 * `next`: a new key, used only where no rotation is under way. `atOnce`: switch although clients have not got the next key;
 * the master is refused by them until they get it. `excluded`: hosts that are left as they are.
 */
export function planRotation(
  roster: Roster,
  view: SetupView,
  next: NamedKey,
  { atOnce, excluded }: { readonly atOnce: boolean; readonly excluded: ReadonlySet<string> },
): RotationPlan {
  if (roster.key === null) return { rosters: [roster], waits: [] };
  if (roster.nextKey === null && roster.formerKeys.length > 0) return { rosters: [roster, retire(roster)], waits: [] };
  // A client that answered what leaves it out keeps nobody else waiting.
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

/**
 * A rotation that was killed before its pair reached any member has lost it: another one takes its place, and is the only one
 * that anybody trusts in the end.
 */
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
    // What a deleted member took along is good for nothing any more.
    waiting: roster.waiting.filter(({ what }) => what !== 'deleted member'),
  };
}

/** Hosts that cannot get the next key now and have not got it before. */
function unready(roster: Roster, { hosts }: SetupView, atOnce: boolean): RotationPlan['waits'] {
  const silent = (name: string): string | null => {
    const seen = hosts.get(name);
    if (seen?.facts != null) return null;
    return seen?.noAnswer?.why ?? 'it was not looked at';
  };
  const remedy =
    'csync keys rotate   goes on when it answers; until then both keys are good. Without that client: csync keys rotate --at-once';
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

/** How far a rotation is, in a sentence; null: none is under way. */
export function rotationText(roster: Roster): string | null {
  const { nextKey, formerKeys, clients } = roster;
  if (nextKey !== null) {
    const lack = clients.filter(({ holds }) => !holds.includes(nextKey.digest)).map(({ name }) => name);
    const whom = lack.length === 0 ? 'every client has it' : `${lack.length} of ${clients.length} clients have not got it yet`;
    return `the next key ${nextKey.digest} is being handed out: ${whom}`;
  }
  if (formerKeys.length === 0) return null;
  return `the members have switched to ${clusterKeys(roster)[0]?.digest}; the key of before is still to be taken away`;
}
