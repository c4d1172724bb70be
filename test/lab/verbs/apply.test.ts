/** From a settings file to a running package and back, by the administrator's verbs, over a real sshd. */
import { describe, expect, it } from 'vitest';
import { everyStep, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const directory = '/usr/local/cmcluster/conf/csync';

describe.skipIf(whyNoLab !== null)('csync apply in the lab', { timeout: 300_000 }, () => {
  const used = useLab('apply', { deployed: false, watched: false });
  const { sh, csync } = typedIn(used);
  const set = (key: string, value: string) => sh('m1', `sed -i 's|^${key}:.*|${key}: ${value}|' /root/csync.yaml`);
  const digests = async (member: string) => (await sh(member, `cd ${directory} && sha256sum *.conf *.sh sets/*/*`)).stdout;

  it('shows the steps, and without a terminal or --yes changes nothing', async () => {
    await used.lab.exec('m1', ['cmruncl', '-v']);
    const dry = await csync('apply --dry-run --run');
    expect(dry.exitCode, dry.stderr).toBe(0);
    for (const step of [
      'distribute to m3',
      'cmcheckconf -v -P',
      'cmapplyconf -f -P',
      'cmrunpkg -n m1 csync',
      'cmmodpkg -e csync',
    ])
      expect(dry.stdout).toContain(step);
    const asked = await csync('apply --run </dev/null');
    expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringContaining('no terminal')]);
    for (const member of ['m1', 'm2', 'm3']) expect((await sh(member, `ls -A ${directory}`)).stdout, member).toBe('');
    expect((await csync('diff')).exitCode).toBe(1);
  });

  it('takes a cluster from nothing to a running package, and finds nothing to do after that', async () => {
    const applied = await csync('apply --yes --run');
    expect(applied.exitCode, applied.stdout + applied.stderr).toBe(0);
    expect(applied.stdout).toContain('Applied as set 1');
    await used.drills.waitServed();
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', autoRun: true, status: 'up' });
    expect(await digests('m2')).toBe(await digests('m1'));
    expect(await digests('m3')).toBe(await digests('m1'));
    expect((await csync('diff')).stdout).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
    expect((await csync('apply --yes --run')).stdout).toContain('nothing to do');
    // From another member as well: nothing of it depends on where it is done.
    expect((await csync('diff', 'm3')).exitCode).toBe(0);
  });

  it('changes what may change while the package runs, without halting it', async () => {
    await set('monitor_failures', '3');
    await set('service_restart', '2');
    const before = (await sh('m1', 'pgrep -x cf-serverd')).stdout;
    const differs = await csync('diff');
    expect(differs.exitCode).toBe(1);
    expect(differs.stdout).toMatch(/m2: \n {2}changed {2}csync\.conf[\s\S]*service_restart: none -> 2/);
    const applied = await csync('apply --yes');
    expect(applied.exitCode, applied.stderr).toBe(0);
    expect(applied.stderr).toContain('goes on running');
    expect(applied.stderr).not.toContain('cmhaltpkg');
    expect((await sh('m1', 'pgrep -x cf-serverd')).stdout).toBe(before);
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', status: 'up' });
    expect((await csync('diff')).exitCode).toBe(0);
  });

  it('says what wants a halt before it touches anything, and halts only when told', async () => {
    await set('mount_options', '-o rw,noatime');
    const before = await digests('m2');
    const refused = await csync('apply --yes');
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain('fs_mount_opt -o rw -> -o rw,noatime');
    expect(refused.stderr).toContain('--halt');
    expect(await digests('m2')).toBe(before);
    const applied = await csync('apply --yes --halt');
    expect(applied.exitCode, applied.stderr).toBe(0);
    await used.drills.waitServed();
    expect((await sh('m1', 'grep " /csync " /proc/mounts')).stdout).toContain('noatime');
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', autoRun: true });
  });

  it('keeps numbered sets on every member, and goes back to any of them', async () => {
    const listed = JSON.parse((await csync('history --json', 'm2')).stdout) as { sets: { number: number }[] };
    expect(listed.sets.map(({ number }) => number)).toEqual([1, 2, 3]);
    const back = await csync('rollback 1 --yes --halt');
    expect(back.exitCode, back.stderr).toBe(0);
    await used.drills.waitServed();
    const options = (await sh('m1', 'grep " /csync " /proc/mounts')).stdout;
    expect(options).not.toContain('noatime');
    expect((await csync('history')).stdout).toMatch(/ 4 .* set 1 again\n$/);
    // What csync.yaml says is another thing: diff tells, and the next apply would follow it.
    expect((await csync('diff')).exitCode).toBe(1);
    const again = await csync('rollback --yes --halt');
    expect(again.exitCode, again.stderr).toBe(0);
    expect((await csync('diff')).exitCode, 'set 5 is set 3 again').toBe(0);
    expect((await csync('rollback 77')).exitCode).toBe(2);
    expect((await sh('m2', `stat -c %a ${directory}/history ${directory}/history/*`)).stdout).toMatch(/^700\n(600\n)+$/);
  });

  it('an edit on a member is never lost silently', async () => {
    await sh('m2', `echo '# mine' >> ${directory}/csync.sh`);
    const refused = await csync('apply --yes');
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('member m2')]);
    expect((await csync('diff')).stdout).toContain('edited   csync.sh');
    expect((await sh('m2', `tail -1 ${directory}/csync.sh`)).stdout).toBe('# mine\n');
    const mine = await csync('apply --yes --take-mine --take-rendered', 'm2');
    expect(mine.exitCode).toBe(2);
    expect((await csync('apply --yes --take-rendered')).exitCode).toBe(0);
    expect((await csync('diff')).exitCode).toBe(0);
    // In the set that is applied: it goes along into the next one, and stays known as an edit.
    await sh('m1', `echo '# mine' >> ${directory}/sets/$(cut -d ' ' -f 1 ${directory}/applied)/csync.sh`);
    expect((await csync('apply --yes')).exitCode).toBe(1);
    const taken = await csync('apply --yes --take-mine');
    expect(taken.exitCode, taken.stderr).toBe(0);
    for (const member of ['m1', 'm2', 'm3'])
      expect((await sh(member, `tail -1 ${directory}/sets/$(cut -d ' ' -f 1 ${directory}/applied)/csync.sh`)).stdout).toBe(
        '# mine\n',
      );
    expect((await csync('apply --yes')).stderr).toContain('render-hand-edited');
    expect((await csync('apply --yes --take-rendered')).exitCode).toBe(0);
    expect((await csync('diff')).exitCode).toBe(0);
  });

  it('killed at any of its steps, the next one finishes the work and remembers it', async () => {
    // Where the cluster is about to have it; the others before and behind in npm run every-step.
    const telling = ['on m1: cmapplyconf'];
    const others = ['distribute to m1: h', 'distribute to m2: c', 'on m1: cmcheckconf', 'verify every member'];
    const steps = [...telling, ...(everyStep ? others : [])];
    for (const [index, step] of steps.entries()) {
      await set('monitor_failures', String(10 + index));
      await set('service_restart', String(10 + index));
      // The step is announced before it is taken.
      const kill = `until grep -q "^${step}" /tmp/apply.log; do kill -0 $p || exit 1; done; kill -KILL -$p`;
      const command = 'setsid node /opt/csync/csync.mjs apply --yes >/tmp/apply.log 2>&1';
      const killed = await sh('m1', `cd /root; : > /tmp/apply.log; ${command} & p=$!; ${kill}`);
      expect(killed.exitCode, `${step}: ${killed.stderr}`).toBe(0);
      const again = await csync('apply --yes');
      expect(again.exitCode, `${step}: ${again.stderr}`).toBe(0);
      expect((await csync('diff')).exitCode, step).toBe(0);
    }
    expect((await csync('apply --yes')).stdout).toContain('nothing to do');
    expect((await sh('m3', `ls -A ${directory} | grep arrival`)).stdout).toBe('');
    const { sets } = JSON.parse((await csync('history --json')).stdout) as { sets: { number: number; digest: string }[] };
    expect(new Set(sets.slice(-steps.length).map(({ digest }) => digest)).size, 'each of them is a set').toBe(steps.length);
  });

  it('a member that cannot be reached: nothing is changed anywhere; once it is back the same command does it', async () => {
    await used.lab.ask({ verb: 'cut', member: 'm3' });
    await set('monitor_failures', '4');
    const before = await digests('m1');
    const refused = await csync('apply --yes');
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('member m3');
    expect(await digests('m1')).toBe(before);
    await used.lab.ask({ verb: 'heal', member: 'm3' });
    await used.lab.exec('m3', ['cmrunnode', 'm3']);
  });

  everyStepIt(
    'a disk that is full on one member: that one stays as it was, what was done is told, and a second run does the rest',
    async () => {
      const before = await digests('m3');
      const full = ['mkdir /tmp/full', 'mount -t tmpfs -o size=64m none /tmp/full', `cp -a ${directory}/. /tmp/full/`];
      await sh('m3', [...full, `mount --bind /tmp/full ${directory}`, `cat /dev/zero > ${directory}/filler`].join('; '));
      const failed = await csync('apply --yes');
      const left = (await sh('m3', `ls -A ${directory}; cat ${directory}/sets/*/settings.json | tail -c 3`)).stdout;
      await sh('m3', `umount ${directory} && umount /tmp/full`);
      expect(failed.exitCode, failed.stderr).toBe(5);
      expect(failed.stderr).toContain('member m3');
      expect(failed.stderr).toMatch(/distribute to m1.* ok\n[\s\S]* of \d+ steps are done; not done:[\s\S]*cmapplyconf/);
      expect(left).not.toContain('arrival');
      expect(left).toMatch(/}\n$/);
      expect(await digests('m3')).toBe(before);
      const again = await csync('apply --yes');
      expect(again.exitCode, again.stderr).toBe(0);
      expect((await csync('diff')).exitCode).toBe(0);
    },
  );
});
