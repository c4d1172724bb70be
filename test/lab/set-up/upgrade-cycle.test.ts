/** The real version 0.1.0, built from its commit: an upgrade and the return to it, under traffic. 100 cycles: npm run upgrade-cycles. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { buildPreviousVersion, whyNoPreviousVersion } from '../../../scripts/proof/previous-version.ts';
import { UpgradeCycles } from '../../../scripts/proof/upgrade-cycle.ts';
import { random } from '../../../src/base/random.ts';
import { everyStep, everyStepIt } from '../../support.ts';
import { typedAsRoot, useLab, whyNoLab } from '../../use-lab.ts';

const whyNot = whyNoLab ?? whyNoPreviousVersion();
if (whyNot !== null) console.warn(`the upgrade from version 0.1.0 is skipped: ${whyNot}`);

// The lab itself takes time, so it is not even started for a test that is skipped.
describe.skipIf(whyNot !== null || !everyStep)('from the real version 0.1.0 and back', { timeout: 300_000 }, () => {
  const used = useLab('upgrade-cycle', { deployed: false, without: typedAsRoot });
  const scratch = mkdtempSync(join(tmpdir(), 'csync-upgrade-test-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  everyStepIt('an upgrade and a return move nothing, and lose no edit and no setting', async () => {
    const run = new UpgradeCycles(used.lab, random(1));
    try {
      await run.begin(buildPreviousVersion(scratch));
      await run.cycle();
      expect(run.counts).toMatchObject({ cycles: 1, moves: 2, edits: 4, fetches: 2, monitors: 2 });
    } finally {
      run.drills.detach();
    }
  });
});
