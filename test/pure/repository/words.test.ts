/** Plain English: what a person reads has none of the words that have to be decoded. */
import { describe, expect, it } from 'vitest';
import { bannedIn } from '../../words.ts';

/** Folders and files that were rewritten; at the end this is src, package-templates, docs and the pages beside them. */
const plain = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'BENCHMARKS.md', 'DECISIONS.md'],
  ...['docs/README.md', 'docs/tutorial.md', 'docs/runbook.md', 'docs/architecture.md', 'docs/development.md'],
  ...['docs/how-to', 'docs/explanation', 'docs/facts', 'scripts', 'package-templates', 'examples', 'FIDELITY.md'],
  ...['src/member', 'src/contract', 'src/cfengine', 'src/engine', 'src/serviceguard', 'src/render', 'src/settings', 'src/host'],
  ...[
    'src/model-check',
    'src/lab/fidelity',
    'src/cli',
    'src/cli.ts',
    'src/explain',
    'src/base',
    'src/simulated',
    'docs/reference',
  ],
  ...['src/cluster', 'src/verbs', 'src/wizard', 'src/script-tests', 'src/decision-tables', 'src/rehearsal'],
  'src/lab',
];

describe('plain English', () => {
  it.each(plain)('%s', (path) => {
    expect(bannedIn(path)).toEqual([]);
  });
});
