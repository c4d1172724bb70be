import type { BeginStep } from '../../base/progress.ts';
import { aside } from '../../host/output.ts';
import { openMeter } from './meter.ts';

const slowMs = 2000;

export interface Steps {
  readonly begin: BeginStep;
  readonly note: (text: string) => void;
  readonly show: (text: string) => void;
  readonly end: () => void;
  /** `7 steps in 12 s` */
  readonly summary: () => string;
}

interface Step {
  readonly text: string;
  readonly begun: number;
  ended: { readonly outcome: 'done' | 'failed'; readonly ms: number } | null;
}

export const durationText = (ms: number): string =>
  ms < 60_000
    ? `${Math.max(1, Math.round(ms / 1000))} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/**
 * In the order of their begin. Off a terminal a running step has a line without mark, so that a log shows what hangs. `isShown`: the plan
 * stands above, only failures follow.
 */
export function openSteps(total: number, isShown: boolean): Steps {
  const terminal = process.stderr.isTTY === true;
  const begun = performance.now();
  const waiting: Step[] = [];
  const slowest = { text: '', ms: 0 };
  let count = 0;
  let open: Step | null = null;
  const close = (): void => {
    if (open !== null) aside('\n');
    open = null;
  };
  const meter = openMeter(close);
  const printEnded = (step: Step, { outcome, ms }: NonNullable<Step['ended']>): void => {
    meter.end();
    if (open !== step) aside(`${step.text} ... `);
    open = null;
    aside(outcome === 'done' ? 'ok' : 'FAILED', outcome === 'done' ? 'green' : 'red');
    aside(`${ms < slowMs ? '' : ` (${durationText(ms)})`}\n`);
  };
  const flush = (): void => {
    for (let [first] = waiting; first !== undefined; [first] = waiting) {
      if (first.ended === null) break;
      waiting.shift();
      if (!isShown || first.ended.outcome === 'failed') printEnded(first, first.ended);
    }
    const [running] = waiting;
    if (running === undefined) meter.end();
    else if (terminal) meter.show(`[${Math.min(count - waiting.length + 1, total)}/${total}] ${running.text}`);
    else if (open !== running && !isShown) {
      aside(`${running.text} ... `);
      open = running;
    }
  };
  return {
    begin: (text) => {
      const step: Step = { text, begun: performance.now(), ended: null };
      count += 1;
      waiting.push(step);
      flush();
      return (outcome) => {
        const ms = performance.now() - step.begun;
        if (ms > slowest.ms) Object.assign(slowest, { text, ms });
        step.ended = { outcome, ms };
        flush();
      };
    },
    note: (text) => {
      close();
      meter.line(text);
    },
    show: meter.show,
    end: () => {
      close();
      meter.end();
    },
    summary: () => {
      meter.end();
      const slow = isShown && slowest.ms >= slowMs ? `; slowest: ${slowest.text} (${durationText(slowest.ms)})` : '';
      return `${total} ${total === 1 ? 'step' : 'steps'} in ${durationText(performance.now() - begun)}${slow}`;
    },
  };
}

/** `run` can report progress. */
export async function oneStep<T>(
  text: string,
  run: (show: (text: string) => void) => Promise<T>,
  isDone: (result: T) => boolean,
): Promise<T> {
  const steps = openSteps(1, false);
  const end = steps.begin(text);
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const result = await run(steps.show);
    if (isDone(result)) outcome = 'done';
    return result;
  } finally {
    end(outcome);
  }
}
