/** What a row of the settings table has. */
import type * as v from 'valibot';

export interface SettingsRow {
  readonly key: string;
  /** The question of the wizard. */
  readonly question: string;
  /** undefined: required. A function gets the values above it in the table. */
  readonly fallback?: unknown;
  readonly check: v.GenericSchema;
  /** The version that added it; older files lack it. Its default depends on no other setting. */
  readonly since?: string;
  /** The comment above the key in the example: what it means for the cluster. */
  readonly comment: string;
}

export type Above = Readonly<Record<string, unknown>>;
