/** The cluster's ASCII file, as far as the lab uses it [serviceguard.md 8.1]. Refuses others that would change a real cluster. Pure. */
import { type Checked, errorProblem, type Problem } from '../../../base/problem.ts';
import type { MemberName } from '../model.ts';

export interface ClusterFile {
  readonly name: string;
  readonly members: readonly MemberName[];
  readonly memberTimeoutMicroseconds: number;
}

/** As cmquerycl -C and cmgetconf. */
export function printClusterFile({ name, members, memberTimeoutMicroseconds }: ClusterFile): string {
  const head = ['# Cluster configuration of the lab', `CLUSTER_NAME ${name}`, 'HOSTNAME_ADDRESS_FAMILY IPV4'];
  const each = members.flatMap((member) => [`NODE_NAME ${member}`, '  NETWORK_INTERFACE eth0']);
  return `${[...head, ...each, `MEMBER_TIMEOUT ${memberTimeoutMicroseconds}`].join('\n')}\n`;
}

type Keyword = { readonly rule: 'read' | 'ignore' } | { readonly rule: 'refuse'; readonly because: string };

const keywords: Readonly<Record<string, Keyword>> = {
  CLUSTER_NAME: { rule: 'read' },
  NODE_NAME: { rule: 'read' },
  MEMBER_TIMEOUT: { rule: 'read' },
  // Always true in a lab, or without effect.
  HOSTNAME_ADDRESS_FAMILY: { rule: 'ignore' },
  NETWORK_INTERFACE: { rule: 'ignore' },
  HEARTBEAT_IP: { rule: 'ignore' },
  STATIONARY_IP: { rule: 'ignore' },
  AUTO_START_TIMEOUT: { rule: 'ignore' },
  NETWORK_POLLING_INTERVAL: { rule: 'ignore' },
  MAX_CONFIGURED_PACKAGES: { rule: 'ignore' },
  QS_HOST: { rule: 'refuse', because: 'the lab has no quorum server; the remaining members always continue' },
  QS_ADDR: { rule: 'refuse', because: 'the lab has no quorum server' },
  QS_POLLING_INTERVAL: { rule: 'refuse', because: 'the lab has no quorum server' },
  CLUSTER_LOCK_LUN: { rule: 'refuse', because: 'the lab has no lock LUN; the remaining members always continue' },
  CAPACITY_NAME: { rule: 'refuse', because: 'the members of the lab have no capacities' },
  USER_NAME: { rule: 'refuse', because: 'in the lab every user of a member may do everything' },
  SITE_NAME: { rule: 'refuse', because: 'the lab has no sites' },
};

/** `is`: the existing cluster, whose name cannot change. member-change.ts judges the members. */
export function parseClusterFile(text: string, fileName: string, is: ClusterFile): Checked<ClusterFile> {
  const problems: Problem[] = [];
  const values: { readonly keyword: string; readonly value: string }[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const [typed = '', ...words] = raw.trim().split(/\s+/);
    if (typed === '' || typed.startsWith('#')) continue;
    const keyword = typed.toUpperCase();
    const value = words.join(' ');
    const known: Keyword = (Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined) ?? {
      rule: 'refuse',
      because: 'the lab does not imitate it',
    };
    if (known.rule === 'read') values.push({ keyword, value });
    if (known.rule === 'refuse')
      problems.push(problem(`${keyword} ${value}: ${known.because}.`, 'Remove the line in the lab.', fileName, index + 1));
  }
  const all = (keyword: string): string[] => values.filter((one) => one.keyword === keyword).map((one) => one.value);
  const value: ClusterFile = {
    name: all('CLUSTER_NAME').at(-1) ?? '',
    members: all('NODE_NAME'),
    memberTimeoutMicroseconds: Number(all('MEMBER_TIMEOUT').at(-1) ?? is.memberTimeoutMicroseconds),
  };
  problems.push(...differences(value, is, fileName));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value, problems };
}

/** With several heartbeat networks [serviceguard.md 8.1]. */
const leastTimeout = 3_000_000;

function differences(value: ClusterFile, is: ClusterFile, fileName: string): Problem[] {
  const problems: Problem[] = [];
  if (value.name !== is.name)
    problems.push(
      problem(`CLUSTER_NAME is "${value.name}"; the lab is ${is.name}.`, `Make it: CLUSTER_NAME ${is.name}`, fileName),
    );
  const twice = value.members.filter((member, index, all) => all.indexOf(member) !== index);
  if (twice.length > 0) problems.push(problem(`NODE_NAME lists ${twice.join(', ')} twice.`, 'Name each node once.', fileName));
  const timeout = value.memberTimeoutMicroseconds;
  // Accepted, although below Serviceguard's minimum.
  const isOfLab = timeout === is.memberTimeoutMicroseconds;
  if (!isOfLab && (!Number.isInteger(timeout) || timeout < leastTimeout || timeout > 300_000_000)) {
    const remedy = `Write microseconds from ${leastTimeout} to 300000000; with one heartbeat network at least 14000000.`;
    problems.push(problem(`MEMBER_TIMEOUT cannot be ${timeout}.`, remedy, fileName));
  }
  return problems;
}

function problem(text: string, remedy: string, file: string, line?: number): Problem {
  return errorProblem('cluster-file', text, remedy, line === undefined ? { file } : { file, line });
}
