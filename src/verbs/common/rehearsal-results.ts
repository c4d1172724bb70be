/** What a rehearsal leaves: itself as JSON for the next one to compare with, a page where one is wanted, text or JSON on standard output. */

import { dirname, join } from 'node:path';
import { type ExitCode, exitCodes, Failure } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import type { Engine } from '../../engine/engine.ts';
import { filesBelow, readTextFile } from '../../host/admin/own-files.ts';
import { out } from '../../host/output.ts';
import { compareRehearsals, lastOf } from '../../rehearsal/comparison.ts';
import { drillNamed, drills } from '../../rehearsal/drill-table.ts';
import type { Drill } from '../../rehearsal/drills/drill-model.ts';
import { rehearsalVerdict } from '../../rehearsal/judgement.ts';
import type { Rehearsal } from '../../rehearsal/model.ts';
import { actText } from '../../rehearsal/page/drills-page.ts';
import { rehearsalPage } from '../../rehearsal/page/page.ts';
import { rehearsalText } from '../../rehearsal/page/plain-text.ts';
import { writeOrFail } from './toolkit-files.ts';

export interface ResultPlaces {
  /** Directory of the results; rehearsals/ beside the settings file when it is not said. */
  readonly results?: string | undefined;
  /** File for the page. */
  readonly html?: string | undefined;
  readonly json: boolean;
}

type Told = Omit<Rehearsal, 'format' | 'at' | 'toolkit' | 'verdict' | 'sentence'>;

/** Drills by their names, `all` or `all-MEMBERS` for every one that can be done; a Failure of usage for what is no drill here. */
export function chosenDrills(names: readonly string[], where: Drill['where']): Drill[] {
  const possible = drills.filter((drill) => where === 'lab' || drill.where === 'any');
  const wanted = names.flatMap((name) => name.split(',')).filter((name) => name !== '');
  if (wanted.includes('all')) return [...possible];
  return wanted.map((name) => {
    const drill = drillNamed(name);
    if (drill !== undefined && possible.includes(drill)) return drill;
    const text = drill === undefined ? `there is no drill ${JSON.stringify(name)}` : `the drill ${name} is for a lab only`;
    const remedy = `one or more of: ${possible.map((one) => one.name).join(', ')}`;
    throw new Failure([{ code: 'usage', severity: 'error', text, remedy }]);
  });
}

/** What would be done, for people, before they are asked. */
export function drillPlan(chosen: readonly Drill[], engine: Engine): string {
  if (chosen.length === 0) return 'No drill: csync rehearse only looks.\n';
  return chosen
    .map(({ name, title, done, must, cleaned, acts }) =>
      [
        `${name}: ${title}`,
        `  done:        ${done}`,
        `  must follow: ${must}`,
        `  cleaned up:  ${cleaned}`,
        ...acts.map((act) => `    ${actText(act, engine)}`),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** Keeps it, writes the page, prints it; the exit status is its verdict. */
export function reportRehearsal(places: ResultPlaces, told: Told, settingsFile = 'csync.yaml'): ExitCode {
  const rehearsal: Rehearsal = {
    format: 1,
    at: new Date().toISOString(),
    toolkit: toolkitVersion,
    ...told,
    ...rehearsalVerdict(told),
  };
  const directory = places.results ?? join(dirname(settingsFile), 'rehearsals');
  const kind = `${rehearsal.place}-${rehearsal.packageName}.json`;
  const comparison = compareRehearsals(rehearsal, lastOf(earlierOnes(directory, kind)));
  // A look that nobody asked to keep writes nothing; what cost an outage is kept in any case.
  if (rehearsal.drills.length > 0 || places.results !== undefined) {
    const path = join(directory, `${rehearsal.at.replaceAll(/[:.]/g, '')}-${kind}`);
    writeOrFail(directory, [{ path, text: `${JSON.stringify(rehearsal, null, 1)}\n`, mode: 0o644 }]);
  }
  if (places.html !== undefined)
    writeOrFail(dirname(places.html), [{ path: places.html, text: rehearsalPage(rehearsal, comparison), mode: 0o644 }]);
  out(places.json ? `${JSON.stringify({ ...rehearsal, comparison }, null, 2)}\n` : rehearsalText(rehearsal, comparison));
  return rehearsal.verdict === 'pass' ? exitCodes.ok : exitCodes.different;
}

const readAtMost = 50;

/** Earlier rehearsals of that kind, oldest first; what lies there and is none is passed by. */
function earlierOnes(directory: string, kind: string): Rehearsal[] {
  const names = filesBelow(directory).filter((name) => name.endsWith(`-${kind}`));
  return names.slice(-readAtMost).flatMap((name) => {
    const text = readTextFile(name);
    try {
      const read = JSON.parse(text ?? 'null') as Partial<Rehearsal> | null;
      return read?.format === 1 && Array.isArray(read.drills) ? [read as Rehearsal] : [];
    } catch {
      return [];
    }
  });
}
