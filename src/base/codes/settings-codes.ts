/** Codes of wrong calls and of csync.yaml. */
import { code } from './entry.ts';

const untouched = 'Nothing was changed. The package keeps the configuration that was applied last.';

export const settingsCodes = {
  usage: code('usage', 'The verb, an option or a value of it is wrong.', {
    cluster: 'Nothing was changed: csync checks the command line first.',
    why: 'A verb or option is misspelled, a value is missing, or two options exclude each other.',
    fix: ['`csync VERB --help` lists the options of a verb, with examples.', '`csync --help` lists all verbs.'],
    example: '`csync stauts` prints: did you mean status?',
    page: 'verbs',
  }),
  'usage-host-name': code('usage', 'A text is not the name of a host.', {
    cluster: 'Nothing was changed on any host.',
    why: 'Host names become part of commands and policy. So csync accepts letters, digits, dots and dashes only.',
    fix: ['Type the name as `ssh NAME` accepts it, without user or port.', 'Set the user and port in ~/.ssh/config.'],
    example: '`csync client add root@c1` is refused. `csync client add c1` works.',
    page: 'clients',
  }),
  'usage-is-member': code('usage', 'The host is a member; each member is a client of the master already.', {
    cluster: 'Nothing was changed for this host. It already fetches the policy from the master, as each member does.',
    why: 'The host was named as a client, but it belongs to the members of the cluster.',
    fix: ['Leave the host out of the command.', 'If it also stands in the list of clients: `csync client remove HOST`.'],
    example: '`csync client add m2`, where m2 is a member.',
    page: 'clients',
  }),
  'usage-no-client': code('usage', 'No client has that name.', {
    cluster: 'Nothing was changed on any host.',
    why: 'The name is misspelled, or the host was never added or is already removed.',
    fix: ['`csync client list` prints the names.', 'Use the name exactly as listed: a host and its alias are two names.'],
    example: '`csync client remove c11`, where the list has c1 only.',
    page: 'clients',
  }),
  'usage-no-member': code('usage', 'No member that is set up has that name.', {
    cluster: 'Nothing was changed on any host.',
    why: 'No member that csync has set up has that name.',
    fix: ['`csync members list` prints the names.', 'If the host joined the cluster but is not set up: `csync member add HOST`.'],
    example: '`csync member remove m5`, where m1 to m3 are set up.',
    page: 'members',
  }),
  'usage-no-set': code('usage', 'The history has no set with that number, or no previous set.', {
    cluster: untouched,
    why: 'csync keeps the last ten applied sets. The number is older, was never used, or only one set exists.',
    fix: ['`csync history` lists the sets with their numbers.', '`csync rollback NUMBER --dry-run` prints the steps.'],
    example: '`csync rollback` after the very first apply.',
    page: 'package directory',
  }),
  'usage-production': code('usage', 'A drill on a cluster that is no lab requires --production.', {
    cluster: 'Nothing was changed. No drill was started.',
    why: 'A drill makes the package fail over. Clients have no master for some seconds, so csync requires that you allow it.',
    fix: [
      'To check readiness only: `csync rehearse`.',
      'To practise without risk: `csync lab rehearse`.',
      'In a maintenance window: `csync rehearse --drill haltnode --production`.',
    ],
    example: '`csync rehearse --drill haltnode` on the cluster of m1 to m3.',
    page: 'rehearsals',
  }),
  'usage-unconfirmed': code('usage', 'The verb requires a confirmation, and there is no terminal: --yes confirms it.', {
    cluster: 'Nothing was changed.',
    why: 'The verb asks for a confirmation, but its input is no terminal: cron, a pipe or a script started it.',
    fix: ['Print the steps: `csync VERB --dry-run`.', 'Run them without a question: add `--yes`.'],
    example: '`csync apply` in a cron job.',
    page: 'verbs',
  }),
  'settings-syntax': code('badInput', 'csync.yaml is not valid YAML.', {
    cluster: untouched,
    why: 'The file is not YAML, or not a list of lines "key: value". Often a colon, a quotation mark or the indent is wrong.',
    fix: [
      'Correct the line and column that the message names.',
      '`csync settings check` checks the file again.',
      '`csync settings example` prints a complete file.',
    ],
    example: '`mount_point /csync` without the colon.',
    page: 'settings',
  }),
  'settings-unknown-key': code('badInput', 'csync.yaml has a key that is no setting.', {
    cluster: untouched,
    why: 'The key is misspelled, or belongs to another version. csync refuses it: an ignored setting would surprise you later.',
    fix: ['Use the key that the message suggests.', '`csync settings example` lists all keys with their defaults.'],
    example: '`monitor_intervall: 5`; the key is monitor_interval.',
    page: 'settings',
  }),
  'settings-duplicate-key': code('badInput', 'csync.yaml has a key twice.', {
    cluster: untouched,
    why: 'Two lines set the same key, and csync does not guess which one counts.',
    fix: ['Delete one of the two lines; the message names both.', '`csync settings check` confirms it.'],
    example: '`package_address:` in line 4 and again in line 31.',
    page: 'settings',
  }),
  'settings-missing': code('badInput', 'A setting without a default has no value.', {
    cluster: untouched,
    why: 'The setting has no default, because only you know it: members, address, subnet, volume group and the like.',
    fix: [
      'Add the line to csync.yaml.',
      'Or let csync find the value: `csync init`, or `csync init --set KEY=VALUE` in a script.',
    ],
    example: 'A csync.yaml without volume_group.',
    page: 'settings',
  }),
  'settings-value': code('badInput', 'A setting has a value that its rule refuses.', {
    cluster: untouched,
    why: 'The value breaks the rule of its setting: a wrong type, out of range, or characters that a package file must not contain.',
    fix: ['Correct the value; the message states the rule.', '`csync settings check` reports all wrong values at once.'],
    example: '`package_address: 10.9.0.300` is no IPv4 address.',
    page: 'settings',
  }),
  'settings-conflict': code('badInput', 'Two settings contradict each other.', {
    cluster: untouched,
    why: 'Each value is legal alone, but not together with another one.',
    fix: ['Change one of the two settings that the message names.', '`csync settings check` checks the pair again.'],
    example: 'A package_address outside package_subnet.',
    page: 'settings',
  }),
  'settings-members': code('badInput', 'The members of csync.yaml are not those of the applied package or of the cluster.', {
    cluster: 'Nothing was changed. An apply with this file would remove a working member from the package.',
    why: 'csync.yaml is older than the last `csync member add` or `remove`, or it names nodes of another cluster.',
    fix: [
      '`csync members list` prints the members that are set up; `cmviewcl` those of the cluster.',
      'Correct `members:` in csync.yaml, then run the command again.',
      'If the member shall really leave: `csync member remove HOST`.',
    ],
    example: 'csync.yaml lists m1 and m2, but m3 was added last week.',
    page: 'members',
  }),
  'settings-maintenance': code('badInput', 'The settings do not allow this kind of maintenance.', {
    cluster: 'Maintenance did not begin. The monitor still fails the package over.',
    why: 'With `maintenance_flag: false` the monitor does not pause. A legacy package has no maintenance mode of Serviceguard.',
    fix: [
      'For this time, in a modular package: `csync maintenance on --serviceguard`.',
      'For good: set `maintenance_flag: true` in csync.yaml, then `csync apply`.',
    ],
    example: '`csync maintenance on`, where csync.yaml has `maintenance_flag: false`.',
    page: 'maintenance',
  }),
  'settings-legacy-path': code(
    'badInput',
    'A path of a legacy package contains a variable, which Serviceguard does not replace there.',
    {
      cluster: untouched,
      why: 'A legacy package file must contain whole paths: Serviceguard replaces $SGCONF only in modular ones.',
      fix: ['Write the path out in csync.yaml, for example /usr/local/cmcluster/conf/csync.', 'Or set `package_style: modular`.'],
      example: '`package_directory: $SGCONF/csync` with `package_style: legacy`.',
      page: 'package directory',
    },
  ),
  'settings-address-taken': code('badInput', 'Another package or host has the package address.', {
    cluster: 'Nothing was written. Two hosts with one address would break both.',
    why: 'The package address is a fixed address of a host, or of another package.',
    fix: [
      'Choose an address that no host has; the cluster adds it where the package runs.',
      'Test it from a member: `arping -D -c 3 -I DEVICE ADDRESS` prints no reply if it is free.',
    ],
    example: '`package_address: 10.9.0.11`, which is the address of m1.',
    page: 'settings',
  }),
  'settings-subnet-not-everywhere': code('badInput', 'A member has no interface in the subnet of the package address.', {
    cluster: 'Nothing was written. On that member the package could not start.',
    why: 'The member has no interface in package_subnet, so Serviceguard could not add the address there.',
    fix: [
      '`ip -4 addr` on the member prints its subnets.',
      'Choose an address in a subnet that all members share, or leave the member out of `members:`.',
    ],
    example: 'm3 is in 10.9.1.0 only, the package address in 10.9.0.0.',
    page: 'settings',
  }),
  'settings-name-forward': code('badInput', 'The DNS name of the package does not resolve to the package address.', {
    cluster: 'Clients that find the master by its name would not reach it, although the package runs.',
    why: 'DNS and /etc/hosts have no address for package_dns_name, or another one.',
    fix: [
      'Register the name with the package address in DNS, or in /etc/hosts of every member and client.',
      'Check: `getent ahostsv4 NAME`.',
    ],
    example: 'policy.example.com resolves to the old master.',
    page: 'settings',
  }),
  'settings-name-reverse': code('badInput', 'The package address does not resolve to the DNS name of the package.', {
    cluster: 'Old clients that check the name of the master refuse it.',
    why: 'The reverse record (PTR) of the package address is missing, or names another host.',
    fix: ['Register the PTR record of the package address.', 'Check: `getent hosts ADDRESS`.'],
    example: '10.9.0.50 resolves to m1.example.com and not to policy.example.com.',
    page: 'settings',
  }),
  'settings-shared-address': code('badInput', 'Two hosts connect to the master from one address.', {
    cluster: 'csync skipped this host only. The others were set up.',
    why: 'The master recognizes a host by its address. Two hosts with one address would share their keys and rights.',
    fix: [
      'Print the addresses: `ssh HOST ip addr`.',
      'Remove the wrong one there, or remove the alias: `csync client remove HOST`.',
      'Run the command again.',
    ],
    example: 'c1 and c1-backup are two names of one machine.',
    page: 'clients',
  }),
};
