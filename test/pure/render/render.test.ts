import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { toolkitVersion } from '../../../src/base/version.ts';
import { setNameOf, setPartOf, sha256 } from '../../../src/contract/package-directory.ts';
import { layOver, packageModules } from '../../../src/engine/serviceguard/package-text.ts';
import { manifestOf, renderPackage, setOf } from '../../../src/render/package.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { makePackageTemplate } from '../../../src/serviceguard/package-template.ts';
import { labSettings, memberScripts, packageTemplates, repository, settingsFor } from '../../support.ts';

const templates = packageTemplates();
/** The golden files are about what is rendered, not about the compiled scripts, which change with every line of code. */
const bundles = memberScripts((name) => `// compiled ${name}\n`);
const demo = labSettings();
const golden = join(repository, 'test/golden/csync');

/** With any name of the set. */
const goldenName = (name: string): string => name.replace(/^sets\/[0-9a-f]{16}\//, 'set/');

describe('the rendered package', () => {
  it('of the demo is the golden one, file by file', async () => {
    const files = demand(renderPackage({ settings: demo, templates, bundles }));
    const rendered = files
      .filter((file) => !/\.(cjs|pl)$/.test(file.name))
      .map((file) => ({ ...file, name: goldenName(file.name) }));
    for (const file of rendered) await expect(file.text).toMatchFileSnapshot(join(golden, file.name));
    const names = readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'set');
    expect(names.sort()).toEqual(rendered.map((file) => file.name).sort());
  });

  it('of the demo lies over what cmmakepkg makes there, comments and all', async () => {
    const base = demand(makePackageTemplate({ modules: packageModules, name: null, existing: null }));
    const files = demand(renderPackage({ settings: demo, templates, bundles, base }));
    await expect(files[0]?.text).toMatchFileSnapshot(join(repository, 'test/golden/csync-over-cmmakepkg.conf'));
  });

  it('is the same bytes twice, and says the digest of every file', () => {
    const once = demand(renderPackage({ settings: demo, templates, bundles }));
    expect(demand(renderPackage({ settings: demo, templates, bundles }))).toEqual(once);
    const manifest = manifestOf(once);
    for (const file of once.filter(({ name }) => !name.endsWith('/manifest.json'))) {
      const part = setPartOf(file.name);
      expect(part === null ? manifest.beside[file.name] : manifest.files[part.name]).toBe(sha256(file.text));
    }
    expect(Object.keys({ ...manifest.files, beside: 0 }).length + Object.keys(manifest.beside).length).toBe(once.length);
    expect(setOf(once)).toBe(setNameOf(manifest.files));
  });

  it('is another set with other settings, scripts or launchers, and the same one with another word in its package file', () => {
    const set = (change: Partial<Parameters<typeof renderPackage>[0]>) =>
      setOf(demand(renderPackage({ settings: demo, templates, bundles, ...change })));
    const names = [
      set({}),
      set({ settings: { ...demo, monitorFailures: 7 } }),
      set({ bundles: new Map([...bundles, ['csync-start.cjs', '// repaired']]) }),
      set({ templates: { ...templates, launcher: { file: 'x', text: `${templates.launcher.text}# mine\n` } } }),
    ];
    expect(new Set(names).size).toBe(names.length);
    const packageFile = { file: 'x', text: `${templates.packageFile.text}# mine\n` };
    expect(set({ templates: { ...templates, packageFile } })).toBe(names[0]);
  });

  it('makes only launchers executable', () => {
    const files = demand(renderPackage({ settings: demo, templates, bundles }));
    const launchers = files.filter((file) => (file.mode & 0o111) !== 0).map((file) => goldenName(file.name));
    expect(launchers).toEqual(['csync.sh', 'csync_pre.sh', 'set/csync.sh', 'set/csync_pre.sh']);
  });

  it.each([
    ['package_name', 'other'],
    ['package_description', 'something else'],
    ['members', ['m3', 'm1']],
    ['package_address', '10.9.0.101'],
    ['package_dns_name', 'other.lab'],
    ['volume_group', 'vg_other'],
    ['logical_volume', 'lv_other'],
    ['file_system_type', 'xfs'],
    ['mount_point', '/other'],
    ['mount_options', '-o rw,noatime'],
    ['auto_run', false],
    ['node_fail_fast', true],
    ['failover_policy', 'min_package_node'],
    ['failback_policy', 'automatic'],
    ['package_priority', 7],
    ['service_restart', 4],
    ['service_fail_fast', true],
    ['service_halt_timeout_seconds', 23],
    ['run_script_timeout_seconds', 77],
    ['halt_script_timeout_seconds', 78],
    ['script_log_file', '/var/log/other.log'],
    ['log_level', 3],
  ])('%s reaches the package file', (key, value) => {
    const fileOf = (changes: Record<string, unknown>) =>
      demand(renderPackage({ settings: settingsFor(changes), templates, bundles }))[0]?.text.replace(/[0-9a-f]{16,64}/g, '');
    expect(fileOf({ [key]: value })).not.toBe(fileOf({}));
  });

  it('is a package file the grammar reads, with the values of the settings', () => {
    const settings = settingsFor({ package_name: 'polhost', members: ['b', 'a'], auto_run: false, service_restart: 3 });
    const [file] = demand(renderPackage({ settings, templates, bundles }));
    const parsed = demand(parsePackageFile(file?.text ?? '', 'polhost.conf'));
    const values = (keyword: string) => parsed.lines.filter((line) => line.keyword === keyword).map((line) => line.value);
    expect(file?.name).toBe('polhost.conf');
    expect(values('node_name')).toEqual(['b', 'a']);
    expect(values('auto_run')).toEqual(['no']);
    expect(values('service_restart')).toEqual(['3']);
    expect(values('service_cmd')).toEqual(['$SGCONF/polhost/csync.sh monitor']);
    expect(values('external_pre_script')).toEqual(['$SGCONF/polhost/csync_pre.sh']);
    expect(values('fs_name')).toEqual(['/dev/vg_csync/lv_csync']);
  });

  it('reports the problems of both templates at once and renders nothing then', () => {
    const broken = (text: string) => ({ file: 'x.tpl', text });
    const result = renderPackage({
      settings: demo,
      templates: { packageFile: broken('{{nope}}'), launcher: broken('{{}}') },
      bundles,
    });
    expect(result.ok).toBe(false);
    expect(new Set(result.problems.map((problem) => problem.code))).toEqual(
      new Set(['template-unknown-token', 'template-unused-token', 'template-malformed']),
    );
  });

  it('carries the version of package.json', () => {
    expect(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).version).toBe(toolkitVersion);
    for (const page of ['ansible/galaxy.yml', 'ansible/README.md', 'docs/how-to/install-packages.md'])
      expect(readFileSync(join(repository, page), 'utf8')).toContain(toolkitVersion);
    expect(readFileSync(join(repository, 'CHANGELOG.md'), 'utf8')).toContain(`\n## [${toolkitVersion}] - `);
  });
});

