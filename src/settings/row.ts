/** What a row of the settings table has. */
import type * as v from 'valibot';

export interface SettingsRow {
  readonly key: string;
  /** Of the wizard. */
  readonly question: string;
  /** undefined: required. A function gets the values above it. */
  readonly fallback?: unknown;
  readonly check: v.GenericSchema;
  /** Older files lack it. Its default depends on no other setting. */
  readonly since?: string;
  /** Above the key in the example: what it means for the cluster. */
  readonly comment: string;
}

export type Above = Readonly<Record<string, unknown>>;
