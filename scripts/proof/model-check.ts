/**
 * `npm run model-check`: the release form of the model check; writes docs/proof/model-check.md, and exits with 1 when anything is
 * found. `--events N`, `--members N` and `--style S` search one bound only and write nothing; `--json` prints the results.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demand } from '../../src/base/problem.ts';
import { toolkitVersion } from '../../src/base/version.ts';
import { type CheckRun, storyLines } from '../../src/model-check/model-check.ts';
import type { SearchResult } from '../../src/model-check/search.ts';
import { parseSettings } from '../../src/settings/settings-yaml.ts';
import { checkPage, resultTable } from './model-check-page.ts';

const { values } = parseArgs({
  options: { events: { type: 'string' }, members: { type: 'string' }, style: { type: 'string' }, json: { type: 'boolean' } },
});
/** Of each search: how many states, and ms of processor time. A search that comes to it says so. */
const limits = { states: 12_000_000, time: 270_000 };
/** The longest first: the others come beside it. */
const release: readonly CheckRun[] = [
  { members: 3, style: 'legacy', bounds: { ...limits, events: 3 } },
  { members: 3, style: 'modular', bounds: { ...limits, events: 3 } },
  { members: 2, style: 'legacy', bounds: { ...limits, events: 3 } },
  { members: 2, style: 'modular', bounds: { ...limits, events: 3 } },
  { members: 4, style: 'legacy', bounds: { ...limits, events: 2 } },
  { members: 4, style: 'modular', bounds: { ...limits, events: 2 } },
];
const one: CheckRun = {
  members: Number(values.members ?? 2),
  style: values.style === 'legacy' ? 'legacy' : 'modular',
  bounds: { ...limits, events: Number(values.events ?? 2) },
};
const isOne = values.events !== undefined || values.members !== undefined || values.style !== undefined;

const root = join(import.meta.dirname, '../..');
const file = join(root, 'package-templates/lab/csync.yaml');
const settings = demand(parseSettings(readFileSync(file, 'utf8'), file));
const began = performance.now();
const results = await sideBySide(isOne ? [one] : release);
console.log(values.json === true ? JSON.stringify(results, null, 2) : resultTable(results));
for (const result of results) for (const line of storyLines(result)) console.error(line);
if (!isOne) {
  const processors = cpus();
  const circumstances = {
    date: new Date().toISOString().slice(0, 10),
    toolkit: toolkitVersion,
    node: process.version,
    clockMs: performance.now() - began,
    machine: `${processors.length} processors (${processors[0]?.model.trim()})`,
  };
  writeFileSync(join(root, 'docs/proof/model-check.md'), checkPage(results, circumstances));
}
// "Nothing found" says something of what was visited only.
const cut = results.filter(({ isComplete, counterexample }) => !isComplete && counterexample === null);
for (const { members, style } of cut) console.error(`not everything within the bound was visited: ${members} members, ${style}`);
if (cut.length > 0 || results.some(({ counterexample }) => counterexample !== null)) process.exitCode = 1;

/** Each search in a process of its own, as many at once as there are processors. */
async function sideBySide(runs: readonly CheckRun[]): Promise<SearchResult[]> {
  const results = new Map<CheckRun, SearchResult>();
  const left = [...runs];
  const lane = async (): Promise<void> => {
    for (let run = left.shift(); run !== undefined; run = left.shift()) results.set(run, await apart(run));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return runs.flatMap((run) => results.get(run) ?? []);
}

async function apart(run: CheckRun): Promise<SearchResult> {
  const words = [join(root, 'dist/lab/search.cjs'), JSON.stringify({ ...run, settings })];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8')) text += piece;
  return JSON.parse(text) as SearchResult;
}
