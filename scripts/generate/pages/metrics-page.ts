/** docs/reference/metrics.md: what a monitor that has something to say of everything prints. */
import { pageTable } from '../../../src/base/tables.ts';
import { metricsText } from '../../../src/member/monitor/report/metrics.ts';
import { readinessMetrics } from '../../../src/rehearsal/page/readiness-metrics.ts';

const at = '2026-11-30T12:00:00.000Z';
/** What a monitor with something to say of everything prints; test/process/programs/monitoring.test.ts checks it with promtool. */
export const monitorSample = metricsText(
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

/** The same of a rehearsal. */
export const rehearsalSample = readinessMetrics({
  packageName: 'csync',
  at,
  verdict: 'pass',
  ready: {
    verdict: 'pass',
    sentence: '',
    condition: 'serving',
    members: [{ member: 'm1', verdict: 'ready', good: 8, wanted: 8, sentence: '', looks: [] }],
    general: [],
  },
});

/** A table of the metrics in such a text. `common`: labels that all of them have. */
function tableOf(sample: string, common: readonly string[]): string {
  const rows = [...sample.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n\1\{(.*)\}/gm)].map(
    ([, name = '', help = '', type = '', labels = '']) => {
      const named = [...labels.matchAll(/([a-z]+)="/g)].map(([, label = '']) => label).filter((label) => !common.includes(label));
      return [`\`${name}\``, type, named.map((label) => `\`${label}\``).join(', '), help];
    },
  );
  return pageTable(['metric', 'type', 'further labels', 'meaning'], rows);
}

export function metricsPage(): string {
  const common = ['package', 'member'];
  return [
    '# Metrics',
    'Which metrics does the monitor export for Prometheus? This page is for administrators. It is written by `npm run generate` from the monitor itself.',
    'Off by default. `monitor_metrics_file` writes them to a file, `monitor_metrics_listen` answers `GET /metrics` and `GET /state` (JSON): ' +
      '[monitoring.md](../how-to/operate/monitoring.md) has the set-up and suggested alerts.',
    `Each metric has the labels ${common.map((label) => `\`${label}\``).join(' and ')}. A metric without a known value is omitted.`,
    tableOf(monitorSample, common),
    'A process of its own, at the lowest priority, answers the requests: one request a connection, 3 s and 4 KB for each, at most 32 connections. If there are ' +
      'more, the address with the most connections loses its oldest. Requests never delay the monitor.',
    '## Readiness',
    '`csync rehearse --metrics FILE` writes these to a file, for example in the textfile directory of node_exporter. Each has the label `package`.',
    tableOf(rehearsalSample, ['package']),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
