/** What clients see of each fault in the lab: how long without a master, and where that time went. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startLab } from '../../src/lab/handle.ts';
import { labSpec } from '../../src/lab/machines/lab-spec.ts';
import { faultKinds, PackageDrills } from '../../src/lab/trials/package-drills.ts';
import type { Failover } from '../../src/lab/trials/timeline.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { labSettings, repository } from '../../test/support.ts';
import type { Bench } from './bench.ts';
import { figure, spread, type Table } from './figures.ts';

const parts = ['detected', 'halted', 'mounted', 'address', 'started'] as const;

/** Member scripts on the way of a failover by a killed daemon that are a Node.js of their own: the inner parts of stop and start. */
const scriptsOnTheWay = 2;
const bareRuns = 25;

/** What Node.js takes to start and end with nothing to do, in ms. */
function bareNode(runs: number): number {
  const took = Array.from({ length: runs }, () => {
    const began = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    return performance.now() - began;
  });
  return spread(took).p50;
}

/** The time of each part alone: from the end of the previous part. */
function pieces(failover: Failover): number[] {
  let before = 0;
  return parts.map((part) => {
    const at = failover[part];
    if (at === null) return Number.NaN;
    const took = Math.max(0, at - before);
    before = Math.max(before, at);
    return took;
  });
}

export const partTitles = ['detect', 'halt', 'mount', 'address', 'prove'] as const;

/** Medians in ms, in the order of the titles; NaN: not known of any. */
export function partMedians(failovers: readonly Failover[]): number[] {
  return parts.map((_, at) => spread(failovers.map((one) => pieces(one)[at] ?? Number.NaN)).p50);
}

/** A lab of its own whose package runs and whose clients have its policy; it is gone afterwards. */
export async function inBenchLab(engine: Settings['engine'], use: (drills: PackageDrills) => Promise<void>): Promise<void> {
  const spec = labSpec(labSettings(), 'bench', { engine });
  const lab = await startLab({ spec, dist: join(repository, 'dist'), attached: true, progress: () => {} });
  try {
    const drills = new PackageDrills(lab);
    await drills.attach();
    await drills.deploy();
    await drills.publishAndFetch();
    await use(drills);
    drills.detach();
  } finally {
    await lab.down();
  }
}

export async function measureOutages({ progress }: Bench, rounds: number): Promise<Table[]> {
  const rows: string[][] = [];
  const notes: string[] = [];
  await inBenchLab('serviceguard', async (drills) => {
    for (const kind of faultKinds) {
      const done: Failover[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const failover = await drills.failOver(kind);
        if (failover.from !== null) await drills.repair(kind, failover.from);
        done.push(failover);
        const broken = await drills.invariants();
        if (broken.length > 0) throw new Error(`${kind}: ${broken.join('; ')}`);
        progress(`  ${kind} ${round + 1} of ${rounds}`);
      }
      const outage = spread(done.map(({ outages }) => Math.max(...Object.values(outages))));
      const medians = partMedians(done);
      rows.push([kind, String(outage.n), figure(outage.p50), figure(outage.most), ...medians.map(figure)]);
      const known = medians.map((time) => (Number.isNaN(time) ? -1 : time));
      notes.push(`${kind}: the largest part is ${parts[known.indexOf(Math.max(...known))]}.`);
    }
  });
  const bare = bareNode(bareRuns);
  return [
    {
      title: 'What clients see in the lab',
      head: ['fault', 'n', 'outage p50 ms', 'outage most ms', ...partTitles],
      rows,
      notes: [
        'Outage: from the last success of a client to its next one. Two clients connect every 100 ms, and every 50 ms while none answers; the longer outage counts. The parts are medians of consecutive phases. Detect: from the fault until the package manager acts. Prove: until the start script exits. kill: SIGKILL of the daemon; haltnode: cmhaltnode -f; crash: power cut (MEMBER_TIMEOUT of the lab is 2 s). Goal: a killed daemon under 1 s at the median.',
        notes.join(' '),
        `A Node.js without work takes ${figure(bare)} ms on this machine (median of ${bareRuns}, in the same run); ${scriptsOnTheWay} member scripts run in Node.js after a killed daemon: ${figure(scriptsOnTheWay * bare)} ms of the outage are the start of Node.js.`,
      ],
    },
  ];
}
