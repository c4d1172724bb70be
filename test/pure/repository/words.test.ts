/** Plain English: what a person reads has none of the words that have to be decoded. */
import { describe, expect, it } from 'vitest';
import { bannedIn } from '../../words.ts';

/** Folders and files that were rewritten; at the end this is src, package-templates, docs and the pages beside them. */
const plain = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

describe('plain English', () => {
  it.each(plain)('%s', (path) => {
    expect(bannedIn(path)).toEqual([]);
  });
});
