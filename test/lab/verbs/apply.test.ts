/** From a settings file to a running package and back, by the administrator's verbs, over a real sshd. */
import { describe, expect, it } from 'vitest';
import type { FileDifference } from '../../../src/cluster/apply/comparison.ts';
import type { SetAbout } from '../../../src/cluster/apply/history.ts';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { reported, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';
import { auditFailover } from '../failover/failover-audit.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;

interface Applied {
  readonly outcome: string;
  readonly set: number | null;
  readonly steps: readonly string[];
}
interface Differences {
  readonly members: readonly { readonly member: string; readonly files: readonly FileDifference[] }[];
  readonly configuration: readonly { readonly keyword: string; readonly applied: string[]; readonly wanted: string[] }[] | null;
}

describe.skipIf(whyNoLab !== null)('csync apply in the lab', { timeout: 300_000 }, () => {
  const used = useLab('apply', { deployed: false, watched: false });
  const { sh, must, csync, json, done, broken } = typedIn(used);
  const apply = (words = '') => json<Applied>(`apply --yes ${words}`);
  const diff = (member?: string) => json<Differences>('diff', member);
  const set = (key: string, value: string) => must('m1', `sed -i 's|^${key}:.*|${key}: ${value}|' /root/csync.yaml`);
  const sets = async () => (await done<{ sets: SetAbout[] }>('history')).sets;
  const settingsOf = async (member: string): Promise<Record<string, unknown>> =>
    JSON.parse(await must(member, `cat ${directory}/sets/$(cut -d ' ' -f 1 ${directory}/applied)/settings.json`));
  const configuration = () => must('m1', 'cmgetconf -p csync');

  /** Mode, digest and name of each file of the package on a member. */
  const filesOn = async (member: string): Promise<string[]> => {
    const names = `csync.conf *.sh sets/$(cut -d ' ' -f 1 applied)`;
    const line = '$(stat -c %a $file) $(sha256sum < $file | cut -d " " -f 1) $file';
    return (await must(member, `cd ${directory} && for file in $(find ${names} -type f); do echo "${line}"; done`))
      .trim()
      .split('\n')
      .sort();
  };
  /** The same of what the settings on m1 render to. */
  const rendered = async (): Promise<string[]> => {
    const words = 'render --output /root/rendered';
    await must('m1', 'rm -rf /root/rendered');
    const { files } = await done<{ files: { mode: string; digest: string; name: string }[] }>(words);
    return files.map(({ mode, digest, name }) => `${mode} ${digest} ${name}`).sort();
  };
  /** The members, the applied configuration, and no other thing, are as the settings on m1 say. */
  const isApplied = async (): Promise<void> => {
    const wanted = await rendered();
    expect(wanted.length).toBeGreaterThan(8);
    expect(await Promise.all(members.map(filesOn))).toEqual(members.map(() => wanted));
    expect((await configuration()).match(/csync_set_digest\s+"?([0-9a-f]{16})/)?.[1]).toBe(
      (await must('m1', `cut -d ' ' -f 1 ${directory}/applied`)).trim(),
    );
    for (const member of members)
      expect((await must(member, `ls -A ${directory}`)).match(/arrival/), `leftovers on ${member}`).toBeNull();
  };
  /** All that an apply could touch, to the inode and the time. */
  const state = async (): Promise<string[]> => {
    const each = `cd ${directory} && find . -type f ! -name '.csync-lock*' -printf '%P %i %T@ %m\\n' | sort`;
    return [await configuration(), ...(await Promise.all(members.map((member) => must(member, each))))];
  };
  /** Halts and starts of the package from now on. */
  const moves = () => {
    const mark = used.drills.entries.length;
    return () => used.drills.entries.slice(mark).flatMap(({ what }) => (['halting', 'starting'].includes(what) ? [what] : []));
  };

  /** Nothing of the package exists, and the cluster runs. */
  const fromNothing = async (): Promise<void> => {
    await sh('m1', 'cmruncl -v; cp -n /root/csync.yaml /root/shipped.yaml; cp /root/shipped.yaml /root/csync.yaml');
    if ((await used.lab.view('csync')) !== null) await done('remove --yes');
    for (const member of members) await must(member, `mkdir -p ${directory} && find ${directory} -mindepth 1 -delete`);
  };
  /** It serves from m1 as csync.yaml there says, or as the settings of the lab do. */
  const asApplied = async (settings = 'csync'): Promise<void> => {
    if ((await used.lab.view('csync')) === null) {
      await fromNothing();
      await done('apply --yes --run');
      return;
    }
    if (settings !== 'csync') await must('m1', `cp /root/${settings}.yaml /root/csync.yaml`);
    await serving(used);
    if ((await diff()).exitCode !== 0) await done('apply --yes --halt --take-rendered');
  };
  const asShipped = () => asApplied('shipped');

  it('shows the steps, and without a terminal or --yes changes nothing', async () => {
    await fromNothing();
    const dry = await done<Applied>('apply --dry-run --run');
    expect([dry.outcome, dry.set]).toEqual(['would be applied', null]);
    expect(dry.steps).toEqual([
      ...members.map((member) => expect.stringMatching(`^distribute to ${member}: csync\\.conf csync\\.sh csync_pre\\.sh sets/`)),
      expect.stringMatching(/^on m1: cmcheckconf -v -P /),
      expect.stringMatching(/^on m1: cmapplyconf -f -P /),
      'on m1: cmrunpkg -n m1 csync',
      'on m1: cmmodpkg -e csync',
      // It is verified, and only then remembered.
      expect.any(String),
      ...members.map((member) => expect.stringMatching(`^distribute to ${member}: history/0001\\.set\\.gz `)),
    ]);
    expect((await csync('apply --dry-run --run')).stdout, 'to read').toMatch(/^ *1\. distribute to m1: /);
    const asked = reported(await csync('apply --run --json </dev/null'), 'apply --run');
    expect([asked.exitCode, asked.codes]).toEqual([2, ['usage-unconfirmed']]);
    for (const member of members) expect(await must(member, `ls -A ${directory}`), member).toBe('');
    expect(await used.lab.view('csync'), 'no such package').toBeNull();
    expect((await diff()).exitCode).toBe(1);
    const real = await done<Applied>('apply --yes --run');
    expect(real.steps, 'what was shown is what is done').toEqual(dry.steps);
  });

  it('takes a cluster from nothing to a running package, and finds nothing to do after that', async () => {
    await fromNothing();
    expect(await apply('--run')).toMatchObject({ exitCode: 0, outcome: 'applied', set: 1 });
    await used.drills.waitServed();
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', autoRun: true, status: 'up' });
    expect(await used.drills.invariants()).toEqual([]);
    await isApplied();
    const before = await state();
    expect(await apply('--run')).toMatchObject({ exitCode: 0, outcome: 'unchanged', steps: [] });
    expect(await state(), 'and nothing is written').toEqual(before);
    // From another member as well: nothing of it depends on where it is done.
    expect(await diff('m3')).toMatchObject({ exitCode: 0, configuration: [] });
    expect((await csync('diff')).stdout, 'to read').toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
  });

  it('changes what may change while the package runs, without halting it', async () => {
    await asShipped();
    await set('monitor_failures', '3');
    await set('service_restart', '2');
    const differs = await diff();
    expect([differs.exitCode, differs.configuration]).toEqual([
      1,
      expect.arrayContaining([{ keyword: 'service_restart', applied: ['none'], wanted: ['2'] }]),
    ]);
    for (const { member, files } of differs.members) expect(files, member).toContainEqual({ name: 'csync.conf', is: 'changed' });
    const daemon = await must('m1', 'pgrep -x cf-serverd');
    const moved = moves();
    expect(await apply()).toMatchObject({ exitCode: 0, outcome: 'applied' });
    expect(moved(), 'the daemon would go on through a halt, too').toEqual([]);
    expect(await must('m1', 'pgrep -x cf-serverd')).toBe(daemon);
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', status: 'up', autoRun: true });
    await isApplied();
    expect(await configuration()).toMatch(/^service_restart\s+"?2"?$/m);
    for (const member of members) expect((await settingsOf(member)).monitorFailures, member).toBe(3);
    // The next start takes the new set.
    const { to } = await auditFailover(used, 'after an apply to a package that runs');
    const applied = (await must(to, `cut -d ' ' -f 1 ${directory}/applied`)).trim();
    await eventually(
      'the monitor of the new set',
      async () => (await sh(to, `pgrep -f "${applied}/[c]sync-monitor.cjs"`)).exitCode === 0,
    );
  });

  it('prints what requires a halt before it touches anything, and halts only with --halt', async () => {
    await asShipped();
    await set('mount_options', '-o rw,noatime');
    const [before, moved] = [await state(), moves()];
    const refused = await apply();
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-needs-halt']]);
    expect(refused.problems[0]).toMatchObject({
      text: expect.stringContaining('fs_mount_opt'),
      remedy: expect.stringContaining('--halt'),
    });
    expect([await state(), moved()]).toEqual([before, []]);
    expect(await apply('--halt')).toMatchObject({ exitCode: 0, outcome: 'applied' });
    expect(await used.drills.waitServed()).toBe('m1');
    expect(moved(), 'one halt, one start').toEqual(['halting', 'starting']);
    expect(await must('m1', 'grep " /csync " /proc/mounts')).toMatch(/\bnoatime\b/);
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', autoRun: true });
    await isApplied();
  });

  it('keeps numbered sets on every member, and goes back to any of them', async () => {
    await asApplied();
    const [first, before] = [(await sets()).at(-1), (await settingsOf('m1')).monitorFailures];
    const number = first?.number ?? 0;
    // With two of them the set before the last one is none of those that are gone back to.
    for (const failures of everyStep ? ['4', '5'] : ['5']) {
      await set('monitor_failures', failures);
      expect((await apply()).outcome).toBe('applied');
    }
    const kept = await sets();
    expect(kept.slice(kept.findIndex((one) => one.number === number)).map((one) => one.number - number)).toEqual(
      everyStep ? [0, 1, 2] : [0, 1],
    );
    const history = (member: string) => must(member, `cd ${directory}/history && sha256sum *`);
    for (const member of ['m2', 'm3']) expect(await history(member), member).toBe(await history('m1'));
    for (const member of members)
      expect(await must(member, `stat -c %a ${directory}/history ${directory}/history/*`), member).toMatch(/^700\n(600\n)+$/);
    // What csync.yaml says is another thing: diff shows it, and the next apply would follow it.
    for (const [words, again, failures] of [
      [`rollback ${number}`, first, before],
      ['rollback', kept.at(-1), 5],
    ] as const) {
      const back = await done<Applied>(`${words} --yes --halt`);
      expect(back.outcome, words).toBe('applied');
      expect((await sets()).at(-1), words).toMatchObject({ number: back.set, digest: again?.digest });
      for (const member of members) expect((await settingsOf(member)).monitorFailures, `${words} on ${member}`).toBe(failures);
      expect((await diff()).exitCode, words).toBe(failures === 5 ? 0 : 1);
      expect(await used.drills.view(), words).toMatchObject({ owner: 'm1', status: 'up', autoRun: true });
    }
    await isApplied();
    expect(await json('rollback 77')).toMatchObject({ exitCode: 2, codes: ['usage-no-set'] });
  });

  it('an edit on a member is never lost silently', async () => {
    await asApplied();
    await must('m2', `echo '# mine' >> ${directory}/csync.sh`);
    const before = await state();
    const refused = await apply();
    expect([refused.exitCode, refused.codes]).toEqual([1, ['render-hand-edited m2']]);
    expect((await diff()).members[1]?.files).toContainEqual({ name: 'csync.sh', is: 'edited' });
    expect(await state()).toEqual(before);
    expect((await csync('apply --yes --take-mine --take-rendered')).exitCode).toBe(2);
    expect((await apply('--take-rendered')).outcome).toBe('applied');
    await isApplied();
  });

  // Also in test/process/programs/cli.test.ts, of a render.
  everyStepIt('an edit in the set that is applied goes along into the next one, and stays known as an edit', async () => {
    await asApplied();
    const ofSet = `${directory}/sets/$(cut -d ' ' -f 1 ${directory}/applied)/csync.sh`;
    await must('m1', `echo '# mine' >> ${ofSet}`);
    expect(await apply()).toMatchObject({ exitCode: 1, codes: ['render-hand-edited m1'] });
    expect((await apply('--take-mine')).outcome).toBe('applied');
    for (const member of members) expect(await must(member, `tail -1 ${ofSet}`), member).toBe('# mine\n');
    const known = await apply();
    expect([known.exitCode, new Set(known.problems.map(({ code }) => code))]).toEqual([1, new Set(['render-hand-edited'])]);
    expect((await apply('--take-rendered')).outcome).toBe('applied');
    await isApplied();
  });

  it('killed at any of its steps, the next one finishes the work and remembers it', async () => {
    await asApplied();
    const planned = async (seconds: number): Promise<readonly string[]> => {
      await set('monitor_failures', String(seconds));
      await set('service_restart', String(seconds));
      return (await done<Applied>('apply --dry-run')).steps;
    };
    // Where the cluster is about to have it; each of the others in npm run every-step.
    const wanted = (await planned(10)).flatMap((step, index) => (everyStep || / cmapplyconf /.test(step) ? [index] : []));
    expect(wanted.length).toBeGreaterThan(0);
    // The history has the last ten: an older one may leave it.
    const last = Math.max(0, ...(await sets()).map(({ number }) => number));
    for (const [round, index] of wanted.entries()) {
      const step = (await planned(10 + round))[index] ?? '';
      // The step is announced before it is taken; a csync that had ended by then would not have been killed.
      const killed = await must(
        'm1',
        `cd /root; : > /tmp/apply.log; setsid node /opt/csync/csync.mjs apply --yes >/tmp/apply.log 2>&1 & p=$!
         until grep -qF -- '${step} ... ' /tmp/apply.log; do kill -0 $p || exit 1; done; kill -KILL -$p; wait $p; echo $?`,
      );
      expect(killed, step).toBe('137\n');
      await used.drills.waitServed();
      expect((await apply()).exitCode, step).toBe(0);
      await isApplied();
    }
    expect((await apply()).outcome).toBe('unchanged');
    const remembered = (await sets()).filter(({ number }) => number > last).map(({ digest }) => digest);
    expect([remembered.length, new Set(remembered).size], 'each of them is a set').toEqual([wanted.length, wanted.length]);
  });

  // Also in test/lab/set-up/transport.test.ts, by what keeps it from being reached, but for the run behind it.
  everyStepIt(
    'a member that cannot be reached: nothing is changed anywhere; once it is back the same command does it',
    async () => {
      await asApplied();
      await set('monitor_failures', '7');
      const before = await state();
      await used.lab.ask({ verb: 'cut', member: 'm3' });
      const refused = await apply();
      await used.lab.ask({ verb: 'heal', member: 'm3' });
      expect([refused.exitCode, refused.codes]).toEqual([4, ['cluster-unreachable m3']]);
      expect(await state()).toEqual(before);
      await serving(used);
      expect(await apply()).toMatchObject({ exitCode: 0, outcome: 'applied' });
      await isApplied();
    },
  );

  everyStepIt(
    'a disk that is full on one member: that one stays as it was, what was done is printed, and a second run does the rest',
    async () => {
      await asApplied();
      await set('monitor_failures', '6');
      const before = await filesOn('m3');
      const full = ['mkdir /tmp/full', 'mount -t tmpfs -o size=64m none /tmp/full', `cp -a ${directory}/. /tmp/full/`];
      const repaired = await broken(
        'm3',
        [...full, `mount --bind /tmp/full ${directory}`, `cat /dev/zero > ${directory}/filler || true`].join(' && '),
        `umount ${directory} && umount /tmp/full && rmdir /tmp/full`,
      );
      const failed = await apply();
      const left = await must('m3', `ls -A ${directory}; cat ${directory}/sets/*/settings.json | tail -c 3`);
      expect(await filesOn('m3')).toEqual(before);
      await repaired();
      expect([failed.exitCode, failed.codes]).toEqual([5, ['change-distribute m3', 'change-incomplete']]);
      // What is still to do.
      expect(failed.problems[1]?.text).toMatch(/distribute to m3[\s\S]*cmapplyconf/);
      expect(failed.problems[1]?.text).not.toMatch(/distribute to m1/);
      expect(left).not.toMatch(/arrival/);
      expect(left).toMatch(/}\n$/);
      expect(await apply()).toMatchObject({ exitCode: 0, outcome: 'applied' });
      await isApplied();
    },
  );
});
