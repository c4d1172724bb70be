/** The files of examples/ are valid. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { answersGiven } from '../../../src/wizard/answers.ts';
import { memberScripts, packageTemplates, repository } from '../../support.ts';

const example = (name: string) => {
  const file = join('examples', name);
  return { file, name, text: readFileSync(join(repository, file), 'utf8') };
};
const settings = parseSettings(example('csync.yaml').text, 'csync.yaml');

describe('examples/', () => {
  it('has settings that are complete and valid', () => {
    expect(settings.problems).toEqual([]);
    expect(settings.ok).toBe(true);
  });

  it('has answers that csync init accepts', () => {
    const answers = answersGiven(example('answers.yaml'), []);
    expect(answers.problems).toEqual([]);
    expect(answers.ok).toBe(true);
  });

  it('has an edited template that renders, with the edit in it', () => {
    const templates = { ...packageTemplates(), packageFile: example('templates/modular/package.conf.tpl') };
    const directories = { SGCONF: '/usr/local/cmcluster/conf', SGRUN: '/usr/local/cmcluster/run' };
    const files = demand(renderPackage({ settings: demand(settings), templates, bundles: memberScripts(() => ''), directories }));
    expect(files.find(({ name }) => name === 'csync.conf')?.text).toMatch(/^package_description +".*, on call: Unix team"$/m);
  });
});
