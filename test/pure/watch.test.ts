/** The monitor's judge, told stories: what it saw, second by second, and what it makes of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, type Limits, type Sample, type Verdict, verdictSentence, type Watch, watchFrom } from '../../src/member/watch.ts';

const limits: Limits = { failures: 2, unknownLimitMs: 120_000 };

/** Word of a story -> what the monitor saw. */
const words = {
  running: { kind: 'process', seen: 'running' },
  gone: { kind: 'process', seen: 'gone' },
  zombie: { kind: 'process', seen: 'zombie' },
  stopped: { kind: 'process', seen: 'stopped' },
  replaced: { kind: 'replaced' },
  answered: { kind: 'probe', result: 'answered' },
  silent: { kind: 'probe', result: 'silent' },
  unclear: { kind: 'probe', result: 'cannot-tell' },
  mounted: { kind: 'mount', mounted: true },
  unmounted: { kind: 'mount', mounted: false },
  late: { kind: 'starved', lateMs: 3_600_000 },
} as const;
type Word = keyof typeof words;

const sampleOf = (word: Word, at: number): Sample => ({ ...words[word], at, detail: word }) as Sample;

/** "1 silent, 6 answered": seconds and words. */
function samplesOf(story: string): Sample[] {
  if (story === '') return [];
  return story.split(', ').map((part) => {
    const [second, word] = part.split(' ');
    return sampleOf(word as Word, Number(second) * 1000);
  });
}

const watchOf = (samples: readonly Sample[], limit = limits): Watch =>
  samples.reduce((watch, sample) => judge(watch, sample, limit), watchFrom(0));

const told = (verdict: Verdict | null): string =>
  verdict === null ? 'running' : `${verdict.reason} since ${verdict.since / 1000}`;

