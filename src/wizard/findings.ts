/**
 * All that was found by looking, and what follows from it for the cluster as a whole: which subnets its members share,
 * which names resolve both ways. Pure.
 */
import { basename } from 'node:path';
import { networkOf } from '../base/network.ts';
import type { Problem } from '../base/problem.ts';
import type { ProblemCode } from '../base/problem-codes.ts';
import { columns } from '../base/tables.ts';
import type { Engine, EngineVariables, FoundCluster } from '../engine/engine.ts';
import type { MemberLook } from './look.ts';

export interface Findings {
  /** The member the wizard runs on. */
  readonly here: string;
  readonly engine: Engine;
  /** The engine's variables on this host; null: it is not installed here. */
  readonly variables: EngineVariables | null;
  /** null with the reason when the engine could not tell. */
  readonly cluster: FoundCluster | { readonly why: string };
  readonly members: ReadonlyMap<string, MemberLook>;
  /** Members that were not looked at, with the reason. */
  readonly unseen: ReadonlyMap<string, string>;
  /** Answers to lookups: addresses of a name, names of an address, the file system type on a device. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
}

export function clusterOf({ cluster }: Findings): FoundCluster | null {
  return 'why' in cluster ? null : cluster;
}

/**
 * Subnets of a member: what the engine says of it, else its own interfaces; null when neither is known. An address that
 * another member has as well (a container bridge) is no network between them.
 */
function subnetsOf(findings: Findings, member: string): readonly string[] | null {
  const known = clusterOf(findings)?.subnets.get(member) ?? [];
  if (known.length > 0) return known;
  const own = findings.members.get(member)?.addresses ?? null;
  if (own === null) return null;
  const others = [...findings.members].filter(([name]) => name !== member).flatMap(([, look]) => look.addresses ?? []);
  const mine = own.filter(({ address }) => !others.some((other) => other.address === address));
  return [...new Set(mine.flatMap(({ address, prefixLength }) => networkOf(address, prefixLength) ?? []))];
}

/** Members that are known to have no interface in a subnet. */
export function membersOutside(findings: Findings, subnet: string, members: readonly string[]): string[] {
  return members.filter((member) => subnetsOf(findings, member)?.includes(subnet) === false);
}

/** The member that has an address on an interface, as far as members are known. */
export function ownerOf(findings: Findings, address: string): string | null {
  const has = ([, { addresses }]: [string, MemberLook]): boolean => addresses?.some((one) => one.address === address) ?? false;
  return [...findings.members].find(has)?.[0] ?? null;
}

/** Subnets in which every member of the cluster is, as far as members are known. */
export function sharedSubnets(findings: Findings): string[] {
  const members = clusterOf(findings)?.members ?? [findings.here];
  const known = members.flatMap((member) => [subnetsOf(findings, member) ?? []].filter((subnets) => subnets.length > 0));
  const [first = [], ...rest] = known;
  return first.filter((subnet) => rest.every((subnets) => subnets.includes(subnet)));
}

/**
 * A cross-subnet cluster cannot be the master: a relocatable address lives in one subnet. DSAU refused it the same way;
 * the words are ours [dsau-csync.md 1.4].
 */
export function crossSubnet(findings: Findings): Problem[] {
  const cluster = clusterOf(findings);
  if (cluster === null || sharedSubnets(findings).length > 0) return [];
  const known = cluster.members.flatMap((member) => {
    const subnets = subnetsOf(findings, member) ?? [];
    return subnets.length === 0 ? [] : [`${member} in ${subnets.join(' and ')}`];
  });
  if (known.length < 2) return [];
  const where = cluster.quorumServer === null ? "the quorum server's host" : `the quorum server's host, ${cluster.quorumServer}`;
  return [
    {
      code: 'here-cross-subnet',
      severity: 'error',
      text: `${cluster.name} is a cross-subnet cluster (${known.join(', ')}): no relocatable address can follow the package to every member`,
      remedy: `make an external system the master, preferably ${where}; set it up first, then make the members of ${cluster.name} its clients`,
    },
  ];
}

/** What has to be asked of the resolver before judgeName can judge. */
export function nameLookups(name: unknown, address: unknown): string[] {
  return [name, address].filter((word): word is string => typeof word === 'string');
}

/** The package's name must lead to its address and the address back to the name: clients and cfengine check both ways. */
export function judgeName(findings: Findings, name: string, address: string | null): Problem[] {
  const problem = (code: ProblemCode, text: string, remedy: string): Problem[] => [{ code, severity: 'error', text, remedy }];
  const addresses = findings.answers.get(name) ?? [];
  if (addresses.length === 0)
    return problem(
      'settings-name-forward',
      `${name} does not resolve`,
      `register ${name} in DNS, or /etc/hosts of every member and client`,
    );
  if (address === null) return [];
  if (!addresses.includes(address) || addresses.length > 1)
    return problem(
      'settings-name-forward',
      `${name} resolves to ${addresses.join(', ')}, not to ${address} alone`,
      'correct the registration, package_address or package_dns_name',
    );
  const names = findings.answers.get(address) ?? [];
  if (names.some((one) => one.toLowerCase() === name.toLowerCase())) return [];
  const text =
    names.length === 0
      ? `${address} does not resolve back to a name, though ${name} leads to it`
      : `${address} resolves back to ${names.join(', ')}, not to ${name}`;
  const other = names.length === 0 ? '' : `, or say package_dns_name ${names[0]}`;
  return problem('settings-name-reverse', text, `register the reverse (PTR) of ${address} as ${name}${other}`);
}

/** A line a source that was looked at: what it said, or that it is asked for instead. */
export function lookedLines(findings: Findings): string[] {
  const { engine, variables, here, unseen } = findings;
  const cluster = clusterOf(findings);
  const of = (member: string, look: MemberLook): string[][] => {
    const source = member === here ? '' : ` on ${member}`;
    const volumes = look.volumeGroups?.map(({ name }) => name).join(' ') || 'none';
    return [
      [`ip addr${source}`, look.addresses?.map(addressText).join(', ') || (look.why.get('addresses') ?? 'no address')],
      [`vgs, lvs${source}`, look.volumeGroups === null ? notKnown(look.why.get('volume groups')) : `volume groups: ${volumes}`],
      [`cfengine${source}`, cfengineText(look)],
    ];
  };
  const rows = [
    [basename(engine.host.variablesFile), engine.host.foundText(variables)],
    [
      engine.words.viewer,
      'why' in findings.cluster ? notKnown(findings.cluster.why) : `cluster ${cluster?.name}: ${cluster?.members.join(' ')}`,
    ],
    ...[...findings.members].flatMap(([member, look]) => of(member, look)),
    ...[...unseen].map(([member, why]) => [member, `not looked at: ${why}`]),
  ];
  return columns(rows, { indent: 2 });
}

const notKnown = (why: string | undefined): string => `${why ?? 'nothing'}; asked for instead of offered`;

const addressText = (one: { interface: string; address: string; prefixLength: number }): string =>
  `${one.address}/${one.prefixLength} on ${one.interface}`;

function cfengineText({ cfengine, running, workDirectories }: MemberLook): string {
  const found = cfengine.map(({ generation, binDirectory }) => {
    const state = running.includes(generation) ? ', running' : '';
    return `generation ${generation} in ${binDirectory}${state}`;
  });
  if (found.length === 0) return 'found nowhere; asked for instead of offered';
  return `${found.join('; ')}${workDirectories.length === 0 ? '' : `; keys in ${workDirectories.join(', ')}`}`;
}
