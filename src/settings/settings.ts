/**
 * What the administrator decided: one table, a row a setting. The table draws the reader of csync.yaml with its checks
 * (settings-yaml.ts), the commented example, and the JSON file that rules on the members. Times are in the unit their
 * name says. The member scripts carry this file, so it needs nothing but the schema library.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';

/** Serviceguard's rule for package and service names: letters, digits, and . - _ ; at most 39 characters. */
const nameRule = v.pipe(
  v.string('a name is wanted'),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,38}$/,
    'at most 39 letters, digits, dots, hyphens or underscores, beginning with a letter or digit',
  ),
);
/** Of a package the last sign, too, is a letter or digit [serviceguard.md 2.5]. */
const packageNameRule = v.pipe(nameRule, v.regex(/[A-Za-z0-9]$/, 'a name that ends with a letter or digit is wanted'));
const address = v.pipe(v.string('an IPv4 address is wanted'), v.ipv4('an IPv4 address such as 10.9.0.100 is wanted'));
const networkText = 'an IPv4 network such as 10.9.0.0/24, or an address, is wanted';
const network = v.pipe(
  v.string(networkText),
  v.check((text) => {
    const [base, prefix, ...more] = text.split('/');
    if (!isAddress(base ?? '') || more.length > 0) return false;
    if (prefix === undefined) return true;
    if (!/^[1-9]\d?$/.test(prefix) || Number(prefix) > 32) return false;
    return addressNumber(base ?? '') % 2 ** (32 - Number(prefix)) === 0;
  }, networkText),
);
const dnsName = v.pipe(
  v.string('a DNS name is wanted'),
  v.regex(
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
    'a DNS name such as csync.example.com is wanted',
  ),
);
const path = v.pipe(
  v.string('an absolute path is wanted'),
  v.regex(/^\/[A-Za-z0-9._+@/-]*$/, 'an absolute path of letters, digits and . _ + @ - is wanted'),
  v.check((text) => !text.split('/').includes('..'), 'the path must not contain ".."'),
);
const sgPath = v.pipe(
  v.string('a path is wanted'),
  v.regex(
    /^(\/|\$SGCONF\/|\$SGRUN\/)[A-Za-z0-9._+@/-]+$/,
    'an absolute path, or one that begins with $SGCONF/ or $SGRUN/, is wanted',
  ),
  v.check((text) => !text.split('/').includes('..'), 'the path must not contain ".."'),
);
/** What may stand inside double quotes in a package file; there is no escaping in it (serviceguard.md gap 14). */
const plainText = v.pipe(
  v.string('text is wanted'),
  v.regex(
    /^[^"\p{Cc}\p{Zl}\p{Zp}{}]*$/u,
    'double quotes, braces, ends of lines and control characters cannot stand in a package file',
  ),
);
/** Serviceguard's own files say yes and no, YAML 1.2 says true and false; both are taken. */
const yesNo = v.pipe(
  v.union([v.boolean(), v.picklist(['yes', 'no'])], 'yes or no is wanted'),
  v.transform((value) => value === true || value === 'yes'),
);
/** -0 is a number of its own in YAML and JSON; it is printed as 0, which would be another value than was read. */
export const plainZero = v.transform((value: number) => value + 0);
const whole = (least: number, most: number) => {
  const text = `a whole number from ${least} to ${most} is wanted`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text), plainZero);
};
/** How the monitor looks at one of its layers. */
export interface LayerPlan {
  readonly everyMs: number;
  readonly limitMs: number;
  /** Bad looks in a row before it counts. */
  readonly failures: number;
  /** What it counts for: a failover, or a line in the log and in csync status. */
  readonly weight: 'fail' | 'warn';
}

/** `every 5 s, limit 3 s, 2 in a row, fail`, or `off`, which is null. undefined: it says nothing like that. */
export function parseLayerPlan(text: string): LayerPlan | null | undefined {
  if (text === 'off') return null;
  const [, every, limit, failures, weight] =
    /^every ([1-9]\d{0,4}) ?s, limit ([1-9]\d{0,3}) ?s, ([1-9]\d?) in a row, (fail|warn)$/.exec(text) ?? [];
  if (weight !== 'fail' && weight !== 'warn') return undefined;
  return { everyMs: Number(every) * 1000, limitMs: Number(limit) * 1000, failures: Number(failures), weight };
}

