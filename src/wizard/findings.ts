/** What was found, and its consequences. Pure. */
import { basename } from 'node:path';
import type { ProblemCode } from '../base/codes/problem-codes.ts';
import { isSameSubnet } from '../base/network.ts';
import { errorProblem, type Problem } from '../base/problem.ts';
import { columns } from '../base/tables.ts';
import type { Engine, EngineVariables, FoundCluster } from '../engine/engine.ts';
import type { MemberLook } from './look.ts';

export interface Findings {
  readonly here: string;
  readonly engine: Engine;
  /** null: not installed here. */
  readonly variables: EngineVariables | null;
  /** Or why it did not answer. */
  readonly cluster: FoundCluster | { readonly why: string };
  readonly members: ReadonlyMap<string, MemberLook>;
  /** Members that were not checked, and why. */
  readonly unseen: ReadonlyMap<string, string>;
  /** Of lookups: a name, an address, a device's file system type. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
}

export function clusterOf({ cluster }: Findings): FoundCluster | null {
  return 'why' in cluster ? null : cluster;
}

/** The engine's, else of its interfaces. null: unknown. Ignores addresses of several members (container bridges). */
function subnetsOf(findings: Findings, member: string): readonly string[] | null {
  const known = clusterOf(findings)?.subnets.get(member) ?? [];
  if (known.length > 0) return known;
  const own = findings.members.get(member)?.addresses ?? null;
  if (own === null) return null;
  const others = [...findings.members].filter(([name]) => name !== member).flatMap(([, look]) => look.addresses ?? []);
  const mine = own.filter(({ address }) => !others.some((other) => other.address === address));
  return [...new Set(mine.flatMap(({ subnet }) => subnet ?? []))];
}

/** As far as known. */
export function membersOutside(findings: Findings, subnet: string, members: readonly string[]): string[] {
  return members.filter((member) => subnetsOf(findings, member)?.some((one) => isSameSubnet(one, subnet)) === false);
}

/** As far as known. */
export function ownerOf(findings: Findings, address: string): string | null {
  const has = ([, { addresses }]: [string, MemberLook]): boolean => addresses?.some((one) => one.address === address) ?? false;
  return [...findings.members].find(has)?.[0] ?? null;
}

/** As far as known. */
export function sharedSubnets(findings: Findings): string[] {
  const members = clusterOf(findings)?.members ?? [findings.here];
  const known = members.flatMap((member) => [subnetsOf(findings, member) ?? []].filter((subnets) => subnets.length > 0));
  const [first = [], ...rest] = known;
  return first.filter((subnet) => rest.every((subnets) => subnets.includes(subnet)));
}

/** A relocatable address belongs to one subnet. DSAU refuses it, too [dsau-csync.md 1.4]. */
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
    errorProblem(
      'here-cross-subnet',
      `${cluster.name} is a cross-subnet cluster (${known.join(', ')}): a relocatable address cannot move to every member`,
      `use an external host as the master, preferably ${where}; set it up first, then make the members of ${cluster.name} its clients`,
    ),
  ];
}

export function nameLookups(name: unknown, address: unknown): string[] {
  return [name, address].filter((word): word is string => typeof word === 'string');
}

/** Both ways, as clients and cfengine do. */
export function judgeName(findings: Findings, name: string, address: string | null): Problem[] {
  const problem = (code: ProblemCode, text: string, remedy: string): Problem[] => [errorProblem(code, text, remedy)];
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
      ? `${address} has no reverse entry, though ${name} resolves to it`
      : `${address} resolves to ${names.join(', ')}, not to ${name}`;
  const other = names.length === 0 ? '' : `, or set package_dns_name to ${names[0]}`;
  return problem('settings-name-reverse', text, `register the reverse (PTR) of ${address} as ${name}${other}`);
}

/** One line for each source. */
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
    ...[...unseen].map(([member, why]) => [member, `not checked: ${why}`]),
  ];
  return columns(rows, { indent: 2 });
}

const notKnown = (why: string | undefined): string => `${why ?? 'nothing found'}; csync will ask`;

const addressText = (one: { interface: string; address: string; prefixLength: number }): string =>
  `${one.address}/${one.prefixLength} on ${one.interface}`;

function cfengineText({ cfengine, running, workDirectories }: MemberLook): string {
  const found = cfengine.map(({ generation, binDirectory }) => {
    const state = running.includes(generation) ? ', running' : '';
    return `generation ${generation} in ${binDirectory}${state}`;
  });
  if (found.length === 0) return 'not found; csync will ask';
  return `${found.join('; ')}${workDirectories.length === 0 ? '' : `; keys in ${workDirectories.join(', ')}`}`;
}
