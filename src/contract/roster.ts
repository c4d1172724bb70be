/**
 * Members and clients that are set up, trusted keys, pending set-ups: in the package directory of every member, to survive a halted package
 * and a lost member. The highest serial wins. No secrets. Pure.
 */

import * as v from 'valibot';
import { isIpv4, isIpv6 } from '../base/network.ts';
import { plainZero } from '../settings/rules.ts';
import { refuseNewer } from './formats.ts';
import { readJson } from './read-json.ts';

export interface RosterHost {
  /** For the administrator and ssh; a member's as in Serviceguard. */
  readonly name: string;
  /** It may connect from these; its name resolves to the first. */
  readonly addresses: readonly string[];
}

export interface NamedKey {
  /** As CFEngine 3 names it: MD5=... */
  readonly digest: string;
  /** PKCS#1 PEM. */
  readonly publicKey: string;
}

export interface Waiting {
  readonly host: string;
  readonly what: 'member' | 'deleted member' | 'client';
  readonly why: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface RosterClient extends RosterHost {
  /** Replaced only after confirmation. */
  readonly key: NamedKey;
  readonly cluster: string | null;
  /** Digests of the cluster's keys on it. */
  readonly holds: readonly string[];
}

/** Its key is denied. */
export interface GoneHost extends RosterHost {
  readonly kind: 'member' | 'client';
  /** A client's; null: a member, which had the cluster's. */
  readonly digest: string | null;
  readonly at: string;
}

export interface Roster {
  readonly serial: number;
  readonly at: string;
  readonly by: string;
  readonly members: readonly RosterHost[];
  readonly leftOut: readonly string[];
  readonly clients: readonly RosterClient[];
  /** Shared by all members; null: not made yet. */
  readonly key: NamedKey | null;
  /** During a rotation; every host trusts it in advance. */
  readonly nextKey: NamedKey | null;
  /** During a rotation, after the switch: still trusted. */
  readonly formerKeys: readonly NamedKey[];
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
const address = v.pipe(
  v.string(),
  v.check((text) => isIpv4(text) || isIpv6(text)),
);
const host = { name, addresses: v.pipe(v.array(address), v.minLength(1)) };
const digest = v.pipe(v.string(), v.regex(/^MD5=[0-9a-f]{32}$/));
const key = v.strictObject({
  digest,
  publicKey: v.pipe(v.string(), v.regex(/^-----BEGIN RSA PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+\n-----END RSA PUBLIC KEY-----\n$/)),
});

/** Strict: others may have written on those hosts, and names go into scripts and policy. */
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

/** Safe for ssh, a shell and cfengine's policy. */
export function isHostName(text: string): boolean {
  return namePattern.test(text);
}

export function isHostAddress(text: string): boolean {
  return v.is(address, text);
}

/** For values from another host. */
export function isNamedKey(one: NamedKey): boolean {
  return v.is(key, one);
}

/** null: damaged. Throws a Failure for one of a newer csync: without it all hosts would be set up anew. */
export function parseRoster(text: string, member?: string): Roster | null {
  refuseNewer(text, rosterName, member);
  return readJson(schema, text);
}

export function rosterText(roster: Roster): string {
  return `${JSON.stringify(roster, null, 1)}\n`;
}

export function newestRoster(rosters: readonly (Roster | null)[]): Roster {
  return rosters.reduce<Roster>((newest, one) => (one !== null && one.serial > newest.serial ? one : newest), emptyRoster);
}

/** null: only serial, time and author changed. */
export function nextRoster(before: Roster, after: Roster, at: string, by: string): Roster | null {
  const content = ({ serial: _serial, at: _at, by: _by, ...rest }: Roster): string => JSON.stringify(rest);
  return content(before) === content(after) ? null : { ...after, serial: before.serial + 1, at, by };
}

/** `why` null: completed. An older record keeps its time. */
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

/** Current, next and former, as every host must accept them. */
export function clusterKeys({ key: current, nextKey, formerKeys }: Roster): NamedKey[] {
  return [current, nextKey, ...formerKeys].filter((one) => one !== null);
}
