/** JSON schema of csync.yaml, from the table's rules and comments. Pure. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { SettingsRow } from './row.ts';
import * as rules from './rules.ts';
import { settingsTable } from './table.ts';

/** At least the form of what only code decides. */
const forms = new Map<v.GenericSchema, string>([
  [rules.address, '^(\\d{1,3}(\\.\\d{1,3}){3}|[\\dA-Fa-f:]*:[\\dA-Fa-f:.]*)$'],
  [rules.subnet, '^(\\d{1,3}(\\.\\d{1,3}){3}|[\\dA-Fa-f:]*::/\\d{1,3})$'],
  [rules.network, '^(\\d{1,3}(\\.\\d{1,3}){3}(/\\d{1,2})?|[\\dA-Fa-f:]*:[\\dA-Fa-f:.]*(/\\d{1,3})?)$'],
  [rules.layerSchedule, '^(off|every [1-9]\\d{0,4} ?s, limit [1-9]\\d{0,3} ?s, [1-9]\\d? in a row, (fail|warn))$'],
  [rules.localRestart, '^(none|once in [1-9]\\d{0,4} ?min)$'],
  [rules.listenAddress, '^(off|([\\d.]+|\\[[\\da-f:]+\\]):[1-9]\\d{0,4})$'],
]);

/** Draft 07, for editors. Accepts every valid file. */
export function settingsSchema(): object {
  const rows: readonly SettingsRow[] = Object.values(settingsTable);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'csync.yaml',
    description: 'Settings of csync. csync settings check also checks what a schema cannot.',
    type: 'object',
    additionalProperties: false,
    required: rows.filter(({ fallback }) => fallback === undefined).map(({ key }) => key),
    properties: Object.fromEntries(
      rows.map(({ key, check, comment, fallback }) => [
        key,
        { description: comment, ...(typeof fallback === 'function' ? {} : { default: fallback }), ...schemaOfRule(check) },
      ]),
    ),
  };
}

function schemaOfRule(check: v.GenericSchema & { readonly item?: v.GenericSchema }): object {
  const { $schema, ...schema } = toJsonSchema(check, { typeMode: 'input', errorMode: 'ignore' });
  const pattern = forms.get(check);
  return {
    ...schema,
    ...(pattern === undefined ? {} : { pattern }),
    ...(check.item === undefined ? {} : { items: schemaOfRule(check.item) }),
  };
}
