/**
 * A changing verb leaves a cluster that can fail over between any two of its steps: killed at each of its remote commands, or told there
 * that the disk is full or the host unreachable, another member serves within 10 s after the daemon of the active one was killed. Each
 * verb that changes a cluster has to be in a row of `rows`. npm test has two harms of it. CSYNC_KILLED_FROM=N goes on at command N.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { changingVerbs } from '../../../src/cli/verbs.ts';
import { packageStatus } from '../../../src/engine/serviceguard/status.ts';
import { everyStepIt, firstCommand } from '../../support.ts';
import { reported, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';
import { type Harm, killAt, sshTrap } from '../set-up/ssh-trap.ts';
import { auditFailover } from './failover-audit.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;

describe.skipIf(whyNoLab !== null)('failover between the steps of a verb', { timeout: 7_200_000 }, () => {
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
    seconds = seconds < 45 ? seconds + 1 : 20;
    await sh('c2', `sed -i '/^halt_grace_seconds:/d; $a halt_grace_seconds: ${seconds}' /root/csync.yaml`);
  };
  const lastSet = async (): Promise<number> =>
    (JSON.parse((await csync('history --json')).stdout) as { sets: { number: number }[] }).sets.at(-1)?.number ?? 0;

  const twoSets = async (): Promise<void> => {
    while ((await lastSet()) < 2) {
      await otherSettings();
      await must('apply --yes');
    }
  };

  /** It serves from m1, also where a verb took it out of the cluster. */
  const atHome = async (): Promise<void> => {
    if ((await used.lab.view('csync')) === null) await must('apply --yes --run');
    await serving(used);
  };

  beforeAll(async () => {
    await remote.lay((await sh('m1', 'cat /root/csync.yaml')).stdout);
    await must('members sync --yes');
  });

  it('an apply that cmcheckconf refuses leaves the applied package able to fail over', async () => {
    await atHome();
    const line = '/dev/vg_csync/lv_csync /csync ext4 defaults 0 2';
    await sh('m3', `echo '${line}' >> /etc/fstab`);
    await otherSettings();
    const refused = reported(await csync('apply --yes --json'), 'apply');
    expect([refused.exitCode, refused.problems]).toEqual([
      5,
      [
        expect.objectContaining({ code: 'change-cmcheckconf', text: expect.stringContaining('[mount-point-busy]') }),
        expect.objectContaining({ code: 'change-incomplete' }),
      ],
    ]);
    await auditFailover(used, 'after an apply that failed at cmcheckconf');
    await sh('m3', "sed -i '/lv_csync/d' /etc/fstab");
    await must('apply --yes');
    expect((await csync('diff')).stdout).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
  });

  it('a start on a member without its set is tried on another one', async () => {
    await atHome();
    const owner = 'm1';
    const [next = '', last = ''] = members.filter((member) => member !== owner);
    await sh(next, `mv ${directory}/sets /root/away`);
    expect((await auditFailover(used, `while ${next} lacks the set`)).to).toBe(last);
    await sh(next, `mv /root/away ${directory}/sets; cmmodpkg -e -n ${next} csync`);
  });

  everyStepIt('keeps the applied and the previous set, and no more', async () => {
    await atHome();
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
    readonly verb: string;
    /** Leaves something for it to do, where the verb before it in its row has not. */
    readonly prepare?: () => Promise<unknown>;
    /** As it is typed; asked for after `prepare`. */
    readonly words: () => string | Promise<string>;
    /** What an administrator does before the verb can be run again. */
    readonly mend?: () => Promise<unknown>;
    /** Its purpose is to halt the package for good: from its halt on nothing has to serve. */
    readonly halts?: boolean;
    /** Only each so-manieth of its remote commands: nearly all of them read what a watch has seen. */
    readonly each?: number;
  }
  const is = (words: string) => () => words;
  let [owner, spoiled] = ['', ''];
  /** The last member that the package does not run on, with `script` run there. */
  const spoil = (script: string) => async (): Promise<void> => {
    owner = await used.drills.waitServed();
    spoiled = members.findLast((member) => member !== owner) ?? '';
    await sh(spoiled, script);
  };
  const keys = '/var/lib/cfengine3/ppkeys';
  const withoutKeys = `rm -f ${keys}/root-*.pub`;
  const isClient = () => must('client add c1 --yes');
  const policyEdit = async (): Promise<void> => {
    await sh('c2', 'rm -rf /root/work');
    await must('policy show --copy /root/work');
    await sh('c2', 'echo "# $(date +%s%N)" >> /root/work/site.cf');
  };
  const stagedEdit = async (): Promise<void> => {
    await isClient();
    await policyEdit();
  };
  /** Each verb of a row finds what the previous one has left. */
  const rows: Readonly<Record<string, readonly Verb[]>> = {
    'apply and rollback': [
      { verb: 'apply', prepare: otherSettings, words: is('apply --yes') },
      { verb: 'rollback', prepare: twoSets, words: async () => `rollback ${(await lastSet()) - 1} --yes` },
    ],
    'apply --halt': [
      {
        verb: 'apply',
        prepare: async () => {
          noatime = !noatime;
          await sh('c2', `sed -i 's/^mount_options:.*/mount_options: -o rw${noatime ? ',noatime' : ''}/' /root/csync.yaml`);
        },
        words: is('apply --yes --halt'),
      },
    ],
    migrate: [
      {
        verb: 'migrate legacy-to-modular',
        prepare: async () => {
          await sh('c2', "sed -i 's/^package_style:.*/package_style: legacy/' /root/csync.yaml");
          // A legacy package names whole paths, which only a member knows.
          const { stdout } = await sh('c2', 'cat /root/csync.yaml');
          const applied = await sh(
            'm1',
            `cd /root; cat > csync.yaml <<'END'\n${stdout}END\nnode /opt/csync/csync.mjs apply --yes --halt`,
          );
          expect(applied.exitCode, applied.stderr).toBe(0);
        },
        words: is('migrate legacy-to-modular --yes'),
      },
    ],
    recover: [
      {
        verb: 'recover',
        // What a deactivation that failed leaves, and a switch that is off; the package runs elsewhere, and a third member could take it.
        prepare: async () => {
          await spoil('')();
          const { stdout } = await sh(owner, "stat -c '0x%t 0x%T' /dev/vg_csync/lv_csync");
          await sh(spoiled, `mkdir -p /dev/vg_csync; mknod -m 600 /dev/vg_csync/lv_csync b ${stdout}`);
          await sh(owner, `cmmodpkg -d -n ${spoiled} csync`);
        },
        words: is('recover --yes'),
      },
    ],
    maintenance: [
      { verb: 'maintenance on', words: is('maintenance on --yes --for 1h') },
      // A failover on the way left it on another member: there is nothing to end then.
      { verb: 'maintenance off', prepare: () => must('maintenance on --yes --for 1h'), words: is('maintenance off --yes') },
    ],
    member: [
      { verb: 'member remove', prepare: spoil(''), words: () => `member remove ${spoiled} --yes` },
      { verb: 'member add', words: () => `member add ${spoiled} --yes` },
    ],
    'members sync': [
      {
        verb: 'members sync',
        prepare: spoil(`rm -rf ${directory}/sets /etc/rc.config.d/cfservd; ${withoutKeys}`),
        words: is('members sync --yes'),
      },
    ],
    client: [
      { verb: 'client remove', prepare: isClient, words: is('client remove c1 --yes') },
      { verb: 'client add', words: is('client add c1 --yes') },
      { verb: 'client sync', prepare: () => sh('c1', withoutKeys), words: is('client sync c1 --yes') },
    ],
    keys: [
      {
        verb: 'keys distribute',
        prepare: async () => {
          await isClient();
          await spoil(withoutKeys)();
          await sh('c1', withoutKeys);
        },
        words: is('keys distribute --yes'),
      },
      { verb: 'keys rotate', words: is('keys rotate --yes') },
    ],
    'policy commit': [
      {
        verb: 'policy commit',
        prepare: policyEdit,
        words: is('policy commit /root/work'),
      },
    ],
    'staged rollout': [
      { verb: 'policy commit', prepare: stagedEdit, words: is('policy commit /root/work --stage c1') },
      {
        verb: 'policy take-back',
        // Of a host that did not answer.
        prepare: async () => {
          await stagedEdit();
          await sh('c1', 'pkill -x cf-serverd; while pgrep -x cf-serverd > /dev/null; do :; done');
          const refused = reported(await csync('policy commit /root/work --stage c1 --json'), 'policy commit');
          expect(refused.codes).toEqual(['change-policy-taken-back']);
          await sh('c1', '/usr/local/sbin/csync-cfservd start');
        },
        words: is('policy take-back'),
      },
    ],
    drill: [
      {
        verb: 'rehearse --drill',
        // None begins on a package that is not as rendered.
        prepare: () => must('apply --yes'),
        words: is('rehearse --drill kill-daemon --yes'),
        mend: () => must('recover --yes'),
        each: 7,
      },
    ],
    toolkit: [
      {
        verb: 'toolkit install',
        prepare: () =>
          sh(
            'c2',
            "cd /root; sed 's|^toolkit_program:.*|toolkit_program: /usr/local/sbin/csync-audited|' csync.yaml > toolkit.yaml",
          ),
        words: is('toolkit install --yes --settings toolkit.yaml'),
      },
      { verb: 'toolkit remove', words: is('toolkit remove --yes --settings toolkit.yaml') },
    ],
    // The last one, since it leaves no package.
    remove: [
      {
        verb: 'remove',
        prepare: async () => {
          await must('apply --yes --run');
          await used.drills.waitServed();
        },
        words: is('remove --yes'),
        halts: true,
      },
    ],
  };
  /** In turn, so that one pass already harms each remote command, and three do so in each way. */
  const harms: readonly ((at: number) => Harm)[] = [killAt, () => 'full disk', () => 'unreachable'];

  it('has a row for each verb that changes a cluster', () => {
    const audited = new Set(Object.values(rows).flatMap((row) => row.map(({ verb }) => verb)));
    expect([...audited].sort()).toEqual([...changingVerbs].sort());
  });

  /** Halted by its own verb, not by a failure. */
  const isHalted = async (): Promise<boolean> => {
    const text = await used.lab.view('csync');
    if (text !== null && packageStatus(text, 'csync')?.status !== 'down') return false;
    const halt = used.drills.entries.findLast(({ what }) => what === 'halting');
    expect(halt?.text).toMatch(/\(user_halt\)$/);
    return true;
  };

  interface Audited {
    readonly isHarmed: boolean;
    /** Until another member served; null: it came to no harm, or is halted by the verb on purpose. */
    readonly milliseconds: number | null;
  }

  /** It is done afterwards. */
  async function audited({ verb, words, mend, halts = false }: Verb, harm: Harm, at: number): Promise<Audited> {
    const typed = await words();
    const isHarmed = await remote.harmedOnce(typed, at, harm);
    const isGone = isHarmed && halts && (await isHalted());
    const audit = isHarmed && !isGone ? await auditFailover(used, `csync ${verb}, ${harm} at ${at}`) : null;
    const told = audit === null ? (isGone ? 'halted by it' : 'no harm') : `${audit.milliseconds} ms`;
    console.log(`csync ${verb}, ${harm} at ${at}: ${told}`);
    await mend?.();
    await remote.finished(typed);
    return { isHarmed, milliseconds: audit?.milliseconds ?? null };
  }

  it.each([
    ['apply and rollback', 0, 'after', 20],
    ['client', 1, 'before', 12],
  ] as const)('%s: verb %i, harmed %s command %i (a sample)', async (name, index, harm, at) => {
    await atHome();
    const verb = rows[name]?.[index];
    if (verb === undefined) throw new Error('no such row');
    for (const before of rows[name]?.slice(0, index) ?? []) await csync(await before.words());
    await verb.prepare?.();
    expect((await audited(verb, harm, at)).milliseconds).not.toBeNull();
  });

  for (const [name, row] of Object.entries(rows))
    for (const pass of harms.keys())
      everyStepIt(`${name}, pass ${pass + 1} of ${harms.length}: at any of its remote commands`, async () => {
        await atHome();
        const counts: number[] = [];
        for (const { prepare, words } of row) {
          await prepare?.();
          counts.push(await remote.count(await words()));
        }
        const took = row.map((): Audited[] => []);
        for (let at = firstCommand; at <= Math.max(...counts); at += 1) {
          const isNext = row.map(({ each = 1 }, index) => at <= (counts[index] ?? 0) && at % each === 0);
          if (!isNext.includes(true)) continue;
          for (const [index, verb] of row.entries()) {
            await verb.prepare?.();
            const harm = harms[(at + pass) % harms.length] ?? killAt;
            // What comes behind it in its row needs what it leaves.
            if (isNext[index]) took[index]?.push(await audited(verb, harm(at), at));
            else await must(await verb.words());
          }
        }
        for (const [index, { verb, each = 1, halts = false }] of row.entries()) {
          const count = counts[index] ?? 0;
          const harmed = (took[index] ?? []).filter(({ isHarmed }) => isHarmed);
          const times = harmed.flatMap(({ milliseconds }) => milliseconds ?? []);
          console.log(
            `${verb}: harmed ${harmed.length} times at ${count} remote commands, ${times.length} failovers, the slowest ${Math.max(0, ...times)} ms`,
          );
          // How many it has depends a little on what comes first; that nothing came of it would show nothing.
          const left = count + 1 - firstCommand;
          if (left <= 0) continue;
          expect(harmed.length, verb).toBeGreaterThan(left / each / 2);
          expect(times.length, verb).toBeGreaterThan(halts ? 0 : left / each / 2);
        }
      });
});
