/**
 * Verbs that change the package of a cluster, killed at each of their remote commands, and told at each that the disk there is full: no
 * member serves beside another, and the same verb again finishes the work. Apply and migrate are killed at their steps in files of their own, set-ups in killed-setup.
 */
import { beforeAll, describe, expect } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';
import { killAt, sshTrap } from './ssh-trap.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;

describe.skipIf(whyNoLab !== null)('a verb that comes to harm', { timeout: 1_800_000 }, () => {
  const used = useLab('killed-verbs', { deployed: true, watched: false });
  const { sh } = typedIn(used);
  const remote = sshTrap('c2', sh);
  const { csync } = remote;
  const must = async (words: string): Promise<string> => {
    const ended = await csync(words);
    expect(ended.exitCode, `${words}: ${ended.stdout}${ended.stderr}`).toBe(0);
    return ended.stdout;
  };
  const owner = async () => (await used.drills.view()).owner ?? '';
  /** Of a member: mounts of the policy file system, package addresses, daemons. */
  const condition = async (member: string) =>
    (
      await sh(member, 'grep -c " /csync " /proc/mounts; ip -o -4 addr show | grep -c " 10.9.0.100/"; pgrep -c -x cf-serverd')
    ).stdout.split('\n');
  const oneMountAtMost = async () => {
    const mounts = await Promise.all(members.map(async (member) => Number((await condition(member))[0])));
    expect(mounts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(1);
  };
  let [failures, earlier] = [2, 0];
  /** Another one than before, within what the setting may be. */
  const wantedFailures = () => {
    failures = failures < 90 ? failures + 1 : 3;
    return sh('c2', `sed -i 's/^monitor_failures:.*/monitor_failures: ${failures}/' /root/csync.yaml`);
  };
  const failuresOn = async (member: string) =>
    Number(
      /"monitorFailures": (\d+)/.exec(
        (await sh(member, `cat ${directory}/sets/$(cut -d ' ' -f 1 ${directory}/applied)/settings.json`)).stdout,
      )?.[1],
    );
  const lastSet = async () =>
    (JSON.parse(await must('history --json')) as { sets: { number: number }[] }).sets.at(-1)?.number ?? 0;
  const paused = async () => (await sh(await owner(), `ls ${directory}/csync.debug`)).exitCode === 0;

  beforeAll(async () => {
    await remote.lay((await sh('m1', 'cat /root/csync.yaml')).stdout);
  });

  interface Verb {
    readonly words: () => Promise<string>;
    readonly prepare: () => Promise<unknown>;
    /** What is so when it is done. */
    readonly done: () => Promise<unknown>;
  }
  const verbs: Readonly<Record<string, Verb>> = {
    apply: {
      prepare: wantedFailures,
      words: async () => 'apply --yes',
      done: async () => {
        expect((await csync('diff')).exitCode).toBe(0);
        for (const member of members) expect(await failuresOn(member), member).toBe(failures);
      },
    },
    rollback: {
      prepare: async () => {
        // A set to go back to; from the second time on it is the one that was gone back to.
        if (earlier === 0) await must('apply --yes');
        earlier = await failuresOn('m1');
        await wantedFailures();
        await must('apply --yes');
      },
      // With a number: "the last but one" is another one after a rollback.
      words: async () => `rollback ${(await lastSet()) - 1} --yes`,
      done: async () => {
        for (const member of members) expect(await failuresOn(member), member).toBe(earlier);
      },
    },
    'maintenance on': {
      prepare: () => csync('maintenance off --yes'),
      words: async () => 'maintenance on --yes --for 1h',
      done: async () => expect(await paused()).toBe(true),
    },
    'maintenance off': {
      prepare: () => must('maintenance on --yes --for 1h'),
      words: async () => 'maintenance off --yes',
      done: async () => expect(await paused()).toBe(false),
    },
    recover: {
      prepare: async () => {
        await sh('m1', 'cmhaltpkg csync; cmmodpkg -d -n m2 csync');
        const leave = [
          'vgchange --addtag m2 vg_csync; vgchange -a y vg_csync; mount -t ext4 /dev/vg_csync/lv_csync /csync',
          'ip addr add 10.9.0.100/24 dev eth0; (cd /csync && exec sleep 1000) >/dev/null 2>&1 &',
        ];
        await sh('m2', leave.join('\n'));
        expect((await condition('m2')).slice(0, 2)).toEqual(['1', '1']);
      },
      words: async () => 'recover --yes --run',
      done: async () => {
        const at = await used.drills.waitServed();
        for (const member of members)
          expect(await condition(member), member).toEqual([...(member === at ? '11' : '00'), '1', '']);
        expect(JSON.parse(await must('recover --yes --json'))).toMatchObject({ outcome: 'unchanged', steps: [] });
      },
    },
    remove: {
      prepare: async () => {
        await must('apply --yes --run');
        await used.drills.waitServed();
      },
      words: async () => 'remove --yes',
      done: async () => {
        expect((await used.lab.exec('m1', ['cmgetconf', '-p', 'csync'])).exitCode).not.toBe(0);
        for (const member of members) expect(await condition(member), member).toEqual(['0', '0', '1', '']);
      },
    },
  };

  for (const [name, { prepare, words, done }] of Object.entries(verbs))
    everyStepIt(`csync ${name}: at any of its remote commands`, async () => {
      if ((await used.lab.view('csync')) === null) await must('apply --yes --run');
      await serving(used);
      await prepare();
      const found = await remote.count(await words());
      await done();
      expect(found).toBeGreaterThan(members.length);
      const harms = { killed: 0, 'full disk': 0 };
      for (let at = 1; at <= found; at += 1)
        for (const harm of [killAt(at), 'full disk'] as const) {
          await prepare();
          if (await remote.harmed(await words(), at, harm)) harms[harm === 'full disk' ? harm : 'killed'] += 1;
          await oneMountAtMost();
          await done();
        }
      console.log(`${name}: killed at ${harms.killed}, full disk at ${harms['full disk']} of ${found} remote commands`);
      // How many it has depends a little on what comes first; that nothing came of it would show nothing.
      expect(Math.min(...Object.values(harms))).toBeGreaterThan(found / 2);
    });
});
