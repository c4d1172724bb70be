/** When a daemon is restarted in place before the package moves. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { mayRestart } from '../../../src/member/monitor/local-restart.ts';
import { parseLocalRestart } from '../../../src/settings/rules.ts';

describe('the setting', () => {
  it.each([
    ['none', null],
    ['once in 60 min', 3600],
    ['once in 1 min', 60],
    ['once in 60min', 3600],
    ['once in 0 min', undefined],
    ['once in 60 s', undefined],
    ['twice in 60 min', undefined],
    ['', undefined],
  ])('%j', (text, seconds) => {
    expect(parseLocalRestart(text)).toBe(seconds);
  });
});

describe('a restart in place', () => {
  it.each([
    ['never by default', null, null, 100, false],
    ['the first since boot', 60, null, 10, true],
    ['again within the window', 60, '100.5\n', 160, false],
    ['again after the window', 60, '100.5\n', 160.5, true],
    ['a record that was cut short', 60, '', 160, true],
    ['a record of another program', 60, 'yesterday\n', 160, true],
  ])('%s', (_, window, last, now, expected) => {
    expect(mayRestart(window, last, now)).toBe(expected);
  });
});

test('for all times of failures, there is at most one in any window', () => {
  const moments = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 50 }).map((list) => list.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(moments, fc.integer({ min: 60, max: 500 }), (failures, window) => {
      let last: string | null = null;
      const restarts: number[] = [];
      for (const at of failures) {
        if (!mayRestart(window, last, at)) continue;
        last = `${at}\n`;
        restarts.push(at);
      }
      for (const [index, at] of restarts.entries()) expect(at - (restarts[index - 1] ?? -window)).toBeGreaterThanOrEqual(window);
    }),
  );
});
