/** Verbs that ask the engine for little, and the drills, on the real Pacemaker. */
import { describe, expect } from 'vitest';
import { everyStepIt, serviceguardWords } from '../../support.ts';
import { typedIn, useLab, whyNoPacemaker } from '../../use-lab.ts';

/** Those of the default selection that name no command of Serviceguard's own. */
const drills = [
  'kill-daemon',
  'term-daemon',
  'hang-daemon',
  'kill-monitor',
  'hang-monitor',
  'hang-monitor-kill',
  'hang-front-kill',
  'haltnode',
  'move',
];

describe.skipIf(whyNoPacemaker !== null)('verbs with Pacemaker', { timeout: 900_000 }, () => {
  const used = useLab('pacemaker-verbs', { engine: 'pacemaker', deployed: true });
  const { csync, done, must } = typedIn(used);

  everyStepIt('set up hosts, distribute and rotate keys, commit policy and run agents', async () => {
    await must('m1', 'cd /root && csync policy show --copy edit && echo "# edited" >> edit/site.cf');
    for (const words of [
      'members sync --yes',
      'client add c1 c2 --yes',
      'keys verify',
      'policy commit /root/edit -m edited',
      'policy show',
      'sync',
      'keys rotate --yes',
      'client remove c2 --yes',
      'toolkit status',
      'history',
      'rehearse',
    ]) {
      const ended = await csync(words);
      expect([words, ended.exitCode, ended.stderr]).toEqual([words, 0, expect.any(String)]);
      expect(`${ended.stdout}${ended.stderr}`, words).not.toMatch(serviceguardWords);
    }
    await done('keys verify');
    expect(used.drills.entries.filter(({ kind }) => kind === 'violation')).toEqual([]);
  });

  for (const drill of drills)
    everyStepIt(`pass the drill ${drill}`, async () => {
      const ended = await csync(`rehearse --drill ${drill} --yes`);
      expect(ended.stdout + ended.stderr).toMatch(/^PASSED: 1 of 1 drill passed/m);
      expect(ended.exitCode).toBe(0);
      expect(ended.stdout).not.toMatch(serviceguardWords);
    });
});
