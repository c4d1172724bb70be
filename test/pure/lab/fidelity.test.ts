/** The fidelity table: every test it names exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fidelityTable } from '../../../src/lab/fidelity/fidelity.ts';

const root = join(import.meta.dirname, '../../..');

function testSources(): string {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('fidelity.test.ts'))
    .map((file) => readFileSync(join(root, 'test', file), 'utf8'))
    .join('\n');
}

describe('fidelity table', () => {
  test('every test that is named exists, and everything imitated names one', () => {
    const sources = testSources();
    // A title stands between quotes, so that a longer title does not prove a shorter one.
    const exists = (title: string): boolean =>
      [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => sources.includes(quoted));
    const missing = fidelityTable.filter((row) => row.provedBy !== null && !exists(row.provedBy));
    expect(missing.map((row) => row.provedBy)).toEqual([]);
    expect(fidelityTable.filter((row) => row.status === 'imitated' && row.provedBy === null)).toEqual([]);
  });

  test('no behaviour is listed twice', () => {
    const behaviours = fidelityTable.map((row) => row.behaviour);
    expect(new Set(behaviours).size).toBe(behaviours.length);
  });
});
