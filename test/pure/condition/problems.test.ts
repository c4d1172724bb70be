/** The table of problem codes: each row is used, and says what it means. That a code in use has a row is a matter of types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ProblemCode, problemCodes } from '../../../src/base/codes/problem-codes.ts';
import { errorProblem, exitCodeOf, exitTable } from '../../../src/base/problem.ts';
import { readPage } from '../../markdown.ts';
import { repository } from '../../support.ts';

const codes = Object.keys(problemCodes) as ProblemCode[];
const source = join(repository, 'src');
const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('base/codes/'))
  .map((name) => readFileSync(join(source, name), 'utf8'))
  .join('\n');

describe('problem codes', () => {
  it('are all used', () => {
    // Beginnings of codes that are completed by a word, such as the name of a check.
    const beginnings = [...text.matchAll(/`([a-z-]+-)\$\{/g)].flatMap(([, beginning]) => beginning ?? []);
    const isUsed = (code: string): boolean => {
      const rests = beginnings.filter((one) => code.startsWith(one)).map((one) => code.slice(one.length));
      return [code, ...rests].some((word) => text.includes(`'${word}'`));
    };
    expect(codes.filter((code) => !isUsed(code))).toEqual([]);
  });

  it.each(codes)('%s is one sentence and has an exit status', (code) => {
    const { exit, text: means } = problemCodes[code];
    expect(means).toMatch(/^[A-Zc].*\.$/);
    expect(exitCodeOf([errorProblem(code, '', '')])).toBe(exitTable[exit].status);
    expect(readPage('docs/reference/problem-codes.md')).toContain(
      `\n### ${code}\n\n${means} Exit status ${exitTable[exit].status}.\n`,
    );
  });

  it('lead to the exit status of the first error', () => {
    const warning = { ...errorProblem('usage', '', ''), severity: 'warning' } as const;
    expect(exitCodeOf([warning])).toBe(0);
    expect(exitCodeOf([warning, errorProblem('check-space', '', ''), errorProblem('usage', '', '')])).toBe(1);
  });
});
