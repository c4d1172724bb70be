/** The rendered group of resources: accepted by Pacemaker's own schema and tools, and in the order of Serviceguard's modules. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { definition, readDefinition } from '../../../src/engine/pacemaker/definition.ts';
import { renderPackage, setOf, withEdits, withMembers } from '../../../src/render/package.ts';
import { settingsDigest } from '../../../src/settings/settings.ts';
import { have, memberScripts, packageTemplates, repository, settingsFor } from '../../support.ts';

const schema = '/usr/share/pacemaker/pacemaker-3.9.rng';
const fileName = 'csync.group.xml';
const templates = packageTemplates('modular', 'pacemaker');
const bundles = memberScripts((name) => `// compiled ${name}\n`);
const rendered = (changes: Readonly<Record<string, unknown>> = {}) =>
  demand(renderPackage({ settings: settingsFor({ engine: 'pacemaker', ...changes }), templates, bundles }));
const textOf = (files: ReturnType<typeof rendered>, name = fileName): string =>
  files.find((file) => file.name === name)?.text ?? '';
const xmlOf = (changes: Readonly<Record<string, unknown>> = {}): string => textOf(rendered(changes));

describe('the rendered group', () => {
  it.each([fileName, 'csync.pcs.sh', 'csync.crm'])('%s is the golden one', async (name) => {
    await expect(textOf(rendered(), name)).toMatchFileSnapshot(join(repository, 'test/golden/csync-pacemaker', name));
  });

  it('has the agent beside it', () => {
    const agent = rendered().find(({ name }) => name === 'ocf-csync-master');
    expect(agent?.text).toBe(readFileSync(join(repository, 'src/pacemaker/master.sh'), 'utf8'));
    expect(agent?.mode).toBe(0o755);
  });

  it('has no word of Serviceguard, and its set has the engine', () => {
    const files = rendered().filter(({ name }) => /^csync\.|settings.json$/.test(name) && !name.endsWith('csync.sh'));
    expect(files.map(({ name }) => name.replace(/[0-9a-f]{16}/, 'SET'))).toEqual([
      fileName,
      'csync.change.sh',
      'csync.pcs.sh',
      'csync.crm',
      'sets/SET/settings.json',
    ]);
    for (const { text } of files) expect(text).not.toMatch(/cm[a-z]+(pkg|cl|conf)|SGCONF|SGRUN/);
    expect(textOf(files, files.at(-1)?.name)).toContain('"engine": "pacemaker"');
  });

  it.each([
    [{ service_restart: 'none' }, 'name="migration-threshold" value="1"'],
    [{ service_restart: 3 }, 'name="migration-threshold" value="4"'],
    [{ service_restart: 'unlimited' }, 'name="migration-threshold" value="0"'],
    [{ failback_policy: 'manual' }, 'name="resource-stickiness" value="INFINITY"'],
    [{ failback_policy: 'automatic' }, 'name="resource-stickiness" value="0"'],
    [{ auto_run: true }, 'name="target-role" value="Started"'],
    [{ auto_run: false }, 'name="target-role" value="Stopped"'],
    [{ mount_options: '-o rw,noatime' }, 'name="options" value="rw,noatime"'],
    [{ run_script_timeout_seconds: 77 }, 'name="start" interval="0s" timeout="77s"'],
    [{}, 'name="directory" value="/etc/csync"'],
  ])('with %j has %s', (changes, text) => {
    expect(xmlOf(changes)).toContain(text);
  });

  it('prefers the members in their order, and bans every other node', () => {
    const xml = xmlOf({ members: ['a', 'b'] });
    expect(xml).toContain('node="a" score="200"');
    expect(xml).toContain('node="b" score="100"');
    expect(readDefinition(xml)?.members).toEqual(['a', 'b']);
    expect(readDefinition(xmlOf({ members: ['a', 'b'], failover_policy: 'min_package_node' }))?.members).toEqual(['a', 'b']);
  });

  it('is read as what it names', () => {
    const files = rendered();
    expect(demand(definition.parse(textOf(files), fileName))).toMatchObject({
      name: 'csync',
      members: ['m1', 'm2', 'm3'],
      set: setOf(files),
      claims: { mountPoints: ['/csync'], volumeGroups: ['vg_csync'], addresses: ['10.9.0.100'] },
    });
    expect(definition.check(textOf(files), fileName)).toEqual([]);
  });

  it.each([
    ['text', 'no XML', 'no XML'],
    ['another order', xmlOf().replace('type="Filesystem"', 'type="X"').replace('type="IPaddr2"', 'type="Filesystem"'), 'order'],
  ])('of %s is refused', (_, text, word) => {
    expect(definition.check(text, fileName)).toEqual([
      expect.objectContaining({ code: 'package-group', text: expect.stringContaining(word) }),
    ]);
  });

  it('for other members is the one that is rendered for them, with the present set: another one would restart it', () => {
    const members = ['m1', 'm4'];
    const changed = withMembers(rendered(), members);
    const [now, before] = [textOf(changed), textOf(rendered())];
    expect(setOf(changed)).toBe(setOf(rendered()));
    const digest = settingsDigest(settingsFor({ engine: 'pacemaker' }));
    expect(now).toBe(
      definition
        .withSet(textOf(rendered({ members })), setOf(rendered()) ?? '', digest)
        .replace(/settings [0-9a-f]{64}/, `settings ${digest}`),
    );
    expect(now).not.toBe(before);
    for (const name of ['csync.pcs.sh', 'csync.crm']) expect(textOf(changed, name)).toContain('m4');
  });

  it('edited by hand names its own set, also in the words of pcs and crmsh', () => {
    const files = rendered();
    const edited = withEdits(files, new Map([[fileName, textOf(files).replace('interval="20s"', 'interval="15s"')]]), {
      engine: 'pacemaker',
    });
    expect(textOf(edited, 'csync.pcs.sh')).toContain('op monitor interval=15s timeout=40s');
    expect(textOf(edited, 'csync.crm')).toContain('op monitor interval=15s timeout=40s');
  });

  it.each([
    [{ run_script_timeout_seconds: 77 }, false],
    [{ members: ['m1', 'm2'] }, true],
    [{ package_address: '10.9.0.101' }, true],
  ])('with %j instead: a halt is needed: %j', (changes, halt) => {
    const [applied, wanted] = [readDefinition(xmlOf()), readDefinition(xmlOf(changes))];
    if (applied === null || wanted === null) throw new Error('unread');
    const differences = definition
      .differences(applied, wanted)
      .filter(({ keyword }) => !/ parameter (set|digest)$/.test(keyword));
    expect(differences).not.toEqual([]);
    expect(differences.some(definition.needsHalt)).toBe(halt && !('members' in changes));
    expect(definition.differences(wanted, wanted)).toEqual([]);
  });

  const cib = (configuration: string): string => {
    const parts = configuration
      .replace(/<!--[\s\S]*?-->/, '')
      .replace(
        '<configuration>',
        '<configuration><crm_config><cluster_property_set id="p"><nvpair id="p-s" name="stonith-enabled" value="false"/></cluster_property_set></crm_config><nodes/>',
      );
    return `<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">${parts}<status/></cib>`;
  };
  const inputs = [cib(xmlOf()), cib(xmlOf({ failover_policy: 'min_package_node', members: ['m1'] }))];

  it.skipIf(!have('xmllint') || !existsSync(schema)).each(inputs)('is valid by the schema of Pacemaker', (input) => {
    const { status, stderr } = spawnSync('xmllint', ['--noout', '--relaxng', schema, '-'], { input, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '- validates\n']);
  });

  it.skipIf(!have('crm_verify')).each(inputs)('is accepted by crm_verify', (input) => {
    const { status, stderr } = spawnSync('crm_verify', ['--xml-pipe', '-V'], { input, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});
