/** A legacy package's configuration file [serviceguard.md 4.1, 2.7], for cmmakepkg -p and cmcheckconf. Descriptions are ours. Pure. */
import * as legal from './legal-values.ts';
import { type Attribute, attribute, group } from './modules.ts';

/** Below 4294 s [serviceguard.md 2.7]. */
const timeout = legal.number(0, 4293, 'NO_TIMEOUT');
/** No page shows a variable in a legacy file. */
const script: legal.Legal = { words: '<An absolute path>', accepts: (value) => /^\/\S+$/.test(value) };

/** In our order of cmmakepkg -p. Keywords in lower case. */
export const legacyAttributes: readonly Attribute[] = [
  attribute('package_name', legal.name, 'Name of the package, unique in the cluster.', { mandatory: true }),
  attribute(
    'package_type',
    legal.oneOf('FAILOVER', 'MULTI_NODE', 'SYSTEM_MULTI_NODE'),
    'FAILOVER: runs on one node at a time.',
    'FAILOVER',
  ),
  attribute(
    'failover_policy',
    legal.oneOf('CONFIGURED_NODE', 'MIN_PACKAGE_NODE'),
    'How the node to start on is chosen.',
    'CONFIGURED_NODE',
  ),
  attribute(
    'failback_policy',
    legal.oneOf('MANUAL', 'AUTOMATIC'),
    'AUTOMATIC: moves back to the first node as soon as it can.',
    'MANUAL',
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
  attribute('auto_run', legal.yesNo, 'YES: starts with the cluster and fails over.', 'YES'),
  attribute('node_fail_fast_enabled', legal.yesNo, 'YES: a lost subnet or a script that times out reboots the node.', 'NO'),
  attribute('run_script', script, 'The control script, called with start. Executable, with the same path on every node.', {
    mandatory: true,
  }),
  attribute('run_script_timeout', timeout, 'Seconds until a start is killed.', 'NO_TIMEOUT'),
  attribute('halt_script', script, 'The control script, called with stop; normally the same one.', { mandatory: true }),
  attribute('halt_script_timeout', timeout, 'Seconds until a halt is killed.', 'NO_TIMEOUT'),
  attribute(
    'successor_halt_timeout',
    legal.number(0, 4294, 'NO_TIMEOUT'),
    'Seconds to wait for the packages that depend on this one.',
    'NO_TIMEOUT',
  ),
  attribute(
    'priority',
    legal.number(1, 3000, 'NO_PRIORITY'),
    'Among packages that depend on each other; lower is stronger.',
    'NO_PRIORITY',
  ),
  attribute('script_log_file', script, 'Log of the package; default: the name of the control script with .log.'),
  attribute('subnet', legal.subnet, 'A subnet that the package requires.', { repeatable: true }),
  attribute('monitored_subnet', legal.subnet, 'Another spelling of SUBNET.', { repeatable: true }),
  attribute('local_lan_failover_allowed', legal.yesNo, 'HP-UX only.'),
  ...group(
    attribute('service_name', legal.name, 'Name of a service of the control script, unique in the cluster.'),
    attribute('service_fail_fast_enabled', legal.yesNo, 'YES: the node reboots when the service fails.', 'NO'),
    attribute('service_halt_timeout', legal.seconds(0), 'Seconds between SIGTERM and SIGKILL at a halt.', '300'),
  ),
  ...group(
    attribute('dependency_name', legal.name, 'Name of the dependency, unique in this package.'),
    attribute('dependency_condition', legal.anyString, 'A package and its required state, such as "other = UP".'),
    attribute('dependency_location', legal.anyString, 'On which node that state is required.'),
  ),
  attribute('storage_group', legal.anyString, 'HP-UX only.', { repeatable: true }),
  attribute('resource_name', legal.anyString, 'HP-UX only.', { repeatable: true }),
  ...group(
    attribute('user_name', legal.anyString, 'A user, or ANY_USER.'),
    attribute('user_host', legal.anyString, 'ANY_SERVICEGUARD_NODE, CLUSTER_MEMBER_NODE, or a node.'),
    attribute('user_role', legal.oneOf('PACKAGE_ADMIN'), 'PACKAGE_ADMIN.'),
  ),
];

/** cmgetconf may print another spelling [Managing Serviceguard, 16th edition, p.340]. */
export const legacySpellings: Readonly<Record<string, string>> = { monitored_subnet: 'subnet' };

export function findLegacyAttribute(keyword: string): Attribute | undefined {
  return legacyAttributes.find((one) => one.keyword === keyword);
}

/** As cmmakepkg -p: attributes without a value are commented out. */
export function makeLegacyTemplate(name: string | null): string {
  const blocks = legacyAttributes
    .filter(({ keyword }) => !Object.hasOwn(legacySpellings, keyword))
    .map(({ keyword, comment, legal: { words }, fallback, mandatory, group: first }) => {
      const spelt = keyword.toUpperCase();
      const value = keyword === 'package_name' ? name : first === null ? fallback : null;
      const line = value === null ? (mandatory ? spelt : `#${spelt}`) : `${spelt.padEnd(39)} ${value}`;
      return `# ${spelt}: ${comment}\n# Legal values for ${spelt}: ${words}\n${line}\n`;
    });
  return ['# Legacy package configuration. Edit it, then: cmcheckconf -P <file>; cmapplyconf -P <file>\n', ...blocks].join('\n');
}
