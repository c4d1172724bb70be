/** What the monitor tells of itself in a file, for csync status. Pure. */
import * as v from 'valibot';

const schema = v.object({
  version: v.literal(1),
  package: v.string(),
  member: v.string(),
  /** The service's process, as Serviceguard started it. */
  pid: v.number(),
  startedAt: v.string(),
  at: v.string(),
  /** The process, such as "cf-serverd (pid 42)"; null while it is paused, or between two daemons. */
  watching: v.nullable(v.string()),
  /** Whether the end of that process is told, or has to be looked for. */
  endIsEvent: v.boolean(),
  paused: v.boolean(),
  /** Why the package stays here in spite of a verdict; null: it does not. Monitors of before this was written have none. */
  brake: v.optional(v.nullable(v.string()), null),
  /** How often the monitor itself did not run for a while. */
  starvations: v.number(),
  /** The last look of each layer that is looked at. */
  layers: v.record(
    v.string(),
    v.object({
      result: v.picklist(['good', 'bad', 'cannot-tell']),
      detail: v.string(),
      milliseconds: v.number(),
      at: v.string(),
    }),
  ),
  verdict: v.nullable(
    v.object({
      reason: v.string(),
      since: v.string(),
      /** ms since the epoch, with fractions: when the monitor knew. */
      noticed: v.number(),
      evidence: v.string(),
      sentence: v.string(),
    }),
  ),
});

export type MonitorState = v.InferOutput<typeof schema>;

/** On a disk of memory: gone with a boot, and there when other disks are full. */
export function monitorStateFile(packageName: string): string {
  return `/run/csync-monitor-${packageName}.json`;
}

/** null for anything that no monitor of this version wrote. */
export function parseMonitorState(text: string): MonitorState | null {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
