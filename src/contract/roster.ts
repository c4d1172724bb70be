/**
 * The members and clients that were set up, the trusted keys, and pending set-ups. A file of the package directory, the same on every
 * member, so that it survives a halted package and a lost member; the copy with the highest serial wins. Contains no secrets. Pure.
 */

import * as v from 'valibot';
import { plainZero } from '../settings/rules.ts';
import { refuseNewer } from './formats.ts';
import { readJson } from './read-json.ts';

/** A host as cfengine sees it. */
export interface RosterHost {
  /** Name for the administrator and for ssh; a member's name in Serviceguard. */
  readonly name: string;
  /** IPv4 addresses it may connect from; its name resolves to the first. */
  readonly addresses: readonly string[];
}

/** A public key under its name in CFEngine 3. */
export interface NamedKey {
  /** MD5=... */
  readonly digest: string;
  /** PKCS#1 PEM. */
  readonly publicKey: string;
}

/** A pending set-up and its reason; the next run retries it. */
export interface Waiting {
  readonly host: string;
  readonly what: 'member' | 'deleted member' | 'client';
  readonly why: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface RosterClient extends RosterHost {
  /** The accepted key: another key replaces it only after confirmation. */
  readonly key: NamedKey;
  /** The other cluster it is a member of. */
  readonly cluster: string | null;
  /** Digests of the cluster's keys on that host. */
  readonly holds: readonly string[];
}

/** A host whose key is denied from now on. */
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
  /** Members of the Serviceguard cluster that the administrator excludes from the package. */
  readonly leftOut: readonly string[];
  readonly clients: readonly RosterClient[];
  /** The pair that all members share; null until it is made. */
  readonly key: NamedKey | null;
  /** During a rotation: the next key; every host trusts it in advance. */
  readonly nextKey: NamedKey | null;
  /** During a rotation, after the switch: the previous key, which is still trusted. */
  readonly formerKeys: readonly NamedKey[];
  /** Digests of former keys of the cluster; they are removed from every host. */
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

/** Strict: the file comes from hosts where others may have written, and its names go into scripts and policy. */
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

/** Whether a roster may contain a host with that name: it must have no meaning for ssh, a shell or cfengine's policy. */
export function isHostName(text: string): boolean {
  return namePattern.test(text);
}

/** Whether a roster may contain that address. */
export function isHostAddress(text: string): boolean {
  return v.is(address, text);
}

/** Whether a roster may contain that key, which another host sent. */
export function isNamedKey(one: NamedKey): boolean {
  return v.is(key, one);
}

/**
 * null when damaged: use another member's copy, or an empty roster. Throws a Failure for a roster of a newer csync: without it, all members
 * and clients would be set up anew.
 */
export function parseRoster(text: string, member?: string): Roster | null {
  refuseNewer(text, rosterName, member);
  return readJson(schema, text);
}

export function rosterText(roster: Roster): string {
  return `${JSON.stringify(roster, null, 1)}\n`;
}

/** The copy with the highest serial; an empty one if there is none. */
export function newestRoster(rosters: readonly (Roster | null)[]): Roster {
  return rosters.reduce<Roster>((newest, one) => (one !== null && one.serial > newest.serial ? one : newest), emptyRoster);
}

/** The next roster if anything but serial, time and author changed; null otherwise. */
export function nextRoster(before: Roster, after: Roster, at: string, by: string): Roster | null {
  const content = ({ serial: _serial, at: _at, by: _by, ...rest }: Roster): string => JSON.stringify(rest);
  return content(before) === content(after) ? null : { ...after, serial: before.serial + 1, at, by };
}

/** Records a pending set-up, or (`why` null) its completion; an older record keeps its time. */
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

/** Keys that a member or client must accept as the cluster's: current, next, former. */
export function clusterKeys({ key: current, nextKey, formerKeys }: Roster): NamedKey[] {
  return [current, nextKey, ...formerKeys].filter((one) => one !== null);
}
