/** The changing verbs on the real Pacemaker: killed at each of their remote commands, they leave a cluster that can fail over. */
import { beforeAll, describe, expect } from 'vitest';
import { eventually, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoPacemaker } from '../../use-lab.ts';
import { killAt, sshTrap } from '../set-up/ssh-trap.ts';

const changeGrace = (seconds: number): string =>
  `sed -i 's/^halt_grace_seconds:.*/halt_grace_seconds: ${seconds}/' /root/csync.yaml`;
/** Another member serves by then. */
const boundMs = 30_000;

describe.skipIf(whyNoPacemaker !== null)('failover between the steps of a verb with Pacemaker', { timeout: 3_600_000 }, () => {
  const used = useLab('pacemaker-audit', { engine: 'pacemaker', deployed: true, clients: 1, watched: false });
  const { sh, must, done, broken } = typedIn(used);
  const remote = sshTrap('c1', sh);
  let seconds = 30;
  const otherSettings = async (): Promise<void> => {
    // Below what halt_script_timeout_seconds leaves.
    seconds = seconds < 45 ? seconds + 1 : 20;
    await must('c1', changeGrace(seconds));
  };
  const lastSet = async (): Promise<number> =>
    (JSON.parse((await remote.csync('history --json')).stdout) as { sets: { number: number }[] }).sets.at(-1)?.number ?? 0;

  beforeAll(async () => {
    await remote.lay((await sh('m1', 'cat /root/csync.yaml')).stdout);
  });

  /** The daemon of the active member is killed: milliseconds until another one serves. */
  async function failsOver(when: string): Promise<number> {
    // A restart that was begun before is no failover.
    await must('m1', 'crm_resource --wait --timeout=60s');
    const from = await used.drills.waitServed();
    await used.drills.killDaemon(from);
    const began = performance.now();
    const served = async (): Promise<boolean> => {
      const { owner, status, state } = await used.drills.view();
      return owner !== null && owner !== from && status === 'up' && state === 'running';
    };
    await eventually(`another member to serve, ${when}`, served, boundMs);
    const took = Math.round(performance.now() - began);
    await used.drills.repair('kill', from);
    return took;
  }

  everyStepIt(
    'an apply that is killed after its transaction leaves a cluster that fails over; the next one completes it',
    async () => {
      const from = await used.drills.waitServed();
      const numbers = async () => (await done<{ sets: { number: number }[] }>('history')).sets.map(({ number }) => number);
      const earlier = await numbers();
      await broken('m1', changeGrace(32), changeGrace(30));
      const [, before = ''] = /name="set" value="(\w+)"/.exec(await must('m1', `cibadmin --query --xpath "//group"`)) ?? [];
      // The agent of every member is put back, too.
      await must('m3', 'echo "# edited" >> /usr/lib/ocf/resource.d/csync/master');
      const named = `cibadmin --query --xpath "//group" | grep -q 'name="set" value="${before}"'`;
      await must(
        'm1',
        `cd /root; node /opt/csync/csync.mjs apply --yes > /root/killed.log 2>&1 & csync=$!
      while ${named}; do kill -0 $csync || { cat /root/killed.log; exit 1; }; sleep 0.1; done; kill -KILL $csync`,
      );
      await must('m1', 'crm_resource --wait --timeout=60s');
      expect(await used.drills.waitServed()).toBe(from);
      await used.drills.killDaemon(from);
      const to = await used.drills.waitServed(from);
      await must(to, `crm_resource --wait --timeout=60s; crm_resource --resource csync --cleanup --node ${from}`);
      expect((await done<{ configuration: string[] }>('diff')).configuration).toEqual([]);
      await done('apply --yes');
      expect(await numbers()).toEqual([...earlier, earlier.length + 1]);
      expect(await must('m3', 'cmp /etc/csync/ocf-csync-master /usr/lib/ocf/resource.d/csync/master')).toBe('');
      const wrong = used.drills.entries.filter(({ kind }) => kind === 'violation').map(({ text }) => text);
      expect(wrong).toEqual([]);
    },
  );

  const rows = [
    ['apply', otherSettings, async () => 'apply --yes'],
    ['rollback', async () => {}, async () => `rollback ${(await lastSet()) - 1} --yes`],
  ] as const;

  everyStepIt('apply and rollback: at any of their remote commands', async () => {
    const counts: number[] = [];
    for (const [, prepare, words] of rows) {
      await prepare();
      counts.push(await remote.count(await words()));
    }
    for (let at = 1; at <= Math.max(...counts); at += 1)
      for (const [index, [verb, prepare, words]] of rows.entries()) {
        await prepare();
        const typed = await words();
        const isHarmed = await remote.harmedOnce(typed, at, killAt(at));
        if (isHarmed) console.log(`csync ${verb}, killed at ${at} of ${counts[index]}: ${await failsOver(`${verb} ${at}`)} ms`);
        await remote.finished(typed);
        expect((await used.drills.view()).autoRun).toBe(true);
      }
    expect(used.drills.entries.filter(({ kind }) => kind === 'violation').map(({ text }) => text)).toEqual([]);
  });

  everyStepIt('member remove and member add restart nothing; remove leaves a cluster without the group', async () => {
    const owner = await used.drills.waitServed();
    const other = owner === 'm3' ? 'm2' : 'm3';
    const restarts = () => used.drills.entries.filter(({ what }) => what === 'start-ended').length;
    const constraints = () => must(owner, 'cibadmin --query --xpath "//rsc_location[@rsc=\'csync\']"');
    // The boot scripts, which a member that leaves needs for its daemon.
    await done('members sync --yes', owner);
    const before = restarts();
    await done(`member remove ${other} --yes`, owner);
    expect(await constraints()).not.toContain(other);
    await done(`member add ${other} --yes`, owner);
    expect(await constraints()).toContain(`id="csync-on-${other}"`);
    await used.drills.waitServed();
    expect(restarts()).toBe(before);
    await done('remove --yes', owner);
    expect((await sh(owner, 'crm_resource --list; cibadmin --query --xpath "//constraints/*"')).stdout).not.toMatch(
      /csync_main|rsc="csync"/,
    );
    await done('apply --yes --run', owner);
    await used.drills.waitServed();
  });
});
