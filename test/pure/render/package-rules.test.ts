/** The manual's rules on one package: each row refuses what it forbids, and takes what is next to it. */
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { definition, readApplied } from '../../../src/engine/serviceguard/definition.ts';
import { checkPackageFile } from '../../../src/serviceguard/package-check.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { mayContain, packageRules } from '../../../src/serviceguard/package-rules.ts';

const modules = ['failover', 'dependency', 'weight', 'monitor_subnet', 'package_ip', 'service', 'generic_resource']
  .concat('volume_group', 'filesystem', 'pev', 'acp')
  .flatMap((name) => [`module_name sg/${name}`, 'module_version 1']);
const modular = (...lines: readonly string[]): string =>
  ['package_name web', ...modules, 'package_type failover', ...lines, ''].join('\n');
const legacy = (...lines: readonly string[]): string =>
  [
    'PACKAGE_NAME old',
    'RUN_SCRIPT /etc/cmcluster/old/control.sh',
    'HALT_SCRIPT /etc/cmcluster/old/control.sh',
    ...lines,
    '',
  ].join('\n');

const problems = (text: string) =>
  checkPackageFile(demand(parsePackageFile(text, 'web.conf')), 'web.conf').map(
    ({ code, text: said, remedy }) => `${code}: ${said} ${remedy}`,
  );

const many = (count: number, line: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => line(index));
const service = (index: number): string => `service_name s${index}\nservice_cmd /bin/s`;
const fs = (device: string, directory: string): string => `fs_name ${device}\nfs_directory ${directory}\nfs_type ext4`;

const cases: readonly (readonly [what: string, refused: readonly string[], taken: readonly string[]])[] = [
  ['a node twice', ['node_name m1', 'node_name m2', 'node_name m1'], ['node_name m1', 'node_name m2']],
  ['* beside nodes', ['node_name *', 'node_name m2'], ['node_name *']],
  ['a service twice', [service(1), service(1)], [service(1), service(2)]],
  ['31 services', many(31, service), many(30, service)],
  ['a command twice', [`${service(1)}\nservice_cmd /bin/t`], [service(1)]],
  [
    'a dependency twice',
    many(2, () => 'dependency_name d\ndependency_condition other = UP'),
    ['dependency_name d\ndependency_condition other = UP'],
  ],
  [
    'a condition that is none',
    ['dependency_name d\ndependency_condition other UP'],
    ['dependency_name d\ndependency_condition other = down'],
  ],
  [
    'a place that does not fit',
    ['dependency_name d\ndependency_condition other = DOWN\ndependency_location any_node'],
    ['dependency_name d\ndependency_condition other = DOWN\ndependency_location ALL_NODES'],
  ],
  [
    '5 weights',
    many(5, (index) => `weight_name w${index}\nweight_value 1`),
    many(4, (index) => `weight_name w${index}\nweight_value 1`),
  ],
  [
    'a monitored subnet twice',
    many(2, () => 'monitored_subnet 10.9.0.0'),
    ['monitored_subnet 10.9.0.0', 'monitored_subnet 10.8.0.0'],
  ],
  [
    'an address twice',
    ['ip_subnet 10.9.0.0', 'ip_address 10.9.0.5', 'ip_address 10.9.0.5'],
    ['ip_subnet 10.9.0.0', 'ip_address 10.9.0.5', 'ip_address 10.9.0.6'],
  ],
  ['an address outside', ['ip_subnet 10.9.0.0', 'ip_address 10.8.0.5'], ['ip_subnet 10.9.0.0', 'ip_address 10.9.7.5']],
  ['a family that differs', ['ip_subnet 10.9.0.0', 'ip_address fe80::5'], ['ip_subnet 2001:db8::', 'ip_address 2001:db8::5']],
  [
    'a subnet of another node',
    ['node_name m1', 'ip_subnet 10.9.0.0', 'ip_subnet_node m2', 'ip_address 10.9.0.5'],
    ['node_name m2', 'ip_subnet 10.9.0.0', 'ip_subnet_node m2', 'ip_address 10.9.0.5'],
  ],
  [
    'a criterion that always holds',
    ['generic_resource_name g\ngeneric_resource_up_criteria >=1'],
    ['generic_resource_name g\ngeneric_resource_up_criteria > 1'],
  ],
  ['a volume group under two names', ['vg vg_a', 'vg /dev/vg_a'], ['vg vg_a', 'vg /dev/vg_b']],
  ['a volume without its group', ['vg vg_a', fs('/dev/vg_b/lv', '/b')], ['vg vg_a', fs('/dev/mapper/vg_a-lv', '/b')]],
  [
    'a mount point twice',
    ['vg vg_a', fs('/dev/vg_a/l1', '/b'), fs('/dev/vg_a/l2', '/b')],
    ['vg vg_a', fs('/dev/vg_a/l1', '/b'), fs('/dev/vg_a/l2', '/c')],
  ],
  [
    'a server without NFS',
    ['vg vg_a', `${fs('/dev/vg_a/l1', '/b')}\nfs_server nfs1`],
    ['fs_name /export\nfs_server nfs1\nfs_directory /b\nfs_type nfs'],
  ],
  ['a value with another sign in its name', ['pev_a-b 1'], ['pev_a_b 1']],
  [
    '9 users',
    many(9, (index) => `user_name u${index}\nuser_host m1\nuser_role package_admin`),
    many(8, (index) => `user_name u${index}\nuser_host m1\nuser_role package_admin`),
  ],
  [
    'a user with a host twice',
    many(2, () => 'user_name u\nuser_host m1\nuser_role package_admin'),
    ['m1', 'm2'].map((host) => `user_name u\nuser_host ${host}\nuser_role package_admin`),
  ],
];

