/**
 * `npm run model-check`: the release form of the model check; writes docs/model-check.md, and ends with 1 when anything is
 * found. `--events N`, `--members N` and `--style S` look at one bound only and write nothing; `--json` prints the results.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demand } from '../src/problem.ts';
import { type CheckRun, checkPage, resultTable, runChecks, storyLines } from '../src/proof/model-check.ts';
import { parseSettings } from '../src/settings-yaml.ts';
import { toolkitVersion } from '../src/version.ts';

const { values } = parseArgs({
  options: { events: { type: 'string' }, members: { type: 'string' }, style: { type: 'string' }, json: { type: 'boolean' } },
});
/** Of each search: how many states, and ms of processor time. A search that comes to it says so. */
const limits = { states: 12_000_000, time: 150_000 };
const release: readonly CheckRun[] = [
  { members: 3, style: 'modular', bounds: { ...limits, events: 3 } },
  { members: 2, style: 'legacy', bounds: { ...limits, events: 3 } },
  { members: 4, style: 'modular', bounds: { ...limits, events: 2 } },
  { members: 4, style: 'legacy', bounds: { ...limits, events: 2 } },
];
const one: CheckRun = {
  members: Number(values.members ?? 2),
  style: values.style === 'legacy' ? 'legacy' : 'modular',
  bounds: { ...limits, events: Number(values.events ?? 2) },
};
const isOne = values.events !== undefined || values.members !== undefined || values.style !== undefined;

const root = join(import.meta.dirname, '..');
const file = join(root, 'package-templates/lab/csync.yaml');
const settings = demand(parseSettings(readFileSync(file, 'utf8'), file));
const results = await runChecks(isOne ? [one] : release, settings, (text) => console.error(text));
console.log(values.json === true ? JSON.stringify(results, null, 2) : resultTable(results).join('\n'));
for (const result of results) for (const line of storyLines(result)) console.error(line);
if (!isOne) {
  const processors = cpus();
  const circumstances = {
    date: new Date().toISOString().slice(0, 10),
    toolkit: toolkitVersion,
    node: process.version,
    machine: `${processors.length} processors (${processors[0]?.model.trim()})`,
  };
  writeFileSync(join(root, 'docs/model-check.md'), checkPage(results, circumstances));
}
if (results.some(({ counterexample }) => counterexample !== null)) process.exitCode = 1;
