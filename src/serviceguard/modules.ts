/** Documented modules and attributes, for cmmakepkg and cmcheckconf [serviceguard.md 2.4-2.6, 3.2]. Descriptions are ours. Pure. */

import { fileSystemTypeNames } from '../settings/file-systems.ts';
import * as legal from './legal-values.ts';

export interface Attribute {
  readonly keyword: string;
  readonly legal: legal.Legal;
  /** null: none. */
  readonly fallback: string | null;
  readonly repeatable: boolean;
  readonly mandatory: boolean;
  /** The keyword that opens it; null: none. */
  readonly group: string | null;
  readonly comment: string;
}

export interface Module {
  readonly name: string;
  readonly kind: 'base' | 'optional';
  readonly comment: string;
  readonly attributes: readonly Attribute[];
  /** `because`: why the lab refuses it or warns. */
  readonly lab: { readonly does: 'imitate' } | { readonly does: 'warn' | 'refuse'; readonly because: string };
}

type Extra = Partial<Omit<Attribute, 'keyword' | 'legal' | 'comment'>>;

/** `extra`: a text is the fallback. */
export function attribute(keyword: string, check: legal.Legal, comment: string, extra: string | Extra = {}): Attribute {
  const more = typeof extra === 'string' ? { fallback: extra } : extra;
  return { keyword, legal: check, comment, fallback: null, repeatable: false, mandatory: false, group: null, ...more };
}

/** `first` opens an instance, so all may repeat. */
export function group(first: Attribute, ...rest: readonly Attribute[]): Attribute[] {
  return [first, ...rest].map((one) => ({ ...one, repeatable: true, group: first.keyword }));
}

const imitated = { does: 'imitate' } as const;
const timeout = legal.seconds(0, 'no_timeout');

const base: readonly Attribute[] = [
  attribute('package_name', legal.name, 'Name of the package, unique in the cluster.', { mandatory: true }),
  attribute('package_description', legal.text(80), 'A text for people.', 'Serviceguard Package'),
  attribute('module_name', legal.anyString, 'Written by cmmakepkg, one for each module in this file. Do not edit.', {
    repeatable: true,
  }),
  attribute('module_version', legal.number(1, Number.POSITIVE_INFINITY), 'Version of the module above. Do not edit.', {
    repeatable: true,
  }),
  attribute(
    'package_type',
    legal.oneOf('failover', 'multi_node', 'system_multi_node'),
    'Follows from the base module.',
    'failover',
  ),
  attribute(
    'node_name',
    legal.memberName,
    'One line for each node that may run the package, the preferred one first; * for all.',
    {
      fallback: '*',
      repeatable: true,
    },
  ),
  attribute(
    'auto_run',
    legal.yesNo,
    'yes: starts with the cluster and fails over. The initial value of package switching.',
    'yes',
  ),
  attribute('node_fail_fast_enabled', legal.yesNo, 'yes: a lost subnet or a script that times out reboots the node.', 'no'),
  attribute('run_script_timeout', timeout, 'Seconds until a start is killed.', 'no_timeout'),
  attribute(
    'halt_script_timeout',
    timeout,
    'Seconds until a halt is killed; more than all service_halt_timeout together.',
    'no_timeout',
  ),
  attribute('successor_halt_timeout', timeout, 'Seconds to wait for the packages that depend on this one to halt.', 'no_timeout'),
  attribute(
    'script_log_file',
    legal.path,
    'Log of the package. Cannot be changed while the package runs.',
    '$SGRUN/log/$SG_PACKAGE.log',
  ),
  attribute('operation_sequence', legal.path, 'Order of the module scripts. Do not edit.', { repeatable: true }),
  attribute('log_level', legal.number(0, 5), '0 logs least, 5 most.', '0'),
  attribute(
    'failover_policy',
    legal.oneOf('configured_node', 'min_package_node', 'site_preferred', 'site_preferred_manual'),
    'How the node to start on is chosen: the order above, or the node with the fewest packages.',
    'configured_node',
  ),
  attribute(
    'failback_policy',
    legal.oneOf('manual', 'automatic'),
    'automatic: moves back to the first node as soon as it can.',
    'manual',
  ),
  attribute(
    'priority',
    legal.number(1, 3000, 'no_priority'),
    'Among packages that depend on each other; lower is stronger.',
    'no_priority',
  ),
];

const notForFailover = new Set(['failover_policy', 'failback_policy']);
const multiNode = base.filter((one) => !notForFailover.has(one.keyword));
const oneMember = 'the lab runs failover packages only, on one member at a time';

/** Default: imitated. */
type Row = Pick<Module, 'name' | 'comment' | 'attributes'> & Partial<Pick<Module, 'lab'>>;

