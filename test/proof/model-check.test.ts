/** The model check in a form that takes seconds; `npm run model-check` is the long one. */
import { describe, expect, it } from 'vitest';
import { checkPage } from '../../scripts/proof/model-check-page.ts';
import { runChecks, storyLines } from '../../src/model-check/model-check.ts';
import { labSettings } from '../support.ts';

describe('the model check', () => {
  it('finds nothing in the code that ships, with one event among three or four members and two among two', {
    timeout: 240_000,
  }, async () => {
    const bounds = { events: 1 };
    const runs = [
      { members: 3, style: 'legacy', bounds },
      { members: 4, style: 'modular', bounds },
      { members: 2, style: 'modular', bounds: { events: 2, time: 12_000 } },
    ] as const;
    const results = await runChecks(runs, labSettings(), () => {});
    expect(results.flatMap(storyLines)).toEqual([]);
    expect(results.slice(0, 2).map(({ isComplete }) => isComplete)).toEqual([true, true]);
    expect(results.every(({ transitions, depth }) => transitions > 500 && depth > 10)).toBe(true);
  });

  it('writes a page with bounds, counts and what was found', async () => {
    const [result] = await runChecks([{ members: 2, style: 'modular', bounds: { events: 0 } }], labSettings(), () => {});
    if (result === undefined) throw new Error('there is no result');
    const circumstances = { date: '2026-11-28', toolkit: '0.1.0', node: 'v20', machine: '2 processors', clockMs: 1000 };
    const counterexample = { broken: 'I1: two mounts', story: ['the cluster is started', 'm1: the machine crashes'] };
    const page = checkPage([result, { ...result, isComplete: false, counterexample }], circumstances);
    expect(page).toContain(`| 2 | modular | 0 | yes | ${result.states} | ${result.transitions} |`);
    expect(page).toContain('| no, stopped at its limit |');
    expect(page).toContain('2. m1: the machine crashes\n\n=> I1: two mounts');
  });
});
