/** How far long work is, on standard error: on a terminal one line that is written over, else a line now and then. */
import { progress, redraw } from '../../host/output.ts';

const everyMs = 10_000;
const barWidth = 30;

export interface Meter {
  /** In place of what was shown last; where there is no terminal, a line of its own every ten seconds. */
  show(text: string): void;
  /** A line that stays. */
  line(text: string): void;
  /** Takes away what is shown. */
  end(): void;
}

export function openMeter(): Meter {
  const terminal = process.stderr.isTTY === true;
  let last = performance.now();
  let open = false;
  const clear = (): void => {
    if (open) redraw('');
    open = false;
  };
  return {
    show: (text) => {
      const now = performance.now();
      if (terminal) {
        // A line that wraps could not be written over; a terminal that does not know its width says 0.
        const width = (process.stderr.columns || 80) - 1;
        redraw(text.slice(0, width));
        open = true;
      } else if (now - last > everyMs) {
        last = now;
        progress(text);
      }
    },
    line: (text) => {
      clear();
      progress(text);
    },
    end: clear,
  };
}

/** Such as `[######........................] 200 of 1000 hosts, 3 not`. */
export function hostsBar(done: number, all: number, failed: number): string {
  const filled = all === 0 ? barWidth : Math.floor((barWidth * done) / all);
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done} of ${all} hosts${failed === 0 ? '' : `, ${failed} not`}`;
}
