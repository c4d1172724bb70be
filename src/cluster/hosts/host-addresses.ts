/**
 * Whose an address is when more than one host has it. Hosts say of themselves which they have, and one of them may lie, or be set up
 * wrongly: that must cost that one, and nobody else. Pure.
 */

import type { Problem } from '../../base/problem.ts';
import type { ProblemCode } from '../../base/problem-codes.ts';
import { isHostAddress } from '../../contract/roster.ts';

/** A host and the addresses it says it has; the first is the one it connects from. */
export interface AddressClaim {
  readonly name: string;
  readonly kind: 'member' | 'client';
  readonly addresses: readonly string[];
  /** Those it had in the roster before. */
  readonly before: readonly string[];
}

export interface SettledAddresses {
  /** By host; without those that are another one's. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** An error for a host that is left as it is, a warning for one that only does not get an address. */
  readonly problems: readonly Problem[];
}

/** More than any host has that is not made to have them: each is a line of everybody's policy. */
const mostAddresses = 64;

/** Names of the hosts that have an address which others have, too: of these it is worth asking the resolver. */
export function disputedHosts(claims: readonly AddressClaim[]): string[] {
  const holders = holdersOf(claims);
  return claims.filter(({ addresses }) => addresses.some((one) => (holders.get(one) ?? []).length > 1)).map(({ name }) => name);
}

/**
 * `resolved`: what the names stand for, by the resolver of the host that csync runs on. It decides; else who had the address before, else
 * who is a member, else who connects from it, else who was named first.
 */
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
    const text = `this host is left as it is: it says that it has ${addresses.length} addresses, more than ${mostAddresses}, or what is no address`;
    return problem('cluster-odd-addresses', 'error', text, `ssh ${name} ip addr   shows them`);
  }
  const lost = addresses.find((address) => owners.get(address) !== name);
  if (lost === undefined) return [];
  const other = owners.get(lost) ?? '';
  const remedy = `ssh ${name} ip addr   shows it; remove it there (ip addr del ${lost}/... dev DEVICE). If ${name} is another name of ${other}: csync client remove ${name}`;
  if (!own.includes(first))
    return problem(
      'settings-shared-address',
      'error',
      `this host is left as it is: it connects from ${first}, which is the address of ${owners.get(first) ?? other}`,
      remedy,
    );
  return problem(
    'settings-shared-address',
    'warning',
    `it has the address ${lost}, which is the one of ${other}; that address counts for ${other} only`,
    remedy,
  );
}
