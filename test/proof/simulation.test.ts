/** Lives of a cluster in virtual time: none fails, each can be lived again, and the number of lives says how much that means. */
import { describe, expect, it } from 'vitest';
import { simulate } from '../../src/model-check/simulation/simulation.ts';
import { simulateMany, simulationSummary, upperBoundOf } from '../../src/model-check/simulation/simulation-run.ts';
import { everyStep, labSettings } from '../support.ts';

/** `npm run proof` has more of them. */
const lives = everyStep ? 10_000 : 2_000;

describe('the simulation', () => {
  it('leads every life back to a served package', { timeout: 400_000 }, async () => {
    const result = await simulateMany(1, lives, labSettings());
    expect(result.failures.length === 0 ? [] : simulationSummary(result)).toEqual([]);
    expect(result.lives).toBe(lives);
    expect(result.events).toBeGreaterThan(2 * lives);
  });

  it('makes the same life from the same seed, and another one from another', async () => {
    const [first, again, other] = [
      await simulate(7, labSettings()),
      await simulate(7, labSettings()),
      await simulate(8, labSettings()),
    ];
    expect(again).toEqual(first);
    expect(other.story).not.toEqual(first.story);
    expect(first.story).not.toEqual([]);
  });
});

describe('the upper bound', () => {
  it.each([
    [0, 10_000, 0.00029953],
    [0, 100, 0.029513],
    [1, 100, 0.046559],
    [5, 5, 1],
  ])('of %i failures in %i lives is %f', (failures, lives, bound) => {
    expect(upperBoundOf(failures, lives)).toBeCloseTo(bound, 5);
  });
});
