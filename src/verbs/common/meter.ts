/** On standard error: a line that is overwritten; off a terminal one every ten seconds. */
import { progress, redraw } from '../../host/output.ts';

const everyMs = 10_000;
const barWidth = 30;

export interface Meter {
  show(text: string): void;
  line(text: string): void;
  end(): void;
}

/** `beforeLine`: off a terminal. */
export function openMeter(beforeLine: () => void = () => {}): Meter {
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
        // A wrapped line cannot be overwritten. Unknown: 0.
        const width = (process.stderr.columns || 80) - 1;
        redraw(text.slice(0, width));
        open = true;
      } else if (now - last > everyMs) {
        last = now;
        beforeLine();
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

/** `[######........................] 200 of 1000 hosts, 3 failed` */
export function hostsBar(done: number, all: number, failed: number): string {
  const filled = all === 0 ? barWidth : Math.floor((barWidth * done) / all);
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done} of ${all} hosts${failed === 0 ? '' : `, ${failed} failed`}`;
}
