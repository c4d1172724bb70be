const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

export const durationWords = 'a whole number with s, m or h';

/** Reads 90s, 30m or 2h; null: other text, or zero. */
export function secondsOf(text: string): number | null {
  const [, number, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const seconds = Number(number) * (unitSeconds[unit] ?? Number.NaN);
  return seconds > 0 ? seconds : null;
}
