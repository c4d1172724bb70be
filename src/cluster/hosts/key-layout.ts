/**
 * Which public key each host needs under which name, and whether two hosts accept each other. Members share one pair, so clients trust the
 * master after a failover [cfengine.md 1.3, 2.3, 3.1]. Pure.
 */

import { clusterKeys, type NamedKey, type Roster, type RosterHost } from '../../contract/roster.ts';
import type { Settings } from '../../settings/settings.ts';

export type Generation = Settings['cfengineGeneration'];
export type HostKind = 'member' | 'client';

export interface WantedKey {
  readonly name: string;
  readonly keys: readonly NamedKey[];
  readonly of: string;
}

const clusterOwner = 'the cluster';

/** Generation 3 uses the digest, generation 2 the peer's address [cfengine.md 1.2, 2.2]. */
const byDigest = (key: NamedKey, of: string): WantedKey => ({ name: `root-${key.digest}.pub`, keys: [key], of });
const byAddress = (address: string, keys: readonly NamedKey[], of: string): WantedKey => ({
  name: `root-${address}.pub`,
  keys,
  of,
});

/** The members' addresses, with the package's. */
export function clusterAddresses(roster: Roster, settings: Settings): string[] {
  return [...new Set([settings.packageAddress, ...roster.members.flatMap(({ addresses }) => addresses)])];
}

/** The cluster's, and on a member those of all clients. */
export function wantedKeys(kind: HostKind, roster: Roster, settings: Settings): WantedKey[] {
  const { cfengineGeneration: generation } = settings;
  const ofCluster = clusterKeys(roster);
  if (ofCluster.length === 0) return [];
  const cluster =
    generation === 3
      ? ofCluster.map((key) => byDigest(key, clusterOwner))
      : // A client may have the next or a former key under the address, because its own policy replaces them (csync_keys.sh). A member's daemon has the current one in memory, so members need that one.
        clusterAddresses(roster, settings).map((address) =>
          byAddress(address, kind === 'client' && roster.nextKey !== null ? ofCluster : ofCluster.slice(0, 1), clusterOwner),
        );
  const clients =
    kind === 'client'
      ? []
      : roster.clients.flatMap(({ name, addresses, key }) =>
          generation === 3 ? [byDigest(key, name)] : addresses.map((address) => byAddress(address, [key], name)),
        );
  const fetched =
    generation === 2
      ? [
          { name: 'cluster/current.pub', keys: ofCluster.slice(0, 1), of: clusterOwner },
          ...(roster.nextKey === null ? [] : [{ name: 'cluster/next.pub', keys: [roster.nextKey], of: clusterOwner }]),
        ]
      : [];
  // The first wins if a roster has an address twice.
  return [...new Map([...cluster, ...clients, ...fetched].reverse().map((one) => [one.name, one] as const)).values()].reverse();
}

export interface SeenKey {
  readonly name: string;
  readonly mode: number;
  /** null: no key for cfengine. */
  readonly digest: string | null;
}

export interface KeyChange {
  readonly write: readonly { readonly name: string; readonly key: NamedKey; readonly of: string }[];
  readonly remove: readonly { readonly name: string; readonly why: string }[];
  readonly modes: readonly string[];
  /** Never changed: the files are the administrator's. */
  readonly others: readonly { readonly name: string; readonly of: string; readonly digest: string }[];
}

/** Writes only missing and damaged files, and deletes only keys that the roster lists as removed. Other files are the administrator's. */
export function changeKeys(
  wanted: readonly WantedKey[],
  seen: readonly SeenKey[],
  roster: Roster,
  settings: Settings,
): KeyChange {
  const there = new Map(seen.map((one) => [one.name, one]));
  const ofCluster = new Set([...clusterKeys(roster).map(({ digest }) => digest), ...roster.retired]);
  const names = new Set(wanted.map(({ name }) => name));
  const write: KeyChange['write'][number][] = [];
  const others: KeyChange['others'][number][] = [];
  for (const { name, keys, of } of wanted) {
    const found = there.get(name);
    const [first] = keys;
    if (first === undefined || keys.some(({ digest }) => digest === found?.digest)) continue;
    // A digest identifies one key, so csync may write such files.
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

/** null: no reason to remove it. */
function isRefused({ name, digest }: SeenKey, roster: Roster, { cfengineGeneration }: Settings): string | null {
  if (digest === null) return null;
  if (roster.retired.includes(digest) && name.startsWith('root-')) return "it was the cluster's key earlier";
  const inUse = new Set([...clusterKeys(roster), ...roster.clients.map(({ key }) => key)].map((key) => key.digest));
  const gone = roster.gone.find((one) =>
    one.digest === null
      ? // A member's key is the cluster's, which stays valid; only under the member's own address it is not.
        cfengineGeneration === 2 && one.addresses.some((address) => name === `root-${address}.pub`)
      : one.digest === digest && !inUse.has(digest),
  );
  if (gone !== undefined) return `${gone.kind} ${gone.name} was removed`;
  if (name === 'cluster/next.pub' && digest !== roster.nextKey?.digest) return 'no rotation is under way';
  return null;
}

export interface Party extends RosterHost {
  readonly kind: HostKind;
  /** null: no usable pair. */
  readonly own: string | null;
  readonly trusts: ReadonlyMap<string, string | null>;
  readonly faults: readonly string[];
}

/**
 * Empty: both accept each other. `at`: the address that the caller connects to. Generation 2 finds the server's key by it, the caller's by
 * its source address.
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
        ? `${other.name} does not have the key of ${one.name} (${file} is ${held === null ? 'damaged' : 'missing'})`
        : `${other.name} has a different key for ${one.name} (${file})`,
    ];
  };
  const faults = [caller, server].flatMap(({ name, faults: all }) => all.map((fault) => `${name}: ${fault}`));
  return [...new Set([...faults, ...side(server, caller, at), ...side(caller, server, from)])];
}

export interface Handshake {
  readonly caller: string;
  readonly server: string;
  readonly purpose: 'policy' | 'remote run';
  readonly why: readonly string[];
}

/** Each host fetches from each member under the package's address; each member runs the agent on each other host. */
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
