/** `csync explain | decisions`: prints the tables of codes and of decisions. Needs no cluster. */

import { closest } from 'fastest-levenshtein';
import { errorProblem, Failure } from '../../base/problem.ts';
import { decisionsText } from '../../decision-tables/page.ts';
import { decisionTables } from '../../decision-tables/tables.ts';
import { codeEntries, codesText, codeText } from '../../explain/codes.ts';
import { outputWidth } from '../../host/output.ts';
import { jsonText } from '../outputs/json.ts';

/** One code, or all of them. */
export function explain(code: string | undefined, json: boolean): string {
  if (code === undefined) return json ? jsonText('codes', { codes: codeEntries }) : codesText(outputWidth());
  const typed = code.replace(/^\[|\]$/g, '');
  const entry = codeEntries.find((one) => one.code === typed);
  if (entry !== undefined) return json ? jsonText('explain', entry) : codeText(entry, outputWidth());
  const near = closest(
    typed,
    codeEntries.map((one) => one.code),
  );
  throw new Failure([
    errorProblem('usage', `unknown code "${typed}"`, `csync explain ${near}; csync explain   (lists all codes)`),
  ]);
}

export function decisions(json: boolean): string {
  const tables = decisionTables();
  return json ? jsonText('decisions', tables) : decisionsText(tables);
}
