/** What cmcheckconf and cmapplyconf collect on the members: which scripts are executable, and what their validate prints. */

import { isExecutable } from '../../host/file-reading.ts';
import { packageContent } from '../../serviceguard/package-content.ts';
import type { PackageFile } from '../../serviceguard/package-file.ts';
import { expandVariables } from '../machines/lab-spec.ts';
import type { World } from '../machines/world.ts';
import { type MemberObservation, neededObservations } from '../manager/configuration/check.ts';
import type { ClusterState } from '../manager/model.ts';
import { scriptEnvironment } from './scripts/package-environment.ts';

/** With no_timeout, validation has a limit of 20 minutes [serviceguard.md 2.5]. */
const validationLimitMs = 20 * 60_000;

/** By member; members that are down are only unreachable. */
export async function observeMembers(
  world: World,
  file: PackageFile,
  state: ClusterState,
): Promise<Record<string, MemberObservation>> {
  const needed = neededObservations(file, state);
  const content = packageContent(file);
  const expand = (path: string): string => expandVariables(path, { SG_PACKAGE: file.name });
  const observed: Record<string, MemberObservation> = {};
  for (const member of needed.members) {
    if (!world.isUp(member)) {
      observed[member] = { reachable: false, executable: [], validated: {} };
      continue;
    }
    const executable = needed.executable.filter((path) => isExecutable(world.pathOn(member, expand(path))));
    const validated: Record<string, { exitCode: number | null; output: string }> = {};
    for (const script of needed.validate.filter((path) => executable.includes(path))) {
      const env = scriptEnvironment({ member, content });
      const result = await world.run(member, [expand(script), 'validate'], {
        env,
        timeoutMs: validationLimitMs,
        bare: true,
      });
      validated[script] = { exitCode: result.exitCode, output: `${result.stdout}${result.stderr}` };
    }
    observed[member] = { reachable: true, executable, validated };
  }
  return observed;
}
