import type * as v from 'valibot';

export interface SettingsRow {
  readonly key: string;
  readonly question: string;
  /** undefined: required. A function gets the values above it. */
  readonly fallback?: unknown;
  readonly check: v.GenericSchema;
  /** Older files lack it. Its default depends on no other setting. */
  readonly since?: string;
  /** Above the key in the example: what it means for the cluster. */
  readonly comment: string;
  readonly pacemaker?: OnPacemaker;
}

export interface OnPacemaker {
  /** Replaces the row's. Without it the setting is Serviceguard's alone, and csync does not write it into csync.yaml. */
  readonly comment?: string;
  /** Refused values. Any other value has an effect if there is a comment, and is ignored if not. */
  readonly refuses?: RegExp;
  /** Why, as a sentence. */
  readonly why?: string;
}

export type Above = Readonly<Record<string, unknown>>;
