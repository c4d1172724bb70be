/** The fidelity table: the test that a row names exists, and has the imitated part in its hands. */
import { describe, expect, test } from 'vitest';
import { fidelityTable } from '../../../src/lab/fidelity/fidelity.ts';
import { importsOfTest, testExists } from '../../named-tests.ts';

const proofs = fidelityTable.flatMap(({ behaviour, parts, provedBy }) =>
  provedBy === null ? [] : [{ behaviour, parts, ...provedBy }],
);

describe('fidelity table', () => {
  test('every test that is named exists in its file, and everything imitated names one', () => {
    expect(proofs.filter((proof) => !testExists(proof))).toEqual([]);
    expect(fidelityTable.filter((row) => row.status === 'imitated' && row.provedBy === null)).toEqual([]);
  });

  test('every test that is named uses the folders that imitate the behaviour, or runs the whole lab', () => {
    const uses = (file: string, parts: readonly string[]): boolean => {
      const imports = [...importsOfTest(file)];
      return imports.includes('test/use-lab.ts') || parts.some((part) => imports.some((one) => one.startsWith(`src/${part}`)));
    };
    expect(proofs.filter(({ file, parts }) => !uses(file, parts))).toEqual([]);
    // Neither a test of something else nor one behind a helper that does not reach it counts.
    expect(uses('test/pure/setup/keys.test.ts', ['lab/manager/'])).toBe(false);
    expect(uses('test/pure/lab/lab-events.test.ts', ['lab/commands/'])).toBe(false);
  });

  test('no behaviour is listed twice', () => {
    const behaviours = fidelityTable.map((row) => row.behaviour);
    expect(new Set(behaviours).size).toBe(behaviours.length);
  });
});
