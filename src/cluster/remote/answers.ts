/** What a host answered, and what its clock and its numbers say. Pure. */

/** What a member printed, and between which moments of the clock here it did; in seconds. */
export interface Answer {
  readonly text: string;
  readonly asked: number;
  readonly answered: number;
}

/** A member's clock against the one here. */
export interface Clock {
  /** Seconds it is ahead, as far as the time for asking lets tell. */
  readonly ahead: number;
  /** Half the seconds the question was under way. */
  readonly doubt: number;
}

/** A number as date and pgrep print it. NaN for what else Number() takes for one: Infinity, 0x10, 1e9, nothing. */
export function decimal(text = ''): number {
  return /^\d{1,12}(\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
}

/** What pgrep -c printed. A host without it prints nothing, and shows no daemon. */
export function countOf(said: string | undefined): number {
  return said === '' ? 0 : decimal(said);
}

/** `said`: seconds since the epoch, printed there meanwhile. What is none makes it NaN. */
export function clockBetween(said: string | undefined, { asked, answered }: Pick<Answer, 'asked' | 'answered'>): Clock {
  return { ahead: decimal(said) - (asked + answered) / 2, doubt: (answered - asked) / 2 };
}

/** More than this, beyond doubt, and logs cannot be put side by side; cfengine's own limits are far above. */
const clockLimitSeconds = 2;

export function isClockOff({ ahead, doubt }: Clock): boolean {
  return Math.abs(ahead) - doubt > clockLimitSeconds;
}

/** Such as `3.2 s ahead`. */
export function clockText({ ahead }: Clock): string {
  return `${Math.abs(ahead).toFixed(1)} s ${ahead > 0 ? 'ahead' : 'behind'}`;
}
