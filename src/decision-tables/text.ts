import { columns } from '../base/tables.ts';
import type { ConsequenceRow, DecisionTables } from './tables.ts';

export const titles = {
  exits: 'Exit statuses of a script, and their meaning',
  findings: 'What a start concludes from a finding',
  verdicts: 'When the monitor exits, and the package fails over',
  consequences: 'What the cluster does next',
} as const;

export const sourceNote =
  "From the manual's table, as the lab implements it. Fail fast: service_fail_fast for a service, node_fail_fast for all others.";

export function whatFollows({ member, haltScript, memberSwitchOff, autoRunOff }: ConsequenceRow): string {
  if (member === 'reset') return 'the member is reset';
  const parts = [
    ...(haltScript ? ['halted here'] : []),
    ...(memberSwitchOff ? ['member disabled'] : []),
    ...(autoRunOff ? ['failover disabled'] : []),
  ];
  return parts.join(', ') || 'may start elsewhere';
}

/** A block for each row. */
export function decisionsText({ exits, findings, verdicts, consequences }: DecisionTables): string {
  const block = (title: string, rows: readonly string[]): string[] => [title, '', ...rows, ''];
  const lines = [
    ...block(
      titles.exits,
      columns(
        exits.map(({ script, status, sentence }) => [script, status, sentence]),
        { indent: 2 },
      ),
    ),
    ...block(
      titles.findings,
      findings.flatMap(({ finding, start, means, remedy }) => [
        `  ${finding} (start: ${start})`,
        `    ${means}`,
        `    Fix: ${remedy}`,
      ]),
    ),
    ...block(
      titles.verdicts,
      verdicts.flatMap(({ reason, sentence, evidence }) => [`  ${reason}`, `    ${sentence}`, `    ${evidence}`]),
    ),
    ...block(titles.consequences, [
      `  ${sourceNote}`,
      ...consequences.flatMap((row) => [
        `  ${row.cause}${row.failFast ? ', fail fast' : ''}: ${whatFollows(row)}`,
        `    ${row.sentence} [${row.source}]`,
      ]),
    ]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}
