/** README and the pages of docs/: links resolve, the README stays short and readable, its settings file is valid. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { codeBelow, deadLinks, markdownPages, readPage, sentences, wordsOf } from '../../markdown.ts';
import { repository } from '../../support.ts';
import { banned } from '../../words.ts';

const readme = readPage('README.md');

describe('plain English', () => {
  const pages = markdownPages().filter((page) =>
    /^(?:README|CONTRIBUTING|SECURITY|test\/README)\.md$|^docs\/(?:README|architecture|development)\.md$|^docs\/facts\//.test(
      page,
    ),
  );

  it.each(pages)('%s has none of the words that a reader has to decode', (page) => {
    const found = sentences(readPage(page)).flatMap((sentence) =>
      banned.filter((phrase) => phrase.test(sentence)).map((phrase) => `${phrase}: ${sentence}`),
    );
    expect(found).toEqual([]);
  });
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

  it('has no sentence of more than 30 words, and 16 on average', () => {
    const lengths = sentences(readme).map((sentence) => ({ sentence, words: wordsOf(sentence) }));
    expect(lengths.length).toBeGreaterThan(60);
    expect(lengths.filter(({ words }) => words > 30)).toEqual([]);
    expect(lengths.reduce((sum, { words }) => sum + words, 0) / lengths.length).toBeLessThan(16);
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
    expect(npm.length).toBeGreaterThan(1);
    expect(npm.filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(programs.filter((name) => !readdirSync(join(repository, 'scripts')).includes(name))).toEqual([]);
  });
});

describe('the pages', () => {
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
