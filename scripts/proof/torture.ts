/**
 * The release bar: a long torture in a lab, its result written to docs/proof/torture.md. Called as: torture.ts [ITERATIONS [SEED]]; 500 and 20261128
 * when they are not given. Ends with the status of the torture.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { toolkitVersion } from '../../src/base/version.ts';
import { type TortureResult, torturePassed, tortureSummary } from '../../src/lab/trials/torture-run.ts';

const repository = join(import.meta.dirname, '../..');
const [iterations = '500', seed = '20261128'] = process.argv.slice(2);
const argv = ['dist/csync.mjs', 'lab', 'torture', '--json', '--iterations', iterations, '--seed', seed];
const began = Date.now();
const ended = spawnSync(process.execPath, argv, {
  cwd: repository,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
  maxBuffer: 1 << 28,
});
const result = read(ended.stdout);
if (result === null) process.exit(ended.status ?? 1);

const daemon = execFileSync('/bin/sh', ['-c', 'cf-serverd -V | head -n 1'], { encoding: 'utf8' }).trim();
const minutes = Math.round((Date.now() - began) / 60_000);
const lines = [
  '# Torture',
  '',
  'Does csync survive hundreds of random faults, and is any acknowledged policy edit lost? For readers who want evidence. Written by `npm run torture`; `csync lab torture --help` explains the steps.',
  '',
  `- ${new Date(began).toISOString()}, ${minutes} minutes; csync ${toolkitVersion}, Node.js ${process.version}, ${daemon}, Linux ${release()}`,
  `- repeat it with: csync lab torture --iterations ${iterations} --seed ${seed}`,
  ...tortureSummary(result).map((line) => `- ${line}`),
  '',
];
mkdirSync(join(repository, 'docs'), { recursive: true });
writeFileSync(join(repository, 'docs/proof/torture.md'), lines.join('\n'));
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = torturePassed(result) ? 0 : 1;

/** null: the torture did not come to a result; what it said is on standard error. */
function read(text: string): TortureResult | null {
  try {
    const found = JSON.parse(text) as TortureResult;
    return 'set' in found ? found : null;
  } catch {
    return null;
  }
}
