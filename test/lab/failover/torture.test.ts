import { describe, expect, it } from 'vitest';
import { runTorture, torturePassed, tortureSummary } from '../../../src/lab/trials/torture-run.ts';
import { typedAsRoot, useLab, whyNoLab } from '../../use-lab.ts';

/** Few, but each of another kind: see scheduleFor. `npm run torture` is the release bar. */
const steps = Number(process.env.CSYNC_TORTURE ?? 4);
const seed = 20261128;

describe.skipIf(whyNoLab !== null)('a short torture', () => {
  const used = useLab('torture', { deployed: false, spares: ['m4'], without: typedAsRoot });

  it('leaves the package where the table has it, and no acknowledged edit is lost', {
    timeout: steps * 60_000 + 120_000,
  }, async () => {
    const result = await runTorture(used.lab, steps, seed, () => {});
    console.info(tortureSummary(result).join('\n'));
    expect(torturePassed(result), tortureSummary(result).join('\n')).toBe(true);
  });
});