const layerPlan = (() => {
  const text = 'such as "every 5 s, limit 3 s, 2 in a row, fail" is wanted (or warn in place of fail), or off';
  return v.pipe(
    v.string(text),
    v.check((said) => parseLayerPlan(said) !== undefined, text),
  );
})();
/** `once in 60 min`: its window in seconds; `none`: null. undefined: it says nothing like that. */
export function parseLocalRestart(text: string): number | null | undefined {
  if (text === 'none') return null;
  const minutes = /^once in ([1-9]\d{0,4}) ?min$/.exec(text)?.[1];
  return minutes === undefined ? undefined : Number(minutes) * 60;
}

const localRestart = (() => {
  const text = 'none, or such as "once in 60 min" is wanted';
  return v.pipe(
    v.string(text),
    v.check((said) => parseLocalRestart(said) !== undefined, text),
  );
})();
const off = 'off';
const offOrPath = v.union([v.literal(off), path], 'an absolute path, or off, is wanted');

/** `127.0.0.1:9308` or `[::1]:9308`; `off`: null. undefined: it says nothing like that. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } | null | undefined {
  if (text === off) return null;
  const [, four, six, port] = /^(?:([\d.]+)|\[([\da-f:]+)\]):([1-9]\d{0,4})$/.exec(text) ?? [];
  const isHost = four === undefined ? v.is(v.pipe(v.string(), v.ipv6()), six) : isAddress(four);
  return isHost && Number(port) <= 65_535 ? { host: four ?? six ?? '', port: Number(port) } : undefined;
}

const listenAddress = (() => {
  const text = 'an address with a port such as "127.0.0.1:9308", or off, is wanted';
  return v.pipe(
    v.string(text),
    v.check((said) => parseListenAddress(said) !== undefined, text),
  );
})();
const oneOf = <const T extends readonly (string | number)[]>(values: T) =>
  v.picklist(values, `one of ${values.join(', ')} is wanted`);
/** Script and service time-outs must stay below this [serviceguard.md 2.5]. */
const mostSeconds = 4294;

/** Whether a text is an IPv4 address and nothing else: what is rendered into policy is checked again where it is rendered. */
export function isAddress(text: string): boolean {
  return v.is(address, text);
}

