/** Calls the hooks for queued events, each at most five times. */
import { hostname } from 'node:os';
import { logLine } from '../../base/log-line.ts';
import { shortName } from '../../base/network.ts';
import type { Due } from '../../cluster/alerts/due.ts';
import { keyOf } from '../../cluster/alerts/due.ts';
import {
  type AlertState,
  alertEvents,
  alertStateFile,
  alertStateText,
  type HookResult,
  type Notice,
  type Queued,
} from '../../contract/alerts.ts';
import { runHook } from '../../host/admin/hooks.ts';
import { toSyslog } from '../../host/member/log-writer.ts';
import { alertLines } from '../../host/member/member-log.ts';
import { harmless } from '../../host/output.ts';
import { replaceFile } from '../../host/safe-file.ts';
import type { Settings } from '../../settings/settings.ts';

export const mostAttempts = 5;
/** The rest is for the next run. */
const passMs = 4 * 60_000;
/** Limits of the queue, which grows only while hooks fail; the oldest are dropped. */
const mostQueued = 32;
const oldestMs = 24 * 3_600_000;

export interface Delivered {
  readonly hook: string;
  readonly event: string;
  readonly key: string;
  readonly ok: boolean;
  readonly result: string;
}

const oneLine = (text: string): string => harmless(text.replaceAll(/\s+/g, ' ')).slice(0, 2000);

export function noticeOf(
  { event, subject, state, text, fix, since }: Due,
  packageName: string,
  member: string,
  now: number,
): Notice {
  return {
    version: 1,
    key: `${packageName}/${keyOf(event, subject)}`,
    event,
    state,
    severity: state === 'cleared' ? 'info' : alertEvents[event],
    package: packageName,
    member,
    text: oneLine(text),
    fix: oneLine(fix),
    since: new Date(since).toISOString(),
    at: new Date(now).toISOString(),
  };
}

/** CSYNC_ALERT_ and each field's name. */
export function environmentOf(notice: Notice, attempt: number): Record<string, string> {
  const fields = Object.entries({ ...notice, attempt }).map(([name, value]) => [`CSYNC_ALERT_${name.toUpperCase()}`, `${value}`]);
  return Object.fromEntries(fields);
}

/** Without events that all hooks reported, or that were tried often enough. */
export function stillQueued(queue: readonly Queued[], hooks: readonly string[], now: number): Queued[] {
  // Without hooks it waits for one, for a while.
  const isOpen = ({ results }: Queued): boolean => hooks.length === 0 || hooks.some((hook) => isPending(results[hook]));
  return queue.filter((one) => now - Date.parse(one.notice.at) < oldestMs && isOpen(one)).slice(-mostQueued);
}

const isPending = (result: HookResult | undefined): boolean =>
  result === undefined || (!result.ok && result.attempts < mostAttempts);

type Place = Pick<Settings, 'packageName' | 'alertDirectory' | 'alertTimeoutSeconds'>;

/** Writes the state before and after each event: a killed run counts as an attempt. */
export async function deliver(place: Place, state: AlertState, queue = state.queue): Promise<Delivered[]> {
  const hooks = state.hooks.flatMap(({ name, refused }) => (refused === null ? [name] : []));
  const end = performance.now() + passMs;
  const delivered: Delivered[] = [];
  let now = state;
  for (const queued of stillQueued(queue, hooks, Date.now())) {
    if (performance.now() > end) break;
    const pending = hooks.filter((hook) => isPending(queued.results[hook]));
    now = withResults(now, queued, pending, (was) => ({ ...was, ok: false, result: 'csync alert run was ended while it ran' }));
    saveState(place.packageName, now);
    const results = await Promise.all(pending.map((hook) => callHook(place, hook, queued)));
    const by = new Map(results.map((one) => [one.hook, one]));
    now = withResults(now, queued, pending, (was, hook) => ({
      ...was,
      ok: by.get(hook)?.ok === true,
      result: by.get(hook)?.result ?? '',
    }));
    delivered.push(...results);
  }
  saveState(place.packageName, { ...now, queue: stillQueued(now.queue, hooks, Date.now()) });
  return delivered;
}

function withResults(
  state: AlertState,
  queued: Queued,
  hooks: readonly string[],
  change: (was: HookResult, hook: string) => HookResult,
): AlertState {
  const at = new Date().toISOString();
  const changed = Object.fromEntries(
    hooks.map((hook) => [hook, change({ ok: false, result: '', at, attempts: (queued.results[hook]?.attempts ?? 0) + 1 }, hook)]),
  );
  const queue = state.queue.map((one) =>
    one.notice === queued.notice ? { ...one, results: { ...one.results, ...changed } } : one,
  );
  return { ...state, queue, results: { ...state.results, ...changed } };
}

async function callHook(place: Place, hook: string, { notice, results }: Queued): Promise<Delivered> {
  const attempt = (results[hook]?.attempts ?? 0) + 1;
  const { ok, result } = await runHook(`${place.alertDirectory}/${hook}`, {
    env: environmentOf(notice, attempt),
    input: `${JSON.stringify(notice)}\n`,
    limitMs: place.alertTimeoutSeconds * 1000,
  });
  if (!ok) {
    const next = attempt < mostAttempts ? 'It is called again at the next run.' : `It was called ${mostAttempts} times.`;
    const [text] = alertLines['alert-hook-failed'];
    const sentence = text
      .replace('{hook}', () => hook)
      .replace('{why}', () => result)
      .replace('{next}', () => next);
    logAlert(place.packageName, 'failed', 'alert-hook-failed', sentence, { event: notice.event, key: notice.key, attempt });
  }
  return { hook, event: notice.event, key: notice.key, ok, result };
}

export function logAlert(
  packageName: string,
  result: 'warning' | 'failed' | 'done',
  code: keyof typeof alertLines,
  text: string,
  keys: Readonly<Record<string, string | number>>,
): void {
  const member = shortName(hostname());
  const line = harmless(logLine({ member, packageName, script: 'alert' }, result, { code, text, keys }));
  toSyslog(packageName, result === 'done' ? 'daemon.notice' : 'daemon.alert', line, null, '');
}

/** Throws the errno error. */
export function saveState(packageName: string, state: AlertState): void {
  replaceFile(alertStateFile(packageName), alertStateText(state), 0o644, false);
}
