/** Which changes take effect while a package runs [serviceguard.md 2.8]. Refuses what would mount, start or halt at once. Pure. */
import { errorProblem, type Problem } from '../../../base/problem.ts';
import { changedKeywords, onlineRule } from '../../../serviceguard/online-rules.ts';
import type { PackageFile } from '../../../serviceguard/package-file.ts';
import type { ClusterState, PackageState } from '../model.ts';
import { policyIn } from '../package-policy.ts';

/** Empty: it can change. `before`: null for a new package. */
export function refuseOnlineChange(before: PackageFile | null, after: PackageFile, state: ClusterState): Problem[] {
  const pkg = state.packages[after.name];
  if (before === null || pkg === undefined) return [];
  if (pkg.maintenance.on) {
    const text = `Package ${pkg.name} is in maintenance mode; its configuration cannot change now.`;
    return [errorProblem('package-online-maintenance', text, `End it first: cmmodpkg -m off ${pkg.name}`)];
  }
  if (pkg.status === 'down') return [];
  const keywords = changedKeywords(before, after);
  return [
    ...keywords.flatMap((keyword) => keywordProblem(pkg, keyword)),
    ...memberProblem(pkg, after, state),
    ...restartProblems(pkg, after, state),
  ];
}

function keywordProblem(pkg: PackageState, keyword: string): Problem[] {
  const rule = onlineRule(keyword);
  if (rule === 'free') return [];
  const why =
    rule === 'halted'
      ? 'cannot change while the package runs'
      : 'takes effect at once on a real cluster, which the lab does not imitate';
  return [
    errorProblem(
      'package-online-change',
      `${keyword} of ${pkg.name} ${why}.`,
      `Halt the package, apply, run it: cmhaltpkg ${pkg.name}`,
    ),
  ];
}

function memberProblem(pkg: PackageState, after: PackageFile, state: ClusterState): Problem[] {
  if (pkg.owner === null || policyIn(state, after).members.includes(pkg.owner)) return [];
  const text = `Package ${pkg.name} runs on ${pkg.owner}, which the new node_name list lacks.`;
  return [errorProblem('package-online-owner', text, `Move or halt the package first: cmhaltpkg ${pkg.name}`)];
}

/** A limit below the present restarts would fail the package: reset the counter first [L9 p.264]. */
function restartProblems(pkg: PackageState, after: PackageFile, state: ClusterState): Problem[] {
  return policyIn(state, after).services.flatMap(({ name, restart }) => {
    const count = pkg.services.find((service) => service.name === name)?.restarts ?? 0;
    if (restart === 'unlimited' || restart >= count) return [];
    const text = `service_restart of ${name} would be ${restart}, below its ${count} restarts so far.`;
    return [errorProblem('package-online-restarts', text, `Reset the counter first: cmmodpkg -R -s ${name} ${pkg.name}`)];
  });
}
