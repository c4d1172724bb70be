/** Help, entries of codes and remedies are read at 3 a.m.: short sentences. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainText } from '../../../src/cli/reference.ts';
import { verbs } from '../../../src/cli/verbs.ts';
import { codeEntries } from '../../../src/explain/codes.ts';
import { failureTable } from '../../../src/member/failures.ts';
import { wordsOf } from '../../markdown.ts';
import { repository } from '../../support.ts';

/** Texts of `remedy`, as they stand in the source; what is filled in counts as a word. */
const remedies = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) =>
    [
      ...readFileSync(join(repository, 'src', name), 'utf8').matchAll(
        /\bremedy(?::| =)\s+(?:'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`|"([^"]*)")/g,
      ),
    ].map(([, one, other, third]) => one ?? other ?? third ?? ''),
  );

const kinds = {
  help: verbs.flatMap((verb) => [
    plainText(verb),
    ...[...Object.values(verb.options), ...Object.values(verb.positionals)].map(({ describe: text }) => `${text}`),
    ...verb.examples.map(([, why]) => why),
  ]),
  'entries of codes': codeEntries.flatMap(({ text, cluster, why, fix, example }) => [text, cluster, why, ...fix, example]),
  remedies: [...remedies, ...Object.values(failureTable).flatMap(({ means, remedy }) => [means, remedy])],
};

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

describe('plain English', () => {
  it.each(Object.entries(kinds))('%s: no sentence of more than 30 words, and fewer than 16 on average', (_kind, texts) => {
    // A semicolon or a colon ends a step of a remedy as a full stop does; a command counts as a word.
    const plain = texts.map((text) => text.replaceAll(/`[^`]*`|\$\{(?:[^{}]|\{[^{}]*\})*\}/g, 'CODE'));
    const sentences = plain.flatMap((text) =>
      [...segmenter.segment(text)]
        .flatMap(({ segment }) => segment.split(/; /))
        .map((sentence) => ({ sentence, words: wordsOf(sentence) })),
    );
    expect(sentences.length).toBeGreaterThan(100);
    expect(sentences.filter(({ words }) => words > 30)).toEqual([]);
    expect(sentences.reduce((sum, { words }) => sum + words, 0) / sentences.length).toBeLessThan(16);
  });
});
