/**
 * Which public key has to lie on which host under which name, and whether two hosts would accept each other. The layout is
 * the one that was proved to keep clients trusting the master after a failover: one pair that all members share
 * [cfengine.md 1.3, 2.3, 3.1]. Pure.
 */

import { clusterKeys, type NamedKey, type Roster, type RosterHost } from '../../contract/roster.ts';
import type { Settings } from '../../settings/settings.ts';

export type Generation = Settings['cfengineGeneration'];
export type HostKind = 'member' | 'client';

/** A key file that a host has to have. */
export interface WantedKey {
  /** Name in ppkeys. */
  readonly name: string;
  /** Any of these will do; the first is what is written where none of them is there. */
  readonly keys: readonly NamedKey[];
  /** Whose it is, for people. */
  readonly of: string;
}

const clusterOwner = 'the cluster';

/** Generation 3 looks keys up by their digest, generation 2 by the address of the peer [cfengine.md 1.2, 2.2]. */
const byDigest = (key: NamedKey, of: string): WantedKey => ({ name: `root-${key.digest}.pub`, keys: [key], of });
const byAddress = (address: string, keys: readonly NamedKey[], of: string): WantedKey => ({
  name: `root-${address}.pub`,
  keys,
  of,
});

/** Addresses under which clients and members meet a member, the package's among them. */
export function clusterAddresses(roster: Roster, settings: Settings): string[] {
  return [...new Set([settings.packageAddress, ...roster.members.flatMap(({ addresses }) => addresses)])];
}

/** What a host of that kind has to trust: the cluster's keys, and on a member those of all clients. */
export function wantedKeys(kind: HostKind, roster: Roster, settings: Settings): WantedKey[] {
  const { cfengineGeneration: generation } = settings;
  const ofCluster = clusterKeys(roster);
  if (ofCluster.length === 0) return [];
  const cluster =
    generation === 3
      ? ofCluster.map((key) => byDigest(key, clusterOwner))
      : // A client may hold the next or a former one under the address: its own policy swaps them (csync_keys.sh). A
        // member's daemon has the current one in memory, and so have the others to know it.
        clusterAddresses(roster, settings).map((address) =>
          byAddress(address, kind === 'client' && roster.nextKey !== null ? ofCluster : ofCluster.slice(0, 1), clusterOwner),
        );
  const clients =
    kind === 'client'
      ? []
      : roster.clients.flatMap(({ name, addresses, key }) =>
          generation === 3 ? [byDigest(key, name)] : addresses.map((address) => byAddress(address, [key], name)),
        );
  // What every host fetches beside the policy.
  const fetched =
    generation === 2
      ? [
          { name: 'cluster/current.pub', keys: ofCluster.slice(0, 1), of: clusterOwner },
          ...(roster.nextKey === null ? [] : [{ name: 'cluster/next.pub', keys: [roster.nextKey], of: clusterOwner }]),
        ]
      : [];
  // One name can hold one key: where a roster has an address twice, the first one's.
  return [...new Map([...cluster, ...clients, ...fetched].reverse().map((one) => [one.name, one] as const)).values()].reverse();
}

/** Key files of a host, as they were seen. */
export interface SeenKey {
  readonly name: string;
  readonly mode: number;
  /** null: no key in it that cfengine reads. */
  readonly digest: string | null;
}

export interface KeyChange {
  readonly write: readonly { readonly name: string; readonly key: NamedKey; readonly of: string }[];
  readonly remove: readonly { readonly name: string; readonly why: string }[];
  /** Files whose mode others may read or write by. */
  readonly modes: readonly string[];
  /** Files with another key than the accepted one; nothing is done to them. */
  readonly others: readonly { readonly name: string; readonly of: string; readonly digest: string }[];
}

/**
 * What is to be done to the key files of a host. Only missing and damaged files are written: an accepted key is never
 * replaced by another one here. Only keys the roster says are gone are removed: what else lies there is the administrator's.
 */
