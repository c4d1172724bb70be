/** The answer of a host, its clock and its numbers. Pure. */

/** The output of a member, and the local times in seconds before and after it. */
export interface Answer {
  readonly text: string;
  readonly asked: number;
  readonly answered: number;
}

/** What a script printed, as lines `WORD REST`: the rests of each word, in order. All scripts that only read print such lines. */
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

/** The rest of the last line with that word. */
export const lastOf = (said: Said, word: string): string | undefined => said.get(word)?.at(-1);

/** Lines of a script that only looks, and the reader of what they print. The answer may have lines of other looks, too. */
export interface Look<T> {
  readonly lines: readonly string[];
  readonly read: (answer: Answer) => T;
}

/** An answer whose times do not matter. */
export const untimed = (text: string): Answer => ({ text, asked: Number.NaN, answered: Number.NaN });

/** A member's clock compared with the local one. */
export interface Clock {
  /** Seconds it is ahead, within the uncertainty. */
  readonly ahead: number;
  /** Half the duration of the question, in seconds. */
  readonly doubt: number;
}

/** A number as date and pgrep print it. NaN for other input that Number() accepts: Infinity, 0x10, 1e9, an empty text. */
export function decimal(text = ''): number {
  return /^\d{1,12}(\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Output of pgrep -c. A host without pgrep prints nothing, and counts as no daemon. */
export function countOf(said: string | undefined): number {
  return said === '' ? 0 : decimal(said);
}

/** `said`: seconds since the epoch, printed there meanwhile. NaN for invalid text. */
export function clockBetween(said: string | undefined, { asked, answered }: Pick<Answer, 'asked' | 'answered'>): Clock {
  return { ahead: decimal(said) - (asked + answered) / 2, doubt: (answered - asked) / 2 };
}

/** Above this, logs of two hosts cannot be compared; cfengine's own limits are far higher. */
const clockLimitSeconds = 2;

export function isClockOff({ ahead, doubt }: Clock): boolean {
  return Math.abs(ahead) - doubt > clockLimitSeconds;
}

/** For example `3.2 s ahead`. */
export function clockText({ ahead }: Clock): string {
  return `${Math.abs(ahead).toFixed(1)} s ${ahead > 0 ? 'ahead' : 'behind'}`;
}
