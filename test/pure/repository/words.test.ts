/** Plain English: what a person reads has none of the words that have to be decoded. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { repository } from '../../support.ts';
import { bannedIn } from '../../words.ts';

const plain = [
  ...['src', 'package-templates', 'docs', 'test', 'scripts', 'examples', 'packaging', 'man'],
  ...readdirSync(repository).filter((name) => name.endsWith('.md')),
];

describe('plain English', () => {
  it.each(plain)('%s', (path) => {
    expect(bannedIn(path)).toEqual([]);
  });
});
