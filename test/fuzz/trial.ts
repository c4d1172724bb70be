/** One input given to one parser: what it did, how long that took, and whether that is a failure. */
import type { Corpus } from './inputs.ts';

export interface FuzzedParser extends Corpus {
  readonly name: string;
  /** Whose text it is. */
  readonly of: string;
  /**
   * Calls the parser and checks what it returns: throws for a broken property. What it returns is searched for numbers that
   * are none.
   */
  readonly parse: (text: string) => unknown;
  /** The errors it is documented to throw. */
  readonly throws?: (error: unknown) => boolean;
}

export interface Trial {
  readonly milliseconds: number;
  /** null: as it should be. */
  readonly failure: string | null;
}

/** For one input, of CPU: the machine may be busy with others. A call that never returns is detected from outside. */
export const limitMs = 1000;

/** ms of CPU this process has used. */
function used(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function tryInput(parser: FuzzedParser, text: string): Trial {
  const first = attempt(parser, text);
  if (first.failure !== null || first.milliseconds <= limitMs) return first;
  // Garbage of others may have been collected meanwhile: what is slow is slow again.
  const milliseconds = Math.min(first.milliseconds, attempt(parser, text).milliseconds);
  return { milliseconds, failure: milliseconds > limitMs ? `took ${Math.round(milliseconds)} ms` : null };
}

function attempt(parser: FuzzedParser, text: string): Trial {
  const begun = used();
  let failure: string | null = null;
  try {
    const result = parser.parse(text);
    const milliseconds = used() - begun;
    const where = notANumber(result);
    return { milliseconds, failure: where === null ? null : `returns a number that is none: ${where}` };
  } catch (error) {
    if (parser.throws?.(error) !== true)
      failure = error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : String(error);
  }
  return { milliseconds: used() - begun, failure };
}

/** Where in the first few thousand values of a result a NaN stands; null: nowhere. */
function notANumber(result: unknown): string | null {
  const waiting: [path: string, value: unknown][] = [['result', result]];
  for (let looked = 0; waiting.length > 0 && looked < 3000; looked += 1) {
    const [path, value] = waiting.pop() ?? ['', null];
    if (typeof value === 'number' && Number.isNaN(value)) return path;
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue;
    const parts = value instanceof Map ? [...value].slice(0, 200) : Object.entries(value).slice(0, 200);
    for (const [key, part] of parts)
      if (typeof part === 'number' || typeof part === 'object') waiting.push([`${path}.${String(key)}`, part]);
  }
  return null;
}

/** A property of a result that does not hold. */
export class Broken extends Error {
  override name = 'Broken';
}

export function hold(what: string, holds: boolean): void {
  if (!holds) throw new Broken(what);
}
