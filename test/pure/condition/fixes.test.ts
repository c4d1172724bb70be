/** Each code of a message stands in one of the lists of test/fixes.ts: its fix is typed by a test, or the list has the reason why not. */
import { describe, expect, it } from 'vitest';
import { codeEntries } from '../../../src/explain/codes.ts';
import { checkRows, elsewhere, haltedRows, isComplete, startRows, typed, untyped, verbRows } from '../../fixes.ts';
import { testExists } from '../../named-tests.ts';

describe('the fixes of messages', () => {
  const listed = [...typed, ...Object.keys(elsewhere), ...Object.values(untyped).flat()];

  it('each code stands in exactly one list', () => {
    expect(isComplete).toBe(true);
    expect([...listed].sort()).toEqual(codeEntries.map(({ code }) => code).sort());
  });

  it('what is typed has a row, and each row is in the list', () => {
    const rows = [...checkRows, ...haltedRows, ...verbRows, ...startRows].map(({ code }) => code);
    expect([...new Set(rows)].sort()).toEqual([...typed].sort());
  });

  it.each(Object.entries(elsewhere))('%s: the test that follows its fix exists', (_code, test) => {
    expect(testExists(test)).toBe(true);
  });
});
