export interface Answer {
  readonly text: string;
  readonly asked: number;
  readonly answered: number;
}

/** Lines `WORD REST` of reading scripts: the rests of each word, in order. */
export type Said = ReadonlyMap<string, readonly string[]>;

export function saidIn(output: string): Said {
  const said = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, word, rest = ''] = /^(\S+) ?(.*)$/s.exec(line) ?? [];
    if (word === undefined) continue;
    const rests = said.get(word) ?? [];
    rests.push(rest);
    said.set(word, rests);
  }
  return said;
}

export const lastOf = (said: Said, word: string): string | undefined => said.get(word)?.at(-1);

/** Lines of a script that only reads; the reader ignores other lines. */
export interface Look<T> {
  readonly lines: readonly string[];
  readonly read: (answer: Answer) => T;
}

/** For readers that ignore time. */
export const untimed = (text: string): Answer => ({ text, asked: Number.NaN, answered: Number.NaN });

export interface Clock {
  /** Seconds, within `doubt`. */
  readonly ahead: number;
  /** Seconds: half the question's duration. */
  readonly doubt: number;
}

/** NaN also for Infinity, 0x10, 1e9 and an empty text, which Number() accepts. */
export function decimal(text = ''): number {
  return /^\d{1,12}(\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Of pgrep -c. Without pgrep: 0. */
export function countOf(said: string | undefined): number {
  return said === '' ? 0 : decimal(said);
}

/** `said`: seconds since the epoch. NaN: invalid. */
export function clockBetween(said: string | undefined, { asked, answered }: Pick<Answer, 'asked' | 'answered'>): Clock {
  return { ahead: decimal(said) - (asked + answered) / 2, doubt: (answered - asked) / 2 };
}

/** Beyond it logs of two hosts cannot be compared; cfengine's limits are far higher. */
const clockLimitSeconds = 2;

export function isClockOff({ ahead, doubt }: Clock): boolean {
  return Math.abs(ahead) - doubt > clockLimitSeconds;
}

/** Such as `3.2 s ahead`. */
export function clockText({ ahead }: Clock): string {
  return `${Math.abs(ahead).toFixed(1)} s ${ahead > 0 ? 'ahead' : 'behind'}`;
}
