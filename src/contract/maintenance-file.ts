/** The file that pauses the monitor during maintenance: csync writes it, the monitor reads it. */

/** In the package directory; while it exists, the monitor pauses [serviceguard.md 3.8, where each toolkit has its own name]. */
export const maintenanceFileName = 'csync.debug';

export interface Maintenance {
  /** Wall clock, ms; null: until the file is removed. */
  readonly until: number | null;
  /** Serviceguard's own mode is on too and must be ended; whether AUTO_RUN was on. */
  readonly serviceguard: { readonly autoRun: boolean } | null;
}

/** One line. Monitors of version 0.1.0 read the whole line as the end of the pause. */
export function maintenanceText({ until, serviceguard }: Maintenance): string {
  const end = until === null ? '' : `until ${new Date(until).toISOString()}`;
  return `${end}${serviceguard === null ? '' : ` serviceguard auto_run=${serviceguard.autoRun ? 'yes' : 'no'}`}\n`;
}

/** The content of the maintenance file. An empty file, or any other text, is maintenance without an end. */
export function parseMaintenance(text: string): Maintenance {
  const until = Date.parse(/^until (\S+)/.exec(text)?.[1] ?? '');
  const autoRun = /^until \S+ serviceguard auto_run=(yes|no)$/m.exec(text)?.[1];
  return {
    until: Number.isNaN(until) ? null : until,
    serviceguard: autoRun === undefined ? null : { autoRun: autoRun === 'yes' },
  };
}

/** Maintenance now; null: none, or over. With Serviceguard's own mode it is `overdue` until that mode is ended. */
export function maintenanceFrom(text: string | null, now: number): (Maintenance & { readonly overdue: boolean }) | null {
  if (text === null) return null;
  const found = parseMaintenance(text);
  const overdue = found.until !== null && now >= found.until;
  return overdue && found.serviceguard === null ? null : { ...found, overdue };
}
