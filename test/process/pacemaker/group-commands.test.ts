/** The rendered group by cibadmin, pcs and crmsh: each of the three makes the same one, in an empty configuration without a cluster. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { definition, readDefinition } from '../../../src/engine/pacemaker/definition.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { have, isRoot, memberScripts, packageTemplates, scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();
const settings = settingsFor({ engine: 'pacemaker', mount_options: '-o rw,noatime' });
const templates = packageTemplates('modular', 'pacemaker');
const files = demand(renderPackage({ settings, templates, bundles: memberScripts((name) => name) }));
const agents = '/usr/lib/ocf/resource.d';

/** Runs the script with the agent installed, where only it sees that. Returns the configuration that it leaves. */
function made(script: string): string {
  const directory = mkdtempSync(join(scratch, 'made-'));
  for (const { name, mode, text } of files.filter((file) => !file.name.includes('/')))
    writeFileSync(join(directory, name), text, { mode });
  mkdirSync(join(directory, 'agents/csync'), { recursive: true });
  writeFileSync(join(directory, 'agents/csync/master'), files.find(({ name }) => name === 'ocf-csync-master')?.text ?? '');
  chmodSync(join(directory, 'agents/csync/master'), 0o755);
  // pcs has no cluster to ask.
  const pcs =
    '#!/bin/sh\ncase "$*" in "cluster cib "*) cp cib.xml "$3" ;; "cluster cib-push "*) cp "$3" cib.xml ;; *) exec /usr/sbin/pcs "$@" ;; esac\n';
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin/pcs'), pcs, { mode: 0o755 });
  const whole = [
    'set -e',
    `mount -t overlay overlay -o lowerdir=$PWD/agents:${agents} ${agents}`,
    'export PATH=$PWD/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD',
    'cibadmin --empty > cib.xml',
    script,
  ].join('\n');
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', whole], { cwd: directory, encoding: 'utf8' });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return readFileSync(join(directory, 'cib.xml'), 'utf8');
}

describe.skipIf(!isRoot || !have('cibadmin', 'unshare'))('the group', () => {
  const ways = [
    ['cibadmin', 'CIB_file=$PWD/cib.xml cibadmin --modify --allow-create --scope configuration --xml-file csync.group.xml'],
    ['pcs', 'sh ./csync.pcs.sh'],
    ['crm', 'CIB_file=$PWD/cib.xml crm -F configure load update csync.crm'],
  ] as const;
  it.each(ways.filter(([program]) => have(program)))('made by %s is the rendered one', { timeout: 60_000 }, (_, script) => {
    const [there, wanted] = [made(script), files.find(({ name }) => name === 'csync.group.xml')?.text ?? ''].map(readDefinition);
    if (there == null || wanted == null) throw new Error('not read');
    expect(definition.differences(there, wanted)).toEqual([]);
    expect(there.members).toEqual(settings.members);
  });
});
