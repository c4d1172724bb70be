/** Whether hosts reach each other: ports, and packets of full size. Pure. */
import { type CheckInput, type Findings, type Looked, problem } from './check-model.ts';
import type { Reach } from './clients.ts';

const noPort: Findings = [{ leftOut: 'bash, which opens a connection without a program of its own, is missing there' }];

const noPing: Findings = [{ leftOut: 'ping of iputils, which alone can forbid fragments, is missing there' }];

const noClients: Findings = [{ leftOut: "no member could read cfengine's list of who was there: that takes root" }];

const noClientYet: Findings = [{ leftOut: 'no client has asked a member yet' }];

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
  if (asked.length === 0 && input.settings.members.length > 1) return noPort;
  return asked.flatMap((each) => {
    if (each.port === 'answers') return [];
    const why =
      each.port === 'silent' ? 'no answer: a firewall, most likely' : 'refused: no daemon runs there, or the name is wrong';
    const text = `port ${port} of ${each.target} cannot be reached from here (${why})`;
    return [problem('warning', 'port', member, text, `on ${each.target}: ss -ltn; on ${member}: nc -vz ${each.target} ${port}`)];
  });
}

/** Clients fetch policy by themselves; their port is for remote runs (cfrun, cf-runagent), from whoever is the master. */
export function judgeClientPorts(one: Looked, input: CheckInput): Findings {
  const { cfenginePort: port } = input.settings;
  if (input.clients === null) return noClients;
  if (input.clients.length === 0) return noClientYet;
  const asked = toClients(one, input).filter((each) => each.port !== null);
  if (asked.length === 0) return noPort;
  const deaf = asked.filter((each) => each.port !== 'answers').map(({ target }) => target);
  if (deaf.length === 0) return [];
  const text = `port ${port} of ${deaf.length} of ${asked.length} clients cannot be reached from here: ${named(deaf, input)}; they fetch policy, but a remote run from this member would not reach them`;
  const remedy = `does the cfengine daemon run there, is a firewall between? on ${one.member}: nc -vz ${deaf[0]} ${port}`;
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

/** A path with a smaller MTU that says so is fine; one that swallows large packets looks well until a large file is served. */
function judgeSize(name: 'mtu' | 'client-mtu', { member }: Looked, reach: readonly Reach[], input: CheckInput): Findings {
  const asked = reach.filter(({ size }) => size !== null);
  if (asked.length === 0) return noPing;
  const those = (size: Reach['size']): string[] => asked.filter((each) => each.size === size).map(({ target }) => target);
  const [lost, silent] = [those('lost'), those('silent')];
  const text = `packets as large as the interface allows are lost on the way to ${named(lost, input)}, small ones are not: a large policy file never arrives`;
  const remedy = `make the MTU the same on both hosts and what is between; on ${member}: ping -M do -s 1472 ${lost[0]}`;
  return [
    ...(lost.length === 0 ? [] : [problem('warning', name, member, text, remedy)]),
    ...(silent.length === 0 ? [] : [{ leftOut: `no answer to ping from ${named(silent, input)}` }]),
  ];
}

const namedAtMost = 10;

/** Clients by name and address; of many, the first. */
export function named(targets: readonly string[], { clients }: CheckInput): string {
  const texts = targets.slice(0, namedAtMost).map((target) => {
    const name = clients?.find(({ address }) => address === target)?.name ?? null;
    return name === null ? target : `${name} (${target})`;
  });
  const more = targets.length - texts.length;
  return `${texts.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
