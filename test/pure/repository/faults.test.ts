/** docs/proof/faults.md: every row has a bound, a count and a test that exists under that name in that file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drills } from '../../../src/rehearsal/drill-table.ts';
import { readPage, tables } from '../../markdown.ts';
import { testExists, testsIn } from '../../named-tests.ts';
import { repository } from '../../support.ts';

describe('docs/proof/hangs.md', () => {
  const rows = tables(readPage('docs/proof/hangs.md')).flat();
  const text = (row: (typeof rows)[number], column: string): string => row.get(column)?.text.trim() ?? '';

  it('says of each what happens and within which time, and names tests that exist', () => {
    expect(rows).not.toEqual([]);
    const wrong = rows.filter((row) => {
      const tests = testsIn(text(row, 'test')) ?? [];
      return text(row, 'bound') === '' || tests.length === 0 || !tests.every(testExists);
    });
    expect(wrong.map((row) => `${text(row, 'what hangs')}: ${text(row, 'test')}`)).toEqual([]);
  });

  it('names a drill that exists, or says why there is none', () => {
    const names = new Set(drills.map(({ name }) => name));
    const wrong = rows.filter((row) => {
      const named = [...text(row, 'drill').matchAll(/\[([\w-]+)\]\((?:\.\.\/reference\/)drills\.md#([\w-]+)\)/g)];
      const isNamed = named.length > 0 && named.every(([, name = '', anchor]) => name === anchor && names.has(name));
      return !isNamed && !/^no: \w/.test(text(row, 'drill'));
    });
    expect(wrong.map((row) => `${text(row, 'what hangs')}: ${text(row, 'drill')}`)).toEqual([]);
  });

  it('has each drill that hangs something', () => {
    const page = readFileSync(join(repository, 'docs/proof/hangs.md'), 'utf8');
    const hanging = drills.filter(({ name }) => /^hang-|frozen$|^hung-|^disk-/.test(name)).map(({ name }) => name);
    expect(hanging.filter((name) => !page.includes(`(../reference/drills.md#${name})`))).toEqual([]);
  });
});

describe('docs/proof/faults.md', () => {
  const rows = tables(readPage('docs/proof/faults.md')).flat();
  const text = (row: (typeof rows)[number], column: string): string => row.get(column)?.text.trim() ?? '';

  it('has rows, and none twice', () => {
    const faults = rows.map((row) => text(row, 'fault'));
    expect(faults).not.toEqual([]);
    expect(new Set(faults).size).toBe(faults.length);
  });

  it('says of each how it was made, its bound, how often, and that it held', () => {
    const complete = ['fault', 'how it was made', 'bound', 'n', 'test'];
    expect(rows.filter((row) => complete.some((column) => text(row, column) === '')).map((row) => text(row, 'fault'))).toEqual(
      [],
    );
    expect(new Set(rows.map((row) => text(row, 'result')))).toEqual(new Set(['held']));
  });

  it('names tests that exist', () => {
    const wrong = rows.filter((row) => {
      const tests = testsIn(text(row, 'test'));
      return tests === null || tests.length === 0 || !tests.every(testExists);
    });
    expect(wrong.map((row) => `${text(row, 'fault')}: ${text(row, 'test')}`)).toEqual([]);
  });

  it('would not take a test that does not exist', () => {
    const cell = '[pure/faults](../test/pure/layers.test.ts): `no such test`';
    expect(testsIn(cell)?.map(testExists)).toEqual([false]);
    expect(testsIn('a test somewhere')).toBeNull();
  });
});
