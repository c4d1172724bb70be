/** What the monitor publishes about itself in a file, for csync status. Pure. */

import * as v from 'valibot';
import { readJson } from './read-json.ts';

const schema = v.object({
  version: v.literal(1),
  package: v.string(),
  member: v.string(),
  /** The service process that Serviceguard started. */
  pid: v.number(),
  startedAt: v.string(),
  at: v.string(),
  /** The watched process, such as "cf-serverd (pid 42)"; null while paused, or between two daemons. */
  watching: v.nullable(v.string()),
  /** Whether the exit of that process is an event, or must be polled. */
  endIsEvent: v.boolean(),
  paused: v.boolean(),
  /** Why the brake keeps the package here; null: it does not. Missing in version 0.1.0. */
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
      /** ms since the epoch, with fractions: when the monitor noticed. */
      noticed: v.number(),
      evidence: v.string(),
      sentence: v.string(),
    }),
  ),
});

export type MonitorState = v.InferOutput<typeof schema>;

/** In memory: removed by a boot, writable when disks are full. */
export function monitorStateFile(packageName: string): string {
  return `/run/csync-monitor-${packageName}.json`;
}

/** null for text that no monitor of this version wrote. */
export function parseMonitorState(text: string): MonitorState | null {
  return readJson(schema, text);
}
