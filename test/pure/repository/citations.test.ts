/**
 * Citations resolve: a section of a page of facts ([serviceguard.md 2.3]), an invariant (I1), a key of a manual (A12 p.59).
 * They are looked for in all texts of the repository, so that a section cannot be renumbered or removed unnoticed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headingsOf, readPage, tables } from '../../markdown.ts';
import { repository } from '../../support.ts';

interface Citation {
  readonly file: string;
  readonly page: string;
  readonly section: string;
}

const factPages = readdirSync(join(repository, 'docs/facts')).filter((name) => name !== 'sources.md');
const sections = new Map([
  ...factPages.map((name): [string, ReadonlySet<string>] => [name, sectionsOf(readPage(`docs/facts/${name}`))]),
  ['architecture.md', sectionsOf(readPage('docs/architecture.md'))] as const,
]);
const keys = new Set(
  tables(readPage('docs/facts/sources.md')).flatMap((rows) => rows.flatMap((row) => row.get('key')?.text.split(', ') ?? [])),
);

const texts = ['src', 'package-templates', 'scripts', 'test', 'docs', '.'].flatMap(textsBelow);

describe('citations', () => {
  const found = texts.flatMap(({ file, text }) => citationsIn(file, text));

  it('name a section of a page of facts that exists', () => {
    expect(found).not.toEqual([]);
    const unknown = found.filter(({ page, section }) => sections.get(page)?.has(section) !== true);
    expect(unknown.map(({ file, page, section }) => `${file}: ${page} ${section}`)).toEqual([]);
  });

  it('name the page, not the section alone', () => {
    const bare = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/(?:^\s*\*|\/\/|#) .*?(\[\d+\.\d+(?:, \d+\.\d+)*\])/gm)].map(([, section]) => `${file}: ${section}`),
    );
    expect(bare).toEqual([]);
  });

  it('name an invariant of docs/architecture.md', () => {
    const named = texts.flatMap(({ file, text }) => [...text.matchAll(/\bI\d\b/g)].map(([name]) => ({ file, name })));
    expect(named).not.toEqual([]);
    expect(named.filter(({ name }) => sections.get('architecture.md')?.has(name) !== true)).toEqual([]);
  });

  it('name a manual of docs/facts/sources.md', () => {
    const named = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/\b([A-Z][A-Za-z\d-]*) p\.\d/g)].map(([, key = '']) => ({ file, key })),
    );
    expect(named).not.toEqual([]);
    expect(named.filter(({ key }) => !keys.has(key))).toEqual([]);
  });

  it('stand in square brackets on the pages of facts, and each is a key', () => {
    const wrong = factPages.flatMap((name) => unknownKeys(readPage(`docs/facts/${name}`)).map((key) => `${name}: ${key}`));
    expect(wrong).toEqual([]);
  });

  it('name a file of tests that exists, whole', () => {
    const named = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/(?<![\w./])test\/[\w./-]+\.test\.ts/g)].map(([name]) => ({ file, name })),
    );
    expect(named).not.toEqual([]);
    expect(named.filter(({ name }) => !existsSync(join(repository, name)))).toEqual([]);
  });

  it('of FIDELITY.md that have no page are keys, too', () => {
    const sources = tables(readPage('FIDELITY.md')).flatMap((rows) => rows.map((row) => row.get('source')?.text ?? ''));
    const named = sources.flatMap((source) => source.match(/\b(?:GH-[a-z]+|TMPL|MAN)\b/g) ?? []);
    expect(named).not.toEqual([]);
    expect(named.filter((key) => !keys.has(key))).toEqual([]);
  });
});

describe('a citation', () => {
  const pageAndSections = (text: string): string[] => citationsIn('x.ts', text).map(({ page, section }) => `${page} ${section}`);

  it('may name several sections, a range, a chapter or a gap, and break at the end of a line', () => {
    expect(pageAndSections('[cfengine.md 1.1, 2.1;\n * dsau-csync.md 4.1]')).toEqual([
      'cfengine.md 1.1',
      'cfengine.md 2.1',
      'dsau-csync.md 4.1',
    ]);
    expect(pageAndSections('serviceguard.md chapters 5 and 6, serviceguard.md gap 4')).toEqual([
      'serviceguard.md 5',
      'serviceguard.md 6',
      'serviceguard.md gap 4',
    ]);
    expect(pageAndSections('[serviceguard.md 2.3-2.7] follows cfengine.md\n# 1.3 (by address), 1.9 (order)')).toEqual([
      'serviceguard.md 2.3',
      'serviceguard.md 2.7',
      'cfengine.md 1.3',
      'cfengine.md 1.9',
    ]);
  });

  it('of a page that does not exist is one as well, a link is none', () => {
    expect(pageAndSections('[manual.md 1.2] [monitor.md](monitor.md) docs/reference/monitor.md 3')).toEqual(['manual.md 1.2']);
  });
});

/** Numbers at the beginning of headings, gaps by number, invariants by name. */
function sectionsOf(text: string): ReadonlySet<string> {
  const numbered = headingsOf(text).flatMap((heading) => {
    const [, number, gap] = /^(?:(\d+(?:\.\d+)*)|Gap (\d+):) /.exec(heading.text) ?? [];
    return number ?? (gap === undefined ? [] : `gap ${gap}`);
  });
  return new Set([...numbered, ...[...text.matchAll(/^- \*\*(I\d)\*\*/gm)].map(([, name = '']) => name)]);
}

function citationsIn(file: string, text: string): Citation[] {
  const joined = text.replace(/\s*\n\s*(?:\*(?!\/)|\/\/|#)?\s*/g, ' ');
  return [...joined.matchAll(/(?<![\w./-])([a-z][a-z-]*\.md) /g)].flatMap(({ 0: name, 1: page = '', index }) => {
    const item = /(?:\s*\([^()\]]*\))?(?:\s*[,-]|\s+and)?\s*(chapters? |gaps? )?(\d+(?:\.\d+)*|I\d)\b/y;
    item.lastIndex = index + name.length;
    const cited: Citation[] = [];
    for (let found = item.exec(joined); found !== null; found = item.exec(joined)) {
      const [, kind = '', number = ''] = found;
      cited.push({ file, page, section: kind.startsWith('gap') ? `gap ${number}` : number });
    }
    return cited;
  });
}

/** In brackets that are no links, outside of code: what is neither a key, nor a further page of one, nor a file of cfengine. */
function unknownKeys(text: string): string[] {
  const prose = text.replace(/^ {4}.*$/gm, '').replace(/`[^`]*`/g, '');
  const items = [...prose.matchAll(/\[([^\]]+)\](?!\()/g)].flatMap(([, inside = '']) => inside.split(', '));
  return items.filter((item) => !/^(?:p\.\d|[23]:)/.test(item) && !keys.has(item.split(' ')[0] ?? ''));
}

/** Texts that people write; not this test, whose examples are none, and nothing that was recorded or is a fixture of a former version. */
function textsBelow(directory: string): { file: string; text: string }[] {
  const names = readdirSync(join(repository, directory), { recursive: directory !== '.', withFileTypes: true });
  return names
    .filter((entry) => entry.isFile() && /\.(?:ts|md|sh|pl|tpl)$|^cf[a-z]+$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/citations\.test\.ts$|\/(?:golden|recorded|version-[\d.]+)\//.test(path))
    .map((path) => ({ file: path.slice(repository.length + 1), text: readFileSync(path, 'utf8') }));
}
