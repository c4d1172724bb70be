/** docs/reference/exit-statuses.md: the statuses of the verbs and of the member scripts. */
import { exitTable } from '../../../src/base/problem.ts';
import { pageTable } from '../../../src/base/tables.ts';
import { verbs } from '../../../src/cli/verbs.ts';
import { decisionTables } from '../../../src/decision-tables/tables.ts';

export function exitStatusesPage(): string {
  const general = Object.values(exitTable).map(({ status, means }) => [`${status}`, means]);
  const own = verbs.flatMap(({ words, ownExits = {} }) =>
    Object.entries(ownExits).map(([status, means]) => [`\`csync ${words}\``, status, means]),
  );
  const scripts = decisionTables().exits.map(({ script, status, sentence }) => [script, `${status}`, sentence]);
  return [
    '# Exit statuses',
    'What does the exit status of a verb or of a member script mean? This page is for authors of scripts and for administrators. It is written by `npm run generate`.',
    '## Verbs',
    'The status of a failure is that of its first error. A warning does not change it. [verbs.md](verbs.md) lists the statuses of each verb.',
    pageTable(['exit status', 'meaning'], general),
    'Some verbs have statuses of their own:',
    pageTable(['verb', 'exit status', 'meaning'], own),
    '## Member scripts',
    'Serviceguard calls them. What it does next depends on the status: [decision-tables.md](../proof/decision-tables.md).',
    pageTable(['script', 'exit status', 'meaning'], scripts),
    '`validate` exits with 0 if the member may run the package, else with 1. The monitor exits with 0 when it is halted, and with 1 when the daemon failed.',
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
