/** The result of a conformance test, for people and for programs. Pure. */
import { columns } from '../base/tables.ts';
export interface Assertion {
  readonly name: string;
  /** left out: it could not be tried; nothing is known of it. */
  readonly result: 'ok' | 'failed' | 'left out';
  /** What was seen, or why it was left out. */
  readonly seen: string;
}

export interface Report {
  /** What was tested: a package directory, or settings and templates. */
  readonly tested: string;
  readonly assertions: readonly Assertion[];
  readonly seconds: number;
}

export function count({ assertions }: Report, result: Assertion['result']): number {
  return assertions.filter((assertion) => assertion.result === result).length;
}

const words: Readonly<Record<Assertion['result'], string>> = { ok: 'ok', failed: 'FAILED', 'left out': 'left out' };

/** A line an assertion, and one for the whole. */
export function reportTable(report: Report): string {
  const lines = columns(report.assertions.map(({ name, result, seen }) => [words[result], name, seen]));
  const left = count(report, 'left out');
  const numbers = [
    `${count(report, 'ok')} hold`,
    `${count(report, 'failed')} do not`,
    ...(left === 0 ? [] : [`${left} were left out`]),
  ];
  return `${[...lines, '', `${report.tested}: ${numbers.join(', ')} (${Math.round(report.seconds)} s)`].join('\n')}\n`;
}

export function reportJson(report: Report): string {
  const { tested, assertions, seconds } = report;
  const numbers = { ok: count(report, 'ok'), failed: count(report, 'failed'), leftOut: count(report, 'left out') };
  return `${JSON.stringify({ tested, ...numbers, seconds: Math.round(seconds * 10) / 10, assertions }, null, 2)}\n`;
}

/**
 * Chooses among the names. Patterns are looked for in them, in any case of letters; `*` stands for anything. One that is a
 * whole name means that name alone. No pattern chooses all.
 */
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
