/** What a row of the settings table has. */
import type * as v from 'valibot';

export interface SettingsRow {
  readonly key: string;
  /** How the wizard asks for it. */
  readonly question: string;
  /** undefined: the administrator has to say. A function sees the values above it in the table. */
  readonly fallback?: unknown;
  readonly check: v.GenericSchema;
  /** Written above the key in the example; says what it means for the cluster. */
  readonly comment: string;
}

export type Above = Readonly<Record<string, unknown>>;
