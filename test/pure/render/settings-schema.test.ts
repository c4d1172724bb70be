/** The published JSON schemas, judged by another implementation (ajv): of csync.yaml, and of what verbs print with --json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { verbs } from '../../../src/cli/verbs.ts';
import { settingsSchema } from '../../../src/settings/settings-schema.ts';
import { parseSettings, printSettings } from '../../../src/settings/settings-yaml.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { explain } from '../../../src/verbs/lab/explain.ts';
import { schemaOf, schemaText } from '../../../src/verbs/lab/schema.ts';
import { repository, settingsFor } from '../../support.ts';

const schema = settingsSchema();
const validate = new Ajv({ strict: true }).compile(schema);
const example = readFileSync(join(repository, 'examples/csync.yaml'), 'utf8');
const isValid = (text: string): boolean => validate(parse(text));
/** The example with one line more, or in the place of the line with that key. */
const withLine = (line: string): string => {
  const [key = ''] = line.split(':');
  return [...example.split('\n').filter((one) => !one.startsWith(`${key}:`)), line].join('\n');
};

describe('the schema of csync.yaml', () => {
  it('has each setting with its comment, and requires those without a default', () => {
    const { properties, required } = schema as { properties: Record<string, { description: string }>; required: string[] };
    expect(Object.keys(properties)).toEqual(Object.values(settingsTable).map(({ key }) => key));
    for (const { key, comment } of Object.values(settingsTable)) expect(properties[key]?.description).toBe(comment);
    expect(required).toEqual(expect.arrayContaining(['members', 'package_address', 'volume_group']));
    expect(required).not.toContain('package_name');
  });

  it.each<[string, string]>([
    ['the example', example],
    ['the settings of the lab', readFileSync(join(repository, 'package-templates/lab/csync.yaml'), 'utf8')],
    ['what csync init writes', printSettings(settingsFor())],
    ['cfengine 2', printSettings(settingsFor({ cfengine_generation: 2 }))],
    ['a listener', withLine('monitor_metrics_listen: "[::1]:9308"')],
    ['a restart in place', withLine('monitor_local_restart: once in 60 min')],
    ['networks of clients', withLine('client_networks: [10.9.0.0/24, 192.0.2.7]')],
    ['a layer that is off', withLine('monitor_owner: off')],
    ['yes instead of true', withLine('auto_run: yes')],
    ['a number of restarts', withLine('service_restart: 3')],
  ])('accepts %s, as csync does', (_what, text) => {
    expect(parseSettings(text, 'csync.yaml').problems).toEqual([]);
    expect([isValid(text), validate.errors]).toEqual([true, null]);
  });

  it.each([
    'no_such_setting: 1',
    'members: []',
    'members: node1',
    'members: [node 1]',
    'package_address: csync.example.com',
    'package_name: -csync',
    'cfengine_generation: 4',
    'cfengine_port: 70000',
    'cfengine_port: "5308"',
    'log_level: 1.5',
    'mount_point: csync',
    'file_system_type: zfs',
    'auto_run: 1',
    'monitor_port: every 5 s',
    'monitor_local_restart: twice',
    'monitor_metrics_listen: localhost',
    'service_restart: often',
    'client_networks: [everywhere]',
    'package_description: a "quoted" word',
  ])('refuses %s, as csync does', (line) => {
    const text = withLine(line);
    expect(parseSettings(text, 'csync.yaml').ok).toBe(false);
    expect(isValid(text)).toBe(false);
  });

  it('refuses a file without a required setting', () => {
    expect(isValid(example.replace(/^volume_group:.*$/m, ''))).toBe(false);
  });

  it('is named by the first line of the example, where packages install it', () => {
    expect(example).toMatch(/^# yaml-language-server: \$schema=\/usr\/share\/csync\/schemas\/settings\.json\n/);
  });
});

describe('the schemas of --json', () => {
  const ajv = () => new Ajv2020({ strict: true, allowUnionTypes: true });
  const printing = verbs.filter(({ json }) => json !== undefined).map(({ words }) => words);

  it.each(printing)('of %s is valid', async (words) => {
    expect(ajv().validateSchema(await schemaOf(words, verbs))).toBe(true);
  });

  it('are printed together without a verb', async () => {
    const all = JSON.parse(await schemaText([], verbs)) as Record<string, object>;
    expect(Object.keys(all)).toEqual(printing);
    expect(all.status).toEqual(JSON.parse(await schemaText(['status'], verbs)));
    expect(await schemaText(['members', 'list'], verbs)).toContain('csync members list --json');
  });

  it('accept what a verb prints, and nothing without a version', async () => {
    const check = ajv().compile(await schemaOf('explain', verbs));
    const document = JSON.parse(explain('usage', true)) as object;
    expect([check(document), check.errors]).toEqual([true, null]);
    expect(check({ ...document, version: undefined })).toBe(false);
  });
});
