/** The manual pages: current, without warnings of mandoc, and with what --help prints. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manPages } from '../../../scripts/generate/man-pages.ts';
import { parse } from '../../../src/cli/parser.ts';
import { verbTasks } from '../../../src/cli/verb.ts';
import { verbs } from '../../../src/cli/verbs.ts';
import { settingsFields } from '../../../src/settings/settings.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { have, repository } from '../../support.ts';

const directory = join(repository, 'man');
const pages = readdirSync(directory);
if (!have('mandoc')) console.warn('manual pages are not checked by mandoc: it is missing (Debian: apt-get install mandoc)');

/** As a reader sees it, in one line. */
const inWords = (text: string): string =>
  text
    .replaceAll(/\\f[BIRP]/g, '')
    .replaceAll(/\\([-.])/g, '$1')
    .replaceAll(/\s+/g, ' ');

const pageOf = (task: string): string => `csync-${task.toLowerCase().replace(' ', '-')}`;

describe('man/', () => {
  it('has the pages of csync', () => {
    const others = [
      'csync-drills.7',
      'csync-monitor-state.5',
      'csync-templates.5',
      'csync.8',
      'csync.yaml.5',
      'ocf_csync_master.7',
    ];
    expect(pages.sort()).toEqual([...Object.keys(verbTasks).map((task) => `${pageOf(task)}.8`), ...others].sort());
  });

  it.each([...manPages(repository)])('%s is current; else run npm run generate', (name, text) => {
    expect(readFileSync(join(repository, name), 'utf8')).toBe(text);
  });

  it.skipIf(!have('mandoc')).each(pages)('%s renders without a warning', (page) => {
    const checked = spawnSync('mandoc', ['-Tlint', '-Wwarning', join(directory, page)], { encoding: 'utf8' });
    expect([checked.status, checked.stdout]).toEqual([0, '']);
  });

  it.each(pages)('%s has a name for apropos, a description, and refers to other pages', (page) => {
    const text = readFileSync(join(directory, page), 'utf8');
    const [name = ''] = page.split(/\.\d$/);
    expect(inWords(text)).toMatch(new RegExp(`^\\.TH "${name.toUpperCase()}" "${page.at(-1)}" "\\d{4}-\\d\\d-\\d\\d" `));
    expect(inWords(text)).toContain(`.SH "NAME" ${name} - `);
    expect(text).toMatch(/^\.SH DESCRIPTION$[\s\S]*^\.SH SEE ALSO$/m);
  });
});

describe('csync(8) and the pages of its tasks', () => {
  const read = (page: string): string => inWords(readFileSync(join(directory, page), 'utf8'));
  const overview = read('csync.8');

  it.each(verbs.map(({ words, task }) => [words, task]))('have what --help prints of %s', async (words, task) => {
    expect(overview).toContain(` csync ${words}: `);
    const text = read(`${pageOf(task)}.8`);
    const { text: help } = await parse([...words.split(' '), '--help']);
    const from = text.indexOf(`.SS csync ${words}`);
    const section = text.slice(from, text.indexOf(' .S', from + 1));
    const options = [...(help.split('Examples:')[0] ?? '').matchAll(/^ +(?:-\w, +)?--([a-z-]+) /gm)].flatMap(([, name = '']) =>
      ['help', 'quiet'].includes(name) ? [] : [`--${name}: `, `--${name}, `],
    );
    const missing = options.filter(
      (_, at) => at % 2 === 0 && ![options[at], options[at + 1]].some((one) => section.includes(one ?? '')),
    );
    expect([from > 0, missing]).toEqual([true, []]);
    const statuses = [...(help.split('Exit status:\n')[1] ?? '').matchAll(/^ {2}(\d+) +/gm)].map(([, status]) => Number(status));
    const whole = overview.slice(overview.indexOf('.SH EXIT STATUS'));
    for (const status of statuses) expect(section.includes(` ${status}: `) || whole.includes(` ${status}: `)).toBe(true);
  });
});

describe('csync.yaml(5)', () => {
  it('has each setting', () => {
    const text = inWords(readFileSync(join(directory, 'csync.yaml.5'), 'utf8'));
    const keys = settingsFields.map((field) => settingsTable[field].key);
    expect([...text.matchAll(/\.SS (\w+) /g)].map(([, key]) => key)).toEqual(keys);
  });
});
