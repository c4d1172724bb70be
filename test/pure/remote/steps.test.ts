/** Steps as they are printed: each once. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { durationText, openSteps } from '../../../src/verbs/common/steps.ts';

const printed: string[] = [];
vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
  printed.push(String(text));
  return true;
});
afterEach(() => void printed.splice(0));

describe('the steps of a change', () => {
  it('have one line each, which gets its mark when the step ended', () => {
    const steps = openSteps(2, false);
    const first = steps.begin('copy files to m1');
    expect(printed.join('')).toBe('copy files to m1 ... ');
    first('done');
    steps.begin('cmapplyconf')('failed');
    expect(printed.join('')).toBe('copy files to m1 ... ok\ncmapplyconf ... FAILED\n');
    expect(steps.summary()).toBe('2 steps in 1 s');
  });

  it('that run side by side have whole lines, in the order in which they began', () => {
    const steps = openSteps(3, false);
    const [one, two, three] = ['m1', 'm2', 'm3'].map((name) => steps.begin(`copy to ${name}`));
    two?.('done');
    expect(printed.join('')).toBe('copy to m1 ... ');
    one?.('done');
    expect(printed.join('')).toBe('copy to m1 ... ok\ncopy to m2 ... ok\ncopy to m3 ... ');
    steps.note('Node.js runs on m3');
    three?.('done');
    expect(printed.join('')).toBe(
      'copy to m1 ... ok\ncopy to m2 ... ok\ncopy to m3 ... \nNode.js runs on m3\ncopy to m3 ... ok\n',
    );
  });

  it('are not printed again behind the plan, but for failed ones', () => {
    const steps = openSteps(2, true);
    steps.begin('copy files to m1')('done');
    steps.begin('cmapplyconf')('failed');
    expect(printed.join('')).toBe('cmapplyconf ... FAILED\n');
  });

  it('have the duration of slow ones', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    const [steps, shown] = [openSteps(1, false), openSteps(1, true)];
    const ends = [steps.begin('halt csync'), shown.begin('halt csync')];
    now.mockReturnValue(12_400);
    for (const end of ends) end('done');
    expect(printed.join('')).toBe('halt csync ... ok (12 s)\n');
    expect(shown.summary()).toBe('1 step in 12 s; slowest: halt csync (12 s)');
    now.mockRestore();
  });

  it.each([
    [20, '1 s'],
    [59_400, '59 s'],
    [61_000, '1 min 1 s'],
  ])('%i ms are %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
