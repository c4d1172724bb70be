/** Needs no lab and no root. */

import { type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { err, out } from '../../host/output.ts';
import { simulateMany, simulationSummary } from '../../model-check/simulation/simulation-run.ts';
import { labSettingsFile, readSettings } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import type { trialDocument } from '../outputs/outputs.ts';

export interface SimulateOptions {
  readonly settings?: string | undefined;
  readonly seeds: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Status 1: a life failed. Throws a Failure of usage. */
export async function labSimulate({ settings, seeds, seed, json }: SimulateOptions): Promise<ExitCode> {
  if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(seed)) {
    const text = `--seeds ${seeds} --seed ${seed}: both must be whole numbers, and at least one life is needed`;
    throw failure('usage', text, 'csync lab simulate --seeds 10000');
  }
  const given = readSettings(settings ?? labSettingsFile);
  const result = await simulateMany(seed, seeds, given, (text) => err(`${text}\n`));
  if (json) printJson<typeof trialDocument>(result);
  else out(`${simulationSummary(result).join('\n')}\n`);
  return result.failures.length === 0 ? exitCodes.ok : exitCodes.different;
}
