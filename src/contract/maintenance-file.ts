/** Pauses the monitor; csync writes the file, the monitor reads it. */

/** In the package directory [serviceguard.md 3.8, where each toolkit has its own name]. */
export const maintenanceFileName = 'csync.debug';

export interface Maintenance {
  /** Wall clock, ms; null: no time limit. */
  readonly until: number | null;
  /** Serviceguard's own mode, to be left at that time; its AUTO_RUN before. */
  readonly serviceguard: { readonly autoRun: boolean } | null;
}

/** Monitors of version 0.1.0 read the whole line as the time. */
export function maintenanceText({ until, serviceguard }: Maintenance): string {
  const end = until === null ? '' : `until ${new Date(until).toISOString()}`;
  return `${end}${serviceguard === null ? '' : ` serviceguard auto_run=${serviceguard.autoRun ? 'yes' : 'no'}`}\n`;
}

/** Empty or other text: no time limit. */
export function parseMaintenance(text: string): Maintenance {
  const until = Date.parse(/^until (\S+)/.exec(text)?.[1] ?? '');
  const autoRun = /^until \S+ serviceguard auto_run=(yes|no)$/m.exec(text)?.[1];
  return {
    until: Number.isNaN(until) ? null : until,
    serviceguard: autoRun === undefined ? null : { autoRun: autoRun === 'yes' },
  };
}

/** null: none, or over. With Serviceguard's own mode `overdue` until it is off. */
export function maintenanceFrom(text: string | null, now: number): (Maintenance & { readonly overdue: boolean }) | null {
  if (text === null) return null;
  const found = parseMaintenance(text);
  const overdue = found.until !== null && now >= found.until;
  return overdue && found.serviceguard === null ? null : { ...found, overdue };
}