const baseModules: readonly Row[] = [
  {
    name: 'sg/failover',
    comment: 'Runs on one node at a time and moves when it fails.',
    attributes: base,
  },
  {
    name: 'sg/multi_node',
    comment: 'Runs on several nodes at the same time.',
    attributes: multiNode,
    lab: { does: 'refuse', because: oneMember },
  },
  {
    name: 'sg/system_multi_node',
    comment: 'Runs on all nodes; for what comes with Serviceguard.',
    attributes: multiNode,
    lab: { does: 'refuse', because: oneMember },
  },
];

const optionalModules: readonly Row[] = [
  {
    name: 'sg/dependency',
    comment: 'Other packages that must be up, or down, for this one to run.',
    attributes: group(
      attribute('dependency_name', legal.name, 'Name of the dependency, unique in this package.'),
      attribute('dependency_condition', legal.anyString, 'A package and its required state, such as "other = UP".'),
      attribute(
        'dependency_location',
        legal.oneOf('same_node', 'any_node', 'different_node', 'all_nodes'),
        'On which node that state is required.',
      ),
    ),
    lab: { does: 'refuse', because: 'the lab does not imitate dependencies between packages' },
  },
  {
    name: 'sg/weight',
    comment: 'What the package uses of a node’s capacity.',
    attributes: group(
      attribute('weight_name', legal.name, 'A CAPACITY_NAME of the cluster.'),
      attribute(
        'weight_value',
        { words: '0 to 1000000', accepts: (value) => /^\d{1,7}(\.\d{1,3})?$/.test(value) && Number(value) <= 1_000_000 },
        'Used amount.',
      ),
    ),
    lab: { does: 'refuse', because: 'the members of the lab have no capacities' },
  },
  {
    name: 'sg/monitor_subnet',
    comment: 'Subnets that the package requires.',
    attributes: group(
      attribute('monitored_subnet', legal.subnet, 'Address of a subnet of the cluster.'),
      attribute('monitored_subnet_access', legal.oneOf('full', 'partial'), 'PARTIAL: not every node is on it.', 'FULL'),
    ),
  },
  {
    name: 'sg/package_ip',
    comment: 'Addresses that move with the package.',
    attributes: group(
      attribute('ip_subnet', legal.subnet, 'Subnet of the addresses that follow.'),
      attribute('ip_subnet_node', legal.memberName, 'Only where nodes are on different subnets.'),
      attribute('ip_address', legal.address, 'An address; one a line.'),
    ),
  },
  {
    name: 'sg/service',
    comment: 'Programs that run as long as the package is healthy.',
    attributes: group(
      attribute('service_name', legal.name, 'Name of the service, unique in the cluster.'),
      attribute('service_cmd', legal.commandLine, 'The command. When it exits, for any reason, the service has failed.'),
      attribute(
        'service_restart',
        legal.number(1, Number.POSITIVE_INFINITY, 'none', 'unlimited'),
        'Restarts in place before the package fails.',
        'none',
      ),
      attribute('service_fail_fast_enabled', legal.yesNo, 'yes: the node reboots when the service fails.', 'no'),
      attribute('service_halt_timeout', legal.seconds(0), 'Seconds between SIGTERM and SIGKILL at a halt.', '0'),
    ),
  },
  {
    name: 'sg/generic_resource',
    comment: 'Resources that other programs monitor and report with cmsetresource.',
    attributes: group(
      attribute('generic_resource_name', legal.name, 'Name of the resource.'),
      attribute(
        'generic_resource_evaluation_type',
        legal.oneOf('during_package_start', 'before_package_start'),
        'When it must be up.',
        'during_package_start',
      ),
      attribute(
        'generic_resource_up_criteria',
        legal.anyString,
        'An operator and a number; without it the resource is up or down.',
      ),
    ),
    lab: { does: 'refuse', because: 'the lab has no generic resources (cmsetresource)' },
  },
  {
    name: 'sg/volume_group',
    comment: 'Volume groups that are active only where the package runs.',
    attributes: [
      attribute('vgchange_cmd', legal.anyString, 'Activates a volume group.', 'vgchange -a y'),
      attribute('vg', legal.volumeGroup, 'A volume group; one a line.', { repeatable: true }),
      attribute(
        'concurrent_vgchange_operations',
        legal.number(1, Number.POSITIVE_INFINITY),
        'Number of parallel activations.',
        '1',
      ),
      attribute('deactivation_retry_count', legal.number(0, Number.POSITIVE_INFINITY), 'Further attempts to deactivate.', '2'),
      attribute('kill_processes_accessing_raw_devices', legal.yesNo, 'Kills processes that use raw volumes first.', 'no'),
    ],
  },
  {
    name: 'sg/filesystem',
    comment: 'File systems that are mounted only where the package runs.',
    attributes: [
      attribute('concurrent_fsck_operations', legal.number(1, Number.POSITIVE_INFINITY), 'Number of parallel mounts.', '1'),
      attribute(
        'concurrent_mount_and_umount_operations',
        legal.number(1, Number.POSITIVE_INFINITY),
        'Number of parallel unmounts.',
        '1',
      ),
      attribute('fs_mount_retry_count', legal.number(0, Number.POSITIVE_INFINITY), '0: a busy mount point fails the start.', '0'),
      attribute(
        'fs_umount_retry_count',
        legal.number(1, Number.POSITIVE_INFINITY),
        'Further attempts, each after killing the users.',
        '1',
      ),
      ...group(
        attribute('fs_name', legal.anyString, 'The block device.'),
        attribute('fs_server', legal.anyString, 'For fs_type nfs: the host.'),
        attribute('fs_directory', legal.path, 'The mount point.'),
        attribute('fs_type', legal.oneOf(...fileSystemTypeNames, 'nfs', 'reiserfs', 'gfs', 'vxfs'), 'Its type.'),
        attribute('fs_mount_opt', legal.anyString, 'Options of mount.', ''),
        attribute('fs_umount_opt', legal.anyString, 'Options of umount.', ''),
        attribute('fs_fsck_opt', legal.anyString, 'Options of fsck.', ''),
      ),
    ],
  },
  {
    name: 'sg/pr_cntl',
    comment: 'Persistent reservations on the disks of the package.',
    attributes: [],
    lab: { does: 'warn', because: 'the disk of the lab has no persistent reservations; nothing is reserved here' },
  },
  {
    name: 'sg/pev',
    comment: 'Values for the scripts of the package; they see PEV_<NAME>.',
    attributes: [attribute('pev_', legal.text(4096), 'pev_<name> and a value; any number.', { repeatable: true })],
  },
  {
    name: 'sg/external_pre',
    comment: 'Scripts before all others at a start, after all others at a halt.',
    attributes: [
      attribute('external_pre_script', legal.path, 'A script that accepts start, stop and validate.', { repeatable: true }),
    ],
  },
  {
    name: 'sg/external',
    comment: 'Scripts between addresses and services.',
    attributes: [
      attribute('external_script', legal.path, 'A script that accepts start, stop and validate.', { repeatable: true }),
    ],
  },
  {
    name: 'sg/acp',
    comment: 'Users who may administer the package.',
    attributes: group(
      attribute('user_name', legal.anyString, 'A user, or any_user.'),
      attribute('user_host', legal.anyString, 'any_serviceguard_node, cluster_member_node, or a node.'),
      attribute('user_role', legal.oneOf('package_admin'), 'package_admin.'),
    ),
    lab: { does: 'warn', because: 'in the lab any user who can reach a member may run every command' },
  },
];

