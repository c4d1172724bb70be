/**
 * Who belongs to the master: the members and the clients that were set up, the keys that are trusted, and what waits to be
 * finished. A file of the package directory, the same on every member, so that it is there when the package is down and
 * when a member is lost; of several the one with the highest serial rules. Holds no secrets. Pure.
 */
import * as v from 'valibot';
import { plainZero } from '../settings/rules.ts';

/** A host as cfengine sees it. */
export interface RosterHost {
  /** As the administrator calls it and ssh reaches it; members as Serviceguard knows them. */
  readonly name: string;
  /** IPv4 addresses it may connect from; the first is the one its name stands for. */
  readonly addresses: readonly string[];
}

/** A public key under the name CFEngine 3 has for it. */
export interface NamedKey {
  /** MD5=... */
  readonly digest: string;
  /** PKCS#1 PEM. */
  readonly publicKey: string;
}

/** What is not done yet on a host, and why; it is taken up again by the next run. */
export interface Waiting {
  readonly host: string;
  readonly what: 'member' | 'deleted member' | 'client';
  readonly why: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface RosterClient extends RosterHost {
  /** The key that was accepted for it: another one never takes its place unasked. */
  readonly key: NamedKey;
  /** The other cluster it is a member of. */
  readonly cluster: string | null;
  /** Digests of the cluster's keys that were put there. */
  readonly holds: readonly string[];
}

/** A host whose key is refused from now on. */
export interface GoneHost extends RosterHost {
  readonly kind: 'member' | 'client';
  /** Digest of a client's own key; a member had the cluster's. */
  readonly digest: string | null;
  readonly at: string;
}

export interface Roster {
  /** Grows with every change. */
  readonly serial: number;
  readonly at: string;
  readonly by: string;
  readonly members: readonly RosterHost[];
  /** Members of the Serviceguard cluster that the administrator keeps out of the package. */
  readonly leftOut: readonly string[];
  readonly clients: readonly RosterClient[];
  /** The pair that all members share; null before it was made. */
  readonly key: NamedKey | null;
  /** During a rotation: what becomes the key; every host trusts it beforehand. */
  readonly nextKey: NamedKey | null;
  /** From the switch of a rotation until every host has the new key: the key of before, which is trusted as well. */
  readonly formerKeys: readonly NamedKey[];
  /** Digests of keys that were the cluster's once; they are taken from every host again. */
  readonly retired: readonly string[];
  readonly gone: readonly GoneHost[];
  readonly waiting: readonly Waiting[];
}

export const rosterName = 'roster.json';

export const emptyRoster: Roster = {
  serial: 0,
  at: '',
  by: '',
  members: [],
  leftOut: [],
  clients: [],
  key: null,
  nextKey: null,
  formerKeys: [],
  retired: [],
  gone: [],
  waiting: [],
};

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;
const name = v.pipe(v.string(), v.regex(namePattern));
const address = v.pipe(v.string(), v.ipv4());
const host = { name, addresses: v.pipe(v.array(address), v.minLength(1)) };
const digest = v.pipe(v.string(), v.regex(/^MD5=[0-9a-f]{32}$/));
const key = v.strictObject({
  digest,
  publicKey: v.pipe(v.string(), v.regex(/^-----BEGIN RSA PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+\n-----END RSA PUBLIC KEY-----\n$/)),
});

/** What it is read with: it lies on hosts where others may have written, and its names go into scripts and policy. */
const schema = v.strictObject({
  serial: v.pipe(v.number(), v.integer(), v.minValue(0), plainZero),
  at: v.string(),
  by: v.string(),
  members: v.array(v.strictObject(host)),
  leftOut: v.array(name),
  clients: v.array(v.strictObject({ ...host, key, cluster: v.nullable(name), holds: v.array(digest) })),
  key: v.nullable(key),
  nextKey: v.nullable(key),
  formerKeys: v.array(key),
  retired: v.array(digest),
  gone: v.array(v.strictObject({ ...host, kind: v.picklist(['member', 'client']), digest: v.nullable(digest), at: v.string() })),
  waiting: v.array(
    v.strictObject({
      host: name,
      what: v.picklist(['member', 'deleted member', 'client']),
      why: v.string(),
      since: v.string(),
    }),
  ),
});

/** Whether a host of that name may be in a roster: nothing of it means anything to ssh, a shell or cfengine's policy. */
export function isHostName(text: string): boolean {
  return namePattern.test(text);
}

/** Whether a roster can hold that address. */
export function isHostAddress(text: string): boolean {
  return v.is(address, text);
}

/** Whether a roster can hold that key: another host's word, which may be anything. */
export function isNamedKey(one: NamedKey): boolean {
  return v.is(key, one);
}

/** null when it is damaged: another member's copy, or an empty roster, has to do. */
export function parseRoster(text: string): Roster | null {
  try {
    const read = v.safeParse(schema, JSON.parse(text));
    return read.success ? read.output : null;
  } catch {
    return null;
  }
}

export function rosterText(roster: Roster): string {
  return `${JSON.stringify(roster, null, 1)}\n`;
}

/** The one that rules among those of the members; the empty one when there is none. */
export function newestRoster(rosters: readonly (Roster | null)[]): Roster {
  return rosters.reduce<Roster>((newest, one) => (one !== null && one.serial > newest.serial ? one : newest), emptyRoster);
}

/** The next one, where anything but serial, time and author is another; null otherwise. */
export function nextRoster(before: Roster, after: Roster, at: string, by: string): Roster | null {
  const content = ({ serial: _serial, at: _at, by: _by, ...rest }: Roster): string => JSON.stringify(rest);
  return content(before) === content(after) ? null : { ...after, serial: before.serial + 1, at, by };
}

/** Notes that something waits, or (`why` null) that it is done; what waited already keeps its time. */
export function withWaiting(
  roster: Roster,
  { host: of, what }: Pick<Waiting, 'host' | 'what'>,
  why: string | null,
  now: string,
): Roster {
  const is = (one: Waiting): boolean => one.host === of && one.what === what;
  const since = roster.waiting.find(is)?.since ?? now;
  const others = roster.waiting.filter((one) => !is(one));
  return { ...roster, waiting: why === null ? others : [...others, { host: of, what, why, since }] };
}

/** Those whose keys a member or client has to take for the cluster's: the one in use, the next, the former ones. */
export function clusterKeys({ key: current, nextKey, formerKeys }: Roster): NamedKey[] {
  return [current, nextKey, ...formerKeys].filter((one) => one !== null);
}