/** An IPv4 address as a number. */
function addressNumber(text: string): number {
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** Whether an address with this prefix length is one of the subnet whose network address that is. */
export function liesIn(address: string, prefixLength: number, subnet: string): boolean {
  const size = 2 ** (32 - prefixLength);
  return addressNumber(address) - (addressNumber(address) % size) === addressNumber(subnet);
}

export interface SettingsRow {
  readonly key: string;
  /** How the wizard asks for it. */
  readonly question: string;
  /** undefined: the administrator has to say. A function sees the values above it in the table. */
  readonly fallback?: unknown;
  readonly check: v.GenericSchema;
  /** Written above the key in the example; says what it means for the cluster. */
  readonly comment: string;
}

export type Above = Readonly<Record<string, unknown>>;
const byGeneration = (two: string, three: string) => (above: Above) => (above.cfengineGeneration === 2 ? two : three);

/** Field -> row, in the order of the file. */
export const settingsTable = {
  packageName: {
    key: 'package_name',
    question: 'Name of the package?',
    fallback: 'csync',
    check: packageNameRule,
    comment: 'Name of the Serviceguard package. Names the package directory and the service too.',
  },
  packageDescription: {
    key: 'package_description',
    question: 'Description of the package?',
    fallback: 'cfengine master',
    check: plainText,
    comment: 'Shown by cmviewcl.',
  },
  packageStyle: {
    key: 'package_style',
    question: 'Style of the package, modular or legacy?',
    fallback: 'modular',
    check: oneOf(['modular', 'legacy']),
    comment:
      'modular: Serviceguard mounts and adds the address. legacy (A.11.20 and before): our control script does. Same plan either way.',
  },
  members: {
    key: 'members',
    question: 'Members that may run the package, the preferred one first?',
    check: v.pipe(
      v.array(nameRule, 'a list of member names is wanted'),
      v.minLength(1, 'at least one member is wanted'),
      v.check((names) => new Set(names).size === names.length, 'a member stands in the list twice'),
    ),
    comment: 'Members that may run the package, in order of preference. Short host names, as Serviceguard knows them.',
  },
  packageAddress: {
    key: 'package_address',
    question: 'Relocatable address of the package?',
    check: address,
    comment: 'The relocatable address. It moves with the package; clients reach the master under it.',
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
    check: address,
    comment: 'Network address of the subnet the address lies in, as in the cluster configuration. It is monitored too.',
  },
  volumeGroup: {
    key: 'volume_group',
    question: 'Volume group of the policy file system?',
    check: nameRule,
    comment: 'Shared volume group, cluster-aware, not activated at boot.',
  },
  logicalVolume: {
    key: 'logical_volume',
    question: 'Logical volume on it?',
    check: nameRule,
    comment: 'Logical volume on it that holds the policy file system. The device is /dev/<volume_group>/<logical_volume>.',
  },
  fileSystemType: {
    key: 'file_system_type',
    question: 'Type of the file system?',
    fallback: 'ext4',
    check: oneOf(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']),
    comment: 'ext2, ext3, ext4, xfs or btrfs.',
  },
  mountPoint: {
    key: 'mount_point',
    question: 'Mount point?',
    fallback: '/csync',
    check: v.pipe(
      path,
      v.check((text) => text.length > 1 && !text.endsWith('/'), 'a directory below / is wanted, without a slash at its end'),
      v.check(
        (text) => !/^\/(bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|tmp|usr|var)$/.test(text),
        'that is a system directory',
      ),
    ),
    comment: 'Where the policy file system is mounted. An empty directory on every member, not in /etc/fstab.',
  },
  mountOptions: {
    key: 'mount_options',
    question: 'Mount options?',
    fallback: '-o rw',
    check: v.pipe(plainText, v.regex(/^[A-Za-z0-9_=,.:/ -]*$/, 'mount options such as -o rw,noatime are wanted')),
    comment: 'Options for mount, as on its command line.',
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
    comment: "cfengine's WORKDIR: inputs and ppkeys lie below it. Compiled into cfengine, so say what yours has.",
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
    comment: 'Directory on the policy file system that the daemon serves. No symbolic link in it: cfengine compares real paths.',
  },
  clientNetworks: {
    key: 'client_networks',
    question: 'Networks whose hosts may connect besides members and registered clients?',
    fallback: [],
    check: v.pipe(
      v.array(network, 'a list of networks such as 10.9.0.0/24 is wanted'),
      v.check((networks) => new Set(networks).size === networks.length, 'a network stands in the list twice'),
    ),
    comment:
      'Networks (10.9.0.0/24) or addresses whose hosts may connect besides the members and the registered clients. Keys are asked for all the same.',
  },
  monitorProcessIntervalMs: {
    key: 'monitor_process_interval_ms',
    question: "How often does the monitor look at the daemon's process, in milliseconds?",
    fallback: 200,
    check: whole(20, 60_000),
    comment:
      "Milliseconds between looks at the daemon's process where its end is no event (Linux before 5.3, no perl); a dead daemon is noticed within this time. Elsewhere at once.",
  },
  monitorIntervalSeconds: {
    key: 'monitor_interval_seconds',
    question: 'Seconds between probes of the package address?',
    fallback: 30,
    check: whole(1, 3600),
    comment: 'Seconds between protocol probes through the package address.',
  },
  monitorTimeoutSeconds: {
    key: 'monitor_timeout_seconds',
    question: 'Time limit of one probe, in seconds?',
    fallback: 3,
    check: whole(1, 600),
    comment: 'Time limit of one probe; not longer than the time between two.',
  },
  monitorFailures: {
    key: 'monitor_failures',
    question: 'Failed probes in a row before the package fails over?',
    fallback: 2,
    check: whole(1, 100),
    comment: 'Failed probes in a row before the package fails over.',
  },
  monitorUnknownLimitSeconds: {
    key: 'monitor_unknown_limit_seconds',
    question: 'How long may the monitor be unable to tell, in seconds?',
    fallback: 120,
    check: whole(5, 86_400),
    comment: 'How long the monitor may be unable to tell (starved, out of file descriptors) before that is a failure of its own.',
  },
  monitorPort: {
    key: 'monitor_port',
    question: 'How is the port under the package address looked at?',
    fallback: 'every 10 s, limit 3 s, 2 in a row, fail',
    check: layerPlan,
    comment:
      'Whether the port takes connections under the package address: how often, the time limit of one look, bad ones in a row, and what they mean (fail: the package fails over; warn: csync status tells). off: not looked at.',
  },
  monitorStorage: {
    key: 'monitor_storage',
    question: 'How is the policy file system looked at?',
    fallback: 'every 10 s, limit 15 s, 2 in a row, fail',
    check: layerPlan,
    comment: 'Whether the policy file system is mounted, can be written to, and its disk answers. As above.',
  },
  monitorContent: {
    key: 'monitor_content',
    question: 'How is the content of the policy file system looked at?',
    fallback: 'every 30 s, limit 15 s, 2 in a row, warn',
    check: layerPlan,
    comment:
      'Whether the sentinel is the one that the start of the package wrote: no other member has written its own. As above.',
  },
  monitorAddress: {
    key: 'monitor_address',
    question: 'How is the package address looked at?',
    fallback: 'every 10 s, limit 1 s, 2 in a row, fail',
    check: layerPlan,
    comment: 'Whether the package address is on this member. As above.',
  },
  monitorOwner: {
    key: 'monitor_owner',
    question: 'How is it looked at whether another host has the package address, too?',
    fallback: 'every 60 s, limit 1 s, 2 in a row, warn',
    check: layerPlan,
    comment:
      'Whether another host answers for the package address (an ARP probe, by perl). A failover does not cure that, so it warns; off where a router answers for all addresses (proxy ARP). As above.',
  },
  monitorLocalRestart: {
    key: 'monitor_local_restart',
    question: 'Is a failed daemon restarted in place before the package fails over?',
    fallback: 'none',
    check: localRestart,
    comment:
      'none: a daemon that fails moves the package at once, as with DSAU, unless 150 connections and more were on its port: such a load would follow, and the daemon is restarted in place. once in 60 min: the monitor first restarts it in place, and moves the package when that does not help, or when it fails again within that time.',
  },
  monitorMetricsFile: {
    key: 'monitor_metrics_file',
    question: 'Where does the monitor leave its figures for Prometheus?',
    fallback: off,
    check: offOrPath,
    comment:
      "A file that the monitor rewrites when something has changed, and twice a minute, in Prometheus' text format: such as a name that ends with .prom in the textfile directory of node_exporter. off: none.",
  },
  monitorMetricsListen: {
    key: 'monitor_metrics_listen',
    question: 'Under which address and port does the monitor answer for its figures?',
    fallback: off,
    check: listenAddress,
    comment:
      'Address and port of a small HTTP server of the monitor: GET /metrics (Prometheus) and /state (JSON), only where the package runs, without a password. off: nothing listens.',
  },
  maintenanceFlag: {
    key: 'maintenance_flag',
    question: 'May the monitor be paused by csync maintenance?',
    fallback: true,
    check: yesNo,
    comment:
      'true: while csync.debug lies in the package directory the monitor pauses (csync maintenance on). false: it is ignored.',
  },
  haltGraceSeconds: {
    key: 'halt_grace_seconds',
    question: 'How long may running transfers go on at halt, in seconds?',
    fallback: 5,
    check: whole(0, 600),
    comment:
      'At halt, seconds for running transfers to end before the daemon is ended to free the file system (it is started again).',
  },
  runScriptTimeoutSeconds: {
    key: 'run_script_timeout_seconds',
    question: 'Time limit of a package start, in seconds?',
    fallback: 120,
    check: whole(10, mostSeconds),
    comment: 'Time limit of a package start. Without one a script that hangs blocks the cluster.',
  },
  haltScriptTimeoutSeconds: {
    key: 'halt_script_timeout_seconds',
    question: 'Time limit of a package halt, in seconds?',
    fallback: 120,
    check: whole(10, mostSeconds),
    comment: 'Time limit of a package halt. Longer than halt_grace_seconds and service_halt_timeout_seconds together.',
  },
  serviceHaltTimeoutSeconds: {
    key: 'service_halt_timeout_seconds',
    question: 'Seconds for the monitor to end at halt?',
    fallback: 10,
    check: whole(1, mostSeconds),
    comment: 'Seconds the monitor has to end at halt before it is killed. It needs none.',
  },
  serviceRestart: {
    key: 'service_restart',
    question: 'How often is the monitor restarted in place before the package fails over?',
    fallback: 'none',
    check: v.union(
      [v.literal('none'), v.literal('unlimited'), whole(1, 1000)],
      'none, unlimited or a whole number from 1 to 1000 is wanted',
    ),
    comment: 'Restarts of the monitor in place before the package fails over. none: fail over at once, as DSAU did.',
  },
  serviceFailFast: {
    key: 'service_fail_fast',
    question: 'Reboot the member when the service fails?',
    fallback: false,
    check: yesNo,
    comment: 'true reboots the member when the monitor gives its verdict.',
  },
  nodeFailFast: {
    key: 'node_fail_fast',
    question: 'Reboot the member when a script fails or times out?',
    fallback: false,
    check: yesNo,
    comment: 'true reboots the member on a script time-out or a lost subnet, so that the package moves without a human.',
  },
  failoverPolicy: {
    key: 'failover_policy',
    question: 'Failover policy?',
    fallback: 'configured_node',
    check: oneOf(['configured_node', 'min_package_node', 'site_preferred', 'site_preferred_manual']),
    comment: 'configured_node: the first eligible member of the list. min_package_node: the one with the fewest packages.',
  },
  failbackPolicy: {
    key: 'failback_policy',
    question: 'Failback policy?',
    fallback: 'manual',
    check: oneOf(['manual', 'automatic']),
    comment: 'automatic moves the package back to the first member as soon as it can.',
  },
  autoRun: {
    key: 'auto_run',
    question: 'Start and fail over automatically?',
    fallback: true,
    check: yesNo,
    comment: 'true: the package starts with the cluster and fails over. Remember cmmodpkg -e after a cmhaltpkg.',
  },
  packagePriority: {
    key: 'package_priority',
    question: 'Priority among packages?',
    fallback: 'no_priority',
    check: v.union([v.literal('no_priority'), whole(1, 3000)], 'no_priority or a whole number from 1 to 3000 is wanted'),
    comment: 'no_priority, or 1 (highest) to 3000; must be unique in the cluster.',
  },
  scriptLogFile: {
    key: 'script_log_file',
    question: 'Package log?',
    fallback: (above: Above) => above.packageName && `$SGRUN/log/${String(above.packageName)}.log`,
    check: sgPath,
    comment: 'Package log. Cannot be changed while the package runs.',
  },
  logLevel: {
    key: 'log_level',
    question: 'Log level, 0 to 5?',
    fallback: 0,
    check: whole(0, 5),
    comment: "Serviceguard's log level, 0 (least) to 5.",
  },
  packageDirectory: {
    key: 'package_directory',
    question: 'Package directory?',
    fallback: (above: Above) => above.packageName && `$SGCONF/${String(above.packageName)}`,
    check: sgPath,
    comment: 'Directory of the package files, the same on every member.',
  },
  nodePath: {
    key: 'node_path',
    question: 'Path of the Node.js binary on the members?',
    fallback: '/usr/bin/node',
    check: path,
    comment: 'Node.js binary on every member, 20.19 or newer. Absolute: Serviceguard gives services no PATH.',
  },
  toolkitProgram: {
    key: 'toolkit_program',
    question: 'Path of the csync program on the members?',
    fallback: '/usr/local/bin/csync',
    check: path,
    comment:
      'The csync program on the members. The package start calls it when members, clients or keys wait to be finished; where it is not installed, csync members sync does that by hand.',
  },
} as const satisfies Record<string, SettingsRow>;

type Table = typeof settingsTable;
export type Field = keyof Table;
type Value<F extends Field> = v.InferOutput<Table[F]['check']>;
/** The checked settings. Lists are read only. */
export type Settings = { readonly [F in Field]: Value<F> extends (infer Item)[] ? readonly Item[] : Value<F> };

export const settingsFields = Object.keys(settingsTable) as Field[];

/** The settings as the members read them: JSON, keys in table order, one a line. */
export function settingsJson(settings: Settings): string {
  const ordered = Object.fromEntries(settingsFields.map((field) => [field, settings[field]]));
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

/** Checked values are already what the transforms would make of them, so reading them again changes nothing. */
const jsonSchema = v.strictObject(Object.fromEntries(Object.entries(settingsTable).map(([field, row]) => [field, row.check])));

/** Reads what settingsJson wrote, checked again: who reads it must not trust what lies on a disk. A string says what is wrong. */
export function parseSettingsJson(text: string): Settings | string {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return 'is no JSON';
  }
  const checked = v.safeParse(jsonSchema, data);
  if (checked.success) return checked.output as unknown as Settings;
  const [issue] = checked.issues;
  return `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`;
}

/** SHA-256 of settingsJson, hex: what the package file carries and every member checks against its own copy. */
export function settingsDigest(settings: Settings): string {
  return createHash('sha256').update(settingsJson(settings)).digest('hex');
}
