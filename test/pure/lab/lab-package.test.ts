/** The package the toolkit renders, against the checks of the lab: as it is shipped, and laid over a cmmakepkg file. */
import { describe, expect, test } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { packageModules } from '../../../src/engine/serviceguard/package-text.ts';
import { checkPackage, neededObservations } from '../../../src/lab/manager/configuration/check.ts';
import { initialState } from '../../../src/lab/manager/package-manager.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { makePackageTemplate } from '../../../src/serviceguard/package-template.ts';
import { labSettings, packageTemplates } from '../../support.ts';

function renderedPackage(base: string | undefined): string {
  const files = demand(renderPackage({ settings: labSettings(), templates: packageTemplates(), bundles: new Map(), base }));
  return files.find((file) => file.name === 'csync.conf')?.text ?? '';
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
