/**
 * `npm run generate`: writes everything that follows from the source alone: the pages of generated.ts, and by their own tests the golden
 * files and docs/proof/planted-bugs.md. What is measured (docs/proof/model-check.md, docs/proof/fuzz.md, docs/proof/torture.md, BENCHMARKS.md) is not among them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedPages } from './generated.ts';
import { manPages } from './man-pages.ts';

const root = join(import.meta.dirname, '../..');

const tests = ['pure', 'proof'].flatMap((folder) =>
  readdirSync(join(root, 'test', folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `test/${folder}/${name}`)
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => readFileSync(join(root, file), 'utf8').includes('toMatchFileSnapshot')),
);
const { status } = spawnSync(
  'node_modules/.bin/vitest',
  ['run', '--project', 'pure', '--project', 'proof', ...tests, '--update'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
// After the golden files, which some pages quote.
for (const [name, text] of [...generatedPages(root), ...manPages(root)]) writeFileSync(join(root, name), text);
process.exit(status ?? 1);