/** In our order of sections (serviceguard.md 2.6). */
export const modules: readonly Module[] = [
  ...baseModules.map((row) => ({ kind: 'base', lab: imitated, ...row }) as const),
  ...optionalModules.map((row) => ({ kind: 'optional', lab: imitated, ...row }) as const),
];

/** A halt is in reverse [A12 p.55] (pr_cntl INFERRED). */
export const startOrder = [
  'sg/external_pre',
  'sg/pr_cntl',
  'sg/volume_group',
  'sg/filesystem',
  'sg/package_ip',
  'sg/external',
  'sg/service',
] as const;

const everything = modules
  .filter((module) => module.kind === 'optional' || module.name === 'sg/failover')
  .map((module) => module.name);

/** Default: all [U20 p.233]. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  'sg/all': everything,
  'sg/default': everything,
  default: everything,
  all: everything,
  'sg/priority': ['sg/failover'],
};

export function findModule(name: string): Module | undefined {
  return modules.find((module) => module.name === name);
}

export function expandModule(name: string): readonly string[] {
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? []) : findModule(name) === undefined ? [] : [name];
}

/** undefined: undocumented. */
export function findAttribute(
  keyword: string,
): { readonly attribute: Attribute; readonly modules: readonly string[] } | undefined {
  const wanted = keyword.startsWith('pev_') ? 'pev_' : keyword;
  const bringing = modules.filter((module) => module.attributes.some((one) => one.keyword === wanted));
  const found = bringing[0]?.attributes.find((one) => one.keyword === wanted);
  return found === undefined ? undefined : { attribute: found, modules: bringing.map((module) => module.name) };
}
