import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { settingsDigest } from '../../../src/settings/settings.ts';
import { parseSettings, printSettings } from '../../../src/settings/settings-yaml.ts';
import { settingsFor, settingsText } from '../../support.ts';

function problemsOf(text: string) {
  const checked = parseSettings(text, 'csync.yaml');
  return checked.ok ? [] : checked.problems;
}

describe('settings', () => {
  it('takes the least an administrator has to say and fills in the rest', () => {
    const settings = settingsFor();
    expect(settings).toMatchObject({
      packageName: 'csync',
      cfengineWorkDirectory: '/var/lib/cfengine3',
      policyDirectory: '/csync/dsau',
      scriptLogFile: '$SGRUN/log/csync.log',
      serviceRestart: 'none',
      autoRun: true,
    });
  });

  it('has other defaults for generation 2', () => {
    expect(settingsFor({ cfengine_generation: 2 }).cfengineWorkDirectory).toBe('/var/cfengine');
  });

  it.each([
    ['yes', true],
    ['no', false],
    [true, true],
    [false, false],
  ])('takes %s for auto_run as Serviceguard files and YAML say it', (typed, meant) => {
    expect(settingsFor({ auto_run: typed }).autoRun).toBe(meant);
  });

  it('reports all problems at once, in the order of the file, with line, what was typed and a remedy', () => {
    const text = 'members: [m1, m1]\npackage_addres: 10.9.0.100\npackage_dns_name: a_b\nmount_point: /usr\nauto_run: maybe\n';
    const problems = problemsOf(text);
    expect(problems.slice(0, 5).map((problem) => [problem.code, problem.place?.line])).toEqual([
      ['settings-value', 1],
      ['settings-unknown-key', 2],
      ['settings-value', 3],
      ['settings-value', 4],
      ['settings-value', 5],
    ]);
    expect(problems[1]?.remedy).toContain('package_address');
    expect(problems[4]?.text).toContain('"maybe"');
    expect(
      problems.filter((problem) => problem.code === 'settings-missing').map((problem) => /"(\w+)"/.exec(problem.text)?.[1]),
    ).toEqual(['package_address', 'package_subnet', 'volume_group', 'logical_volume']);
    for (const problem of problems) expect(problem.remedy).not.toBe('');
  });

  it.each([
    ['pacemaker', { test_cluster: true }, []],
    ['serviceguard', { test_cluster: true }, ['"test_cluster" is ignored, because engine is serviceguard']],
    ['serviceguard', { test_cluster: false }, []],
    ['pacemaker', { run_script_timeout_seconds: 33 }, []],
    [
      'pacemaker',
      { service_halt_timeout_seconds: 33 },
      ['"service_halt_timeout_seconds" is ignored, because engine is pacemaker'],
    ],
  ])('with engine %s and %o says what has no effect', (engine, changes, expected) => {
    const { problems } = parseSettings(settingsText({ engine, ...changes }), 'csync.yaml');
    expect(problems.map(({ text }) => text.split(': ')[0])).toEqual(expected);
  });

  const six = { package_address: '2001:db8::100', package_subnet: '2001:db8::/64' };

  it('writes IPv6 as the kernel prints it', () => {
    const typed = {
      package_address: '2001:DB8:0:0::0100',
      package_subnet: '2001:0DB8::/64',
      client_networks: ['2001:DB8:0::/32', '::1'],
    };
    expect(settingsFor(typed)).toMatchObject({
      packageAddress: '2001:db8::100',
      packageSubnet: '2001:db8::/64',
      clientNetworks: ['2001:db8::/32', '::1'],
    });
  });

  const wrong: readonly [string, Record<string, unknown>, string][] = [
    ['an address with a letter', { package_address: '10.9.0.x' }, 'settings-value'],
    ['two addresses', { package_address: ['10.9.0.100', '10.9.0.101'] }, 'settings-unsupported'],
    ['two addresses in one text', { package_address: '10.9.0.100, 10.9.0.101' }, 'settings-unsupported'],
    ['two subnets', { package_subnet: ['10.9.0.0', '10.8.0.0'] }, 'settings-unsupported'],
    ['a link-local address', { ...six, package_address: 'fe80::1' }, 'settings-unsupported'],
    ['the loopback', { ...six, package_address: '::1' }, 'settings-value'],
    ['a group of hosts', { ...six, package_address: 'ff02::1' }, 'settings-value'],
    ['an IPv4 address in the form of IPv6', { ...six, package_address: '::ffff:10.9.0.100' }, 'settings-value'],
    ['an address with a zone', { ...six, package_address: '2001:db8::100%eth0' }, 'settings-value'],
    ['an IPv6 subnet without its length', { ...six, package_subnet: '2001:db8::' }, 'settings-value'],
    ['an IPv6 address in an IPv4 subnet', { package_address: '2001:db8::100' }, 'settings-conflict'],
    ['an IPv4 address in an IPv6 subnet', { package_subnet: '2001:db8::/64' }, 'settings-conflict'],
    ['an IPv6 subnet the address is not in', { ...six, package_subnet: '2001:db8:1::/64' }, 'settings-conflict'],
    ['an IPv6 network that cf-serverd does not compare', { client_networks: ['2001:db8::/33'] }, 'settings-value'],
    ['an IPv6 package with cfengine 2', { ...six, cfengine_generation: 2 }, 'settings-conflict'],
    ['an IPv6 network with cfengine 2', { cfengine_generation: 2, client_networks: ['2001:db8::/32'] }, 'settings-conflict'],
    ['two volume groups', { volume_group: ['vg_a', 'vg_b'] }, 'settings-unsupported'],
    ['two logical volumes', { logical_volume: 'lv_a lv_b' }, 'settings-unsupported'],
    ['NFS', { file_system_type: 'nfs4' }, 'settings-unsupported'],
    ['a relative mount point', { mount_point: 'csync' }, 'settings-value'],
    ['a mount point with ..', { mount_point: '/csync/../etc' }, 'settings-value'],
    ['a shell metacharacter in a path', { node_path: '/usr/bin/node;reboot' }, 'settings-value'],
    ['a quote in the description', { package_description: 'a "b"' }, 'settings-value'],
    ['a token in the description', { package_description: '{{x}}' }, 'settings-value'],
    ['a member name with a blank', { members: ['m 1'] }, 'settings-value'],
    ['a member name of 40 characters', { members: ['m'.repeat(40)] }, 'settings-value'],
    ['no member', { members: [] }, 'settings-value'],
    ['generation 4', { cfengine_generation: 4 }, 'settings-value'],
    ['a time-out Serviceguard refuses', { run_script_timeout_seconds: 4295 }, 'settings-value'],
    ['policy elsewhere than on its file system', { policy_directory: '/var/policy' }, 'settings-conflict'],
    ['policy on a neighbour of the mount point', { policy_directory: '/csync2/dsau' }, 'settings-conflict'],
    ['a probe longer than its interval', { monitor_timeout_seconds: 31 }, 'settings-conflict'],
    ['a halt shorter than its parts', { halt_script_timeout_seconds: 15 }, 'settings-conflict'],
    ['the address as its own subnet', { package_subnet: '10.9.0.100' }, 'settings-conflict'],
    ['a subnet the address cannot lie in', { package_subnet: '192.168.0.0' }, 'settings-conflict'],
  ];
  it.each(wrong)('refuses %s', (_what, changes, code) => {
    expect(problemsOf(settingsText(changes)).map((problem) => problem.code)).toEqual([code]);
  });

  it('says where YAML itself is broken, and what an empty file lacks', () => {
    expect(problemsOf('members: [m1\nx: 1\n')[0]).toMatchObject({ code: 'settings-syntax' });
    expect(problemsOf('')[0]).toMatchObject({ code: 'settings-syntax' });
  });

  it('names both lines of a key that stands twice', () => {
    const [problem] = problemsOf(`${settingsText()}volume_group: other\n`);
    expect(problem).toMatchObject({ code: 'settings-duplicate-key', place: { line: 8 } });
    expect(problem?.text).toContain('line 5');
  });

  it('a value that stands for another one is that one', () => {
    const text = settingsText().replace(/^package_name: .*\n/m, '');
    const checked = parseSettings(`${text}package_name: &name policy\npackage_description: *name\n`, 'csync.yaml');
    expect(demand(checked)).toMatchObject({ packageName: 'policy', packageDescription: 'policy' });
  });

  it('reads back what it prints', () => {
    fc.assert(
      fc.property(
        fc.record({
          members: fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/), { minLength: 1, maxLength: 16 }),
          package_address: fc.ipV4().filter((address) => !address.endsWith('.0')),
          package_description: fc.stringMatching(/^[A-Za-z0-9 $&%'\\:#-]{0,60}$/),
          monitor_process_interval_ms: fc.integer({ min: 20, max: 60_000 }),
          service_restart: fc.oneof(fc.constant('none'), fc.constant('unlimited'), fc.integer({ min: 1, max: 1000 })),
          auto_run: fc.boolean(),
        }),
        (changes) => {
          const subnet = `${changes.package_address.split('.').slice(0, 3).join('.')}.0`;
          const settings = settingsFor({ ...changes, package_subnet: subnet });
          const again = parseSettings(printSettings(settings), 'printed.yaml');
          expect(again).toMatchObject({ ok: true, value: settings });
        },
      ),
    );
  });

  it('makes another digest of every change', () => {
    expect(settingsDigest(settingsFor({ members: ['m1', 'm2'] }))).not.toBe(
      settingsDigest(settingsFor({ members: ['m2', 'm1'] })),
    );
    expect(settingsDigest(settingsFor())).toBe(settingsDigest(settingsFor()));
  });
});
