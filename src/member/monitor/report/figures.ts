/**
 * Serves the monitor's figures (monitor_metrics_listen) in another process, so that requests never reach the one that judges the daemon,
 * which sends its state here, a line each. Both exit together.
 */
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { Promotion } from '../../../contract/handover.ts';
import type { MonitorState } from '../../../contract/monitor-state.ts';
import { serveFigures } from '../../../host/member/http-endpoint.ts';
import { out } from '../../../host/output.ts';
import { parseListenAddress } from '../../../settings/rules.ts';
import { metricsText } from './metrics.ts';

/** Second argument of the monitor's program; the third is the address. */
export const figuresRole = 'figures';

interface Known {
  readonly state: MonitorState;
  readonly promotion: Promotion | null;
}

const lowestPriority = 19;

/** Until standard input closes. */
export function runFigures(address: string): void {
  setPriority(lowestPriority);
  const where = parseListenAddress(address);
  if (where == null) process.exit(2);
  let known: Known | null = null;
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      known = JSON.parse(line) as Known;
    })
    .on('close', () => process.exit(0));
  serveFigures(
    where,
    {
      '/metrics': {
        type: 'text/plain; version=0.0.4; charset=utf-8',
        text: () => (known === null ? '' : metricsText(known.state, false, known.promotion)),
      },
      '/state': { type: 'application/json', text: () => `${JSON.stringify(known?.state ?? null)}\n` },
    },
    (why) => {
      out(why);
      process.exit(1);
    },
  );
}
