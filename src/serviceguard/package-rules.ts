/** Rules for repeated values and for several values. Single values: modules.ts and legacy.ts. Pure. */

import type { ProblemCode } from '../base/codes/problem-codes.ts';
import { isInPrefix, isIpv4, networkOf } from '../base/network.ts';
import { allValues, type PackageFile, type PackageLine } from './package-file.ts';
import { volumeGroupName, volumeGroupOfDevice } from './storage-names.ts';

export interface Broken {
  readonly text: string;
  readonly line: PackageLine;
}

export interface PackageRule {
  readonly rule: string;
  readonly source: string;
  readonly code?: ProblemCode;
  readonly broken: (file: PackageFile) => Broken[];
}

const linesOf = ({ lines }: PackageFile, keyword: string): PackageLine[] => lines.filter((line) => line.keyword === keyword);

function instances(file: PackageFile, first: string, members: readonly string[]): PackageLine[][] {
  const found: PackageLine[][] = [];
  for (const line of file.lines) {
    if (line.keyword === first) found.push([line]);
    else if (members.includes(line.keyword)) found.at(-1)?.push(line);
  }
  return found;
}

const valueIn = (instance: readonly PackageLine[], keyword: string): string | undefined =>
  instance.find((line) => line.keyword === keyword)?.value;

const different =
  (keyword: string, meaning: (value: string) => string = (value) => value) =>
  (file: PackageFile): Broken[] => {
    const seen = new Map<string, number>();
    return linesOf(file, keyword).flatMap((line) => {
      const value = meaning(line.value);
      const before = seen.get(value);
      if (before === undefined) seen.set(value, line.line);
      return before === undefined ? [] : [{ text: `${keyword} ${line.value} is in line ${before} and again.`, line }];
    });
  };

const atMost =
  (most: number, keyword: string) =>
  (file: PackageFile): Broken[] => {
    const lines = linesOf(file, keyword);
    const line = lines[most];
    return line === undefined
      ? []
      : [{ text: `The file has ${lines.length} lines ${keyword}; at most ${most} are allowed.`, line }];
  };

/** Only the attributes of `repeated` may repeat. */
const onceEach =
  (first: string, members: readonly string[], repeated: readonly string[] = []) =>
  (file: PackageFile): Broken[] =>
    instances(file, first, members).flatMap((instance) =>
      instance.flatMap((line, index) => {
        const isAgain = instance.findIndex(({ keyword }) => keyword === line.keyword) < index && !repeated.includes(line.keyword);
        return isAgain ? [{ text: `${line.keyword} occurs twice for ${first} ${instance[0]?.value}.`, line }] : [];
      }),
    );

/** IPv4 has no netmask there: it has at least the bits up to the subnet's last 1. IPv6 may lack its length, too. */
export function mayContain(subnet: string, address: string): boolean {
  if (subnet.includes('/')) return isInPrefix(address, subnet);
  if (!isIpv4(subnet) || !isIpv4(address)) return isIpv4(subnet) === isIpv4(address);
  const shortest = Array.from({ length: 33 }, (_, length) => length).find((length) => networkOf(subnet, length) === subnet) ?? 32;
  return networkOf(address, shortest) === subnet && address !== subnet;
}

function addressesOutside(file: PackageFile): Broken[] {
  return instances(file, 'ip_subnet', ['ip_address']).flatMap(([subnet, ...addresses]) =>
    addresses.flatMap((line) =>
      subnet === undefined || mayContain(subnet.value, line.value)
        ? []
        : [{ text: `ip_address ${line.value} cannot be in ip_subnet ${subnet.value} with any netmask.`, line }],
    ),
  );
}

function volumesWithoutGroup(file: PackageFile): Broken[] {
  const groups = allValues(file, 'vg').map(volumeGroupName);
  return linesOf(file, 'fs_name').flatMap((line) => {
    const group = volumeGroupOfDevice(line.value);
    return group === null || groups.includes(group)
      ? []
      : [{ text: `fs_name ${line.value} is on ${group}, which no line vg names.`, line }];
  });
}

const upCriteria = /^(==|!=|>=|<=|>|<)\s*([1-9]\d{0,9})$/;
const largest = 2_147_483_647;

function isUpCriteria(value: string): boolean {
  const [, operator = '', digits = ''] = upCriteria.exec(value.trim()) ?? [];
  const number = Number(digits);
  if (operator === '' || number > largest) return false;
  const empty = (operator === '<' && number === 1) || (operator === '>' && number === largest);
  const everything = (operator === '>=' && number === 1) || (operator === '<=' && number === largest);
  return !empty && !everything;
}

const locations: Readonly<Record<string, readonly string[]>> = {
  up: ['same_node', 'any_node', 'different_node'],
  down: ['same_node', 'all_nodes'],
};

function dependencies(file: PackageFile): Broken[] {
  return instances(file, 'dependency_name', ['dependency_condition', 'dependency_location']).flatMap((instance) =>
    instance.flatMap((line): Broken[] => {
      const condition = /^\S+\s*=\s*(up|down)$/i.exec(valueIn(instance, 'dependency_condition') ?? '')?.[1]?.toLowerCase();
      if (line.keyword === 'dependency_condition' && condition === undefined)
        return [{ text: `dependency_condition cannot be "${line.value}"; it is such as "other = UP" or "other = DOWN".`, line }];
      const wrong = line.keyword === 'dependency_location' && condition !== undefined;
      return wrong && !(locations[condition] ?? []).includes(line.value.toLowerCase())
        ? [{ text: `dependency_location ${line.value} does not fit the condition ${condition.toUpperCase()}.`, line }]
        : [];
    }),
  );
}

