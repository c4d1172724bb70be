import { dirname, join } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import { type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import type { Engine } from '../../engine/engine.ts';
import { filesBelow, readTextFile } from '../../host/admin/own-files.ts';
import { out } from '../../host/output.ts';
import { compareRehearsals, lastOf } from '../../rehearsal/comparison.ts';
import { drillNamed, drills } from '../../rehearsal/drill-table.ts';
import type { Drill } from '../../rehearsal/drills/drill-model.ts';
import { rehearsalVerdict } from '../../rehearsal/judgement.ts';
import type { Rehearsal } from '../../rehearsal/model.ts';
import { actText } from '../../rehearsal/page/act-text.ts';
import { rehearsalPage } from '../../rehearsal/page/page.ts';
import { rehearsalText } from '../../rehearsal/page/plain-text.ts';
import { readinessMetrics } from '../../rehearsal/page/readiness-metrics.ts';
import { printJson } from '../outputs/json.ts';
import type { rehearseDocument } from '../outputs/outputs.ts';
import { writeOrFail } from './toolkit-files.ts';

export interface ResultPlaces {
  /** Default: rehearsals/ beside the settings. */
  readonly results?: string | undefined;
  readonly html?: string | undefined;
  readonly metrics?: string | undefined;
  readonly json: boolean;
}

type Told = Omit<Rehearsal, 'format' | 'at' | 'toolkit' | 'verdict' | 'sentence'>;

/** By name; `all` or `all-MEMBERS`: every possible one. Throws a Failure of usage. */
export function chosenDrills(names: readonly string[], where: Drill['where']): Drill[] {
  const possible = drills.filter((drill) => where === 'lab' || drill.where === 'any');
  const wanted = names.flatMap((name) => name.split(',')).filter((name) => name !== '');
  if (wanted.includes('all')) return [...possible];
  return wanted.map((name) => {
    const drill = drillNamed(name);
    if (drill !== undefined && possible.includes(drill)) return drill;
    const text = drill === undefined ? `unknown drill: ${JSON.stringify(name)}` : `the drill ${name} runs in a lab only`;
    const remedy = `use one or more of: ${possible.map((one) => one.name).join(', ')}`;
    throw failure('usage', text, remedy);
  });
}

/** Printed before the confirmation. */
export function drillPlan(chosen: readonly Drill[], engine: Engine): string {
  if (chosen.length === 0) return 'No drill: csync rehearse only checks.\n';
  return chosen
    .map(({ name, title, done, must, cleaned, acts }) =>
      [
        `${name}: ${title}`,
        `  done:       ${done}`,
        `  expected:   ${must}`,
        `  cleanup:    ${cleaned}`,
        ...acts.map((act) => `    ${actText(act, engine)}`),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** Also stores and prints; the status is the verdict. */
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
  // A drill cost an outage: always stored.
  if (rehearsal.drills.length > 0 || places.results !== undefined) {
    const path = join(directory, `${rehearsal.at.replaceAll(/[:.]/g, '')}-${kind}`);
    writeOrFail(directory, [{ path, text: `${JSON.stringify(rehearsal, null, 1)}\n`, mode: 0o644 }]);
  }
  if (places.html !== undefined)
    writeOrFail(dirname(places.html), [{ path: places.html, text: rehearsalPage(rehearsal, comparison), mode: 0o644 }]);
  if (places.metrics !== undefined)
    writeOrFail(dirname(places.metrics), [{ path: places.metrics, text: readinessMetrics(rehearsal), mode: 0o644 }]);
  if (places.json) printJson<typeof rehearseDocument>({ ...rehearsal, comparison });
  else out(rehearsalText(rehearsal, comparison));
  return rehearsal.verdict === 'pass' ? exitCodes.ok : exitCodes.different;
}

const readAtMost = 50;

/** Oldest first; skips other files. */
function earlierOnes(directory: string, kind: string): Rehearsal[] {
  const names = filesBelow(directory).filter((name) => name.endsWith(`-${kind}`));
  return names.slice(-readAtMost).flatMap((name) => {
    const text = readTextFile(name);
    return attempt(() => {
      const read = JSON.parse(text ?? 'null') as Partial<Rehearsal> | null;
      return read?.format === 1 && Array.isArray(read.drills) ? [read as Rehearsal] : [];
    }, []);
  });
}
