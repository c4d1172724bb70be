/**
 * `npm run upgrade-cycles -- [--cycles 100] [--labs 1] [--minutes 120] [--seed 20261130]`: cycles from version 0.1.0 to this one and back, in
 * labs with clients, so many side by side. After so many minutes no cycle begins any more, and the next run continues in another lab: what
 * earlier runs of the same source did counts. Writes docs/proof/upgrade.md when so many cycles passed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { random } from '../../src/base/random.ts';
import { toolkitVersion } from '../../src/base/version.ts';
import { startLab } from '../../src/lab/handle.ts';
import { clientNames, labSpec } from '../../src/lab/machines/lab-spec.ts';
import { evidence } from '../../src/lab/trials/torture-run.ts';
import { labSettings } from '../../test/support.ts';
import { buildPreviousVersion, previousCommit, whyNoPreviousVersion } from './previous-version.ts';
import { type UpgradeCounts, UpgradeCycles } from './upgrade-cycle.ts';

const repository = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '100' },
    labs: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '120' },
    seed: { type: 'string', default: '20261130' },
  },
});
const number = (name: keyof typeof values): number => Number(values[name]);
const [cycles, labs, minutes, seed] = [number('cycles'), number('labs'), number('minutes'), number('seed')];
const began = Date.now();
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: repository, encoding: 'utf8' }).trim();
/** Batches count together while the source is the same. */
const source = execFileSync('git', ['rev-parse', 'HEAD:src'], { cwd: repository, encoding: 'utf8' }).trim();
const records = join(repository, 'rehearsals/upgrade-cycles.json');

interface Record {
  readonly source: string;
  readonly commit: string;
  readonly seed: number;
  readonly batches: readonly (UpgradeCounts & { readonly minutes: number; readonly failure: string | null })[];
}

function earlier(): Record {
  const found = existsSync(records) ? (JSON.parse(readFileSync(records, 'utf8')) as Record) : null;
  return found?.source === source && found.seed === seed ? found : { source, commit, seed, batches: [] };
}

const sum = ({ batches }: Record, of: keyof UpgradeCounts): number => batches.reduce((all, one) => all + one[of], 0);

async function runBatch(dist: string, count: number, from: number): Promise<Record['batches'][number]> {
  const spec = labSpec(labSettings(), `upgrade-${process.pid}-${from}`, { clients: clientNames(2) });
  const lab = await startLab({ spec, dist: join(repository, 'dist'), attached: true, progress: () => {} });
  const run = new UpgradeCycles(lab, random(seed + from));
  let failure: string | null = null;
  let mark = 0;
  try {
    await run.begin(dist);
    for (let at = 0; at < count && Date.now() - began < minutes * 60_000; at += 1) {
      mark = run.drills.entries.length;
      await run.cycle();
      console.error(`cycle ${from + at + 1}: ${JSON.stringify(run.counts)}`);
    }
  } catch (error) {
    failure = `cycle ${from + run.counts.cycles + 1}: ${(error as Error).message}`;
    console.error([failure, ...(await evidence(run.drills, mark))].join('\n'));
  } finally {
    run.drills.detach();
    await lab.down();
  }
  return { ...run.counts, minutes: (Date.now() - began) / 60_000, failure };
}

function page(record: Record): string {
  const minutes = Math.round(record.batches.reduce((all, one) => all + one.minutes, 0));
  const failures = record.batches.flatMap(({ failure }) => failure ?? []);
  const daemon = execFileSync('/bin/sh', ['-c', 'cf-serverd -V | head -n 1'], { encoding: 'utf8' }).trim();
  return [
    '# Upgrade cycles',
    '',
    'Can a running package be upgraded from version 0.1.0 and returned to it, again and again, without a failover or a lost edit? For readers who want evidence. Written by `npm run upgrade-cycles`.',
    '',
    `- ${new Date().toISOString().slice(0, 10)}, ${minutes} minutes of ${record.batches.length} ${record.batches.length === 1 ? 'lab' : 'labs'}; csync ${toolkitVersion} of commit ${record.commit.slice(0, 12)}, version 0.1.0 of commit ${previousCommit.slice(0, 12)}, Node.js ${process.version}, ${daemon}, Linux ${release()}`,
    `- repeat it with: npm run upgrade-cycles -- --cycles ${sum(record, 'cycles')} --seed ${record.seed}`,
    `- cycles 0.1.0 -> ${toolkitVersion} -> 0.1.0 that passed: ${sum(record, 'cycles')}; the goal is 100`,
    `- planned moves: ${sum(record, 'moves')}; after each, the monitor of the other version ran (${sum(record, 'monitors')}), without a verdict`,
    `- cycles that failed: ${failures.length}${failures.map((text) => `; ${text}`).join('')}`,
    '- failovers besides these: 0; the daemon kept its process id in every upgrade and return',
    `- connections that the daemon refused meanwhile: ${sum(record, 'refusals')}; each client was served again within 20 s. A client's agent and its probe share one address, and the daemon accepts one connection of an address at a time`,
    `- policy edits by both versions: ${sum(record, 'edits')} acknowledged, 0 lost; policies that every client fetched: ${sum(record, 'fetches')}`,
    `- changed settings: ${sum(record, 'cycles')}, each applied on every member after the upgrade and after the return`,
    '',
    'A cycle consists of the commands of [upgrade.md](../how-to/operate/upgrade.md), with edits, a move and a fetch under each version. Any difference fails the cycle, and ends the lab.',
    '',
  ].join('\n');
}

const why = whyNoPreviousVersion();
if (why !== null) throw new Error(why);
const scratch = mkdtempSync(join(tmpdir(), 'csync-upgrade-'));
try {
  let record = earlier();
  const count = cycles - sum(record, 'cycles');
  if (count > 0) {
    const dist = buildPreviousVersion(scratch);
    const done = sum(record, 'cycles');
    const bounds = Array.from({ length: labs + 1 }, (_, lab) => done + Math.round((count * lab) / labs));
    const made = await Promise.all(bounds.slice(1).map((end, lab) => runBatch(dist, end - (bounds[lab] ?? 0), bounds[lab] ?? 0)));
    record = { ...record, batches: [...record.batches, ...made] };
    mkdirSync(join(repository, 'rehearsals'), { recursive: true });
    writeFileSync(records, `${JSON.stringify(record, null, 1)}\n`);
    if (made.some(({ failure }) => failure !== null)) process.exitCode = 1;
  }
  console.log(`${sum(record, 'cycles')} of ${cycles} cycles`);
  if (process.exitCode !== 1 && sum(record, 'cycles') >= cycles)
    writeFileSync(join(repository, 'docs/proof/upgrade.md'), page(record));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
