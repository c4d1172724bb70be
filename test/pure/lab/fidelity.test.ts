/** FIDELITY.md: the tests to which a row links exist by their titles, and import the imitated part. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linksIn, readPage, tables } from '../../markdown.ts';
import { importsOfTest, testExists } from '../../named-tests.ts';
import { repository } from '../../support.ts';

const page = readPage('FIDELITY.md');

const rows = page
  .split(/^## /m)
  .slice(1)
  .flatMap((chapter) => {
    const parts = [...(/^Code: (.*)\.$/m.exec(chapter)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, part = '']) => `${part}/`);
    return tables(chapter)
      .flat()
      .map((row) => {
        const tests = linksIn(row.get('behaviour')?.tokens ?? []).map(({ href, text }) => ({ file: href, title: text }));
        return { behaviour: row.get('behaviour')?.text ?? '', status: statusOf(row.get('source')?.text ?? ''), parts, tests };
      });
  });

/** A source that is imitated begins with what was read: a manual with its page, a key without pages, or a section of our facts. */
function statusOf(source: string): string {
  const [, ours] = /^(ours|not imitated)\b/.exec(source) ?? [];
  return ours ?? (/^(?:\w+ p\.\d|GH-|MAN\b|MIG\b|TMPL\b|serviceguard\.md \d)/.test(source) ? 'imitated' : 'unknown');
}

describe('FIDELITY.md', () => {
  test('names folders and tests that exist, and a test for everything imitated', () => {
    expect(rows).not.toEqual([]);
    expect(rows.flatMap(({ parts }) => parts).filter((part) => !existsSync(join(repository, part)))).toEqual([]);
    expect(rows.filter(({ parts, tests }) => parts.length === 0 || !tests.every(testExists))).toEqual([]);
    expect(rows.filter(({ status, tests }) => status === 'imitated' && tests.length === 0)).toEqual([]);
  });

  test('counts its rows', () => {
    const count = (status: string): number => rows.filter((row) => row.status === status).length;
    const [imitated, ours, missing] = [count('imitated'), count('ours'), count('not imitated')];
    expect(imitated + ours + missing).toBe(rows.length);
    expect(page).toContain(
      `Of ${rows.length} behaviours, ${imitated} are imitated from a page, ${ours} are our choice because no page documents them, and ${missing} are not imitated.`,
    );
  });

  test('names tests that use the folders that imitate the behaviour, or run the whole lab', () => {
    const uses = (file: string, parts: readonly string[]): boolean => {
      const imports = [...importsOfTest(file)];
      return imports.includes('test/use-lab.ts') || parts.some((part) => imports.some((one) => one.startsWith(part)));
    };
    expect(rows.filter(({ parts, tests }) => !tests.every(({ file }) => uses(file, parts)))).toEqual([]);
    // Neither a test of something else nor one behind a helper that does not reach it counts.
    expect(uses('test/pure/setup/keys.test.ts', ['src/lab/manager/'])).toBe(false);
    expect(uses('test/pure/lab/lab-events.test.ts', ['src/lab/commands/'])).toBe(false);
  });

  test('lists no behaviour twice', () => {
    expect(new Set(rows.map(({ behaviour }) => behaviour)).size).toBe(rows.length);
  });
});