describe('one value', () => {
  it('of a weight is at most a million', () => {
    const weight = (value: string) => problems(modular(`weight_name w\nweight_value ${value}`));
    expect([weight('1000000'), weight('1000001').length, weight('0.5')]).toEqual([[], 1, []]);
  });
});

describe('one package', () => {
  it.each(cases)('cannot have %s', (_, refused, taken) => {
    expect(problems(modular(...refused))).toEqual([expect.stringMatching(/^package-(rule|vg-missing): .* \[.* p\.\d/)]);
    expect(problems(modular(...taken))).toEqual([]);
  });

  it('has a source for each rule', () => {
    for (const { rule, source } of packageRules)
      expect([rule, source]).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/ p\.\d+/)]);
  });

  it.each([
    ['10.9.0.0', '10.9.255.254', true],
    ['10.9.4.0', '10.9.7.1', true],
    ['10.9.4.0', '10.9.8.1', false],
    ['192.168.7.128', '192.168.7.127', false],
    ['10.9.0.0', '10.9.0.0', false],
    ['0.0.0.0', '10.9.0.1', true],
  ])('%s may contain %s: %s', (subnet, address, is) => expect(mayContain(subnet, address)).toBe(is));
});

describe('a legacy package', () => {
  it('may have what the manuals have since A.11.18', () => {
    expect(problems(legacy('SUCCESSOR_HALT_TIMEOUT 60', 'PRIORITY 20', 'MONITORED_SUBNET 10.9.0.0'))).toEqual([]);
    expect(problems(legacy('PRIORITY 3001'))).toHaveLength(1);
    expect(problems(legacy('SUBNET 10.9.0.0', 'SUBNET 10.9.0.0'))).toHaveLength(1);
  });

  it('is the same where cmgetconf prints the other spelling of SUBNET, and what is the default', () => {
    const wanted = demand(definition.parse(legacy('SUBNET 10.9.0.0'), 'old.conf'));
    const same = readApplied(legacy('monitored_subnet 10.9.0.0', 'PRIORITY no_priority', 'SUCCESSOR_HALT_TIMEOUT NO_TIMEOUT'));
    const other = readApplied(legacy('monitored_subnet 10.8.0.0'));
    if (same === null || other === null) throw new Error('not read');
    expect(definition.differences(same, wanted)).toEqual([]);
    expect(definition.differences(other, wanted).map(({ keyword }) => keyword)).toEqual(['subnet']);
  });
});

describe('what csync does not support', () => {
  const own = ['ip_subnet 10.9.0.0', 'ip_address 10.9.0.100', 'vg vg_csync', fs('/dev/vg_csync/lv_csync', '/csync')];
  const refused = (...lines: readonly string[]) =>
    definition
      .check(modular(...own, ...lines), 'web.conf')
      .flatMap(({ code, text }) => (code === 'package-unsupported' ? [text] : []));

  it.each([
    ['a second address', ['ip_address 10.9.0.101'], /^ip_address 10.9.0.101: csync supports one address/],
    ['a second subnet', ['ip_subnet 10.8.0.0'], /one subnet/],
    ['a second volume group', ['vg vg_two'], /one volume group/],
    ['a second logical volume', [fs('/dev/vg_csync/lv_two', '/two')], /one logical volume and file system/],
  ] as const)('%s is refused once, with its line', (_, lines, said) => {
    expect(refused(...lines)).toEqual([expect.stringMatching(said)]);
  });

  it('NFS is refused, and what csync renders is not', () => {
    expect(
      definition.check(modular('fs_name /export', 'fs_server nas', 'fs_directory /csync', 'fs_type nfs'), 'web.conf'),
    ).toEqual([expect.objectContaining({ code: 'package-unsupported', text: expect.stringMatching(/not NFS/) })]);
    expect([refused(), refused('ip_subnet 10.9.0.0', 'monitored_subnet 10.8.0.0')]).toEqual([[], []]);
    const six = ['ip_subnet 2001:db8::/64', 'ip_address 2001:db8::100', 'monitored_subnet 2001:db8::/64'];
    expect(definition.check(modular(...six), 'web.conf').filter(({ code }) => code === 'package-unsupported')).toEqual([]);
  });
});
