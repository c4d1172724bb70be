/** When a file system is short of something. */
import { describe, expect, it } from 'vitest';
import { type Room, roomBy, roomText, spaceCommand, spaceLine } from '../../../src/contract/space.ts';

describe('a file system', () => {
  it.each<[string, string, Room]>([
    ['with room', '9000 10000 4096 900 1000', 'enough'],
    ['with a tenth of its blocks and of its inodes', '1000 10000 4096 100 1000', 'enough'],
    ['with less than a tenth of its blocks', '999 10000 4096 900 1000', { short: '3 MB (9 %) are free' }],
    ['with less than a tenth, which is more than anybody needs', '9999999 100000000 4096 900 1000', 'enough'],
    ['with less than a tenth of its inodes', '9000 10000 4096 99 1000', { short: '99 inodes (9 %) are free' }],
    ['with few of very many inodes', '9000 10000 4096 10000 1000000', 'enough'],
    ['that counts no inodes', '9000 10000 4096 0 0', 'enough'],
    ['that is full of everything', '0 10000 4096 0 1000', { short: '0 MB (0 %) are free, 0 inodes (0 %) are free' }],
    ['whose stat failed', '', 'unknown'],
    ['whose stat failed, of a line', ' /csync', 'unknown'],
    ['of which half is known', '0 10000', 'unknown'],
  ])('%s has what it has', (_what, said, expected) => {
    expect(roomBy(said)).toEqual(expected);
  });

  it('is worth a line when it is short, and when that is not known', () => {
    expect(roomText('enough')).toBeNull();
    expect(roomText({ short: '3 MB (9 %) are free' })).toBe('policy file system: 3 MB (9 %) are free');
    expect(roomText('unknown')).toBe('the free space of the policy file system is unknown: stat -f does not answer');
  });

  it('is asked for by its mount point, with any name', () => {
    expect(spaceCommand('/csync')).toEqual(['stat', '-f', '-c', '%a %b %S %d %c', '--', '/csync']);
    expect(spaceLine("/it's")).toContain(`'/it'\\''s'`);
  });
});
