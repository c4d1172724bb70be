/** What the table of settings changes with `engine: pacemaker`. Pure. */
import { errorProblem, type Place, type Problem } from '../base/problem.ts';
import type { SettingsRow } from './row.ts';
import { type Field, type Settings, settingsFields } from './settings.ts';
import { settingsTable } from './table.ts';

const rows: Readonly<Record<Field, SettingsRow>> = settingsTable;

/** Pacemaker has nothing that the setting could change. */
export const isWithoutEffect = (row: SettingsRow): boolean => row.pacemaker !== undefined && row.pacemaker.comment === undefined;

/** null: the setting has no effect with this engine. */
export function commentOn(row: SettingsRow, engine: unknown): string | null {
  if (engine !== 'pacemaker' || row.pacemaker === undefined) return row.comment;
  return row.pacemaker.comment ?? null;
}

/** Values that the engine cannot have (errors), or that change nothing there (warnings). */
export function engineProblems(settings: Partial<Settings>, placeOf: (field: Field) => Place | undefined): Problem[] {
  const ignored = (key: string, why: string, place: Place): Problem => {
    const text = `"${key}" is ignored, because engine is ${settings.engine}: ${why}`;
    return { code: 'settings-ignored', severity: 'warning', text, remedy: `remove ${key}`, place };
  };
  if (settings.engine !== 'pacemaker') {
    const place = placeOf('testCluster');
    return settings.testCluster === true && place !== undefined
      ? [ignored('test_cluster', 'this cluster software itself keeps the data from two members at once', place)]
      : [];
  }
  return settingsFields.flatMap((field): Problem[] => {
    const { key, fallback, pacemaker } = rows[field];
    const [value, place] = [settings[field], placeOf(field)];
    if (pacemaker === undefined || value === undefined || place === undefined) return [];
    const { refuses, why = '' } = pacemaker;
    if (refuses?.test(String(value))) {
      const text = `"${key}" is ${JSON.stringify(value)}, but engine is pacemaker: ${why}`;
      return [errorProblem('settings-engine', text, `remove ${key}, or set another value`, place)];
    }
    if (!isWithoutEffect(rows[field]) || value === fallback) return [];
    return [ignored(key, why, place)];
  });
}
