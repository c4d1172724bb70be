/** The legacy package: what is rendered, what the grammar makes of it, what cmcheckconf would refuse. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { definition } from '../../../src/engine/serviceguard/definition.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { makeLegacyTemplate } from '../../../src/serviceguard/legacy.ts';
import { checkPackageFile } from '../../../src/serviceguard/package-check.ts';
import { packageContent } from '../../../src/serviceguard/package-content.ts';
import { allValues, lastValue, parsePackageFile, printPackageFile, styleOf } from '../../../src/serviceguard/package-file.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { labSettings, memberScripts, packageTemplates, repository, settingsFor, settingsText } from '../../support.ts';

const templates = packageTemplates('legacy');
const bundles = memberScripts((name) => `// compiled ${name}\n`);
const directories = { SGCONF: '/usr/local/cmcluster/conf', SGRUN: '/usr/local/cmcluster/run' };
const golden = join(repository, 'test/golden/csync-legacy');
const renderFor = (changes: Record<string, unknown>) =>
  renderPackage({ settings: settingsFor({ package_style: 'legacy', ...changes }), templates, bundles, directories });
const read = (text: string) => demand(parsePackageFile(text, 'csync.conf'));

describe('the rendered legacy package', () => {
  it('of the demo is the golden one, file by file', async () => {
    const settings = { ...labSettings(), packageStyle: 'legacy' } as const;
    const files = demand(renderPackage({ settings, templates, bundles, directories }));
    const named = files.map((file) => ({ ...file, name: file.name.replace(/^sets\/[0-9a-f]{16}\//, 'set/') }));
    const rendered = named.filter((file) => !/\.(cjs|pl)$/.test(file.name));
    for (const file of rendered) await expect(file.text).toMatchFileSnapshot(join(golden, file.name));
    const names = readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'set');
    expect(names.sort()).toEqual(rendered.map((file) => file.name).sort());
    expect(named.filter(({ mode }) => mode === 0o755).map(({ name }) => name)).toEqual(['set/csync_control.sh']);
  });

  it('is a file the grammar takes for legacy, without a problem, in upper case also when read back', () => {
    const file = read(demand(renderFor({}))[0]?.text ?? '');
    expect([styleOf(file), checkPackageFile(file, 'csync.conf')]).toEqual(['legacy', []]);
    expect(lastValue(file, 'run_script')).toMatch(
      /^\/usr\/local\/cmcluster\/conf\/csync\/sets\/[0-9a-f]{16}\/csync_control\.sh$/,
    );
    expect(lastValue(file, 'script_log_file')).toBe('/usr/local/cmcluster/run/log/csync.log');
    expect(allValues(file, 'node_name')).toEqual(['m1', 'm2', 'm3']);
    expect(packageContent(file)).toMatchObject({ legacy: { runScript: lastValue(file, 'halt_script') }, addresses: [] });
    const printed = printPackageFile(file);
    expect(printed).toMatch(/^PACKAGE_NAME +csync$/m);
    expect(read(printed).lines.map(({ keyword, value }) => [keyword, value])).toEqual(
      file.lines.map(({ keyword, value }) => [keyword, value]),
    );
  });

  it.each([
    ['package_name', 'other'],
    ['members', ['m3', 'm1']],
    ['package_subnet', '10.8.0.0'],
    ['package_dns_name', 'other.lab'],
    ['auto_run', false],
    ['node_fail_fast', true],
    ['failover_policy', 'min_package_node'],
    ['failback_policy', 'automatic'],
    ['service_fail_fast', true],
    ['service_halt_timeout_seconds', 23],
    ['run_script_timeout_seconds', 77],
    ['halt_script_timeout_seconds', 78],
    ['script_log_file', '/var/log/other.log'],
    ['package_directory', '/etc/cmcluster/csync'],
  ])('%s reaches the package file', (key, value) => {
    const fileOf = (changes: Record<string, unknown>) => demand(renderFor(changes))[0]?.text.replace(/[0-9a-f]{16,64}/g, '');
    expect(fileOf({ [key]: value })).not.toBe(fileOf({}));
  });

  it("lies over cmmakepkg -p's output, comments and all", () => {
    const base = makeLegacyTemplate(null);
    const own = demand(renderFor({}));
    const laid = demand(
      renderPackage({ settings: settingsFor({ package_style: 'legacy' }), templates, bundles, directories, base }),
    );
    const [applied, wanted] = [laid, own].map((files) => demand(definition.parse(files[0]?.text ?? '', 'csync.conf')));
    expect(definition.check(laid[0]?.text ?? '', 'csync.conf')).toEqual([]);
    expect(applied && wanted && definition.differences(applied, wanted)).toEqual([]);
    for (const line of base.split('\n').filter((one) => one.startsWith('# '))) expect(laid[0]?.text).toContain(line);
  });

  it('is not rendered with a variable where a whole path is wanted', () => {
    const settings = settingsFor({ package_style: 'legacy' });
    const rendered = renderPackage({ settings, templates, bundles });
    expect(rendered.problems.map(({ code }) => code)).toEqual(['settings-legacy-path', 'settings-legacy-path']);
    const said = settingsFor({ package_style: 'legacy', package_directory: '/etc/csync', script_log_file: '/var/log/csync.log' });
    expect(renderPackage({ settings: said, templates, bundles }).ok).toBe(true);
  });

  it('has no priority', () => {
    const priority = parseSettings(settingsText({ package_style: 'legacy', package_priority: 7 }), 'csync.yaml');
    expect(priority.problems.map(({ code, place }) => [code, place?.line])).toEqual([['settings-conflict', 9]]);
  });
});

describe('a legacy file', () => {
  const legacy = [
    'PACKAGE_NAME old',
    'NODE_NAME a',
    'RUN_SCRIPT /etc/cmcluster/old/old.sh',
    'HALT_SCRIPT /etc/cmcluster/old/old.sh',
    'SERVICE_NAME old_mon',
  ];
  it.each<[string, string[], string[]]>([
    ['is in order', [], []],
    ['may say its words in either case', ['AUTO_RUN yes', 'FAILBACK_POLICY Automatic'], []],
    ['has no parameter of a modular one', ['vg vg01'], ['package-modular']],
    ['has no unknown parameter', ['NONSENSE 1'], ['package-attribute-unknown']],
    ['names each script once', ['RUN_SCRIPT /other'], ['package-attribute-twice']],
    ['wants whole paths', ['SCRIPT_LOG_FILE $SGRUN/x.log'], ['package-attribute-value']],
    ['has time-outs below 4294', ['RUN_SCRIPT_TIMEOUT 4294', 'HALT_SCRIPT_TIMEOUT 4293'], ['package-attribute-value']],
    ['may have several services and subnets', ['SERVICE_NAME b', 'SUBNET 10.0.0.0', 'SUBNET 10.1.0.0'], []],
  ])('%s', (_title, lines, codes) => {
    expect(checkPackageFile(read([...legacy, ...lines].join('\n')), 'x').map(({ code }) => code)).toEqual(codes);
  });

  it('cannot do without either control script, nor lay its service out before naming it', () => {
    const codes = (lines: string[]) => checkPackageFile(read(lines.join('\n')), 'x').map(({ code, text }) => `${code} ${text}`);
    expect(codes(legacy.filter((line) => !line.startsWith('HALT')))).toEqual([expect.stringContaining('no HALT_SCRIPT')]);
    expect(codes(['SERVICE_HALT_TIMEOUT 3', ...legacy])).toEqual([expect.stringContaining('package-group-order')]);
  });

  it('is not taken for one as soon as it names a module', () => {
    const file = read([...legacy, 'module_name sg/failover'].join('\n'));
    expect(styleOf(file)).toBe('modular');
    expect(checkPackageFile(file, 'x').map(({ code }) => code)).toContain('package-legacy');
  });

  it('logs beside its control script unless it says where', () => {
    expect(packageContent(read(legacy.join('\n'))).logFile).toBe('/etc/cmcluster/old/old.sh.log');
  });
});
