/** When a file system is short of something. */
import { describe, expect, it } from 'vitest';
import { shortage, spaceCommand, spaceLine } from '../../src/member/space.ts';

describe('a file system', () => {
  it.each<[string, string, string | null]>([
    ['with room', '9000 10000 4096 900 1000', null],
    ['with a tenth of its blocks and of its inodes', '1000 10000 4096 100 1000', null],
    ['with less than a tenth of its blocks', '999 10000 4096 900 1000', '3 MB (9 %) are left'],
    ['with less than a tenth, which is more than anybody needs', '9999999 100000000 4096 900 1000', null],
    ['with less than a tenth of its inodes', '9000 10000 4096 99 1000', '99 inodes (9 %) are left'],
    ['with few of very many inodes', '9000 10000 4096 10000 1000000', null],
    ['that counts no inodes', '9000 10000 4096 0 0', null],
    ['that is full of everything', '0 10000 4096 0 1000', '0 MB (0 %) are left, 0 inodes (0 %) are left'],
    ['of which nothing is known', '', null],
    ['of which half is known', '0 10000', null],
  ])('%s is short of what it is', (_what, said, expected) => {
    expect(shortage(said)).toBe(expected);
  });

  it('is asked for by its mount point, whatever that is called', () => {
    expect(spaceCommand('/csync')).toEqual(['stat', '-f', '-c', '%a %b %S %d %c', '--', '/csync']);
    expect(spaceLine("/it's")).toContain(`'/it'\\''s'`);
  });
});