describe("laying the package over cmmakepkg's output", () => {
  const own = demand(renderPackage({ settings: demo, templates, bundles }))[0]?.text ?? '';
  const base = demand(
    makePackageTemplate({ modules: ['sg/failover', 'sg/service', 'sg/filesystem', 'sg/pev'], name: null, existing: null }),
  );

  it('keeps every comment and module line of the base and writes the values of the settings', () => {
    const laid = layOver(`${base}operation_sequence $SGCONF/scripts/sg/failover.sh\n`, own);
    for (const line of base.split('\n').filter((one) => one.startsWith('# '))) expect(laid).toContain(line);
    for (const line of base.split('\n').filter((one) => /^module_(name|version)/.test(one))) expect(laid).toContain(line);
    expect(laid).toContain('operation_sequence $SGCONF/scripts/sg/failover.sh');
    const values = (text: string, keyword: string) =>
      demand(parsePackageFile(text, 'x'))
        .lines.filter((line) => line.keyword === keyword)
        .map((line) => line.value);
    for (const keyword of [
      'package_name',
      'node_name',
      'fs_name',
      'fs_directory',
      'service_cmd',
      'ip_address',
      'pev_csync_settings_digest',
    ]) {
      expect(values(laid, keyword), keyword).toEqual(values(own, keyword));
    }
  });

  it('does not change when laid over itself', () => {
    const once = layOver(base, own);
    expect(
      layOver(once, own)
        .split('\n')
        .filter((line) => !line.startsWith('#') && line !== ''),
    ).toEqual(once.split('\n').filter((line) => !line.startsWith('#') && line !== ''));
  });
});
