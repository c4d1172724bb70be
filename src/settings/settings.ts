/**
 * What the administrator decided: one table, a row a setting. The table draws the reader of csync.yaml with its checks
 * (settings-yaml.ts), the commented example, and the JSON file that rules on the members. Times are in the unit their
 * name says. The member scripts carry this file, so it needs nothing but the schema library.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { settingsTable } from './table.ts';

type Table = typeof settingsTable;

export type Field = keyof Table;

type Value<F extends Field> = v.InferOutput<Table[F]['check']>;

/** The checked settings. Lists are read only. */
export type Settings = { readonly [F in Field]: Value<F> extends (infer Item)[] ? readonly Item[] : Value<F> };

export const settingsFields = Object.keys(settingsTable) as Field[];

/** The settings as the members read them: JSON, keys in table order, one a line. */
export function settingsJson(settings: Settings): string {
  const ordered = Object.fromEntries(settingsFields.map((field) => [field, settings[field]]));
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

/** Checked values are already what the transforms would make of them, so reading them again changes nothing. */
const jsonSchema = v.strictObject(Object.fromEntries(Object.entries(settingsTable).map(([field, row]) => [field, row.check])));

/** Reads what settingsJson wrote, checked again: who reads it must not trust what lies on a disk. A string says what is wrong. */
export function parseSettingsJson(text: string): Settings | string {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return 'is no JSON';
  }
  const checked = v.safeParse(jsonSchema, data);
  if (checked.success) return checked.output as unknown as Settings;
  const [issue] = checked.issues;
  return `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`;
}

/** SHA-256 of settingsJson, hex: what the package file carries and every member checks against its own copy. */
export function settingsDigest(settings: Settings): string {
  return createHash('sha256').update(settingsJson(settings)).digest('hex');
}
