/** Clients that come and go: which roster follows, whom it claims addresses from, and what is refused. Pure. */
import type { Checked, Problem } from '../../base/problem.ts';
import { errorProblem } from '../../base/problem.ts';
import { type GoneHost, isNamedKey, type NamedKey, type Roster, type RosterClient } from '../../contract/roster.ts';
import type { SetupView } from './look.ts';
import { ordered } from './roster-change.ts';

export interface ClientChange {
  /** Clients that are set up, or looked after again. */
  readonly setUp: readonly string[];
  /** They run their agent, too. */
  readonly fetch: boolean;
  readonly remove: readonly string[];
}

/** A client with a key of its own, or one that was made for it here. */
export interface ClientKeys {
  readonly made: ReadonlyMap<string, NamedKey>;
  /** Another key than the accepted one may take its place: the administrator said so. */
  readonly acceptNew: boolean;
  /** The other cluster that the clients to be set up are members of. */
  readonly cluster: string | null;
}

/**
 * The roster with these clients. What one host answers may leave out that host only: it stays as it was, and is a problem that names it.
 * Not so what the administrator typed. Those nobody reached stay as they were.
 */
export function withClients(
  roster: Roster,
  view: SetupView,
  { setUp, remove }: ClientChange,
  keys: ClientKeys,
  now: string,
): Checked<Roster> {
  const known = new Map(roster.clients.map((one) => [one.name, one]));
  const unknown = remove
    // One that is gone already may have been left half way, and one that only waits was never reached.
    .filter((name) => !known.has(name) && !roster.gone.some((one) => one.name === name && one.kind === 'client'))
    .filter((name) => !roster.waiting.some(({ host, what }) => host === name && what === 'client'))
    .map((name) => errorProblem('usage-no-client', `${name} is no client`, 'csync client list   shows them'));
  if (unknown.length > 0) return { ok: false, problems: unknown };
  const problems: Problem[] = [];
  const gone: GoneHost[] = [];
  const forget = ({ name, addresses, key }: RosterClient): void =>
    void gone.push({ name, addresses, kind: 'client', digest: key.digest, at: now });
  const clients = new Map(roster.clients.filter(({ name }) => !remove.includes(name)).map((one) => [one.name, one]));
  for (const client of roster.clients) if (remove.includes(client.name)) forget(client);
  for (const name of setUp) {
    const facts = view.hosts.get(name)?.facts;
    const before = known.get(name);
    const key = facts?.own ?? keys.made.get(name);
    if (facts == null || key === undefined) continue;
    const addresses = facts.addresses.filter((address) => address !== view.packageAddress);
    const wrong = clientProblem(name, { roster, before, key, addresses, isMade: facts.own === null }, keys);
    if (wrong !== null) {
      problems.push(wrong);
      continue;
    }
    if (before !== undefined && before.key.digest !== key.digest) forget(before);
    const cluster = keys.cluster ?? before?.cluster ?? null;
    clients.set(name, { name, addresses: ordered(addresses, before), key, cluster, holds: before?.holds ?? [] });
  }
  const back = new Set([...clients.values()].map(({ key }) => key.digest));
  const others = roster.gone.filter(({ digest }) => digest === null || !back.has(digest));
  return { ok: true, value: { ...roster, clients: [...clients.values()], gone: [...others, ...gone] }, problems };
}

interface ClientAnswer {
  readonly roster: Roster;
  readonly before: RosterClient | undefined;
  readonly key: NamedKey;
  readonly addresses: readonly string[];
  /** The key was made here. */
  readonly isMade: boolean;
}

/** Why a host cannot be a client as it answered; null: it can. */
function clientProblem(name: string, answer: ClientAnswer, keys: ClientKeys): Problem | null {
  const { roster, before, key, addresses, isMade } = answer;
  if (roster.members.some((member) => member.name === name)) return memberIsClient(name);
  if (addresses.length === 0)
    return errorProblem(
      'cluster-no-address',
      'this host is left as it is: it has no IPv4 address in the subnet of the package, and none that ssh reached it by',
      `ssh ${name} ip addr   shows them`,
      name,
    );
  if (!isNamedKey(key))
    return errorProblem(
      'cluster-odd-key',
      'this host is left as it is: ppkeys/localhost.pub there holds a key that cannot be kept',
      `on ${name}: cf-key, or cfkey, makes another pair; then csync client add ${name} --accept-new-key`,
      name,
    );
  // One without a pair never had the accepted one: whoever made it for it was killed before it arrived, or it lost it.
  if (before !== undefined && before.key.digest !== key.digest && !keys.acceptNew && !isMade)
    return newKeyProblem(name, before.key.digest, key.digest);
  return null;
}

function memberIsClient(name: string): Problem {
  const remedy = `csync client remove ${name}, if it is listed as a client as well`;
  return errorProblem('usage-is-member', 'is a member, and every member is a client of the master already', remedy, name);
}

function newKeyProblem(name: string, accepted: string, now: string): Problem {
  return errorProblem(
    'change-other-key',
    `this host is left as it is: its key is ${now}, but ${accepted} was accepted for it: it was set up anew, or it is another host`,
    `find out which; then csync client add ${name} --accept-new-key`,
    name,
  );
}
