/** The roster after a change of members. Pure. */
import type { Problem } from '../../base/problem.ts';

import { type GoneHost, type NamedKey, type Roster, type RosterHost, withWaiting } from '../../contract/roster.ts';
import type { AddressClaim, SettledAddresses } from '../hosts/host-addresses.ts';
import type { SetupView } from './look.ts';

/** Members that were never reached follow later. */
export function rosterFor(view: SetupView, goal: MemberGoal, key: NamedKey, now: string): Roster {
  const { roster, hosts } = view;
  const known = new Map(roster.members.map((one) => [one.name, one]));
  const members = goal.members.flatMap((name): RosterHost[] => {
    const addresses = hosts.get(name)?.facts?.addresses ?? [];
    // The package's address is the active member's only.
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
  const why = "it does not answer, and still has the cluster's private key: csync keys rotate makes that key worthless";
  const { waiting } = stray.reduce<Roster>(
    (next, { name }) => withWaiting(next, { host: name, what: 'deleted member' }, why, now),
    { ...roster, waiting: roster.waiting.filter(({ host, what }) => what !== 'deleted member' || !back.has(host)) },
  );
  return {
    ...roster,
    // For a removed host, only its deletion.
    waiting: waiting.filter(({ host, what }) => what !== 'member' || back.has(host)),
    members,
    leftOut: goal.leftOut,
    key,
    gone: [...roster.gone.filter(({ name }) => !back.has(name)), ...gone],
  };
}

/** In their previous order, so that another address does not change the roster. */
export function ordered(addresses: readonly string[], before: RosterHost | undefined): string[] {
  const kept = (before?.addresses ?? []).filter((address) => addresses.includes(address));
  return [...kept, ...addresses.filter((address) => !kept.includes(address))];
}

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

/** A skipped host keeps its previous addresses, except those of others; without any it is not in the roster yet. */
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
  /** In the package's order. */
  readonly members: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly leftOut: readonly string[];
}

export function excludedBy(answers: readonly Problem[]): ReadonlySet<string> {
  return new Set(answers.flatMap(({ severity, member }) => (severity === 'error' && member !== undefined ? [member] : [])));
}