export function changeKeys(
  wanted: readonly WantedKey[],
  seen: readonly SeenKey[],
  roster: Roster,
  settings: Settings,
): KeyChange {
  const there = new Map(seen.map((one) => [one.name, one]));
  // Of the cluster's own keys the roster says which one is due, also during a rotation.
  const ofCluster = new Set([...clusterKeys(roster).map(({ digest }) => digest), ...roster.retired]);
  const names = new Set(wanted.map(({ name }) => name));
  const write: KeyChange['write'][number][] = [];
  const others: KeyChange['others'][number][] = [];
  for (const { name, keys, of } of wanted) {
    const found = there.get(name);
    const [first] = keys;
    if (first === undefined || keys.some(({ digest }) => digest === found?.digest)) continue;
    // Under a digest only that one key can be meant, and what csync keeps for itself is its own.
    const ours = name.includes('MD5=') || name.startsWith('cluster/');
    const known = found?.digest != null && of === clusterOwner && ofCluster.has(found.digest);
    if (found === undefined || found.digest === null || ours || known || isRefused(found, roster, settings) !== null)
      write.push({ name, key: first, of });
    else others.push({ name, of, digest: found.digest });
  }
  const remove = seen.flatMap((one) => {
    const why = names.has(one.name) ? null : isRefused(one, roster, settings);
    return why === null ? [] : [{ name: one.name, why }];
  });
  const gone = new Set(remove.map(({ name }) => name));
  const modes = seen.filter(({ name, mode }) => (mode & 0o077) !== 0 && !gone.has(name)).map(({ name }) => name);
  return { write, remove, modes, others };
}

/** Why a key file is not to be there any more; null when nothing is known against it. */
function isRefused({ name, digest }: SeenKey, roster: Roster, { cfengineGeneration }: Settings): string | null {
  if (digest === null) return null;
  if (roster.retired.includes(digest) && name.startsWith('root-')) return "it was the cluster's key before";
  const inUse = new Set([...clusterKeys(roster), ...roster.clients.map(({ key }) => key)].map((key) => key.digest));
  const gone = roster.gone.find((one) =>
    one.digest === null
      ? // A member's key is the cluster's, which goes on being good: under the member's own address it is not.
        cfengineGeneration === 2 && one.addresses.some((address) => name === `root-${address}.pub`)
      : one.digest === digest && !inUse.has(digest),
  );
  if (gone !== undefined) return `${gone.kind} ${gone.name} is gone`;
  if (name === 'cluster/next.pub' && digest !== roster.nextKey?.digest) return 'no rotation is under way';
  return null;
}

/** A host as one side of a handshake. */
export interface Party extends RosterHost {
  readonly kind: HostKind;
  /** Digest of its own pair; null: no usable one. */
  readonly own: string | null;
  /** Digest by file name. */
  readonly trusts: ReadonlyMap<string, string | null>;
  /** Why cfengine would not start there at all, or would refuse its keys; empty when it would. */
  readonly faults: readonly string[];
}

/**
 * Why a connection of one host to another would be refused; empty when both would accept each other. `at`: the address the
 * caller connects to, since generation 2 looks the server's key up by that, and the caller's by where it comes from.
 */
export function refusals(generation: Generation, caller: Party, server: Party, at: string): string[] {
  const from = caller.addresses[0] ?? '';
  const nameOf = (digest: string, address: string): string => (generation === 3 ? `root-${digest}.pub` : `root-${address}.pub`);
  const side = (one: Party, other: Party, address: string): string[] => {
    if (one.own === null) return [`${one.name} has no usable key pair of its own`];
    const file = nameOf(one.own, address);
    const held = other.trusts.get(file);
    if (held === one.own) return [];
    return [
      held === undefined || held === null
        ? `${other.name} does not know the key of ${one.name} (${file} is ${held === null ? 'damaged' : 'missing'})`
        : `${other.name} has another key of ${one.name} (${file})`,
    ];
  };
  const faults = [caller, server].flatMap(({ name, faults: all }) => all.map((fault) => `${name}: ${fault}`));
  return [...new Set([...faults, ...side(server, caller, at), ...side(caller, server, from)])];
}

export interface Handshake {
  readonly caller: string;
  readonly server: string;
  /** What the connection is for. */
  readonly purpose: 'policy' | 'remote run';
  /** Empty: it would succeed. */
  readonly why: readonly string[];
}

/**
 * Every handshake the set-up rests on: each host fetches policy under the package's address from each member (a member from
 * itself, too), and each member runs the agent remotely on each other host.
 */
export function handshakes(generation: Generation, parties: readonly Party[], packageAddress: string): Handshake[] {
  const members = parties.filter(({ kind }) => kind === 'member');
  return members.flatMap((member) =>
    parties.flatMap((party): Handshake[] => [
      {
        caller: party.name,
        server: member.name,
        purpose: 'policy',
        why: refusals(generation, party, member, packageAddress),
      },
      ...(party === member
        ? []
        : [
            {
              caller: member.name,
              server: party.name,
              purpose: 'remote run' as const,
              why: refusals(generation, member, party, party.addresses[0] ?? ''),
            },
          ]),
    ]),
  );
}
