/**
 * A changing verb leaves a cluster that can fail over between any two of its steps: killed, or told that the disk is full, at each of its
 * remote commands, another member serves within 10 s after the daemon of the active one was killed. A verb is a row of `verbs`.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { everyStep, typedIn, useLab, whyNoLab } from '../support.ts';
import { auditFailover } from './failover-audit.ts';
import { killAt, sshTrap } from './ssh-trap.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;

describe.skipIf(whyNoLab !== null)('failover between the steps of a verb', { timeout: 1_800_000 }, () => {
  const used = useLab('failover-audit', { deployed: true, watched: false });
  const { sh } = typedIn(used);
  const remote = sshTrap('c2', sh);
  const { csync } = remote;
  const must = async (words: string): Promise<void> => {
    const ended = await csync(words);
    expect(ended.exitCode, `${words}: ${ended.stdout}${ended.stderr}`).toBe(0);
  };
  let [seconds, noatime] = [20, false];
  /** Other settings than before, so that there is something to apply. */
  const otherSettings = async (): Promise<void> => {
    seconds = seconds < 90 ? seconds + 1 : 20;
    await sh('c2', `sed -i '/^halt_grace_seconds:/d; $a halt_grace_seconds: ${seconds}' /root/csync.yaml`);
  };
  const lastSet = async (): Promise<number> =>
    (JSON.parse((await csync('history --json')).stdout) as { sets: { number: number }[] }).sets.at(-1)?.number ?? 0;

  beforeAll(async () => {
    await remote.lay((await sh('m1', 'cat /root/csync.yaml')).stdout);
  });

  it('an apply that cmcheckconf refuses leaves the applied package able to fail over', async () => {
    await must('apply --yes');
    const line = '/dev/vg_csync/lv_csync /csync ext4 defaults 0 2';
    await sh('m3', `echo '${line}' >> /etc/fstab`);
    await otherSettings();
    const refused = await csync('apply --yes');
    expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining('/etc/fstab mounts')]);
    await auditFailover(used, 'after an apply that failed at cmcheckconf');
    await sh('m3', "sed -i '/lv_csync/d' /etc/fstab");
    await must('apply --yes');
    await auditFailover(used, 'after the apply that finished it');
    expect((await csync('diff')).stdout).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
  });

  it('a start on a member without its set is tried on another one', async () => {
    await must('apply --yes');
    const owner = await used.drills.waitServed();
    const [next = '', last = ''] = members.filter((member) => member !== owner);
    await sh(next, `mv ${directory}/sets /root/away`);
    expect(await auditFailover(used, `while ${next} lacks the set`)).toBe(last);
    await sh(next, `mv /root/away ${directory}/sets; cmmodpkg -e -n ${next} csync`);
  });

  it('keeps the applied and the previous set, and no more', async () => {
    for (let round = 0; round < 3; round += 1) {
      await otherSettings();
      await must('apply --yes');
    }
    for (const member of members) {
      const sets = (await sh(member, `ls ${directory}/sets`)).stdout.trim().split('\n');
      // What runs is older than the previous one, where it runs since before.
      expect(sets, member).toHaveLength(member === (await used.drills.waitServed()) ? 3 : 2);
    }
  });

  interface Verb {
    readonly prepare: () => Promise<unknown>;
    readonly words: () => Promise<string>;
  }
  const verbs: Readonly<Record<string, Verb>> = {
    'csync apply': { prepare: otherSettings, words: async () => 'apply --yes' },
    'apply --halt': {
      prepare: async () => {
        noatime = !noatime;
        await sh('c2', `sed -i 's/^mount_options:.*/mount_options: -o rw${noatime ? ',noatime' : ''}/' /root/csync.yaml`);
      },
      words: async () => 'apply --yes --halt',
    },
    'csync rollback': {
      prepare: async () => {
        await otherSettings();
        await must('apply --yes');
      },
      words: async () => `rollback ${(await lastSet()) - 1} --yes`,
    },
  };
  /** In a sample: while the set is written, about when all members change, and behind that. */
  const harmsAt = (at: number, count: number): Parameters<typeof remote.harmedOnce>[2][] => {
    if (everyStep) return [killAt(at), 'full disk'];
    if (at === Math.floor(count / 2)) return ['full disk'];
    return at === count - 11 || at === count - 4 ? [killAt(at)] : [];
  };

  for (const [name, { prepare, words }] of Object.entries(verbs))
    it(`${name}: at any of its remote commands`, async () => {
      await prepare();
      const count = await remote.count(await words());
      let audits = 0;
      for (let at = 1; at <= count; at += 1)
        for (const harm of harmsAt(at, count)) {
          await prepare();
          if (!(await remote.harmedOnce(await words(), at, harm))) continue;
          audits += 1;
          await auditFailover(used, `${name}, ${harm} at ${at} of ${count}`);
          await remote.finished(await words());
        }
      console.log(`${name}: ${audits} failovers at ${count} remote commands`);
      expect(audits).toBeGreaterThan(everyStep ? count : 1);
    });
});
