/** Member scripts contain this file, so it imports only the schema library. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { attempt } from '../base/attempt.ts';
import { newerFormat, newerText } from '../base/version.ts';
import type { SettingsRow } from './row.ts';
import { settingsTable } from './table.ts';

type Table = typeof settingsTable;

export type Field = keyof Table;

type Value<F extends Field> = v.InferOutput<Table[F]['check']>;

export type Settings = { readonly [F in Field]: Value<F> extends (infer Item)[] ? readonly Item[] : Value<F> };

export const settingsFields = Object.keys(settingsTable) as Field[];

/** In table order, one a line. */
export function settingsJson(settings: Settings): string {
  const ordered = Object.fromEntries(settingsFields.map((field) => [field, settings[field]]));
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

const jsonSchema = v.strictObject(Object.fromEntries(Object.entries(settingsTable).map(([field, row]) => [field, row.check])));

/** Absent in version 0.1.0. */
const laterDefaults = Object.fromEntries(
  settingsFields.flatMap((field) => {
    const row: SettingsRow = settingsTable[field];
    return row.since === undefined ? [] : [[field, row.fallback]];
  }),
);

/** Checked again, because files can be damaged. A string is the problem. */
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

/** SHA-256 of settingsJson, hex: in the package file, for every member to compare. */
export function settingsDigest(settings: Settings): string {
  return createHash('sha256').update(settingsJson(settings)).digest('hex');
}
