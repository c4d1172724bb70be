/** Checks whether hosts reach each other: ports, packets of full size, addresses that hosts share. Pure. */
import { familyOption, isInPrefix, isIpv6, networkOf } from '../../base/network.ts';
import { words } from '../../base/shell-word.ts';
import type { Settings } from '../../settings/settings.ts';
import { type CheckInput, type Findings, first, type Looked, type MemberFacts, problem } from './check-model.ts';
import type { Reach } from './clients.ts';

const noPort = ({ noReach }: Looked): Findings => [
  { leftOut: noReach ?? 'bash is missing there; the check uses it to open a connection' },
];

const noPing = ({ noReach }: Looked): Findings => [
  { leftOut: noReach ?? 'ping of iputils is missing there; only it can forbid fragments' },
];

const noClients: Findings = [{ leftOut: "no member could read cfengine's list of peers: this requires root" }];

const noClientYet: Findings = [{ leftOut: 'no client has connected to a member yet' }];

function toMembers({ member, reach }: Looked, { settings: { members } }: CheckInput): readonly Reach[] {
  return reach.filter(({ target }) => target !== member && members.includes(target));
}

function toClients({ reach }: Looked, { clients }: CheckInput): readonly Reach[] {
  return reach.filter(({ target }) => clients?.some(({ address }) => address === target));
}

export function judgePorts(one: Looked, input: CheckInput): Findings {
  const { member } = one;
  const { cfenginePort: port } = input.settings;
  const asked = toMembers(one, input).filter((each) => each.port !== null);
  if (asked.length === 0 && input.settings.members.length > 1) return noPort(one);
  return asked.flatMap((each) => {
    if (each.port === 'answers') return [];
    const why =
      each.port === 'silent' ? 'no answer, probably a firewall' : 'refused: no daemon listens there, or the name is wrong';
    const text = `port ${port} of ${each.target} is unreachable from here (${why})`;
    const remedy = `csync members sync   (starts a daemon that does not run); if a firewall is between: on ${member}: nc -vz ${each.target} ${port}`;
    return [problem('warning', 'port', member, text, remedy)];
  });
}

/** Clients fetch the policy themselves; their port is for remote runs (cfrun, cf-runagent) from the active member. */
export function judgeClientPorts(one: Looked, input: CheckInput): Findings {
  const { cfenginePort: port } = input.settings;
  if (input.clients === null) return noClients;
  if (input.clients.length === 0) return noClientYet;
  const asked = toClients(one, input).filter((each) => each.port !== null);
  if (asked.length === 0) return noPort(one);
  const deaf = asked.filter((each) => each.port !== 'answers').map(({ target }) => target);
  if (deaf.length === 0) return [];
  const text = `port ${port} of ${deaf.length} of ${asked.length} clients is unreachable from here: ${named(deaf, input)}. They fetch policy, but a remote run from this member cannot reach them`;
  const remedy = `csync client sync --all   (starts daemons that do not run on registered clients); if a firewall is between: on ${one.member}: nc -vz ${deaf[0]} ${port}`;
  return [problem('warning', 'client-port', one.member, text, remedy)];
}

export function judgeSizes(one: Looked, input: CheckInput): Findings {
  if (input.settings.members.length < 2) return [];
  return judgeSize('mtu', one, toMembers(one, input), input);
}

export function judgeClientSizes(one: Looked, input: CheckInput): Findings {
  if (input.clients === null) return noClients;
  return input.clients.length === 0 ? noClientYet : judgeSize('client-mtu', one, toClients(one, input), input);
}

/** A smaller MTU that the path reports is harmless. A path that drops large packets fails only for large files. */
function judgeSize(name: 'mtu' | 'client-mtu', one: Looked, reach: readonly Reach[], input: CheckInput): Findings {
  const { member } = one;
  const asked = reach.filter(({ size }) => size !== null);
  if (asked.length === 0) return noPing(one);
  const those = (size: Reach['size']): string[] => asked.filter((each) => each.size === size).map(({ target }) => target);
  const [lost, silent] = [those('lost'), those('silent')];
  const text = `packets of the interface's full size are lost on the way to ${named(lost, input)}, small ones are not: a large policy file never arrives`;
  const remedy = `set the same MTU on both hosts and the network between; on ${member}: ping -M do -s 1472 ${lost[0]}`;
  return [
    ...(lost.length === 0 ? [] : [problem('warning', name, member, text, remedy)]),
    ...(silent.length === 0 ? [] : [{ leftOut: `no answer to ping from ${named(silent, input)}` }]),
  ];
}

const namedAtMost = 10;

/** Names and addresses of the first clients. */
export function named(targets: readonly string[], { clients }: CheckInput): string {
  const texts = targets.slice(0, namedAtMost).map((target) => {
    const name = clients?.find(({ address }) => address === target)?.name ?? null;
    return name === null ? target : `${name} (${target})`;
  });
  const more = targets.length - texts.length;
  return `${texts.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Bridges of containers and virtual machines have the same address on many hosts. */
function sharedWith(other: MemberFacts | null, facts: MemberFacts | null, { packageAddress }: Settings): string[] {
  const addresses = (of: MemberFacts | null): string[] => words(of === null ? '' : first(of, 'own'));
  const theirs = new Set(addresses(other));
  return addresses(facts).filter((one) => theirs.has(one) && one !== packageAddress && !/^(127[.]|::1$|fe80:)/.test(one));
}

/** By the prefix length of the member. */
function isInSubnet(address: string, facts: MemberFacts, { packageSubnet }: Settings): boolean {
  if (isIpv6(address)) return isInPrefix(address, packageSubnet);
  const length = words(first(facts, 'network'))[0]?.split('/')[1];
  return length !== undefined && networkOf(address, Number(length)) === packageSubnet;
}

/** Reported for the later member. csync and cfengine recognize hosts by address, so a set-up uses it for one of them only. */
export function judgeSharedAddresses({ member, facts }: Looked, { settings, members }: CheckInput): Findings {
  const earlier = members.slice(
    0,
    members.findIndex((one) => one.member === member),
  );
  return earlier.flatMap((other) =>
    sharedWith(other.facts, facts, settings)
      .filter((address) => isInSubnet(address, facts, settings))
      .map((address) =>
        problem(
          'warning',
          'shared-address',
          member,
          `it has the address ${address}, and so has ${other.member}: csync and cfengine use an address for one host only, so a set-up skips one of them or ignores this address`,
          `ip ${familyOption(address)} addr on ${member} and ${other.member} shows it; remove it from one of them. A bridge (docker0, virbr0) needs another network than package_subnet`,
        ),
      ),
  );
}

/** Shared addresses that no set-up uses. */
export function sharedNotes({ settings, members }: CheckInput): string[] {
  const holders = new Map<string, string[]>();
  for (const { member, facts } of members)
    for (const other of members)
      if (facts !== null && other.member !== member)
        for (const address of sharedWith(other.facts, facts, settings))
          if (!isInSubnet(address, facts, settings))
            holders.set(address, [...new Set([...(holders.get(address) ?? []), member])]);
  return [...holders].map(
    ([address, names]) =>
      `${names.join(', ')} have the same address ${address}, outside of package_subnet: csync does not use it`,
  );
}
