/** The roster that follows from a change of members, and addresses that two hosts claim. Pure. */
import type { Problem } from '../../base/problem.ts';

import { type GoneHost, type NamedKey, type Roster, type RosterHost, withWaiting } from '../../contract/roster.ts';
import type { AddressClaim, SettledAddresses } from '../hosts/host-addresses.ts';
import type { SetupView } from './look.ts';

/** The roster once all of it is done; members that were never seen stay out until they are. */
export function rosterFor(view: SetupView, goal: MemberGoal, key: NamedKey, now: string): Roster {
  const { roster, hosts } = view;
  const known = new Map(roster.members.map((one) => [one.name, one]));
  const members = goal.members.flatMap((name): RosterHost[] => {
    const addresses = hosts.get(name)?.facts?.addresses ?? [];
    // The package's address belongs to whoever runs it: it is nobody's own.
    const own = addresses.filter((address) => address !== view.packageAddress);
    const before = known.get(name);
    if (own.length > 0) return [{ name, addresses: ordered(own, before) }];
    return before === undefined ? [] : [before];
  });
  const gone = goal.removed.flatMap((name): GoneHost[] => {
    const before = known.get(name);
    return before === undefined ? [] : [{ ...before, kind: 'member', digest: null, at: now }];
  });
  const back = new Set(goal.members);
  const stray = gone.filter(({ name }) => hosts.get(name)?.facts == null);
  const why = "it does not answer, and still has the cluster's private key: csync keys rotate makes that worthless";
  const { waiting } = stray.reduce<Roster>(
    (next, { name }) => withWaiting(next, { host: name, what: 'deleted member' }, why, now),
    { ...roster, waiting: roster.waiting.filter(({ host, what }) => what !== 'deleted member' || !back.has(host)) },
  );
  return {
    ...roster,
    // Of a host that is gone nothing else can wait.
    waiting: waiting.filter(({ host, what }) => what !== 'member' || back.has(host)),
    members,
    leftOut: goal.leftOut,
    key,
    gone: [...roster.gone.filter(({ name }) => !back.has(name)), ...gone],
  };
}

/** Addresses in the order of before, so that a look while another one is added first changes nothing. */
export function ordered(addresses: readonly string[], before: RosterHost | undefined): string[] {
  const kept = (before?.addresses ?? []).filter((address) => addresses.includes(address));
  return [...kept, ...addresses.filter((address) => !kept.includes(address))];
}

/** What each host of the roster says it has, and had before. */
export function addressClaims(roster: Roster, before: Roster): AddressClaim[] {
  const had = new Map([...before.clients, ...before.members].map(({ name, addresses }) => [name, addresses]));
  const claim =
    (kind: AddressClaim['kind']) =>
    ({ name, addresses }: RosterHost) => ({
      ...{ name, kind, addresses },
      before: had.get(name) ?? [],
    });
  return [...roster.members.map(claim('member')), ...roster.clients.map(claim('client'))];
}

/**
 * The roster with each address at one host only. A host that is left as it is has what it had before, less what is another one's; one
 * that never had anything is in no roster yet.
 */
export function withOwnAddresses(roster: Roster, before: Roster, { addresses, problems }: SettledAddresses): Roster {
  const excluded = excludedBy(problems);
  const had = <T extends RosterHost>(hosts: readonly T[]) => new Map(hosts.map((one) => [one.name, one]));
  const taken = new Set([...addresses].flatMap(([name, own]) => (excluded.has(name) ? [] : own)));
  const settle = <T extends RosterHost>(hosts: readonly T[], old: ReadonlyMap<string, T>): T[] =>
    hosts.flatMap((one) => {
      const kept = excluded.has(one.name) ? old.get(one.name) : one;
      if (kept === undefined) return [];
      const own = excluded.has(one.name)
        ? kept.addresses.filter((address) => !taken.has(address))
        : (addresses.get(one.name) ?? kept.addresses);
      return own.length === 0 ? [] : [{ ...kept, addresses: own }];
    });
  return {
    ...roster,
    members: settle(roster.members, had(before.members)),
    clients: settle(roster.clients, had(before.clients)),
  };
}

export interface MemberGoal {
  /** All that shall be set up, in the order the package prefers them. */
  readonly members: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly leftOut: readonly string[];
}

/** Hosts that are left as they are for what they answered. */
export function excludedBy(answers: readonly Problem[]): ReadonlySet<string> {
  return new Set(answers.flatMap(({ severity, member }) => (severity === 'error' && member !== undefined ? [member] : [])));
}
