/** As text and JSON. Pure. */
import { columns } from '../base/tables.ts';
export interface Assertion {
  readonly name: string;
  /** skipped: its result is unknown. */
  readonly result: 'ok' | 'failed' | 'skipped';
  readonly seen: string;
}

export interface Report {
  /** A directory, or settings and templates. */
  readonly tested: string;
  readonly assertions: readonly Assertion[];
  readonly seconds: number;
}

export function count({ assertions }: Report, result: Assertion['result']): number {
  return assertions.filter((assertion) => assertion.result === result).length;
}

const words: Readonly<Record<Assertion['result'], string>> = { ok: 'ok', failed: 'FAILED', skipped: 'skipped' };

export function reportTable(report: Report): string {
  const lines = columns(report.assertions.map(({ name, result, seen }) => [words[result], name, seen]));
  const left = count(report, 'skipped');
  const numbers = [
    `${count(report, 'ok')} passed`,
    `${count(report, 'failed')} failed`,
    ...(left === 0 ? [] : [`${left} skipped`]),
  ];
  return `${[...lines, '', `${report.tested}: ${numbers.join(', ')} (${Math.round(report.seconds)} s)`].join('\n')}\n`;
}

export function reportFacts(report: Report) {
  const { tested, assertions, seconds } = report;
  const numbers = { ok: count(report, 'ok'), failed: count(report, 'failed'), leftOut: count(report, 'skipped') };
  return { tested, ...numbers, seconds: Math.round(seconds * 10) / 10, assertions };
}

/** By pattern, anywhere, in any case; `*`: any text. A complete name matches only itself. No pattern: all. */
export function chosen(patterns: readonly string[], names: readonly string[]): (name: string) => boolean {
  const whole = new Set(names);
  const loose = patterns.filter((pattern) => !whole.has(pattern)).map((pattern) => pattern.toLowerCase().split('*'));
  const exact = new Set(patterns);
  return (name) => patterns.length === 0 || exact.has(name) || loose.some((parts) => holdsInOrder(name.toLowerCase(), parts));
}

function holdsInOrder(name: string, parts: readonly string[]): boolean {
  let from = 0;
  return parts.every((part) => {
    const at = name.indexOf(part, from);
    from = at + part.length;
    return at !== -1;
  });
}
