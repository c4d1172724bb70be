/** What the monitor publishes for csync status. Pure. */

import * as v from 'valibot';
import { readJson } from './read-json.ts';

const schema = v.object({
  version: v.literal(1),
  package: v.string(),
  member: v.string(),
  /** The service's. */
  pid: v.number(),
  startedAt: v.string(),
  at: v.string(),
  watching: v.nullable(v.string()),
  /** False: the daemon's exit is polled. */
  endIsEvent: v.boolean(),
  paused: v.boolean(),
  /** Why the brake is on; null: off. Missing in version 0.1.0. */
  brake: v.optional(v.nullable(v.string()), null),
  starvations: v.number(),
  layers: v.record(
    v.string(),
    v.object({
      // Version 0.1.0 writes another word for unknown.
      result: v.pipe(
        v.string(),
        v.transform((word): 'good' | 'bad' | 'unknown' => (word === 'good' || word === 'bad' ? word : 'unknown')),
      ),
      detail: v.string(),
      milliseconds: v.number(),
      at: v.string(),
    }),
  ),
  verdict: v.nullable(
    v.object({
      reason: v.string(),
      since: v.string(),
      /** ms since the epoch, with fractions. */
      noticed: v.number(),
      evidence: v.string(),
      sentence: v.string(),
    }),
  ),
});

export type MonitorState = v.InferOutput<typeof schema>;

/** In memory, so full disks do not matter. */
export function monitorStateFile(packageName: string): string {
  return `/run/csync-monitor-${packageName}.json`;
}

/** null: another version, or damaged. */
export function parseMonitorState(text: string): MonitorState | null {
  return readJson(schema, text);
}
