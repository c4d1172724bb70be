/** Labs for tests. Pure tests import none of it. */
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type LabHandle, ownLabName, startLab } from '../src/lab/handle.ts';
import { clientNames, labPrograms, labSpec, specProblem } from '../src/lab/machines/lab-spec.ts';
import { PackageDrills } from '../src/lab/trials/package-drills.ts';
import type { Settings } from '../src/settings/settings.ts';
import { have, isRoot, labSettings, repository } from './support.ts';

/** Why the lab tests cannot run here; null when they can. Said once by each file that is left out. */
export const whyNoLab: string | null = !isRoot
  ? 'the lab needs root'
  : have(...Object.keys(labPrograms))
    ? null
    : `the lab needs ${Object.keys(labPrograms)
        .filter((program) => !have(program))
        .join(', ')}`;

if (whyNoLab !== null) console.warn(`lab tests are left out: ${whyNoLab}`);

interface LabUse {
  /** The package is rendered, applied and run; not in a bare lab. */
  readonly deployed: boolean;
  readonly changes?: Partial<Settings>;
  /** Instead of the lab's own. */
  readonly settings?: Settings;
  /** cfengine's programs on every host and nothing more. */
  readonly bare?: boolean;
  /** Machines with Serviceguard that are in no cluster. */
  readonly spares?: readonly string[];
  /** Their names, or how many. */
  readonly clients?: number | readonly string[];
  /** Directory with cfengine's programs for the hosts; else they have this machine's. */
  readonly programs?: string;
  /** Whether clients ask for the master all the time; a test that does not look at that does without, and is faster. */
  readonly watched?: boolean;
}

/**
 * A lab for one test file: up before its tests, down after them, and down as well when the test process is killed, since
 * the lab's daemon ends with whoever holds its standard input.
 */
export function useLab(
  name: string,
  { deployed, changes = {}, settings = labSettings(), bare = false, spares = [], clients = 2, programs, watched = true }: LabUse,
): { readonly lab: LabHandle; readonly drills: PackageDrills } {
  const held: { lab: LabHandle | null; drills: PackageDrills | null } = { lab: null, drills: null };
  beforeAll(async () => {
    const spec = labSpec({ ...settings, ...changes }, ownLabName(`test-${name}`), {
      clients: typeof clients === 'number' ? clientNames(clients) : clients,
      spares,
      watched,
      cfengine: bare ? 'bare' : 'set up',
      ...(programs === undefined ? {} : { programs }),
    });
    const problem = specProblem(spec);
    if (problem !== null) throw new Error(problem);
    held.lab = await startLab({ spec, dist: join(repository, 'dist'), attached: true, progress: () => {} });
    held.drills = new PackageDrills(held.lab);
    await held.drills.attach();
    if (deployed) await held.drills.deploy({ checked: false });
  });
  afterAll(async () => {
    held.drills?.detach();
    await held.lab?.down();
  });
  return {
    get lab() {
      if (held.lab === null) throw new Error('the lab is not up');
      return held.lab;
    },
    get drills() {
      if (held.drills === null) throw new Error('the lab is not up');
      return held.drills;
    },
  };
}

/** Shell scripts and csync as an administrator types them on a host of a lab. */
export function typedIn(used: { readonly lab: LabHandle }) {
  const sh = (member: string, script: string) => used.lab.exec(member, ['sh', '-c', script], { timeoutMs: 120_000 });
  const csync = (words: string, member = 'm1') => sh(member, `cd /root && exec node /opt/csync/csync.mjs ${words}`);
  return { sh, csync };
}
