/** Pauses the monitor during maintenance: written by csync, read by the monitor. */

/** In the package directory [serviceguard.md 3.8, where each toolkit has its own name]. */
export const maintenanceFileName = 'csync.debug';

export interface Maintenance {
  /** Wall clock, ms; null: no end. */
  readonly until: number | null;
  /** Serviceguard's own mode, to be ended; was AUTO_RUN on? */
  readonly serviceguard: { readonly autoRun: boolean } | null;
}

/** Monitors of version 0.1.0 read the whole line as the end. */
export function maintenanceText({ until, serviceguard }: Maintenance): string {
  const end = until === null ? '' : `until ${new Date(until).toISOString()}`;
  return `${end}${serviceguard === null ? '' : ` serviceguard auto_run=${serviceguard.autoRun ? 'yes' : 'no'}`}\n`;
}

/** Empty or other text: no end. */
export function parseMaintenance(text: string): Maintenance {
  const until = Date.parse(/^until (\S+)/.exec(text)?.[1] ?? '');
  const autoRun = /^until \S+ serviceguard auto_run=(yes|no)$/m.exec(text)?.[1];
  return {
    until: Number.isNaN(until) ? null : until,
    serviceguard: autoRun === undefined ? null : { autoRun: autoRun === 'yes' },
  };
}

/** null: none, or over. With Serviceguard's own mode `overdue` until that ended. */
export function maintenanceFrom(text: string | null, now: number): (Maintenance & { readonly overdue: boolean }) | null {
  if (text === null) return null;
  const found = parseMaintenance(text);
  const overdue = found.until !== null && now >= found.until;
  return overdue && found.serviceguard === null ? null : { ...found, overdue };
}
