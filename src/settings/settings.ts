/**
 * The administrator's settings: one table, a row for each. From it come the reader of csync.yaml (settings-yaml.ts), the commented example,
 * and the JSON file on the members. Times are in the unit of their name. The member scripts contain this file, so it imports only the
 * schema library.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { attempt } from '../base/attempt.ts';
import { newerFormat, newerText } from '../base/version.ts';
import type { SettingsRow } from './row.ts';
import { settingsTable } from './table.ts';

type Table = typeof settingsTable;

export type Field = keyof Table;

type Value<F extends Field> = v.InferOutput<Table[F]['check']>;

/** The checked settings. Lists are read only. */
export type Settings = { readonly [F in Field]: Value<F> extends (infer Item)[] ? readonly Item[] : Value<F> };

export const settingsFields = Object.keys(settingsTable) as Field[];

/** The settings for the members: JSON, keys in table order, one a line. */
export function settingsJson(settings: Settings): string {
  const ordered = Object.fromEntries(settingsFields.map((field) => [field, settings[field]]));
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

/** Checked values are stable: reading them again changes nothing. */
const jsonSchema = v.strictObject(Object.fromEntries(Object.entries(settingsTable).map(([field, row]) => [field, row.check])));

/** Settings that version 0.1.0 did not have, with their defaults. */
const laterDefaults = Object.fromEntries(
  settingsFields.flatMap((field) => {
    const row: SettingsRow = settingsTable[field];
    return row.since === undefined ? [] : [[field, row.fallback]];
  }),
);

/** Reads the output of settingsJson and checks it again, because files on a disk can be damaged. A string is the problem. */
export function parseSettingsJson(text: string): Settings | string {
  const data: unknown = attempt(() => JSON.parse(text));
  if (data === undefined) return 'is no JSON';
  const newer = newerFormat(data);
  if (newer !== null) return newerText('the file', newer);
  const checked = v.safeParse(jsonSchema, isPlain(data) ? { ...laterDefaults, ...data } : data);
  if (checked.success) return checked.output as unknown as Settings;
  const [issue] = checked.issues;
  return `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`;
}

const isPlain = (data: unknown): data is object => typeof data === 'object' && data !== null && !Array.isArray(data);

/** SHA-256 of settingsJson, hex: in the package file, for every member to compare with its own copy. */
export function settingsDigest(settings: Settings): string {
  return createHash('sha256').update(settingsJson(settings)).digest('hex');
}
