/**
 * Every parser of foreign text against generated inputs, a process a core. Prints a table and writes docs/proof/fuzz.md.
 *
 *     npm run fuzz -- --inputs 1000000 --seed 7            # that many for each parser, and all extremes
 *     npm run fuzz -- --minutes 30                         # ends then, and says how many each parser had
 *     npm run fuzz -- --parser "package file" --seed 7 --index 4711    # that one input again
 *     npm run fuzz -- --parser A --parser B --again        # after a fix: those alone, told at the end of the page
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toolkitVersion } from '../../src/base/version.ts';
import { inputOf } from '../../test/fuzz/inputs.ts';
import { parsers } from '../../test/fuzz/parsers.ts';
import { tryInput } from '../../test/fuzz/trial.ts';
import type { Alive, Done, Share } from '../../test/fuzz/worker.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '100000' },
    parser: { type: 'string', multiple: true },
    again: { type: 'boolean', default: false },
    index: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    report: { type: 'string', default: 'docs/proof/fuzz.md' },
  },
});
const [inputs, seed, minutes] = [Number(values.inputs), Number(values.seed), Number(values.minutes)];
const chosen = parsers.filter(({ name }) => values.parser?.includes(name) ?? true);
if (chosen.length !== (values.parser ?? parsers).length || [inputs, seed, minutes].some(Number.isNaN) || inputs < 1) {
  console.error(
    `usage: npm run fuzz -- [--inputs N] [--seed S] [--minutes M] [--parser NAME... [--index I | --again]]\n${parsers.map(({ name }) => name).join('\n')}`,
  );
  process.exit(2);
}

if (values.index !== undefined) {
  for (const parser of chosen) {
    const input = inputOf(parser, parser.name, seed, Number(values.index));
    console.log(JSON.stringify({ parser: parser.name, input, ...tryInput(parser, input) }, null, 2));
  }
  process.exit(0);
}

/** An input may take a second; a worker that says nothing for so long hangs in one, however busy the machine is. */
const silentMs = 120_000;
const shareSize = 2000;

interface Sum {
  inputs: number;
  slowestMs: number;
  failures: number;
  readonly failed: string[];
}

const sums = new Map<string, Sum>(chosen.map(({ name }) => [name, { inputs: 0, slowestMs: 0, failures: 0, failed: [] }]));
/** Round by round, so that a run that is ended early had something of each. */
function* shares(): Generator<Share> {
  for (let from = 0; from < inputs; from += shareSize) {
    const count = Math.min(shareSize, inputs - from);
    for (const { name } of chosen) yield { parser: name, seed, from, count, extremes: false };
    if (from === 0) for (const { name } of chosen) yield { parser: name, seed, from: 0, count: 0, extremes: true };
  }
}

const waiting = shares();
const end = Date.now() + minutes * 60_000;
const begun = Date.now();
let told = 0;

function add(done: Done): void {
  const sum = sums.get(done.parser);
  if (sum === undefined) return;
  sum.inputs += done.inputs;
  sum.slowestMs = Math.max(sum.slowestMs, done.slowestMs);
  sum.failures += done.failures;
  for (const { index, failure, input } of done.failed.slice(0, 5 - sum.failed.length)) {
    const said = `${index === null ? 'extreme' : `index ${index}`}: ${failure}: ${JSON.stringify(input)}`;
    sum.failed.push(said);
    // At once: a long run is not waited for to learn of it.
    console.error(`${done.parser}: ${said}`);
  }
  if (Date.now() < told + 10_000) return;
  told = Date.now();
  const all = [...sums.values()].reduce((total, one) => total + one.inputs, 0);
  console.error(
    `${Math.round((told - begun) / 1000)} s: ${all} inputs, ${[...sums.values()].reduce((total, one) => total + one.failures, 0)} failures`,
  );
}

