/** The roster with and without clients, address claims, refusals. Pure. */
import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { type GoneHost, isNamedKey, type NamedKey, type Roster, type RosterClient } from '../../contract/roster.ts';
import type { SetupView } from './look.ts';
import { ordered } from './roster-change.ts';

export interface ClientChange {
  /** Clients to set up, or to check again. */
  readonly setUp: readonly string[];
  readonly fetch: boolean;
  readonly remove: readonly string[];
}

export interface ClientKeys {
  readonly made: ReadonlyMap<string, NamedKey>;
  /** A new key may replace the accepted one. */
  readonly acceptNew: boolean;
  /** The cluster whose members the clients are. */
  readonly cluster: string | null;
}

/** A bad answer skips only its own host. A wrong name from the administrator fails the request. Unreachable hosts stay unchanged. */
export function withClients(
  roster: Roster,
  view: SetupView,
  { setUp, remove }: ClientChange,
  keys: ClientKeys,
  now: string,
): Checked<Roster> {
  const known = new Map(roster.clients.map((one) => [one.name, one]));
  const unknown = remove
    // Perhaps removed partly; a pending one was never reached.
    .filter((name) => !known.has(name) && !roster.gone.some((one) => one.name === name && one.kind === 'client'))
    .filter((name) => !roster.waiting.some(({ host, what }) => host === name && what === 'client'))
    .map((name) => errorProblem('usage-no-client', `${name} is not a client`, 'csync client list   (lists the clients)'));
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

/** null: it can be a client. */
function clientProblem(name: string, answer: ClientAnswer, keys: ClientKeys): Problem | null {
  const { roster, before, key, addresses, isMade } = answer;
  if (roster.members.some((member) => member.name === name)) return memberIsClient(name);
  if (addresses.length === 0)
    return errorProblem(
      'cluster-no-address',
      'this host is skipped: it has no address in the subnet of the package, and none that ssh used',
      `ssh ${name} ip addr   (lists its addresses)`,
      name,
    );
  if (!isNamedKey(key))
    return errorProblem(
      'cluster-odd-key',
      'this host is skipped: the key in its ppkeys/localhost.pub is not usable',
      `on ${name}: cf-key, or cfkey, makes another pair; then csync client add ${name} --accept-new-key`,
      name,
    );
  // The key did not arrive, or the host lost it.
  if (before !== undefined && before.key.digest !== key.digest && !keys.acceptNew && !isMade)
    return newKeyProblem(name, before.key.digest, key.digest);
  return null;
}

function memberIsClient(name: string): Problem {
  const remedy = `csync client remove ${name}, if it is also listed as a client`;
  return errorProblem('usage-is-member', 'is a member; every member is a client of the master already', remedy, name);
}

function newKeyProblem(name: string, accepted: string, now: string): Problem {
  return errorProblem(
    'change-other-key',
    `this host is skipped: its key is ${now}, but ${accepted} was accepted for it. It was reinstalled, or it is another host`,
    `check which one it is; then csync client add ${name} --accept-new-key`,
    name,
  );
}
