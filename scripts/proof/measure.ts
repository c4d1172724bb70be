/**
 * How long the verbs take that reach members: this build and another one (a dist/ made of another commit) in turn, in one
 * lab, so that both meet the same machine. Prints medians in seconds.
 *
 *     npm run measure -- /somewhere/dist 7
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabHandle, startLab } from '../../src/lab/handle.ts';
import { labSpec } from '../../src/lab/machines/lab-spec.ts';
import { PackageDrills } from '../../src/lab/trials/package-drills.ts';
import { median } from '../../src/lab/trials/timeline.ts';
import { labSettings } from '../../test/support.ts';

const verbs = ['apply --yes', 'status', 'check', 'diff', 'history'] as const;
const member = 'm1';

async function measure(lab: LabHandle, program: string, words: string): Promise<number> {
  const begun = performance.now();
  const { exitCode, stderr } = await lab.exec(member, ['sh', '-c', `cd /root && exec node ${program} ${words}`], {
    timeoutMs: 120_000,
  });
  if (exitCode !== 0) throw new Error(`${program} ${words} ended with ${exitCode}: ${stderr}`);
  return performance.now() - begun;
}

const [other, rounds = '7'] = process.argv.slice(2);
if (other === undefined) {
  console.error('usage: npm run measure -- DIST [ROUNDS]');
  process.exit(2);
}
const both = mkdtempSync(join(tmpdir(), 'csync-measure-'));
let lab: LabHandle | null = null;
try {
  cpSync('dist', both, { recursive: true });
  cpSync(other, join(both, 'other'), { recursive: true });
  lab = await startLab({ spec: labSpec(labSettings(), 'measure'), dist: both, attached: true, progress: () => {} });
  const drills = new PackageDrills(lab);
  await drills.attach();
  await drills.deploy();
  await drills.waitServed();
  drills.detach();
  const taken = new Map<string, number[]>();
  for (let round = 0; round < Number(rounds); round++) {
    const builds = [
      ['other', '/opt/csync/other/csync.mjs'],
      ['this', '/opt/csync/csync.mjs'],
    ] as const;
    // The first one has cold caches, so they take turns.
    for (const [build, program] of round % 2 === 0 ? builds : builds.toReversed()) {
      const change = `s/^monitor_failures:.*/monitor_failures: ${build === 'this' ? 4 : 5}/`;
      await lab.exec(member, ['sed', '-i', change, '/root/csync.yaml'], { timeoutMs: 10_000 });
      for (const verb of verbs) {
        const key = `${build} ${verb}`;
        taken.set(key, [...(taken.get(key) ?? []), await measure(lab, program, verb)]);
      }
    }
  }
  const seconds = (key: string): string => (median(taken.get(key) ?? []) / 1000).toFixed(2).padStart(7);
  console.log(`${'medians, s'.padEnd(14)}  other   this   n ${rounds}`);
  for (const verb of verbs) console.log(`${verb.padEnd(12)}${seconds(`other ${verb}`)}${seconds(`this ${verb}`)}`);
} finally {
  await lab?.down();
  rmSync(both, { recursive: true, force: true });
}
