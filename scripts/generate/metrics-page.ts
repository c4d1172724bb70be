/** docs/reference/metrics.md: what a monitor that has something to say of everything prints. */
import { pageTable } from '../../src/base/tables.ts';
import { metricsText } from '../../src/member/monitor/report/metrics.ts';

const at = '2026-11-30T12:00:00.000Z';
const sample = metricsText(
  {
    version: 1,
    package: 'csync',
    member: 'm1',
    pid: 4711,
    startedAt: at,
    at,
    watching: null,
    endIsEvent: true,
    paused: false,
    brake: null,
    starvations: 0,
    layers: { port: { result: 'good', detail: '', milliseconds: 2, at } },
    verdict: { reason: 'gone', since: at, noticed: Date.parse(at), evidence: '', sentence: '' },
  },
  true,
  { epoch: 12, at: Date.parse(at), failover: { from: 'm2', milliseconds: 460 } },
);

/** Labels that all metrics have. */
const common = ['package', 'member'];

export function metricsPage(): string {
  const rows = [...sample.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n\1\{(.*)\}/gm)].map(
    ([, name = '', help = '', type = '', labels = '']) => {
      const named = [...labels.matchAll(/([a-z]+)="/g)].map(([, label = '']) => label).filter((label) => !common.includes(label));
      return [`\`${name}\``, type, named.map((label) => `\`${label}\``).join(', '), help];
    },
  );
  return [
    '# Metrics',
    'Which metrics does the monitor export for Prometheus? This page is for administrators. It is written by `npm run generate` from the monitor itself.',
    'Off by default. `monitor_metrics_file` writes them to a file, `monitor_metrics_listen` answers `GET /metrics` and `GET /state` (JSON): ' +
      '[monitoring.md](../how-to/operate/monitoring.md) has the set-up and suggested alerts.',
    `Each metric has the labels ${common.map((label) => `\`${label}\``).join(' and ')}. A metric without a known value is omitted.`,
    pageTable(['metric', 'type', 'further labels', 'meaning'], rows),
    'A process of its own, at the lowest priority, answers the requests: one request a connection, 3 s and 4 KB for each, at most 32 connections. If there are ' +
      'more, the address with the most connections loses its oldest. Requests never delay the monitor.',
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
