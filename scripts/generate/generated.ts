/** Pages that follow from the source alone: `npm run generate` writes them, and a test fails when one is stale. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decisionTables } from '../../src/decision-tables/tables.ts';
import { engineFor } from '../../src/engine/choice/engine-for.ts';
import { withPicture } from './imports-picture.ts';
import { codesPage } from './pages/codes-page.ts';
import { decisionsPage } from './pages/decisions-page.ts';
import { drillsPage } from './pages/drills-page.ts';
import { exitStatusesPage } from './pages/exit-statuses-page.ts';
import { formatsPage } from './pages/formats-page.ts';
import { logPage } from './pages/log-page.ts';
import { metricsPage } from './pages/metrics-page.ts';
import { settingsPage } from './pages/settings-page.ts';
import { withReference } from './pages/verbs-page.ts';

/** Text of each page by its name in the repository. */
export function generatedPages(root: string): ReadonlyMap<string, string> {
  const architecture = 'docs/architecture.md';
  const template = 'templates/modular/package.conf.tpl';
  const read = (name: string): string => readFileSync(join(root, name), 'utf8');
  return new Map([
    ['docs/proof/decision-tables.md', decisionsPage(decisionTables())],
    ['docs/reference/drills.md', drillsPage(engineFor({ engine: 'serviceguard' }))],
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
