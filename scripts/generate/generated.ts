/** Pages that follow from the source alone: `npm run generate` writes them, and a test fails when one is stale. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withReference } from '../../src/cli/reference.ts';
import { decisionsPage } from '../../src/decision-tables/page.ts';
import { decisionTables } from '../../src/decision-tables/tables.ts';
import { engineFor } from '../../src/engine/choice/engine-for.ts';
import { codesPage } from '../../src/explain/codes-page.ts';
import { fidelityTable, renderFidelity } from '../../src/lab/fidelity/fidelity.ts';
import { drillsPage } from '../../src/rehearsal/page/drills-page.ts';
import { exitStatusesPage } from './exit-statuses-page.ts';
import { formatsPage } from './formats-page.ts';
import { withPicture } from './imports-picture.ts';
import { logPage } from './log-page.ts';
import { metricsPage } from './metrics-page.ts';
import { settingsPage } from './settings-page.ts';

/** Text of each page by its name in the repository. */
export function generatedPages(root: string): ReadonlyMap<string, string> {
  const architecture = 'docs/architecture.md';
  const template = 'templates/modular/package.conf.tpl';
  const read = (name: string): string => readFileSync(join(root, name), 'utf8');
  return new Map([
    ['FIDELITY.md', renderFidelity(fidelityTable)],
    ['docs/proof/decision-tables.md', decisionsPage(decisionTables())],
    ['docs/reference/drills.md', drillsPage(engineFor({ packageName: 'csync' }))],
    [architecture, withPicture(read(architecture), join(root, 'src'))],
    ['docs/explanation/formats.md', formatsPage()],
    ['docs/reference/exit-statuses.md', exitStatusesPage()],
    ['docs/reference/log.md', logPage(read('test/golden/failover.txt'))],
    ['docs/reference/metrics.md', metricsPage()],
    ['docs/reference/problem-codes.md', codesPage()],
    ['docs/reference/settings.md', settingsPage()],
    ['docs/reference/verbs.md', withReference(read('docs/reference/verbs.md'))],
    // The shipped template as an administrator could edit it.
    [
      `examples/${template}`,
      read(`package-${template}`).replace('{{package_description}}"', '{{package_description}}, on call: Unix team"'),
    ],
  ]);
}