function nodesOfSubnets(file: PackageFile): Broken[] {
  const nodes = allValues(file, 'node_name');
  if (nodes.length === 0 || nodes.includes('*')) return [];
  return linesOf(file, 'ip_subnet_node').flatMap((line) =>
    nodes.includes(line.value) ? [] : [{ text: `ip_subnet_node ${line.value} is no node_name of the package.`, line }],
  );
}

function starAlone(file: PackageFile): Broken[] {
  const lines = linesOf(file, 'node_name');
  const star = lines.find(({ value }) => value === '*');
  return star === undefined || lines.length === 1
    ? []
    : [{ text: 'node_name * stands for all nodes, beside other lines node_name.', line: star }];
}

function serversOfNfs(file: PackageFile): Broken[] {
  return instances(file, 'fs_name', ['fs_server', 'fs_type']).flatMap((instance) => {
    const line = instance.find(({ keyword }) => keyword === 'fs_server');
    const type = valueIn(instance, 'fs_type')?.toLowerCase();
    return line === undefined || type === 'nfs'
      ? []
      : [{ text: `fs_server is for fs_type nfs, and this one is ${type ?? 'missing'}.`, line }];
  });
}

function usersTwice(file: PackageFile): Broken[] {
  const seen = new Set<string>();
  return instances(file, 'user_name', ['user_host']).flatMap(([user, host]) => {
    const pair = `${user?.value} ${host?.value ?? ''}`.toLowerCase();
    const isAgain = seen.has(pair);
    seen.add(pair);
    return isAgain && user !== undefined ? [{ text: `user_name ${user.value} has the same user_host twice.`, line: user }] : [];
  });
}

function pevNames(file: PackageFile): Broken[] {
  return file.lines.flatMap((line) =>
    line.keyword.startsWith('pev_') && !/^pev_\w{1,4096}$/.test(line.keyword)
      ? [{ text: `${line.keyword} has a sign that is no letter, digit or underscore.`, line }]
      : [],
  );
}

const fileSystem = ['fs_server', 'fs_directory', 'fs_type', 'fs_mount_opt', 'fs_umount_opt', 'fs_fsck_opt'];
const service = ['service_cmd', 'service_restart', 'service_fail_fast_enabled', 'service_halt_timeout'];
const lower = (value: string): string => value.toLowerCase();

/** Sources: docs/facts/sources.md. */
export const packageRules: readonly PackageRule[] = [
  { rule: 'Name each node once.', source: 'L9 p.197', broken: different('node_name') },
  { rule: 'Write node_name * alone, or name the nodes.', source: 'L9 p.197', broken: starAlone },
  { rule: 'Name each service once.', source: 'L9 p.206', broken: different('service_name') },
  { rule: 'At most 30 services in one package.', source: 'L9 p.206', broken: atMost(30, 'service_name') },
  { rule: 'Each attribute of a service once.', source: 'L9 p.206-208', broken: onceEach('service_name', service) },
  { rule: 'Name each dependency once.', source: 'L9 p.202', broken: different('dependency_name') },
  {
    rule: 'UP goes with same_node, any_node, different_node; DOWN with same_node, all_nodes.',
    source: 'L9 p.121-128, p.202',
    broken: dependencies,
  },
  { rule: 'At most 4 weights in one package.', source: 'L9 p.203', broken: atMost(4, 'weight_name') },
  { rule: 'Name each weight once.', source: 'L9 p.203', broken: different('weight_name') },
  { rule: 'Name each monitored subnet once.', source: 'L9 p.204', broken: different('monitored_subnet', lower) },
  { rule: 'Name each subnet once.', source: 'A1120c p.235', broken: different('subnet', lower) },
  { rule: 'Name each address once.', source: 'L9 p.205', broken: different('ip_address', lower) },
  { rule: 'An ip_address is in the ip_subnet above it.', source: 'L9 p.205', broken: addressesOutside },
  { rule: 'An ip_subnet_node is a node of the package.', source: 'L9 p.206', broken: nodesOfSubnets },
  { rule: 'Name each generic resource once.', source: 'L10 p.217', broken: different('generic_resource_name') },
  {
    rule: 'An operator and a whole number from 1 to 2147483647; not <1, >=1, >2147483647, <=2147483647.',
    source: 'A12 p.194',
    broken: (file) =>
      linesOf(file, 'generic_resource_up_criteria').flatMap((line) =>
        isUpCriteria(line.value) ? [] : [{ text: `generic_resource_up_criteria cannot be "${line.value}".`, line }],
      ),
  },
  { rule: 'Name each volume group once.', source: 'L9 p.209', broken: different('vg', volumeGroupName) },
  {
    rule: 'Name the volume group of each logical volume in a line vg.',
    source: 'L9 p.210',
    code: 'package-vg-missing',
    broken: volumesWithoutGroup,
  },
  { rule: 'Name each device once.', source: 'L9 p.210', broken: different('fs_name') },
  { rule: 'Name each mount point once.', source: 'L9 p.210', broken: different('fs_directory') },
  { rule: 'Each attribute of a file system once.', source: 'L9 p.210', broken: onceEach('fs_name', fileSystem) },
  { rule: 'fs_server is for fs_type nfs only.', source: 'A12 p.197', broken: serversOfNfs },
  { rule: 'Letters, digits and underscores, at most 4096 of them.', source: 'L9 p.211', broken: pevNames },
  { rule: 'At most 8 users in one package.', source: 'L9 p.213', broken: atMost(8, 'user_name') },
  { rule: 'Name each user with a host once.', source: 'L9 p.182', broken: usersTwice },
];
