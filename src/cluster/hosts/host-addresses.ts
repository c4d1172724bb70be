/** Which host owns an address that several report. Wrong addresses must affect only their host. Pure. */

import type { ProblemCode } from '../../base/codes/problem-codes.ts';
import type { Problem } from '../../base/problem.ts';
import { isHostAddress } from '../../contract/roster.ts';

/** Its connections come from the first address. */
export interface AddressClaim {
  readonly name: string;
  readonly kind: 'member' | 'client';
  readonly addresses: readonly string[];
  readonly before: readonly string[];
}

export interface SettledAddresses {
  /** By host, without other hosts' addresses. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Error: the host is skipped; warning: it loses an address. */
  readonly problems: readonly Problem[];
}

/** Each becomes a line of every host's policy. */
const mostAddresses = 64;

export function disputedHosts(claims: readonly AddressClaim[]): string[] {
  const holders = holdersOf(claims);
  return claims.filter(({ addresses }) => addresses.some((one) => (holders.get(one) ?? []).length > 1)).map(({ name }) => name);
}

/** First this host's resolver (`resolved`); then who had the address before, who is a member, who connects from it, who was named first. */
export function settleAddresses(
  claims: readonly AddressClaim[],
  resolved: ReadonlyMap<string, readonly string[]>,
): SettledAddresses {
  const holders = holdersOf(claims);
  const weight = ({ name, kind, addresses, before }: AddressClaim, address: string): number =>
    (resolved.get(name)?.includes(address) === true ? 8 : 0) +
    (before.includes(address) ? 4 : 0) +
    (kind === 'member' ? 2 : 0) +
    (addresses[0] === address ? 1 : 0);
  const ownerOf = (address: string): AddressClaim | undefined =>
    (holders.get(address) ?? []).reduce((best, one) => (weight(one, address) > weight(best, address) ? one : best));
  const problems: Problem[] = [];
  const settled = claims.map((claim): [string, readonly string[]] => {
    const { name, addresses } = claim;
    const owners = new Map(addresses.map((address) => [address, ownerOf(address)?.name ?? name]));
    const own = addresses.filter((address) => owners.get(address) === name);
    problems.push(...addressProblems(claim, own, owners));
    return [name, own];
  });
  return { addresses: new Map(settled), problems };
}

function holdersOf(claims: readonly AddressClaim[]): Map<string, AddressClaim[]> {
  const holders = new Map<string, AddressClaim[]>();
  for (const claim of claims)
    for (const address of new Set(claim.addresses)) holders.set(address, [...(holders.get(address) ?? []), claim]);
  return holders;
}

function addressProblems(
  { name, addresses }: AddressClaim,
  own: readonly string[],
  owners: ReadonlyMap<string, string>,
): Problem[] {
  const [first = ''] = addresses;
  const problem = (code: ProblemCode, severity: Problem['severity'], text: string, remedy: string): Problem[] => [
    { code, severity, text, remedy, member: name },
  ];
  if (addresses.length > mostAddresses || addresses.some((one) => !isHostAddress(one))) {
    const text = `this host is skipped: it reports ${addresses.length} addresses; more than ${mostAddresses}, or one is invalid`;
    return problem('cluster-odd-addresses', 'error', text, `ssh ${name} ip addr   (lists them)`);
  }
  const lost = addresses.find((address) => owners.get(address) !== name);
  if (lost === undefined) return [];
  const other = owners.get(lost) ?? '';
  const remedy = `ssh ${name} ip addr   (lists it); remove it there (ip addr del ${lost}/... dev DEVICE). If ${name} is another name of ${other}: csync client remove ${name}`;
  if (!own.includes(first))
    return problem(
      'settings-shared-address',
      'error',
      `this host is skipped: it connects from ${first}, the address of ${owners.get(first) ?? other}`,
      remedy,
    );
  return problem(
    'settings-shared-address',
    'warning',
    `it has the address ${lost}, which belongs to ${other}; csync uses that address for ${other} only`,
    remedy,
  );
}