describe('the judge of the monitor', () => {
  it.each([
    ['nothing seen yet', '', 'running'],
    ['all is well', '1 running, 1 mounted, 2 answered, 3 running', 'running'],
    ['the daemon is gone', '1 running, 2 gone', 'gone since 2'],
    ['the daemon waits to be reaped', '1 running, 2 zombie', 'zombie since 2'],
    ['another process has its place', '1 running, 2 replaced', 'replaced since 2'],
    ['stopped for one look', '1 stopped', 'running'],
    ['stopped for two looks', '1 stopped, 2 stopped', 'stopped since 1'],
    ['stopped, running, stopped', '1 stopped, 2 running, 3 stopped', 'running'],
    ['stopped for two looks with a probe between', '1 stopped, 2 answered, 3 mounted, 4 stopped', 'stopped since 1'],
    ['silent once', '5 silent', 'running'],
    ['silent twice in a row', '5 silent, 10 silent', 'silent since 5'],
    ['silent, answered, silent', '5 silent, 10 answered, 15 silent', 'running'],
    ['silent again after an answer', '5 silent, 10 answered, 15 silent, 20 silent', 'silent since 15'],
    ['silent twice, unclear between', '5 silent, 10 unclear, 15 silent', 'silent since 5'],
    ['silent twice, the process running between', '5 silent, 6 running, 7 mounted, 10 silent', 'silent since 5'],
    ['unmounted for one look', '5 unmounted', 'running'],
    ['unmounted for two looks', '5 unmounted, 10 unmounted', 'unmounted since 5'],
    ['unmounted, mounted, unmounted', '5 unmounted, 10 mounted, 15 unmounted', 'running'],
    ['one sign of each kind', '5 stopped, 5 unmounted, 5 silent, 5 unclear', 'running'],
    ['late between two stopped looks', '1 stopped, 2 late, 3 stopped', 'running'],
    ['late between two silences', '5 silent, 9 late, 10 silent', 'running'],
    ['late between two unmounted looks', '5 unmounted, 9 late, 10 unmounted', 'running'],
    ['late, then two of a row again', '5 silent, 9 late, 10 silent, 15 silent', 'silent since 10'],
    ['late, whatever the hour', '1 late, 4000 late, 9000 late', 'running'],
    ['late, and then the daemon is seen to be gone', '1 late, 2 gone', 'gone since 2'],
    ['unclear just below its own limit', '5 answered, 124.999 unclear', 'running'],
    ['unclear up to its own limit', '5 answered, 65 unclear, 125 unclear', 'unknown since 5'],
    ['unclear from the beginning', '60 unclear, 119 unclear, 120 unclear', 'unknown since 0'],
    ['unclear, with an answer between', '100 unclear, 110 answered, 220 unclear, 229 unclear', 'running'],
    ['unclear, with a silence between', '100 unclear, 110 silent, 220 unclear, 229 unclear', 'running'],
    ['unclear, though the process is seen', '60 running, 119 running, 120 unclear', 'unknown since 0'],
    ['a time that runs backward', '100 answered, 50 unclear, 20 unclear', 'running'],
    ['the first verdict stays', '1 gone, 2 running, 3 answered, 4 replaced', 'gone since 1'],
  ])('%s: %s', (_title, story, expected) => {
    expect(told(watchOf(samplesOf(story)).verdict)).toBe(expected);
  });

  it.each([1, 2, 3, 7])('needs %d silences in a row when the settings say so', (failures) => {
    const silences = Array.from({ length: failures }, (_, index) => sampleOf('silent', (index + 1) * 5000));
    expect(watchOf(silences.slice(1), { ...limits, failures }).verdict).toBeNull();
    expect(told(watchOf(silences, { ...limits, failures }).verdict)).toBe('silent since 5');
  });

  const time = fc.integer({ min: -1_000_000, max: 1_000_000_000 });
  const good: Word[] = ['running', 'answered', 'mounted'];

  it('never fails on good observations only, whatever the times between', () => {
    const samples = fc.array(fc.tuple(fc.constantFrom(...good, 'late' as const), time).map(([word, at]) => sampleOf(word, at)));
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 10 }), (seen, failures, unknownLimitMs) => {
        expect(watchOf(seen, { failures, unknownLimitMs }).verdict).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  it('never fails on looks that come late, and never on what cannot be told before its limit', () => {
    const samples = fc.array(
      fc
        .tuple(fc.constantFrom<Word>('late', 'unclear', 'running'), fc.integer({ min: 0, max: 119_999 }))
        .map(([word, at]) => sampleOf(word, at)),
    );
    fc.assert(
      fc.property(samples, (seen) => {
        expect(watchOf(seen).verdict).toBeNull();
      }),
    );
  });

  it('fails exactly when the history says so, and at the very sample that completes it', () => {
    const anyWord = fc.constantFrom(...(Object.keys(words) as Word[]));
    // Ends at once are rare, so that rows have time to build up.
    const word = fc.oneof(
      { weight: 1, arbitrary: anyWord },
      { weight: 9, arbitrary: fc.constantFrom<Word>('stopped', 'silent', 'unmounted', 'unclear', 'late', ...good) },
    );
    const steps = fc.array(fc.tuple(word, fc.integer({ min: 0, max: 90 })), { maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (story, failures) => {
        let second = 0;
        const history = story.map(([name, wait]) => {
          second += wait;
          return { word: name, second };
        });
        const verdicts = history.map((_, index) => expectedVerdict(history.slice(0, index + 1), failures));
        const samples = history.map(({ word: name, second: at }) => sampleOf(name, at * 1000));
        const expected = verdicts.find((verdict) => verdict !== 'running') ?? 'running';
        expect(told(watchOf(samples, { ...limits, failures }).verdict)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });
});

interface Seen {
  readonly word: Word;
  readonly second: number;
}

/** The same rules, said backward: what the last sample completes, looking at the whole history. */
function expectedVerdict(history: readonly Seen[], failures: number): string {
  const last = history.at(-1);
  if (last === undefined) return 'running';
  const { word, second } = last;
  if (word === 'gone' || word === 'zombie' || word === 'replaced') return `${word} since ${second}`;
  if (word === 'unclear') {
    const toldAt = history.findLast((seen) => seen.word === 'answered' || seen.word === 'silent')?.second ?? 0;
    return second - toldAt >= 120 ? `unknown since ${toldAt}` : 'running';
  }
  const rows: Partial<Record<Word, { readonly endedBy: Word; readonly needed: number }>> = {
    stopped: { endedBy: 'running', needed: 2 },
    silent: { endedBy: 'answered', needed: failures },
    unmounted: { endedBy: 'mounted', needed: 2 },
  };
  const row = rows[word];
  if (row === undefined) return 'running';
  const begin = history.findLastIndex((seen) => seen.word === row.endedBy || seen.word === 'late') + 1;
  const signs = history.slice(begin).filter((seen) => seen.word === word);
  return signs.length >= row.needed ? `${word} since ${signs[0]?.second}` : 'running';
}

describe('the sentence of a verdict', () => {
  const verdict = (reason: Verdict['reason']): Verdict => ({ reason, since: 1_700_000_000_000, evidence: 'what was seen' });

  it.each([
    ['gone', 'has ended'],
    ['zombie', 'has ended'],
    ['stopped', 'is stopped'],
    ['replaced', 'another process'],
    ['silent', 'does not answer'],
    ['unmounted', 'file system is gone'],
    ['unknown', 'could not tell'],
  ] as const)('says for %s that it %s, since when, from what, and what brings the member back', (reason, words) => {
    const sentence = verdictSentence(verdict(reason), 'pkg7');
    for (const part of [words, '2023-11-14T22:13:20.000Z', 'what was seen', 'cmmodpkg -e -n <member> pkg7']) {
      expect(sentence).toContain(part);
    }
  });

  it('carries the evidence of what was counted', () => {
    expect(watchOf(samplesOf('5 silent, 10 silent')).verdict?.evidence).toBe('2 probes in a row: silent');
    expect(watchOf(samplesOf('5 answered, 126 unclear')).verdict?.evidence).toBe('for 121 s nothing could be told: unclear');
  });
});
