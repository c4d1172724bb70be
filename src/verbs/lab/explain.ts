import { closest } from 'fastest-levenshtein';
import { attempt } from '../../base/attempt.ts';
import { failure } from '../../base/problem.ts';
import { decisionTables } from '../../decision-tables/tables.ts';
import { decisionsText } from '../../decision-tables/text.ts';
import { engines } from '../../engine/choice/engine-for.ts';
import type { EngineWords } from '../../engine/engine.ts';
import { type CodeEntry, codeEntries, codesText, codeText } from '../../explain/codes.ts';
import { outputWidth } from '../../host/output.ts';
import { engineHere } from '../common/engine-here.ts';
import { jsonText } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

const codeEntry = {
  code: shape.text,
  exit: shape.nullable(shape.number),
  text: shape.text,
  cluster: shape.text,
  why: shape.text,
  fix: shape.texts,
  example: shape.text,
  page: shape.text,
};

export const codeDocument = shape.document({ ...codeEntry });

export const codesDocument = shape.document({ codes: shape.many(shape.object(codeEntry)) });

export const decisionsDocument = shape.document({
  exits: shape.many(shape.parts),
  findings: shape.many(shape.parts),
  verdicts: shape.many(shape.parts),
  consequences: shape.many(shape.parts),
});

/** In the words of the engine of this host; without one, in Serviceguard's. */
export function explain(code: string | undefined, json: boolean): string {
  const { words } = attempt(() => engineHere().engine, engines[0]);
  const codes = codeEntries.map((entry) => inWords(entry, words));
  if (code === undefined) return json ? jsonText<typeof codesDocument>({ codes }) : codesText(codes, outputWidth());
  const typed = code.replace(/^\[|\]$/g, '');
  const entry = codes.find((one) => one.code === typed);
  if (entry !== undefined) return json ? jsonText<typeof codeDocument>(entry) : codeText(entry, outputWidth());
  const near = closest(
    typed,
    codeEntries.map((one) => one.code),
  );
  throw failure('usage', `unknown code "${typed}"`, `csync explain ${near}; csync explain   (lists all codes)`);
}

function inWords(entry: CodeEntry, { explained }: Pick<EngineWords, 'explained'>): CodeEntry {
  const said = (text: string): string => explained(entry.code, text);
  const { text, cluster, why, fix, example } = entry;
  return { ...entry, text: said(text), cluster: said(cluster), why: said(why), fix: fix.map(said), example: said(example) };
}

export function decisions(json: boolean): string {
  const tables = decisionTables();
  return json ? jsonText<typeof decisionsDocument>(tables) : decisionsText(tables);
}
