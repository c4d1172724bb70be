/** The file that tells the monitor of work on the daemon: csync writes it, the monitor reads it. */

/** Beside the scripts; while it lies there the monitor pauses [serviceguard.md 3.8, where each toolkit has its own name]. */
export const maintenanceFileName = 'csync.debug';

export interface Maintenance {
  /** Wall clock, ms; null: until the file is taken away. */
  readonly until: number | null;
  /** Serviceguard's own mode goes with it and has to be ended, too; whether the package could fail over before. */
  readonly serviceguard: { readonly autoRun: boolean } | null;
}

/** One line. Monitors of before the second half was written take it for the end of a pause. */
export function maintenanceText({ until, serviceguard }: Maintenance): string {
  const end = until === null ? '' : `until ${new Date(until).toISOString()}`;
  return `${end}${serviceguard === null ? '' : ` serviceguard auto_run=${serviceguard.autoRun ? 'yes' : 'no'}`}\n`;
}

/** What the maintenance file says. One that was only touched, or says anything else, is maintenance without an end. */
export function parseMaintenance(text: string): Maintenance {
  const until = Date.parse(/^until (\S+)/.exec(text)?.[1] ?? '');
  const autoRun = /^until \S+ serviceguard auto_run=(yes|no)$/m.exec(text)?.[1];
  return {
    until: Number.isNaN(until) ? null : until,
    serviceguard: autoRun === undefined ? null : { autoRun: autoRun === 'yes' },
  };
}

/**
 * Maintenance now; null: none, or it is over. One that goes with Serviceguard's mode is not over before that was ended:
 * then it is `overdue`.
 */
export function maintenanceFrom(text: string | null, now: number): (Maintenance & { readonly overdue: boolean }) | null {
  if (text === null) return null;
  const found = parseMaintenance(text);
  const overdue = found.until !== null && now >= found.until;
  return overdue && found.serviceguard === null ? null : { ...found, overdue };
}
