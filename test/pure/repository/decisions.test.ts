/** DECISIONS.md: each entry is short and has a title and a date; the index names each heading. */
import { describe, expect, it } from 'vitest';
import { anchorOf, readPage } from '../../markdown.ts';

interface Entry {
  readonly title: string;
  readonly section: string;
  readonly lines: readonly string[];
}

const page = readPage('DECISIONS.md').split('\n');
const logBegins = page.findIndex((line) => /^## \d/.test(line));
const entries = entriesOf(page.slice(logBegins));
const index = page.slice(page.indexOf('## Index') + 1, logBegins).join('\n');

describe('DECISIONS.md', () => {
  it('is a log of entries below dated headings', () => {
    expect(entries).not.toEqual([]);
    const undated = page.slice(logBegins).filter((line) => line.startsWith('## ') && !/^## 20\d\d-\d\d-\d\d, \S/.test(line));
    expect(undated).toEqual([]);
  });

  it('has entries of at most five lines, and lines of at most 180 characters', () => {
    const long = entries.filter(({ lines }) => lines.length > 5 || lines.some((line) => line.length > 180));
    expect(long.map(({ title }) => title)).toEqual([]);
  });

  it('has an index that names each heading of the log, and nothing else', () => {
    const headings = new Set(entries.map(({ section }) => anchorOf(section)));
    const indexed = [...index.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor);
    const missing = [...headings].filter((anchor) => !indexed.includes(anchor));
    expect(missing, 'add these headings to the index, behind their subject').toEqual([]);
    expect(indexed.filter((anchor) => !headings.has(anchor))).toEqual([]);
  });
});

/** An entry begins with its title in bold; its further lines are indented. */
function entriesOf(lines: readonly string[]): Entry[] {
  const found: { title: string; section: string; lines: string[] }[] = [];
  let section = '';
  for (const line of lines) {
    if (line.startsWith('## ')) section = line.slice(3);
    else if (line.startsWith('- ')) found.push({ title: '', section, lines: [line] });
    else if (line.trim() !== '') found.at(-1)?.lines.push(line);
  }
  return found.map((entry) => ({ ...entry, title: titleOf(entry.lines) }));
}

function titleOf(lines: readonly string[]): string {
  const text = lines.map((line) => line.trim()).join(' ');
  return (/^- \*\*(.+?)\*\*/.exec(text)?.[1] ?? `no title in bold: ${text}`).replace(/[.:,;]$/, '');
}
