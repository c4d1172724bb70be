/** docs/proof/decision-tables.md, from the tables that decide. */
import { pageTable } from '../../../src/base/tables.ts';
import type { DecisionTables } from '../../../src/decision-tables/tables.ts';
import { sourceNote, titles, whatFollows } from '../../../src/decision-tables/text.ts';

/** From cause to consequence; equal consequences share an arrow's head. Quotes would end a label. */
function diagram({ consequences, verdicts }: DecisionTables): string[] {
  const plain = consequences.filter(({ failFast }) => !failFast);
  const ends = [...new Set(plain.map(whatFollows))];
  const quoted = (text: string): string => `"${text.replaceAll('"', "'")}"`;
  return [
    '```mermaid',
    'flowchart LR',
    `  verdict[${quoted(`the monitor exits: ${verdicts.map(({ reason }) => reason).join(', ')}`)}] --> service-failed`,
    ...ends.map((end, index) => `  end${index}([${quoted(end)}])`),
    ...plain.map((row) => `  ${row.cause} --> end${ends.indexOf(whatFollows(row))}`),
    ...ends.flatMap((end, index) =>
      end.includes('failover disabled')
        ? [`  end${index} -.-> by-hand[${quoted('an administrator acts: csync status, csync recover, cmmodpkg -e')}]`]
        : [],
    ),
    ...ends.flatMap((end, index) =>
      end.includes('failover disabled') ? [] : [`  end${index} --> next[${quoted('the next enabled member')}]`],
    ),
    '```',
  ];
}

export function decisionsPage(tables: DecisionTables): string {
  const { exits, findings, verdicts, consequences } = tables;
  const lines = [
    '# Decisions',
    '',
    'When does the package fail over, and what does the exit status of a script mean? For administrators who read a package log. Written by `npm run generate` from the tables that decide (`csync decisions` prints them). A test keeps this page up to date.',
    '',
    ...diagram(tables),
    '',
    `## ${titles.exits}`,
    '',
    pageTable(
      ['script', 'status', 'meaning'],
      exits.map(({ script, status, sentence }) => [script, status, sentence]),
    ),
    '',
    `## ${titles.findings}`,
    '',
    pageTable(
      ['finding', 'start exits with', 'meaning', 'fix'],
      findings.map(({ finding, start, means, remedy }) => [finding, start, means, remedy]),
    ),
    '',
    `## ${titles.verdicts}`,
    '',
    pageTable(
      ['reason', 'sentence', 'evidence'],
      verdicts.map(({ reason, sentence, evidence }) => [reason, sentence, evidence]),
    ),
    '',
    `## ${titles.consequences}`,
    '',
    sourceNote,
    '',
    pageTable(
      ['cause', 'fail fast', 'follows', 'sentence', 'source'],
      consequences.map((row) => [row.cause, row.failFast ? 'yes' : 'no', whatFollows(row), row.sentence, row.source]),
    ),
    '',
  ];
  return lines.join('\n');
}
