/**
 * Measures the monitor and the member scripts against what Linux can do at best and what monitors usually do, in the same run on
 * the same machine, and writes BENCHMARKS.md. Needs root, cfengine3 and a C compiler.
 *
 *     npm run bench                          all parts
 *     npm run bench -- --only ends,soak --kills 10000 --minutes 60
 *     npm run bench -- --only layers --faults SIGSTOP    one row
 */
import { parseArgs } from 'node:util';
import type { Workshop } from '../../src/script-tests/workshop.ts';
import { measureCost, measureScripts } from './cost.ts';
import { measureEnds } from './ends.ts';
import { keep, type Table } from './figures.ts';
import { measureFloors } from './floors.ts';
import { measureLayers } from './layers.ts';
import { makeTools, openWorkshop, type Tools } from './member.ts';
import { measureOutages } from './outages.ts';
import { measureOverload } from './overload.ts';
import { measureSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'ends,layers,cost,scripts,outages,floors,overload,soak' },
    kills: { type: 'string', default: '10000' },
    monitors: { type: 'string', default: '200' },
    pollers: { type: 'string', default: '50' },
    layers: { type: 'string', default: '1000' },
    faults: { type: 'string', default: '' },
    idle: { type: 'string', default: '120' },
    scripts: { type: 'string', default: '30' },
    outages: { type: 'string', default: '10' },
    overload: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '60' },
    output: { type: 'string', default: 'BENCHMARKS.md' },
  },
});
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

export interface Bench {
  readonly tools: Tools;
  readonly workshop: Workshop;
  readonly progress: (text: string) => void;
}

const parts: Readonly<Record<string, (bench: Bench) => Promise<Table[]>>> = {
  ends: (bench) =>
    measureEnds(bench, { kills: Number(values.kills), monitors: Number(values.monitors), pollers: Number(values.pollers) }),
  layers: (bench) => measureLayers(bench, Number(values.layers), new RegExp(values.faults)),
  cost: (bench) => measureCost(bench, Number(values.idle)),
  scripts: (bench) => measureScripts(bench, Number(values.scripts)),
  outages: (bench) => measureOutages(bench, Number(values.outages)),
  floors: (bench) => measureFloors(bench, Number(values.outages)),
  overload: (bench) => measureOverload(bench, Number(values.overload)),
  soak: (bench) => measureSoak(bench, Number(values.minutes)),
};

const wanted = values.only.split(',');
const unknown = wanted.filter((part) => !Object.hasOwn(parts, part));
if (unknown.length > 0) {
  progress(`there is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
const tools = await makeTools();
const workshop = await openWorkshop();
try {
  for (const part of wanted) {
    progress(`== ${part}`);
    const tables = (await parts[part]?.({ tools, workshop, progress })) ?? [];
    keep(part, tables, values.output, part === 'layers' && values.faults !== '');
    for (const { title, head, rows, notes } of tables)
      process.stdout.write(`${[title, head.join('  '), ...rows.map((row) => row.join('  ')), ...notes].join('\n')}\n\n`);
  }
} finally {
  workshop.close();
  tools.close();
}
