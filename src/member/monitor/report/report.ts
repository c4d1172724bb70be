/** The monitor's state in a file for csync status; figures in another and over HTTP. Failures are logged once; none fails the package. */

import { parsePromotion, promotionFile } from '../../../contract/handover.ts';
import { type MonitorState, monitorStateFile } from '../../../contract/monitor-state.ts';
import type { MemberHost } from '../../../host/host.ts';
import { fileReplacer, isInMemory } from '../../../host/member/log-writer.ts';
import type { MemberLog } from '../../../host/member/member-log.ts';
import { keepSibling } from '../../../host/member/sibling.ts';
import type { Settings } from '../../../settings/settings.ts';
import { message } from '../../messages.ts';
import { figuresRole } from './figures.ts';
import { metricsText } from './metrics.ts';

/** Longest age of the files while the monitor runs. */
const freshMs = 30_000;

export type Seen = Omit<MonitorState, 'version' | 'package' | 'member' | 'pid' | 'startedAt' | 'at'>;

export interface MonitorReport {
  write(seen: Seen): void;
  /** Exit without a verdict: the package is halted. */
  over(): void;
  close(): void;
}

function substanceOf({ layers, ...rest }: Seen): string {
  return JSON.stringify([rest, Object.entries(layers).map(([layer, { result, detail }]) => [layer, result, detail])]);
}

/** `pid`: the service's. */
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
    if (!told.has(what)) log.line('warning', message('report-unwritten', { what, why }));
    told.add(what);
  };
  /** Never waits for a disk. */
  const replacer = (file: string): ((text: string, isLast?: boolean) => void) => {
    const failed = (why: string): void => tellOnce(`${file} cannot be written`, why);
    if (!isInMemory(file)) return fileReplacer(file, () => failed('its directory, file system or disk does not accept it'));
    return (text) => {
      try {
        host.replace(file, text, 0o644);
      } catch (error) {
        failed((error as Error).message);
      }
    };
  };
  const writeState = replacer(stateFile);
  const writeMetrics = monitorMetricsFile === 'off' ? null : replacer(monitorMetricsFile);
  const isServing = settings.monitorMetricsListen !== 'off';
  const server = isServing
    ? keepSibling(['-', figuresRole, settings.monitorMetricsListen], (why) =>
        tellOnce(`no figures under ${settings.monitorMetricsListen}`, why),
      )
    : null;

  return {
    write: (seen) => {
      const at = new Date(host.now()).toISOString();
      last = { version: 1, package: packageName, member: host.member, pid, startedAt, at, ...seen };
      server?.feed(JSON.stringify({ state: last, promotion }));
      const now = substanceOf(seen);
      if (now === written && host.elapsed() - writtenAt < freshMs) return;
      written = now;
      writtenAt = host.elapsed();
      writeState(`${JSON.stringify(last)}\n`, seen.verdict !== null);
      writeMetrics?.(metricsText(last, false, promotion), seen.verdict !== null);
    },
    over: () => {
      if (last !== null) writeMetrics?.(metricsText(last, true, promotion), true);
    },
    close: () => server?.close(),
  };
}
