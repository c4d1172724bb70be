/** The monitor's figures in Prometheus' text format (version 0.0.4: HELP, TYPE, samples). Pure. */

import type { MonitorState } from '../../../contract/monitor-state.ts';
import type { Promotion } from '../../handover.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Labels beside those that all have, and the value; none: nothing is known. */
  readonly samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

const flag = (is: boolean): number => (is ? 1 : 0);
const secondsOf = (iso: string): number => Date.parse(iso) / 1000;

function metricsOf(state: MonitorState, isOver: boolean, promotion: Promotion | null): Metric[] {
  const layers = Object.entries(state.layers);
  const byLayer = (value: (layer: MonitorState['layers'][string]) => number): Metric['samples'] =>
    layers.map(([layer, look]) => [{ layer }, value(look)]);
  const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({ name, type: 'gauge', help, samples });
  return [
    gauge('csync_master', '1 while this member is the master and its monitor runs.', [
      [{}, flag(!isOver && state.verdict === null)],
    ]),
    gauge('csync_monitor_paused', '1 during maintenance.', [[{}, flag(state.paused)]]),
    gauge('csync_monitor_braked', '1 while the package stays here in spite of a verdict.', [[{}, flag(state.brake !== null)]]),
    gauge('csync_monitor_end_is_event', '1 if the end of the daemon is told, 0 if it is looked for.', [
      [{}, flag(state.endIsEvent)],
    ]),
    gauge(
      'csync_monitor_verdict',
      '1 for the reason why the monitor gave the daemon up.',
      state.verdict === null ? [] : [[{ reason: state.verdict.reason }, 1]],
    ),
    gauge(
      'csync_layer_result',
      '1 for what the last look at a layer found: good, bad or cannot-tell.',
      layers.flatMap(([layer, look]) =>
        (['good', 'bad', 'cannot-tell'] as const).map((result) => [{ layer, result }, flag(look.result === result)] as const),
      ),
    ),
    gauge(
      'csync_layer_look_seconds',
      'How long the last look at a layer took.',
      byLayer((look) => look.milliseconds / 1000),
    ),
    gauge(
      'csync_layer_looked_timestamp_seconds',
      'When a layer was looked at last.',
      byLayer((look) => secondsOf(look.at)),
    ),
    {
      name: 'csync_monitor_starvations_total',
      type: 'counter',
      help: 'How often the monitor itself did not run for a while.',
      samples: [[{}, state.starvations]],
    },
    {
      name: 'csync_promotions_total',
      type: 'counter',
      help: 'Promotions in the whole cluster, by the mark on the policy file system.',
      samples: promotion === null ? [] : [[{}, promotion.epoch]],
    },
    gauge(
      'csync_promotion_timestamp_seconds',
      'When this member became the master.',
      promotion === null ? [] : [[{}, promotion.at / 1000]],
    ),
    gauge(
      'csync_last_failover_seconds',
      'From the loss of the last master to the proof of this one, where the member that lost it could say so.',
      promotion?.failover == null ? [] : [[{ from: promotion.failover.from }, promotion.failover.milliseconds / 1000]],
    ),
  ];
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `isOver`: the monitor has ended, and the file stays. */
export function metricsText(state: MonitorState, isOver: boolean, promotion: Promotion | null): string {
  const common = { package: state.package, member: state.member };
  const lines = metricsOf(state, isOver, promotion).flatMap(({ name, type, help, samples }) =>
    samples.length === 0
      ? []
      : [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} ${type}`,
          ...samples.map(([labels, value]) => {
            const all = Object.entries({ ...common, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`);
            return `${name}{${all.join(',')}} ${value}`;
          }),
        ],
  );
  return `${lines.join('\n')}\n`;
}
