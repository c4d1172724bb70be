/**
 * Inputs for parsers: pieces of good samples that were damaged with a will, sentences of the samples' own words in any order, and
 * noise. Each follows from seed, parser and index alone, so any of them can be made again.
 */
import { random as uniform } from '../../src/base/random.ts';

export interface Corpus {
  /** Good texts, recorded or made by the toolkit itself. */
  readonly samples: readonly string[];
  /** Words that mean something to the parser; those of the samples come by themselves. */
  readonly words?: readonly string[];
}

export type Random = (below: number) => number;

/** A whole number from 0 to below the bound. */
export function randomFrom(seed: number): Random {
  const next = uniform(seed);
  return (below) => Math.floor(next() * below);
}

/** FNV-1a, so that each parser gets inputs of its own. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

const signs = [
  ...' \t\n\r\0"\'\\/|:;=,.#&*!?%$`<>()[]{}-_@+~^',
  '\r\n',
  '\u00a0',
  '\u2028',
  '\ufeff',
  'é',
  '語',
  '\u{1f480}',
  '\ud800',
  '\udfff',
  '{{',
  '}}',
  '$(',
  '--',
  '..',
  '../',
  '&a ',
  '*a',
  '!!',
  '<<',
];
const numbers = [
  '0',
  '-1',
  '-0',
  '1e309',
  'NaN',
  'Infinity',
  '0x10',
  '9007199254740993',
  '99999999999999999999',
  '4294967296',
  '1.2.3',
  '08',
  '٣',
];
const names = ['__proto__', 'constructor', 'toString', 'null', 'true', 'false', 'undefined', '[]', '{}', '""', '[null]'];
const hostile = [...numbers, ...names];

const wordsOf = (corpus: Corpus): string[] => [
  ...new Set([...(corpus.words ?? []), ...corpus.samples.flatMap((text) => text.slice(0, 20_000).match(/\w+|[^\w\s]+/g) ?? [])]),
];

const known = new WeakMap<Corpus, string[]>();
export function vocabulary(corpus: Corpus): readonly string[] {
  const words = known.get(corpus) ?? wordsOf(corpus);
  known.set(corpus, words);
  return words;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;

/** The input of that index. */
export function inputOf(corpus: Corpus, name: string, seed: number, index: number): string {
  const random = randomFrom(seed ^ hashOf(name) ^ Math.imul(index + 1, 0x9e3779b1));
  const kind = random(1000);
  if (kind < 650) return damaged(corpus, random);
  if (kind < 850) return sentence(corpus, random);
  if (kind < 997) return noise(random);
  return long(corpus, random);
}

function noise(random: Random): string {
  const length = random(random(10) === 0 ? 2000 : 60);
  const most = pick(random, [0x80, 0x100, 0x10000]);
  let text = '';
  for (let count = 0; count < length; count += 1)
    text += random(4) === 0 ? pick(random, signs) : String.fromCharCode(random(most));
  return text;
}

function sentence(corpus: Corpus, random: Random): string {
  const words = vocabulary(corpus);
  const gaps = pick(random, [[' '], ['\n'], [' ', '\n'], ['', ' ', '\n', '=', ':', '|', '"'], ['']]);
  let text = '';
  for (let count = random(60); count > 0; count -= 1) text += word(words, random) + pick(random, gaps);
  return text;
}

function word(words: readonly string[], random: Random): string {
  const kind = random(10);
  if (kind < 7 && words.length > 0) return pick(random, words);
  return kind < 9 ? pick(random, hostile) : pick(random, signs);
}

/** Up to 64 KB of one thing again and again. */
function long(corpus: Corpus, random: Random): string {
  const unit = random(2) === 0 ? word(vocabulary(corpus), random) + pick(random, ['', ' ', '\n', ',']) : pick(random, signs);
  const times = Math.ceil((1 << (8 + random(9))) / Math.max(1, unit.length));
  const head = random(2) === 0 ? pieceOf(pick(random, corpus.samples), random) : '';
  return head + unit.repeat(times) + (random(2) === 0 ? pick(random, signs) : '');
}

/** The whole sample, or some of its lines in a row. */
function pieceOf(sample: string, random: Random): string {
  if (random(3) === 0 && sample.length < 20_000) return sample;
  const lines = sample.split('\n');
  const from = random(lines.length);
  return lines.slice(from, from + 1 + random(20)).join('\n');
}

function damaged(corpus: Corpus, random: Random): string {
  let text = pieceOf(pick(random, corpus.samples), random);
  for (let count = random(8); count >= 0; count -= 1) text = damage(corpus, text, random);
  return text;
}

function damage(corpus: Corpus, text: string, random: Random): string {
  const at = random(text.length + 1);
  const length = 1 + random(random(4) === 0 ? 200 : 8);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (random(10)) {
    case 0:
      return before + after.slice(length);
    case 1:
      return before + after.slice(0, length).repeat(1 + random(4)) + after;
    case 2:
      return before + pick(random, signs) + after;
    case 3:
      return before + pick(random, signs) + after.slice(1);
    case 4:
      return before + word(vocabulary(corpus), random) + after;
    case 5:
      // Another number in the place of the next one.
      return before + after.replace(/\d+/, () => (random(2) === 0 ? String(random(100_000)) : pick(random, numbers)));
    case 6:
      return before;
    case 7:
      return before + pieceOf(pick(random, corpus.samples), random) + after;
    case 8:
      return swapped(text, random);
    default:
      return before + after.replace(/\w+/, () => word(vocabulary(corpus), random));
  }
}

function swapped(text: string, random: Random): string {
  const lines = text.split('\n');
  const [one, other] = [random(lines.length), random(lines.length)];
  [lines[one], lines[other]] = [lines[other] ?? '', lines[one] ?? ''];
  return lines.join('\n');
}

/**
 * What makes careless expressions and recursion slow or deep: every sign and word of the corpus, 64 KB of it, alone, behind a
 * good beginning, and with an end that does not fit.
 */
export function* extremes(corpus: Corpus, bytes = 65_536): Generator<string> {
  const heads = ['', (corpus.samples[0] ?? '').slice(0, 3000)];
  const units = [...signs, ...[...' \t"#(=-[{'].map((sign) => `${sign}\n`), '- ', ' #', '(a', '[a,', '{a: ', 'a|', 'a:b|', '\\"'];
  const words = vocabulary(corpus);
  const step = Math.max(1, Math.ceil(words.length / 40));
  for (let index = 0; index < words.length; index += step) units.push(`${words[index]} `, `${words[index]}\n`);
  for (const unit of units) {
    const many = unit.repeat(Math.ceil(bytes / unit.length));
    for (const head of heads) {
      yield head + many;
      // A dot does not match a line separator, so that "anything to the end" is tried again from everywhere.
      yield `${head}${many}\u0001\u2028"x`;
    }
  }
  // Each line of a sample, again and again; the commonest shape of what is large in truth.
  for (const sample of corpus.samples)
    for (const line of sample.split('\n').slice(0, 30))
      yield `${sample.slice(0, 3000)}\n${`${line}\n`.repeat(Math.ceil(bytes / (line.length + 1)))}whole\nlooked\ndone\n`;
}
