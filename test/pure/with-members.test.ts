import { expect, test } from 'vitest';
import { demand } from '../../src/problem.ts';
import { readManifest, renderPackage, withEdits, withMembers } from '../../src/render/package.ts';
import { memberScripts, packageTemplates, settingsFor } from '../support.ts';

const directories = { SGCONF: '/usr/local/cmcluster/conf', SGRUN: '/usr/local/cmcluster/run' };

function rendered(style: 'modular' | 'legacy', members: readonly string[]) {
  const settings = settingsFor({ package_style: style, members });
  const bundles = memberScripts((name) => `// ${name}\n`);
  return demand(renderPackage({ settings, templates: packageTemplates(style), bundles, directories }));
}

for (const style of ['modular', 'legacy'] as const)
  test(`a ${style} package for other members is the one that would have been rendered for them`, () => {
    const lists = [['m1'], ['m1', 'm2', 'm3', 'm4'], ['m3', 'm1']];
    for (const members of lists)
      expect(withMembers(rendered(style, ['m1', 'm2', 'm3']), members)).toEqual(rendered(style, members));
  });

test("an administrator's edit of the package file stays, and stays known as one", () => {
  const files = rendered('modular', ['m1', 'm2']);
  const conf = files.find(({ name }) => name === 'csync.conf')?.text ?? '';
  const edited = withEdits(files, new Map([['csync.conf', `${conf}# ours\n`]]));
  const after = withMembers(edited, ['m1', 'm2', 'm4']);
  const text = after.find(({ name }) => name === 'csync.conf')?.text ?? '';
  expect(text).toContain('# ours\n');
  expect([...text.matchAll(/^node_name\s+(\S+)$/gm)].map(([, name]) => name)).toEqual(['m1', 'm2', 'm4']);
  const manifest = readManifest(after.find(({ name }) => name === 'manifest.json')?.text ?? null);
  expect(manifest.edited).toEqual(['csync.conf']);
});
