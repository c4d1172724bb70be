/** Which process a restart was announced for, and how long that counts. */
import { describe, expect, it } from 'vitest';
import { isAnnounced } from '../../../src/contract/restart-notice.ts';

const daemon = { pid: 42, startTime: '1000' };

describe('a restart that was announced', () => {
  it.each<[string, string | null, typeof daemon | null, number, boolean]>([
    ['for this process', '42 1000 145\n', daemon, 100, true],
    ['for it among others', '41 900 145\n42 1000 145\n', daemon, 100, true],
    ['for one of the same pid before', '42 999 145\n', daemon, 100, false],
    ['for another one', '43 1000 145\n', daemon, 100, false],
    ['and is over', '42 1000 145\n', daemon, 145, false],
    ['before a boot', '42 1000 145000\n', { pid: 42, startTime: '1001' }, 1, false],
    ['while no daemon runs', '42 1000 145\n', null, 144.9, true],
    ['long ago, while no daemon runs', '42 1000 145\n', null, 145.1, false],
    ['by no process', null, daemon, 100, false],
    ['by an empty file', '', null, 100, false],
    ['by half a line', '42 1000', daemon, 100, false],
    ['by nonsense', 'until 2026-11-24\n', null, 100, false],
    ['while the time is unknown', '42 1000 145\n', daemon, Number.NaN, false],
  ])('%s', (_, notice, process, sinceBoot, counts) => {
    expect(isAnnounced(notice, process, sinceBoot)).toBe(counts);
  });
});
