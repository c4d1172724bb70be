/** The settings: key, rule, default, comment of the example. Times are in the unit of their name. */
import * as v from 'valibot';
import { alertRows } from './alert-rows.ts';
import { fileSystemTypeNames, oneOfWords } from './file-systems.ts';
import { monitorRows } from './monitor-rows.ts';
import type { Above, SettingsRow } from './row.ts';
import {
  address,
  dnsName,
  mostSeconds,
  mountOptions,
  nameRule,
  network,
  oneOf,
  packageNameRule,
  path,
  plainText,
  sgPath,
  subnet,
  userName,
  whole,
  yesNo,
} from './rules.ts';

const isPacemaker = ({ engine }: Above): boolean => engine === 'pacemaker';
const byGeneration = (two: string, three: string) => (above: Above) => (above.cfengineGeneration === 2 ? two : three);

/** In the order of the file. */
export const settingsTable = {
  engine: {
    key: 'engine',
    since: '0.2.0',
    question: 'Cluster software, serviceguard or pacemaker?',
    fallback: 'serviceguard',
    check: oneOf(['serviceguard', 'pacemaker']),
    comment: 'Cluster software that runs the package: serviceguard or pacemaker.',
  },
  testCluster: {
    key: 'test_cluster',
    since: '0.2.0',
    question: 'Is this a cluster for tests, which may lose its data?',
    fallback: false,
    check: yesNo,
    comment: 'true: csync apply does not require that the cluster fences its members. For tests only.',
  },
  packageName: {
    key: 'package_name',
    question: 'Name of the package?',
    fallback: 'csync',
    check: packageNameRule,
    comment: 'Name of the Serviceguard package. Names the package directory and the service too.',
    pacemaker: { comment: 'Name of the resource group. Names the package directory and the resources too.' },
  },
  packageDescription: {
    key: 'package_description',
    question: 'Description of the package?',
    fallback: 'cfengine master',
    check: plainText,
    comment: 'Shown by cmviewcl.',
    pacemaker: { why: 'A resource group has no description.' },
  },
  packageStyle: {
    key: 'package_style',
    question: 'Style of the package, modular or legacy?',
    fallback: 'modular',
    check: oneOf(['modular', 'legacy']),
    comment: 'modular: Serviceguard mounts and adds the address. legacy (A.11.20 and older): the csync control script does.',
    pacemaker: { refuses: /^legacy$/, why: 'Legacy packages exist in Serviceguard only.' },
  },
  members: {
    key: 'members',
    question: 'Members that may run the package, the preferred one first?',
    check: v.pipe(
      v.array(nameRule, 'expected a list of member names'),
      v.minLength(1, 'expected at least one member'),
      v.check((names) => new Set(names).size === names.length, 'the list has a member twice'),
    ),
    comment: 'Members that may run the package, in order of preference. Short host names, as in Serviceguard.',
    pacemaker: {
      comment: 'Members that may run the group, in order of preference. Names of the nodes, as crm_node -l prints them.',
    },
  },
  packageAddress: {
    key: 'package_address',
    question: 'Relocatable address of the package?',
    check: address,
    comment: 'The relocatable address, of IPv4 or IPv6. It moves with the package; clients use it to reach the master.',
  },
  packageDnsName: {
    key: 'package_dns_name',
    question: 'Registered DNS name of that address?',
    check: dnsName,
    comment: "The DNS name registered for that address: the policy host in every client's policy.",
  },
  packageSubnet: {
    key: 'package_subnet',
    question: 'Subnet of the address?',
    check: subnet,
    comment:
      'Network address of the subnet of that address, as in the cluster configuration; of IPv6 with its length (2001:db8::/64). Serviceguard monitors it.',
    pacemaker: { comment: 'Network address of the subnet of that address; of IPv6 with its length (2001:db8::/64).' },
  },
  volumeGroup: {
    key: 'volume_group',
    question: 'Volume group of the policy file system?',
    check: nameRule,
    comment: 'Shared volume group, cluster-aware, not activated at boot.',
    pacemaker: { comment: 'Shared volume group, activated by LVM-activate with system_id, not at boot.' },
  },
  logicalVolume: {
    key: 'logical_volume',
    question: 'Logical volume on it?',
    check: nameRule,
    comment: 'Logical volume with the policy file system. The device is /dev/<volume_group>/<logical_volume>.',
  },
  fileSystemType: {
    key: 'file_system_type',
    question: 'Type of the file system?',
    fallback: 'ext4',
    check: oneOf(fileSystemTypeNames),
    comment: `${oneOfWords(fileSystemTypeNames)}.`,
  },
  mountPoint: {
    key: 'mount_point',
    question: 'Mount point?',
    fallback: '/csync',
    check: v.pipe(
      path,
      v.check((text) => text.length > 1 && !text.endsWith('/'), 'expected a directory below /, without a slash at its end'),
      v.check(
        (text) => !/^\/(bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|tmp|usr|var)$/.test(text),
        'that is a system directory',
      ),
    ),
    comment: 'Mount point of the policy file system: an empty directory on every member, not in /etc/fstab.',
  },
  mountOptions: {
    key: 'mount_options',
    question: 'Mount options?',
    fallback: '-o rw',
    check: mountOptions,
    comment: 'Options for mount, as on its command line (`-o rw,noatime`) or as in /etc/fstab (`rw,noatime`).',
  },
  cfengineGeneration: {
    key: 'cfengine_generation',
    question: 'Which generation of cfengine, 2 or 3?',
    fallback: 3,
    check: oneOf([2, 3]),
    comment: '2 (cfservd, cfagent) or 3 (cf-serverd, cf-agent).',
  },
  cfengineWorkDirectory: {
    key: 'cfengine_work_directory',
    question: "cfengine's work directory?",
    fallback: byGeneration('/var/cfengine', '/var/lib/cfengine3'),
    check: path,
    comment: "cfengine's WORKDIR: the parent of inputs and ppkeys. It is compiled into cfengine, so set the directory of yours.",
  },
  cfengineBinDirectory: {
    key: 'cfengine_bin_directory',
    question: "Directory of cfengine's programs?",
    fallback: byGeneration('/var/cfengine/bin', '/usr/bin'),
    check: path,
    comment: 'Directory of the daemon, the agent and the key program.',
  },
  cfenginePort: {
    key: 'cfengine_port',
    question: 'Port of the daemon?',
    fallback: 5308,
    check: whole(1, 65535),
    comment: 'TCP port of the daemon.',
  },
  policyDirectory: {
    key: 'policy_directory',
    question: 'Directory on the policy file system that the daemon serves?',
    fallback: (above: Above) => above.mountPoint && `${String(above.mountPoint)}/dsau`,
    check: path,
    comment: 'Directory on the policy file system that the daemon serves. Without symbolic links: cfengine compares real paths.',
  },
  clientNetworks: {
    key: 'client_networks',
    question: 'Networks whose hosts may connect besides members and registered clients?',
    fallback: [],
    check: v.pipe(
      v.array(network, 'expected a list of networks such as 10.9.0.0/24'),
      v.check((networks) => new Set(networks).size === networks.length, 'the list has a network twice'),
    ),
    comment:
      'Networks (10.9.0.0/24, 2001:db8::/32) or addresses whose hosts may connect besides the members and the registered clients. Keys are still required.',
  },
  ...monitorRows,
  ...alertRows,
  haltGraceSeconds: {
    key: 'halt_grace_seconds',
    question: 'How long may running transfers continue at a halt, in seconds?',
    fallback: 5,
    check: whole(0, 600),
    comment:
      'At a halt, seconds for running transfers to finish. Then the daemon is stopped to free the file system, and started again.',
  },
  runScriptTimeoutSeconds: {
    key: 'run_script_timeout_seconds',
    question: 'Time limit of a package start, in seconds?',
    fallback: 120,
    check: whole(10, mostSeconds),
    comment: 'Time limit of a package start. Without one a script that hangs blocks the cluster.',
    pacemaker: { comment: 'Time limit of the start of csync:master. Then the group starts on the next member.' },
  },
  haltScriptTimeoutSeconds: {
    key: 'halt_script_timeout_seconds',
    question: 'Time limit of a package halt, in seconds?',
    fallback: 120,
    check: whole(10, mostSeconds),
    comment: 'Time limit of a package halt. Must be longer than halt_grace_seconds and service_halt_timeout_seconds together.',
    pacemaker: {
      comment: 'Time limit of the stop of csync:master. Must be longer than halt_grace_seconds and 10 s together.',
    },
  },
  serviceHaltTimeoutSeconds: {
    key: 'service_halt_timeout_seconds',
    question: 'Seconds for the monitor to exit at a halt?',
    fallback: 10,
    check: whole(1, mostSeconds),
    comment: 'Seconds until the monitor is killed at a halt. It normally exits at once.',
    pacemaker: { why: 'The agent kills the monitor 2 s after a stop begins.' },
  },
  serviceRestart: {
    key: 'service_restart',
    question: 'How often is the monitor restarted in place before the package fails over?',
    fallback: 'none',
    check: v.union(
      [v.literal('none'), v.literal('unlimited'), whole(1, 1000)],
      'expected none, unlimited or a whole number from 1 to 1000',
    ),
    comment: 'Restarts of the monitor in place before the package fails over. none: fail over at once, as DSAU did.',
    pacemaker: {
      comment: 'Failures of csync:master that are repaired in place before the group moves. none: it moves at once.',
    },
  },
  serviceFailFast: {
    key: 'service_fail_fast',
    question: 'Reboot the member when the service fails?',
    fallback: false,
    check: yesNo,
    comment: 'true reboots the member when the monitor reports a failure.',
    pacemaker: {
      refuses: /^true$/,
      why: 'A failed monitor moves the group; Pacemaker fences a member only if a stop fails.',
    },
  },
  nodeFailFast: {
    key: 'node_fail_fast',
    question: 'Reboot the member when a script fails or times out?',
    fallback: false,
    check: yesNo,
    comment: 'true reboots the member on a script time-out or a lost subnet, so that the package moves without an administrator.',
    pacemaker: {
      refuses: /^true$/,
      why: 'Pacemaker fences a member by itself if a stop fails or times out.',
    },
  },
  failoverPolicy: {
    key: 'failover_policy',
    question: 'Failover policy?',
    fallback: 'configured_node',
    check: oneOf(['configured_node', 'min_package_node', 'site_preferred', 'site_preferred_manual']),
    comment: 'configured_node: the first eligible member of the list. min_package_node: the one with the fewest packages.',
    pacemaker: {
      comment: 'configured_node: the first eligible member of the list. min_package_node: the one with the fewest resources.',
      refuses: /^site_/,
      why: 'A group of csync has no sites.',
    },
  },
  failbackPolicy: {
    key: 'failback_policy',
    question: 'Failback policy?',
    fallback: 'manual',
    check: oneOf(['manual', 'automatic']),
    comment: 'automatic moves the package back to the first member as soon as it can.',
    pacemaker: { comment: 'automatic moves the group back to the first member as soon as it can (resource-stickiness 0).' },
  },
  autoRun: {
    key: 'auto_run',
    question: 'Start and fail over automatically?',
    fallback: true,
    check: yesNo,
    comment: 'true: the package starts with the cluster and fails over. After a cmhaltpkg, run cmmodpkg -e.',
    pacemaker: {
      comment: 'true: the group starts with the cluster and fails over. false: apply defines it halted (target-role Stopped).',
    },
  },
  packagePriority: {
    key: 'package_priority',
    question: 'Priority among packages?',
    fallback: 'no_priority',
    check: v.union([v.literal('no_priority'), whole(1, 3000)], 'expected no_priority or a whole number from 1 to 3000'),
    comment: 'no_priority, or 1 (highest) to 3000; must be unique in the cluster.',
    pacemaker: { refuses: /^\d+$/, why: 'Pacemaker has priorities of resources, which csync does not set.' },
  },
  scriptLogFile: {
    key: 'script_log_file',
    question: 'Package log?',
    fallback: (above: Above) =>
      above.packageName && `${isPacemaker(above) ? '/var' : '$SGRUN'}/log/${String(above.packageName)}.log`,
    check: sgPath,
    comment: 'Package log. Cannot be changed while the package runs.',
    pacemaker: {
      comment: 'Log of starts, halts and the monitor.',
      refuses: /^\$/,
      why: 'Only Serviceguard defines $SGCONF and $SGRUN.',
    },
  },
  logLevel: {
    key: 'log_level',
    question: 'Log level, 0 to 5?',
    fallback: 0,
    check: whole(0, 5),
    comment: "Serviceguard's log level, 0 (least) to 5 (most).",
    pacemaker: { why: "Pacemaker's log level is PCMK_debug in /etc/default/pacemaker or /etc/sysconfig/pacemaker." },
  },
  packageDirectory: {
    key: 'package_directory',
    question: 'Package directory?',
    fallback: (above: Above) => above.packageName && `${isPacemaker(above) ? '/etc' : '$SGCONF'}/${String(above.packageName)}`,
    check: sgPath,
    comment: 'Directory of the package files, the same on every member.',
    pacemaker: {
      comment: 'Directory of the package files, the same on every member.',
      refuses: /^\$/,
      why: 'Only Serviceguard defines $SGCONF and $SGRUN.',
    },
  },
  nodePath: {
    key: 'node_path',
    question: 'Path of the Node.js binary on the members?',
    fallback: '/usr/bin/node',
    check: path,
    comment: 'Absolute path of the Node.js binary on every member, 20.19 or newer. Serviceguard passes no PATH to services.',
    pacemaker: { comment: 'Absolute path of the Node.js binary on every member, 20.19 or newer.' },
  },
  toolkitProgram: {
    key: 'toolkit_program',
    question: 'Path of the csync program on the members?',
    fallback: '/usr/local/bin/csync',
    check: path,
    comment:
      'The csync program on the members. The package start runs it when set-ups of members, clients or keys are pending. Where it is not installed, run csync members sync by hand.',
  },
  sshUser: {
    key: 'ssh_user',
    since: '0.2.0',
    question: 'User of the ssh logins, or none?',
    fallback: 'none',
    check: userName,
    comment: 'User that logs in on members and clients. none: the one of ~/.ssh/config, else the user who runs csync.',
  },
  become: {
    key: 'become',
    since: '0.2.0',
    question: 'How does the login become root, none or sudo?',
    fallback: 'none',
    check: oneOf(['none', 'sudo']),
    comment: 'none: the login is root. sudo: the login runs /usr/local/sbin/csync-root by sudo.',
  },
} as const satisfies Record<string, SettingsRow>;
