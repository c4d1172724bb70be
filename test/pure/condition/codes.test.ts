/** The entries of `csync explain`: one for each code in the source, with commands that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folded } from '../../../src/base/fold.ts';
import { verbIn } from '../../../src/cli/help.ts';
import { verbs } from '../../../src/cli/verbs.ts';
import { codeEntries, codesText, codeText, groupsOf } from '../../../src/explain/codes.ts';
import { explain } from '../../../src/verbs/lab/explain.ts';
import { repository } from '../../support.ts';

const source = join(repository, 'src');
const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(source, name), 'utf8'))
  .join('\n');
const codes = codeEntries.map(({ code }) => code);

/** Commands of csync in backticks, without what stands for a name. */
const commands = codeEntries.flatMap(({ code, fix, example, why, cluster }) =>
  [...fix, example, why, cluster].flatMap((said) =>
    [...said.matchAll(/`csync ([^`]+)`/g)].map(([, words = '']) => [code, words] as const),
  ),
);

describe('csync explain', () => {
  it('has an entry for each code in the source', () => {
    const used = [
      ...text.matchAll(/\b(?:code: |errorProblem\(\s*|syntaxProblem\(\s*|failure\(\s*|error\(\s*)'([a-z]+(?:-[a-z]+)+)'/g),
    ];
    const names = [...new Set(used.map(([, name = '']) => name))];
    expect(names.length).toBeGreaterThan(150);
    expect(names.filter((name) => !codes.includes(name))).toEqual([]);
  });

  it('has each code once, in one group', () => {
    expect(new Set(codes).size).toBe(codes.length);
    expect(
      groupsOf(codeEntries)
        .flatMap(({ entries }) => entries.map(({ code }) => code))
        .sort(),
    ).toEqual([...codes].sort());
  });

  it.each(codeEntries.map((entry) => [entry.code, entry] as const))(
    '%s: sentences, a fix and a page that exists',
    (_code, entry) => {
      for (const said of [entry.text, entry.cluster, entry.why, ...entry.fix]) expect(said).toMatch(/^[A-Z`\d/a-z].*[.?]$/s);
      expect(entry.fix.length).toBeGreaterThan(0);
      expect(entry.example).not.toBe('');
      expect(existsSync(join(repository, entry.page)), entry.page).toBe(true);
    },
  );

  it.each(commands)('%s names a verb and options that exist: csync %s', (_code, words) => {
    const argv = words.replace(/^VERB\b/, 'apply').split(' ');
    if (argv[0] === '--help' || verbIn(argv) === null) expect(words).toMatch(/^(--help|stauts)/);
    else {
      const verb = verbs.find((one) => one.words === verbIn(argv));
      const options = argv.flatMap((word) => /^--([a-z-]+)/.exec(word)?.[1] ?? []).filter((name) => name !== 'help');
      expect(options.filter((name) => !Object.hasOwn(verb?.options ?? {}, name))).toEqual([]);
    }
  });

  it('prints lines of at most 80 columns', () => {
    const lines = [codesText(codeEntries, 80), ...codeEntries.map((entry) => codeText(entry, 80))].join('\n').split('\n');
    // A command is not broken.
    expect(lines.filter((line) => line.length > 80 && !/^ *`[^`]*`\S*$/.test(line))).toEqual([]);
  });

  it('knows a code in its brackets, and the nearest one of a misspelled one', () => {
    expect(explain('[change-busy]', false)).toBe(explain('change-busy', false));
    expect(() => explain('change-bussy', false)).toThrow('unknown code "change-bussy"');
    expect(JSON.parse(explain('change-busy', true))).toMatchObject({ code: 'change-busy', exit: 5 });
  });
});

describe('folded text', () => {
  it.each([
    ['  141  the reader of it', 12, 7, '  141  the\n       reader\n       of it'],
    ['run `csync apply --yes` now', 8, 2, 'run\n  `csync apply --yes`\n  now'],
    ['', 8, 2, ''],
  ])('%j in %i columns', (said, width, indent, expected) => {
    expect(folded(said, width, indent)).toBe(expected);
  });
});
