import { Failure } from '../../base/problem.ts';
import { out } from '../../host/output.ts';

const exits = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;
export type NagiosState = keyof typeof exits;

export interface NagiosResult {
  readonly state: NagiosState;
  readonly text: string;
  /** null: unknown, omitted. */
  readonly figures: Readonly<Record<string, number | null>>;
}

/** A bar begins the performance data, so the text has none. */
export function nagiosLine({ state, text, figures }: NagiosResult): string {
  const plain = text.replaceAll('|', '/').replace(/\s*\n\s*/g, '; ');
  const known = Object.entries(figures).flatMap(([label, value]) => (value === null ? [] : [`${label}=${value}`]));
  return `CSYNC ${state} - ${plain}${known.length === 0 ? '' : ` | ${known.join(' ')}`}`;
}

/** The most important, its fix, the number of others. Empty: none. */
export function inOneLine(problems: readonly { readonly text: string; readonly remedy: string }[]): string {
  const [first, ...others] = problems;
  if (first === undefined) return '';
  return `${first.text}. Fix: ${first.remedy}${others.length === 0 ? '' : ` (and ${others.length} more)`}`;
}

/** Returns the exit status. */
export function tellNagios(result: NagiosResult): number {
  out(`${nagiosLine(result)}\n`);
  return exits[result.state];
}

/** A failure leaves the condition unknown. */
export function asPlugin(work: () => Promise<number>): Promise<number> {
  return work().catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    return tellNagios({ state: 'UNKNOWN', text: inOneLine(error.problems), figures: {} });
  });
}
