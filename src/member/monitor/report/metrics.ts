/** The monitor's figures for Prometheus. Pure. */

import type { Promotion } from '../../../contract/handover.ts';
import { expositionOf, gauge, type Metric } from '../../../contract/metrics-text.ts';
import type { MonitorState } from '../../../contract/monitor-state.ts';

const flag = (is: boolean): number => (is ? 1 : 0);
const secondsOf = (iso: string): number => Date.parse(iso) / 1000;

function metricsOf(state: MonitorState, isOver: boolean, promotion: Promotion | null): Metric[] {
  const layers = Object.entries(state.layers);
  const byLayer = (value: (layer: MonitorState['layers'][string]) => number): Metric['samples'] =>
    layers.map(([layer, look]) => [{ layer }, value(look)]);
  return [
    gauge('csync_master', '1 while this member is the master and its monitor runs.', [
      [{}, flag(!isOver && state.verdict === null)],
    ]),
    gauge('csync_monitor_timestamp_seconds', 'When the monitor wrote these metrics.', [[{}, secondsOf(state.at)]]),
    gauge('csync_monitor_paused', '1 during maintenance.', [[{}, flag(state.paused)]]),
    gauge('csync_monitor_braked', '1 while the brake keeps the package on this member.', [[{}, flag(state.brake !== null)]]),
    gauge('csync_monitor_end_is_event', '1 if the exit of the daemon is an event, 0 if the monitor polls for it.', [
      [{}, flag(state.endIsEvent)],
    ]),
    gauge(
      'csync_monitor_verdict',
      '1 for the reason of the last verdict of the monitor.',
      state.verdict === null ? [] : [[{ reason: state.verdict.reason }, 1]],
    ),
    gauge(
      'csync_layer_result',
      '1 for the result of the last probe of a layer: good, bad or unknown.',
      layers.flatMap(([layer, look]) =>
        (['good', 'bad', 'unknown'] as const).map((result) => [{ layer, result }, flag(look.result === result)] as const),
      ),
    ),
    gauge(
      'csync_layer_look_seconds',
      'Duration of the last probe of a layer, in seconds.',
      byLayer((look) => look.milliseconds / 1000),
    ),
    gauge(
      'csync_layer_looked_timestamp_seconds',
      'Time of the last probe of a layer.',
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
      help: 'Promotions in the whole cluster, from the sentinel on the policy file system.',
      samples: promotion === null ? [] : [[{}, promotion.epoch]],
    },
    gauge(
      'csync_promotion_timestamp_seconds',
      'When this member became the master.',
      promotion === null ? [] : [[{}, promotion.at / 1000]],
    ),
    gauge(
      'csync_last_failover_seconds',
      'Seconds from the loss of the previous master to the proof of this one, if known.',
      promotion?.failover == null ? [] : [[{ from: promotion.failover.from }, promotion.failover.milliseconds / 1000]],
    ),
  ];
}

/** `isOver`: the monitor has exited. */
export function metricsText(state: MonitorState, isOver: boolean, promotion: Promotion | null): string {
  return expositionOf(metricsOf(state, isOver, promotion), { package: state.package, member: state.member });
}
