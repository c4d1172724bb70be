import type { ExitCode } from '../../base/problem.ts';
import { progress } from '../../host/output.ts';
import type { LabHandle } from '../../lab/handle.ts';
import { PackageDrills } from '../../lab/trials/package-drills.ts';
import type { Drill } from '../../rehearsal/drills/drill-model.ts';
import { labGround, labProbe } from '../../rehearsal/lab-ground.ts';
import type { DrillResult } from '../../rehearsal/model.ts';
import { runDrill } from '../../rehearsal/runner.ts';
import { pause } from '../common/interruptible.ts';
import { chosenDrills, type ResultPlaces, reportRehearsal } from '../common/rehearsal-results.ts';
import { inLab, type LabOptions } from './lab.ts';

export interface LabRehearseOptions extends LabOptions, ResultPlaces {
  readonly drill: readonly string[];
}

/** Status 1: a drill failed. */
export async function labRehearse(options: LabRehearseOptions): Promise<ExitCode> {
  const drills = chosenDrills(options.drill, 'lab');
  return inLab(options, 'rehearse', async (lab, stop) => {
    const done = await runLabDrills(lab, drills, stop, progress);
    const { settings, hosts } = lab.spec;
    const named = (kind: 'member' | 'client'): string[] => hosts.flatMap((host) => (host.kind === kind ? [host.name] : []));
    const { packageName } = settings;
    const places = { ...options, results: options.results ?? 'rehearsals' };
    const told = { packageName, members: named('member'), clients: named('client'), probe: labProbe, ready: null, drills: done };
    return reportRehearsal(places, { place: 'lab', ...told });
  });
}

async function runLabDrills(
  lab: LabHandle,
  drills: readonly Drill[],
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<DrillResult[]> {
  const handled = new PackageDrills(lab);
  await handled.attach();
  try {
    say('deploying the package');
    await handled.deploy();
    await handled.waitServed();
    await handled.waitClients();
    const ground = labGround(handled, (milliseconds) => pause(milliseconds, stop));
    const done: DrillResult[] = [];
    for (const [index, drill] of drills.entries()) {
      say(`--- ${index + 1} of ${drills.length}, ${drill.name}: ${drill.title}`);
      const result = await runDrill(drill, ground, say);
      say(`    ${result.verdict === 'pass' ? 'passed' : 'FAILED'}: ${result.sentence}`);
      done.push(result);
    }
    return done;
  } finally {
    handled.detach();
  }
}
