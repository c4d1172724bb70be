/** The last result of each layer: log lines at changes, and a part of the monitor state. */
import type { MonitorState } from '../../contract/monitor-state.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import { message, sentence } from '../messages.ts';
import { type LayerName, type LayerResult, layerOf } from './layers.ts';

export interface LastLook {
  readonly result: LayerResult;
  readonly detail: string;
  readonly tookMs: number;
  readonly at: number;
}

interface FindingsWorld {
  readonly log: MemberLog;
}

export class Findings {
  readonly #world: FindingsWorld;
  readonly #last = new Map<LayerName, LastLook>();
  readonly #warned = new Set<LayerName>();
  readonly #remarks = new Map<LayerName, string>();

  constructor(world: FindingsWorld) {
    this.#world = world;
  }

  note(layer: LayerName, look: LastLook): void {
    this.#last.set(layer, look);
  }

  noteWarning(layer: LayerName, isBad: boolean): void {
    if (isBad === this.#warned.has(layer)) return;
    if (isBad) this.#warned.add(layer);
    else this.#warned.delete(layer);
    const { log } = this.#world;
    const found = message(isBad ? 'layer-bad' : 'layer-good', { layer, why: this.#last.get(layer)?.detail ?? '' });
    log.line(isBad ? 'warning' : 'ok', found);
    if (isBad) log.alarm('warning', found);
  }

  noteRemark(layer: LayerName, now: string): void {
    const { remarkEnds } = layerOf(layer);
    if (remarkEnds === undefined || now === (this.#remarks.get(layer) ?? '')) return;
    this.#remarks.set(layer, now);
    const { log } = this.#world;
    if (now === '') log.line('ok', message('probe-good', { layer, why: sentence(remarkEnds) }));
    else log.line('warning', message('probe-remark', { layer, why: sentence(now) }));
  }

  /** `iso` converts monotonic ms to a time of day. */
  state(iso: (at: number) => string): MonitorState['layers'] {
    return Object.fromEntries(
      [...this.#last].map(([layer, { result, detail, tookMs, at }]) => [
        layer,
        { result, detail, milliseconds: Math.round(tookMs * 100) / 100, at: iso(at) },
      ]),
    );
  }
}