/** Ends when nothing is left, or the time is over. */
function work(): Promise<void> {
  return new Promise((resolve, reject) => {
    let worker: ChildProcess;
    let current: Share | null = null;
    /** Where the worker was when it last said something. */
    let index: number | null = null;
    let timer: NodeJS.Timeout | undefined;
    const next = (): void => {
      const { value } = Date.now() < end ? waiting.next() : { value: undefined };
      if (value === undefined) {
        current = null;
        worker.disconnect();
        resolve();
        return;
      }
      current = value;
      index = value.extremes ? null : value.from;
      worker.send(value);
      timer = setTimeout(hangs, silentMs);
    };
    const hangs = (): void => {
      const name = current?.parser ?? '';
      add({
        parser: name,
        inputs: 0,
        slowestMs: silentMs,
        failures: 1,
        failed: [{ parser: name, index, failure: 'hangs in one of the next inputs', input: '' }],
      });
      worker.kill('SIGKILL');
    };
    const start = (): void => {
      worker = fork(join(import.meta.dirname, '../../test/fuzz/worker.ts'), { execArgv: process.execArgv });
      worker.on('message', (message: Done | Alive) => {
        clearTimeout(timer);
        if ('index' in message) {
          index = message.index;
          timer = setTimeout(hangs, silentMs);
          return;
        }
        add(message);
        next();
      });
      worker.on('error', reject);
      worker.on('exit', (_code, signal) => {
        clearTimeout(timer);
        if (current === null) return;
        // One that was ended for a hang goes on with the next share; any other end is a crash.
        if (signal !== 'SIGKILL')
          add({
            parser: current.parser,
            inputs: 0,
            slowestMs: 0,
            failures: 1,
            failed: [{ parser: current.parser, index, failure: 'the process ended in one of the next inputs', input: '' }],
          });
        start();
      });
      next();
    };
    start();
  });
}

await Promise.all(Array.from({ length: Number(values.workers) }, work));

const rows = [...sums].map(([name, { inputs: had, slowestMs, failures }]) => ({
  name,
  of: chosen.find((one) => one.name === name)?.of ?? '',
  had,
  slowestMs: Math.round(slowestMs),
  failures,
}));
const total = rows.reduce((sum, { had }) => sum + had, 0);
const failures = rows.reduce((sum, row) => sum + row.failures, 0);
for (const { name, had, slowestMs, failures: bad } of rows)
  console.log(
    `${name.padEnd(42)} ${String(had).padStart(9)} inputs, slowest ${String(slowestMs).padStart(5)} ms, ${bad} failures`,
  );
for (const [name, { failed }] of sums) for (const one of failed) console.log(`${name}: ${one}`);
console.log(`${total} inputs, ${failures} failures, seed ${seed}, ${Math.round((Date.now() - begun) / 1000)} s`);

const table = `| parser | source of the text | inputs | slowest, ms of CPU | failures |
| --- | --- | ---: | ---: | ---: |
${rows.map(({ name, of, had, slowestMs, failures: bad }) => `| ${name.replaceAll('|', '\\|')} | ${of} | ${had} | ${slowestMs} | ${bad} |`).join('\n')}
| **all** | | ${total} | | ${failures} |
`;
const today = new Date().toISOString().slice(0, 10);

if (values.again) {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  appendFileSync(
    values.report,
    `\nAgain on ${today} at ${commit}, because these parsers changed; ${inputs} inputs each, seed ${seed}:\n\n${table}`,
  );
} else if (values.parser === undefined) {
  const page = `# Fuzzing of the parsers

Can foreign input crash csync? For security officers and developers. Every parser of foreign text was called with generated inputs: damaged samples,
sentences from its own words, noise, and 64 KB of one repeated text.

A parser fails if it crashes, returns a number that is not finite, or takes more than a second of CPU. If csync also prints that format, the printed text must parse
to the same value. \`test/fuzz\` has the list of parsers and the generator. CI runs 1000 inputs for each parser. This page is from a longer run:

    npm run fuzz -- --inputs ${inputs} --seed ${seed}${minutes < 100_000 ? ` --minutes ${minutes}` : ''}

${today}; csync ${toolkitVersion}, Node.js ${process.versions.node}, Linux ${release().split('-')[0]} ${process.arch}; ${Math.round((Date.now() - begun) / 1000)} s. To repeat one input:
\`--parser NAME --seed ${seed} --index N\`.

${table}`;
  mkdirSync('docs', { recursive: true });
  writeFileSync(values.report, page);
}
process.exit(failures === 0 ? 0 : 1);
