/**
 * What the monitor lets others know while it runs: its state in a file for csync status, figures for Prometheus in another
 * one and over HTTP where that is wanted. Whatever of it cannot be done is told once, and never counts against the package.
 */
import type { MemberHost } from '../host/host.ts';
import { serveFigures } from '../host/http-endpoint.ts';
import type { MemberLog } from '../host/member-log.ts';
import { parseListenAddress, type Settings } from '../settings.ts';
import { parsePromotion, promotionFile } from './handover.ts';
import { metricsText } from './metrics.ts';
import { type MonitorState, monitorStateFile } from './monitor-state.ts';

/** Files that tell nothing new are rewritten this often: who reads them sees by that that somebody still looks. */
const freshMs = 30_000;

/** What the monitor knows of itself at a moment. */
export type Seen = Omit<MonitorState, 'version' | 'package' | 'member' | 'pid' | 'startedAt' | 'at'>;

export interface MonitorReport {
  write(seen: Seen): void;
  /** The monitor ends without a verdict: the package is halted. */
  over(): void;
}

/** All but when it was seen, and how long a look took. */
function substanceOf({ layers, ...rest }: Seen): string {
  return JSON.stringify([rest, Object.entries(layers).map(([layer, { result, detail }]) => [layer, result, detail])]);
}

/** `pid`: the service's process. */
export function openMonitorReport(host: MemberHost, settings: Settings, log: MemberLog, pid: number): MonitorReport {
  const { packageName, monitorMetricsFile } = settings;
  const stateFile = monitorStateFile(packageName);
  const startedAt = new Date(host.now()).toISOString();
  const promotion = parsePromotion(host.readText(promotionFile(packageName)));
  const told = new Set<string>();
  let last: MonitorState | null = null;
  let written = '';
  let writtenAt = Number.NEGATIVE_INFINITY;

  const tellOnce = (what: string, why: string): void => {
    if (!told.has(what)) log.line('monitor', 'warning', `${what}: ${why}`);
    told.add(what);
  };
  const rewrite = (file: string, text: string): void => {
    try {
      host.replace(file, text, 0o644);
    } catch (error) {
      tellOnce(`${file} cannot be written`, (error as Error).message);
    }
  };
  const figures = (isOver: boolean): string => (last === null ? '' : metricsText(last, isOver, promotion));
  const writeFigures = (isOver: boolean): void => {
    if (monitorMetricsFile !== 'off' && last !== null) rewrite(monitorMetricsFile, figures(isOver));
  };

  const where = parseListenAddress(settings.monitorMetricsListen);
  if (where != null)
    serveFigures(
      where,
      {
        '/metrics': { type: 'text/plain; version=0.0.4; charset=utf-8', text: () => figures(false) },
        '/state': { type: 'application/json', text: () => `${JSON.stringify(last)}\n` },
      },
      (why) => tellOnce(`no figures under ${settings.monitorMetricsListen}`, why),
    );

  return {
    write: (seen) => {
      const at = new Date(host.now()).toISOString();
      last = { version: 1, package: packageName, member: host.member, pid, startedAt, at, ...seen };
      const now = substanceOf(seen);
      if (now === written && host.elapsed() - writtenAt < freshMs) return;
      written = now;
      writtenAt = host.elapsed();
      rewrite(stateFile, `${JSON.stringify(last)}\n`);
      writeFigures(false);
    },
    over: () => writeFigures(true),
  };
}
