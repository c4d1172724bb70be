/** The decision tables: whole, with a sentence for each row. */
import { describe, expect, it } from 'vitest';
import { decisionsText } from '../../../src/decision-tables/page.ts';
import { decisionTables } from '../../../src/decision-tables/tables.ts';
import { eventTable } from '../../../src/lab/manager/event-table.ts';
import { failureTable } from '../../../src/member/failures.ts';
import { layerNames } from '../../../src/member/monitor/layers.ts';
import { startExit } from '../../../src/member/steps/step.ts';

const tables = decisionTables();

describe('the decision tables', () => {
  it('have every finding with the exit status a start really has, and every cause twice', () => {
    expect(tables.findings.map(({ finding }) => finding)).toEqual(Object.keys(failureTable));
    for (const { finding, start } of tables.findings) expect(startExit({ code: finding, text: '' })).toBe(start);
    expect(tables.consequences.map(({ cause }) => cause)).toEqual(Object.keys(eventTable).flatMap((cause) => [cause, cause]));
    expect(tables.verdicts.map(({ reason }) => reason)).toEqual(expect.arrayContaining([...layerNames]));
    expect(tables.exits.map(({ script, status }) => `${script} ${status}`)).toEqual([
      'start 0',
      'start 1',
      'start 2',
      'halt 0',
      'halt 1',
    ]);
  });

  it('have a sentence in every row, and all of them in the text', () => {
    const sentences = [
      ...tables.exits.map(({ sentence }) => sentence),
      ...tables.findings.flatMap(({ means, remedy }) => [means, remedy]),
      ...tables.verdicts.flatMap(({ sentence, evidence }) => [sentence, evidence]),
      ...tables.consequences.map(({ sentence }) => sentence),
    ];
    const text = decisionsText(tables);
    for (const sentence of sentences) {
      expect(sentence.length).toBeGreaterThan(10);
      expect(text).toContain(sentence);
    }
  });
});
