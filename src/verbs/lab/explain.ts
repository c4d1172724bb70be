/** `csync explain`: prints the decision tables. Needs no cluster. */
import { explainText } from '../../decision-tables/page.ts';
import { decisionTables } from '../../decision-tables/tables.ts';

export function explain(json: boolean): string {
  const tables = decisionTables();
  return json ? `${JSON.stringify(tables, null, 2)}\n` : explainText(tables);
}
