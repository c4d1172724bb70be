/** Scores for `csync rehearse --metrics FILE`. Pure. */
import { expositionOf, gauge } from '../../contract/metrics-text.ts';
import type { Readiness, Rehearsal } from '../model.ts';

const verdicts = ['ready', 'not ready', 'unknown'] as const satisfies readonly Readiness['verdict'][];

/** Without checks: only time and verdict. */
export function readinessMetrics({
  packageName,
  at,
  ready,
  verdict,
}: Pick<Rehearsal, 'packageName' | 'at' | 'ready' | 'verdict'>): string {
  const members = ready?.members ?? [];
  const each = (value: (one: Readiness) => number) => members.map((one) => [{ member: one.member }, value(one)] as const);
  return expositionOf(
    [
      gauge(
        'csync_ready',
        '1 for the result of the last rehearsal for a member: ready, not ready or unknown.',
        members.flatMap((one) =>
          verdicts.map((result) => [{ member: one.member, result }, one.verdict === result ? 1 : 0] as const),
        ),
      ),
      gauge(
        'csync_ready_score',
        'Checks of the last rehearsal that a member passed, of csync_ready_checks.',
        each(({ good }) => good),
      ),
      gauge(
        'csync_ready_checks',
        'Checks of the last rehearsal for a member.',
        each(({ wanted }) => wanted),
      ),
      gauge('csync_rehearsal_pass', '1 if the last rehearsal passed.', [[{}, verdict === 'pass' ? 1 : 0]]),
      gauge('csync_rehearsal_timestamp_seconds', 'Time of the last rehearsal.', [[{}, Date.parse(at) / 1000]]),
    ],
    { package: packageName },
  );
}
