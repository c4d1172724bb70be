/** What csync alert run passes to hooks, and remembers for its next run, csync status and csync check. Pure. */
import * as v from 'valibot';
import { readJson } from './read-json.ts';

export const alertEvents = {
  promotion: 'info',
  'failed-failover': 'critical',
  'package-down': 'critical',
  'key-rotation': 'warning',
  space: 'warning',
  readiness: 'warning',
  rehearsal: 'warning',
  test: 'info',
} as const;
export type AlertEvent = keyof typeof alertEvents;

const notice = v.object({
  version: v.literal(1),
  /** The same in all reports about one event, from every member. */
  key: v.string(),
  event: v.picklist(Object.keys(alertEvents) as AlertEvent[]),
  state: v.picklist(['raised', 'repeated', 'cleared']),
  severity: v.picklist(['info', 'warning', 'critical']),
  package: v.string(),
  member: v.string(),
  text: v.string(),
  fix: v.string(),
  /** ISO 8601: first seen, and reported. */
  since: v.string(),
  at: v.string(),
});
/** Standard input of a hook, and its environment. */
export type Notice = v.InferOutput<typeof notice>;

const hookResult = v.object({ ok: v.boolean(), result: v.string(), attempts: v.number(), at: v.string() });
export type HookResult = v.InferOutput<typeof hookResult>;

const hook = v.object({
  name: v.string(),
  /** SHA-256; null: unreadable. */
  digest: v.nullable(v.string()),
  /** Why it is skipped; null: it runs. */
  refused: v.nullable(v.string()),
});

const lasting = v.object({
  since: v.number(),
  /** ms since the epoch; null: not yet. */
  told: v.nullable(v.number()),
  text: v.string(),
  fix: v.string(),
});
export type Lasting = v.InferOutput<typeof lasting>;

const state = v.object({
  version: v.literal(1),
  at: v.string(),
  /** What cannot be run at all. */
  problem: v.nullable(v.string()),
  hooks: v.array(hook),
  ignored: v.array(v.string()),
  unknown: v.array(v.string()),
  /** By event of one moment: the last one seen; null: none. */
  marks: v.record(v.string(), v.nullable(v.string())),
  /** By event, or EVENT/SUBJECT. */
  lasting: v.record(v.string(), lasting),
  queue: v.array(v.object({ notice, results: v.record(v.string(), hookResult) })),
  results: v.record(v.string(), hookResult),
});
export type AlertState = v.InferOutput<typeof state>;
export type Queued = AlertState['queue'][number];

/** In memory: no disk delays it, and full disks do not matter. */
export const alertStateFile = (packageName: string): string => `/run/csync-alerts-${packageName}.json`;

/** null: none, damaged, or of a newer csync. */
export const parseAlertState = (text: string | null): AlertState | null => readJson(state, text);

/** One line, for scripts. */
export const alertStateText = (one: AlertState): string => `${JSON.stringify(one)}\n`;

export const noAlertState: AlertState = {
  version: 1,
  at: '',
  problem: null,
  hooks: [],
  ignored: [],
  unknown: [],
  marks: {},
  lasting: {},
  queue: [],
  results: {},
};

const rehearsed = v.object({ version: v.literal(1), ready: v.boolean(), sentence: v.string() });
/** From csync rehearse to the next csync alert run on the same member. */
export type Rehearsed = v.InferOutput<typeof rehearsed>;

export const rehearsedFile = (packageName: string): string => `/run/csync-rehearsed-${packageName}.json`;
export const parseRehearsed = (text: string | null): Rehearsed | null => readJson(rehearsed, text);
