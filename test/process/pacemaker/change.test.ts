/** The program that changes the group, with the real tools on a configuration in a file in place of a cluster. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { definition, readDefinition } from '../../../src/engine/pacemaker/definition.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { have, isRoot, memberScripts, packageTemplates, repository, scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();
const templates = packageTemplates('modular', 'pacemaker');
const program = readFileSync(join(repository, 'src/pacemaker/change.sh'), 'utf8');
const rendered = (changes: Readonly<Record<string, unknown>> = {}): string => {
  const settings = settingsFor({ engine: 'pacemaker', ...changes });
  const files = demand(renderPackage({ settings, templates, bundles: memberScripts((name) => name) }));
  return files.find(({ name }) => name === 'csync.group.xml')?.text ?? '';
};

const web = '<primitive id="web" class="ocf" provider="heartbeat" type="Dummy"/>';
const fence =
  '<primitive id="f" class="stonith" type="fence_x"><instance_attributes id="f-i"><nvpair id="f-p" name="passwd" value="secret"/></instance_attributes></primitive>';
/** Fencing that is off makes crm_verify warn, and fencing without a device is an error. */
const cluster = (resources: string, fencing: boolean, constraints = ''): string =>
  `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config><cluster_property_set id="p"><nvpair id="p-s" name="stonith-enabled" value="${fencing}"/></cluster_property_set></crm_config><nodes/><resources>${resources}</resources><constraints>${constraints}</constraints></configuration><status/></cib>`;

/** Its end, and the configuration that it leaves. */
function changed(action: string, cib: string, group: string, text = program) {
  const directory = mkdtempSync(join(scratch, 'change-'));
  const [file, live, script] = ['csync.group.xml', 'live.xml', 'change.sh'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, group);
  writeFileSync(live, cib);
  writeFileSync(script, text.replace('unset CIB_file CIB_shadow', `export CIB_file=${live}`));
  const { status, stdout, stderr } = spawnSync('sh', [script, action, file], { encoding: 'utf8' });
  return { status, said: stdout + stderr, left: readFileSync(live, 'utf8') };
}

/** The configuration after an apply that succeeds. */
function applied(cib: string, group: string): string {
  const { status, said, left } = changed('apply', cib, group);
  expect(status, said).toBe(0);
  return left;
}

const part = (cib: string, opens: string): string => new RegExp(`<${opens}[\\s\\S]*?(?:/>|</\\w+>)`).exec(cib)?.[0] ?? '';

describe.skipIf(!isRoot || !have('cibadmin', 'crm_verify'))('the change of a group', { timeout: 60_000 }, () => {
  let first = '';
  beforeAll(() => {
    first = applied(cluster(web, false), rendered());
  });

  const asks = 'crm_resource --resource "$id" --meta --get-parameter "$name"';
  it.each([
    [105, 0],
    [102, 1],
  ])('an order by hand that cannot be read is none only if crm_resource says so: %i', (says, status) => {
    expect(program).toContain(asks);
    const ended = changed(
      'apply',
      first,
      rendered({ monitor_interval_seconds: 7 }),
      program.replace(asks, `sh -c 'exit ${says}'`),
    );
    expect(ended.status, ended.said).toBe(status);
    expect(ended.left === first).toBe(status === 1);
  });

  it('defines a new one, halted, beside what is in the cluster', () => {
    const [is, wanted] = [readDefinition(first), readDefinition(rendered())];
    if (is === null || wanted === null) throw new Error('not read');
    expect(definition.differences(is, wanted)).toEqual([]);
    expect(first).toMatch(/name="target-role" value="Stopped"/);
    expect(first).toContain('<primitive id="web"');
  });

  it('deletes what the new one lacks, and keeps orders and other constraints', () => {
    const ordered = first
      .replace('value="Stopped"', 'value="Started"')
      .replace('</meta_attributes>', '<nvpair id="m" name="maintenance" value="true"/></meta_attributes>')
      .replace(
        '</constraints>',
        '<rsc_location id="cli-ban-csync-on-m2" rsc="csync" node="m2" score="-INFINITY"/><rsc_location id="ours" rsc="web" node="m1" score="1"/></constraints>',
      );
    const after = applied(ordered, rendered({ members: ['m1', 'm2'], failback_policy: 'automatic' }));
    expect(after).not.toContain('csync-on-m3');
    expect(after).toContain('name="resource-stickiness" value="0"');
    expect(after).toContain('name="target-role" value="Started"');
    expect(after).toContain('name="maintenance" value="true"');
    expect(after).toContain('id="cli-ban-csync-on-m2"');
    expect(after).toContain('id="ours"');
    expect(readDefinition(after)?.members).toEqual(['m1', 'm2']);
    expect(applied(after, rendered({ members: ['m1', 'm2'], failback_policy: 'automatic' }))).toBe(after);
  });

  it('leaves a group without target-role so', () => {
    const bare = first.replace(part(first, 'nvpair [^>]*name="target-role"'), '');
    expect(applied(bare, rendered({ members: ['m1', 'm2'] }))).not.toContain('target-role');
  });

  it('only checks, or only simulates', () => {
    for (const action of ['check', 'simulate']) {
      const { status, said, left } = changed(action, first, rendered({ members: ['m1', 'm2'] }));
      expect([status, left]).toEqual([0, first]);
      expect(said.includes('<pacemaker-result')).toBe(action === 'simulate');
    }
  });

  it.each([
    ['an error that crm_verify finds', cluster(web, true), rendered(), 'Errors found'],
    [
      'another resource of that name',
      cluster(web.replace('web', 'csync'), false),
      rendered(),
      'something else with the id csync',
    ],
    [
      'what the schema refuses, without printing the configuration',
      cluster(fence, true),
      rendered().replaceAll('score=', 'skore='),
      'does not conform to the configured schema',
    ],
  ])('is refused for %s', (_, cib, group, text) => {
    const { status, said, left } = changed('apply', cib, group);
    expect([status, left]).toEqual([1, cib]);
    expect(said).toContain(text);
    expect(said).not.toContain('secret');
  });
});
