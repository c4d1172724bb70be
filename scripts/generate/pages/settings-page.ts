/** docs/reference/settings.md: each row of the settings with what may stand there. */
import type * as v from 'valibot';
import { pageTable } from '../../../src/base/tables.ts';
import type { SettingsRow } from '../../../src/settings/row.ts';
import * as rules from '../../../src/settings/rules.ts';
import { type Field, settingsFields } from '../../../src/settings/settings.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { settingsTable } from '../../../src/settings/table.ts';

/** What a rule that is no list of values and no range allows. */
const inWords = new Map<v.GenericSchema, string>([
  [rules.nameRule, 'a name of at most 39 characters'],
  [rules.packageNameRule, 'a name of at most 39 characters'],
  [rules.address, 'an IPv4 or IPv6 address'],
  [rules.network, 'an IPv4 or IPv6 network, or an address'],
  [rules.dnsName, 'a DNS name'],
  [rules.userName, 'the name of a user'],
  [rules.path, 'an absolute path'],
  [rules.sgPath, 'a path; may start with `$SGCONF/` or `$SGRUN/`'],
  [rules.subnet, 'an IPv4 network address; an IPv6 subnet with its length'],
  [rules.plainText, 'text without double quotes and braces'],
  [rules.yesNo, '`true`, `false`'],
  [rules.layerSchedule, '`every N s, limit N s, N in a row, fail` or `warn`; `off`'],
  [rules.localRestart, '`none`, `once in N min`'],
  [rules.listenAddress, 'an address with a port; `off`'],
]);

/** What of a schema says it: valibot keeps the parts of each kind under a name of its own. */
interface Parts extends v.GenericSchema {
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[];
  readonly options?: readonly (string | number | v.GenericSchema)[];
  readonly item?: v.GenericSchema;
  readonly literal?: string;
}

function allowed(schema: v.GenericSchema): string {
  const words = inWords.get(schema);
  if (words !== undefined) return words;
  const { type, pipe = [], options = [], item, literal } = schema as Parts;
  if (type === 'array' && item !== undefined) return `a list; each entry is ${allowed(item)}`;
  if (type === 'literal') return `\`${literal}\``;
  if (type === 'picklist') return options.map((value) => `\`${value}\``).join(', ');
  if (type === 'union') return options.map((one) => allowed(one as v.GenericSchema)).join(', ');
  const limit = (kind: string) => pipe.find((part) => part.type === kind)?.requirement;
  if (type === 'number') return `${limit('min_value')} to ${limit('max_value')}`;
  const [first] = pipe;
  if (first === undefined || first === schema) throw new Error(`docs/reference/settings.md: no words for a rule of type ${type}`);
  return allowed(first as v.GenericSchema);
}

/** Of settings without a default, and of those whose default shows nothing. */
const examples = {
  members: '[m1, m2, m3]',
  packageAddress: '10.9.0.100',
  packageDnsName: 'csync.example.com',
  packageSubnet: '10.9.0.0',
  volumeGroup: 'vg_csync',
  logicalVolume: 'lv_csync',
  clientNetworks: '[10.9.0.0/24]',
  monitorLocalRestart: 'once in 60 min',
  monitorMetricsFile: '/var/lib/node_exporter/csync.prom',
  monitorMetricsListen: '"127.0.0.1:9308"',
} as const satisfies Partial<Record<Field, string>>;

function examplesOf(): Partial<Record<Field, string>> {
  const text = Object.entries(examples).map(([field, value]) => `${settingsTable[field as Field].key}: ${value}`);
  const parsed = parseSettings(`${text.join('\n')}\n`, 'the examples of docs/reference/settings.md');
  if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problem.text).join('; '));
  return examples;
}

/** As it is typed: a default that follows from other settings names them. */
function fallbackOf(field: Field): string {
  const { fallback }: SettingsRow = settingsTable[field];
  if (fallback === undefined) return 'required';
  const by = (cfengineGeneration: 2 | 3, engine = 'serviceguard'): string => {
    const above = { engine, packageName: '<package_name>', mountPoint: '<mount_point>', cfengineGeneration };
    const value = typeof fallback === 'function' ? fallback(above) : fallback;
    return `\`${Array.isArray(value) ? `[${value.join(', ')}]` : value}\``;
  };
  const pacemaker = by(3, 'pacemaker') === by(3) ? '' : `; with Pacemaker ${by(3, 'pacemaker')}`;
  return `${by(3)}${by(2) === by(3) ? '' : `; with cfengine 2 ${by(2)}`}${pacemaker}`;
}

function meaning({ comment, pacemaker }: SettingsRow): string {
  if (pacemaker === undefined) return comment;
  const { comment: own, refuses, why } = pacemaker;
  const not = own !== undefined ? '' : refuses === undefined ? 'ignored. ' : 'only the default. ';
  return `${comment} With Pacemaker: ${not}${[own, why].filter(Boolean).join(' ')}`;
}

/** What the page and csync.yaml(5) print about each setting. */
export function settingsFacts() {
  const shown = examplesOf();
  return settingsFields.map((field) => {
    const { key, check } = settingsTable[field];
    const example = shown[field] === undefined ? '' : `\`${shown[field]}\``;
    return {
      key: `\`${key}\``,
      comment: meaning(settingsTable[field]),
      fallback: fallbackOf(field),
      allowed: allowed(check),
      example,
    };
  });
}

export function settingsPage(): string {
  const rows = settingsFacts().map(({ key, comment, fallback, allowed: values, example }) => [
    key,
    comment,
    fallback,
    values,
    example,
  ]);
  return [
    '# Settings',
    'Which settings may csync.yaml contain, with which default and which range? This page is for administrators. It is written by `npm run generate` from ' +
      'the table of the settings.',
    'The file is YAML. Settings with a default may be omitted. `csync settings example` prints a complete file with comments, `csync settings check` ' +
      'reports all problems of yours. Times have the unit that their name ends with. `yes` and `no` are accepted for `true` and `false`.',
    'After an edit run `csync apply`. Changes that require a halt are listed first.',
    pageTable(['setting', 'meaning', 'default', 'allowed', 'example'], rows),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
