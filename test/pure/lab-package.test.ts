/** The package the toolkit renders, against the checks of the lab: as it is shipped, and laid over a cmmakepkg file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkPackage, neededObservations } from '../../src/lab/manager/check.ts';
import { initialState } from '../../src/lab/manager/package-manager.ts';
import { packageModules, renderPackage } from '../../src/render/package.ts';
import { parsePackageFile } from '../../src/serviceguard/package-file.ts';
import { makePackageTemplate } from '../../src/serviceguard/package-template.ts';
import { parseSettings } from '../../src/settings-yaml.ts';

const templates = join(import.meta.dirname, '../../package-templates');
const template = (path: string) => ({ file: path, text: readFileSync(join(templates, path), 'utf8') });

function renderedPackage(base: string | undefined): string {
  const settings = parseSettings(readFileSync(join(templates, 'lab/csync.yaml'), 'utf8'), 'csync.yaml');
  if (!settings.ok) throw new Error('the settings of the lab must be sound');
  const rendered = renderPackage({
    settings: settings.value,
    templates: { packageFile: template('modular/package.conf.tpl'), launcher: template('modular/launcher.sh.tpl') },
    bundles: new Map(),
    base,
  });
  const file = rendered.ok ? rendered.value.find((one) => one.name === 'csync.conf') : undefined;
  if (file === undefined) throw new Error(rendered.problems.map((problem) => problem.text).join('\n'));
  return file.text;
}

function complaints(text: string): string[] {
  const parsed = parsePackageFile(text, 'csync.conf');
  if (!parsed.ok) return parsed.problems.map((problem) => problem.text);
  const state = initialState({ name: 'lab', members: ['m1', 'm2', 'm3'], subnets: ['10.9.0.0'] });
  const needed = neededObservations(parsed.value, state);
  const validated = Object.fromEntries(needed.validate.map((path) => [path, { exitCode: 0, output: '' }]));
  const well = { reachable: true, executable: needed.executable, validated };
  const observations = Object.fromEntries(needed.members.map((member) => [member, well]));
  return checkPackage({ file: parsed.value, fileName: 'csync.conf', state, observations }).map((problem) => problem.text);
}

describe('the package of the toolkit', () => {
  test('passes cmcheckconf as it is shipped', () => {
    expect(complaints(renderedPackage(undefined))).toEqual([]);
  });

  test('passes cmcheckconf laid over what cmmakepkg wrote', () => {
    const made = makePackageTemplate({ modules: packageModules, name: 'csync', existing: null });
    expect(made.ok && complaints(renderedPackage(made.value))).toEqual([]);
  });
});
