import { expect, test } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { manifestOf, renderPackage, setOf, wholePackage, withEdits, withMembers } from '../../../src/render/package.ts';
import { memberScripts, packageTemplates, settingsFor } from '../../support.ts';

const directories = { SGCONF: '/usr/local/cmcluster/conf', SGRUN: '/usr/local/cmcluster/run' };

function rendered(style: 'modular' | 'legacy', members: readonly string[]) {
  const settings = settingsFor({ package_style: style, members });
  const bundles = memberScripts((name) => `// ${name}\n`);
  return demand(renderPackage({ settings, templates: packageTemplates(style), bundles, directories }));
}

const lists = [['m1'], ['m1', 'm2', 'm3', 'm4'], ['m3', 'm1']];

test('a modular package for other members is the one that would have been rendered for them', () => {
  for (const members of lists)
    expect(withMembers(rendered('modular', ['m1', 'm2', 'm3']), members)).toEqual(rendered('modular', members));
});

test('a legacy package keeps its set for other members: another one would require a halt', () => {
  for (const members of lists) {
    const before = rendered('legacy', ['m1', 'm2', 'm3']);
    const after = withMembers(before, members);
    expect(setOf(after)).toBe(setOf(before));
    const names = [...(after[0]?.text ?? '').matchAll(/^NODE_NAME\s+(\S+)$/gm)].map(([, name]) => name);
    expect(names).toEqual(members);
  }
});

test("an administrator's edit of the package file stays, and stays known as one", () => {
  const files = rendered('modular', ['m1', 'm2']);
  const conf = files.find(({ name }) => name === 'csync.conf')?.text ?? '';
  const edited = withEdits(files, new Map([['csync.conf', `${conf}# ours\n`]]), { engine: 'serviceguard' });
  const after = withMembers(edited, ['m1', 'm2', 'm4']);
  const text = after.find(({ name }) => name === 'csync.conf')?.text ?? '';
  expect(text).toContain('# ours\n');
  expect([...text.matchAll(/^node_name\s+(\S+)$/gm)].map(([, name]) => name)).toEqual(['m1', 'm2', 'm4']);
  expect(manifestOf(after).edited).toEqual(['csync.conf']);
  expect(text).toContain(`pev_csync_set_digest        ${setOf(after)}\n`);
});

test("an administrator's edit of a script is a set of its own, which the package file names", () => {
  const files = rendered('modular', ['m1', 'm2']);
  const launcher = files.find(({ name }) => /^sets\/.*\/csync\.sh$/.test(name));
  const conf = (some: typeof files) => some.find(({ name }) => name === 'csync.conf')?.text ?? '';
  // Their own package file still names the set it was rendered with.
  const theirs = `${conf(files).replace(setOf(files) ?? '', '0123456789abcdef')}# ours\n`;
  const edited = withEdits(
    files,
    new Map([
      [launcher?.name ?? '', '#!/bin/sh\n'],
      ['csync.conf', theirs],
    ]),
    { engine: 'serviceguard' },
  );
  expect(setOf(edited)).not.toBe(setOf(files));
  expect(conf(edited)).toContain(`pev_csync_set_digest        ${setOf(edited)}\n`);
  expect(conf(edited)).toContain('# ours\n');
  expect(manifestOf(edited).edited?.toSorted()).toEqual(['csync.conf', 'sets/*/csync.sh']);
});

test.each(['modular', 'legacy'] as const)(
  'files of a %s package are taken for its applied set only whole and unchanged',
  (style) => {
    const files = rendered(style, ['m1', 'm2']);
    const set = setOf(files) ?? '';
    const conf = files.find(({ name }) => name.endsWith('.conf'))?.name ?? '';
    const whole = (some: typeof files, of = set) => wholePackage(some, of, conf);
    // As a directory lists them; what is made of them for other members is what would have been rendered.
    const listed = files.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    expect(whole(listed)).toEqual(files);
    expect(whole(files, '0123456789abcdef')).toBeNull();
    for (const file of files.filter(({ name }) => name === conf || name.startsWith('sets/')))
      expect(whole(files.filter((one) => one !== file)), `without ${file.name}`).toBeNull();
    const changed = files.map((file) => (file.name.endsWith('settings.json') ? { ...file, text: `${file.text} ` } : file));
    expect(whole(changed)).toBeNull();
  },
);
