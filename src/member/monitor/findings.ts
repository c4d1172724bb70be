/** What the looks at the layers found last: lines for the log when it changes, and the part of the state that others read. */
import type { MonitorState } from '../../contract/monitor-state.ts';
import type { MemberHost } from '../../host/host.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { Settings } from '../../settings/settings.ts';
import { type LayerName, type LayerResult, layerOf } from './layers.ts';

export interface LastLook {
  readonly result: LayerResult;
  readonly detail: string;
  readonly tookMs: number;
  readonly at: number;
}

interface FindingsWorld {
  readonly host: MemberHost;
  readonly settings: Settings;
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

  /** A layer that only warns says so once, and when it is good again. */
  noteWarning(layer: LayerName, isBad: boolean): void {
    if (isBad === this.#warned.has(layer)) return;
    if (isBad) this.#warned.add(layer);
    else this.#warned.delete(layer);
    const { host, log, settings } = this.#world;
    const text = `${layer}: ${this.#last.get(layer)?.detail ?? ''}`;
    log.line('monitor', isBad ? 'warning' : 'ok', text);
    if (isBad) log.alarm(`${host.member} ${settings.packageName} monitor: ${text}`);
  }

  /** What is no verdict but worth a line, once each time it changes: such as a daemon that answers, but refuses the file. */
  noteRemark(layer: LayerName, now: string): void {
    const { remarkEnds } = layerOf(layer);
    if (remarkEnds === undefined || now === (this.#remarks.get(layer) ?? '')) return;
    this.#remarks.set(layer, now);
    this.#world.log.line('monitor', now === '' ? 'ok' : 'warning', now === '' ? remarkEnds : now);
  }

  /** `iso`: a moment of the clock that never jumps as a time of day. */
  state(iso: (at: number) => string): MonitorState['layers'] {
    return Object.fromEntries(
      [...this.#last].map(([layer, { result, detail, tookMs, at }]) => [
        layer,
        { result, detail, milliseconds: Math.round(tookMs * 100) / 100, at: iso(at) },
      ]),
    );
  }
}
