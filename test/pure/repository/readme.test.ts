/** README and the pages of docs/: links resolve, the README stays short and readable, its settings file is valid. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lexer } from 'marked';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { codeBelow, deadLinks, markdownPages, readPage, sentences, shownCommands, wordsOf } from '../../markdown.ts';
import { repository } from '../../support.ts';
import { banned } from '../../words.ts';

const readme = readPage('README.md');

describe('plain English', () => {
  it.each(markdownPages())('%s has none of the words that a reader has to decode', (page) => {
    const found = sentences(readPage(page)).flatMap((sentence) =>
      banned.filter((phrase) => phrase.test(sentence)).map((phrase) => `${phrase}: ${sentence}`),
    );
    expect(found).toEqual([]);
  });

  it.each(markdownPages().filter((page) => /^README\.md$|^docs\/(?:tutorial|runbook)\.md$|^docs\/how-to\//.test(page)))(
    '%s has no sentence of more than 30 words, and fewer than 16 on average',
    (page) => {
      const lengths = sentences(readPage(page)).map((sentence) => ({ sentence, words: wordsOf(sentence) }));
      expect(lengths).not.toEqual([]);
      expect(lengths.filter(({ words }) => words > 30)).toEqual([]);
      expect(lengths.reduce((sum, { words }) => sum + words, 0) / lengths.length).toBeLessThan(16);
    },
  );

  it.each(markdownPages().filter((page) => page.startsWith('docs/')))(
    '%s says first which question it answers, and for whom',
    (page) => {
      const [title, first] = lexer(readPage(page)).filter(({ type }) => type !== 'space');
      expect(title).toMatchObject({ type: 'heading', depth: 1 });
      expect(first).toMatchObject({ type: 'paragraph', text: expect.stringMatching(/\?/) });
    },
  );
});

describe('CONTRIBUTING.md and test/README.md', () => {
  it.each(['CONTRIBUTING.md', 'test/README.md'])('%s names files that exist', (page) => {
    const named = [...readPage(page).matchAll(/`((?:src|test|docs|scripts|package-templates)\/[\w./-]*)`/g)].map(
      ([, name = '']) => name,
    );
    expect(named.filter((name) => !existsSync(join(repository, name)))).toEqual([]);
  });
});

describe('README.md', () => {
  it('is at most 150 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it('shows a settings file that is complete and valid', () => {
    const [sample = ''] = codeBelow(readme, 'csync.yaml');
    const parsed = parseSettings(sample, 'csync.yaml');
    expect(parsed.problems).toEqual([]);
    expect(parsed.ok).toBe(true);
  });

  it('names npm scripts and programs that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const npm = [...readme.matchAll(/npm run ([a-z-]+)/g)].map(([, name = '']) => name);
    const programs = [...readme.matchAll(/\bscripts\/([a-z]+)/g)].map(([, name = '']) => name);
    expect(npm).not.toEqual([]);
    expect(npm.filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(programs.filter((name) => !readdirSync(join(repository, 'scripts')).includes(name))).toEqual([]);
  });
});

describe('the pages', () => {
  it('with commands behind a prompt are typed by a test of the lab', () => {
    const typed = ['test/lab/sites/pages.test.ts', 'test/lab/policy/framework.test.ts']
      .map((file) => readFileSync(join(repository, file), 'utf8'))
      .join('');
    const withCommands = markdownPages().filter((page) => shownCommands(readPage(page)).length > 0);
    expect(withCommands.length).toBeGreaterThan(15);
    expect(withCommands.filter((page) => !typed.includes(`'${page}'`))).toEqual([]);
  });

  it.each(markdownPages())('%s has no dead link', (page) => {
    expect(deadLinks(page)).toEqual([]);
  });

  it('are all in the index, docs/README.md', () => {
    const index = readPage('docs/README.md');
    const files = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' });
    const pages = files.filter((name) => /\.(md|html)$/.test(name) && name !== 'README.md');
    expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });
});
