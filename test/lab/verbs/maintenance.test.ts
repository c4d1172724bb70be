/** Work on the daemon without a failover: both ways, and their ends. */
import { describe, expect, it } from 'vitest';
import { eventually, everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('csync maintenance in the lab', { timeout: 300_000 }, () => {
  const used = useLab('maintenance', { deployed: true, watched: false });
  const { sh, must, json, done, broken } = typedIn(used);
  const killed = 'pkill -KILL -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done';
  const said = (member: string, code: string) =>
    eventually(`${member} to log ${code}`, async () => (await sh(member, `grep -qF "[${code}]" ${log}`)).exitCode === 0, 30_000);
  /** It serves from m1, and nothing is in the logs yet. */
  const atHome = async () => {
    await serving(used);
    for (const member of used.drills.members) await sh(member, `: > ${log}`);
  };
  /** Of the member that runs the package: whether its monitor is paused, and what status advises. */
  const status = () => json<{ condition: string; advice: { remedy: string }[] }>('status');

  it('a paused monitor lets the daemon die and come back; it ends only when the daemon is healthy', async () => {
    await atHome();
    await done('maintenance on --yes', 'm2');
    await said('m1', 'maintenance-on');
    await sh('m1', killed);
    expect(await status()).toMatchObject({
      condition: 'failed',
      advice: expect.arrayContaining([expect.objectContaining({ remedy: 'csync maintenance off' })]),
    });
    const refused = await json('maintenance off --yes');
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-maintenance m1']]);
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', status: 'up' });
    await must('m1', 'cd / && cf-serverd -K');
    await done('maintenance off --yes');
    await said('m1', 'maintenance-off');
    expect(await done('maintenance off --yes')).toMatchObject({ outcome: 'unchanged' });
    expect(await status()).toMatchObject({ condition: 'serving', advice: [] });
    // The new daemon is watched.
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).toBe('m2');
  });

  it('a pause ends by itself, and what is broken then fails over', async () => {
    await atHome();
    await done('maintenance on --yes --for 1h');
    await said('m1', 'maintenance-on');
    await must('m1', 'pkill -KILL -x cf-serverd');
    expect((await used.drills.view()).owner).toBe('m1');
    await done('maintenance on --yes --for 2s');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await said('m1', 'maintenance-off');
  });

  const other = 'sed "s/^maintenance_flag:.*/maintenance_flag: false/" /root/csync.yaml > /root/other.yaml';

  it('a time that is none, and a monitor that ignores the file, are refused', async () => {
    await must('m1', other);
    const ignored = await json('maintenance on --yes --settings other.yaml');
    expect([ignored.exitCode, ignored.codes]).toEqual([3, ['settings-maintenance']]);
    for (const wrong of ['soon', '0m', '5', '-5m'])
      expect(await json(`maintenance on --yes --for=${wrong}`), wrong).toMatchObject({ exitCode: 2, codes: ['usage'] });
  });

  it('Serviceguard’s own mode is entered and left with switching as it was; nothing can be applied meanwhile', async () => {
    await atHome();
    await done('maintenance on --serviceguard --yes');
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'maintenance' });
    expect((await status()).advice.map(({ remedy }) => remedy.split('   ')[0])).toEqual(['csync maintenance off']);
    const refused = await json('apply --yes --run');
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-maintenance']]);
    await done('maintenance off --yes');
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'running', autoRun: true });
  });

  everyStepIt(
    'that mode has an end: the monitor leaves it when the time is over and the daemon is healthy, not before',
    async () => {
      await atHome();
      await done('maintenance on --serviceguard --for 10s --yes');
      await sh('m1', killed);
      await said('m1', 'maintenance-overdue');
      expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'maintenance' });
      await must('m1', 'cd / && cf-serverd -K');
      await said('m1', 'serviceguard-maintenance-off');
      await said('m1', 'maintenance-off');
      expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'running', autoRun: true });
      expect(await done('maintenance off --yes')).toMatchObject({ outcome: 'unchanged' });
      await used.drills.failOver('kill');
    },
  );

  it('a package that is halted in that mode can leave it, and stays halted', async () => {
    await atHome();
    await done('maintenance on --serviceguard --yes');
    await must('m1', 'cmhaltpkg csync');
    expect((await status()).advice.map(({ remedy }) => remedy.split('   ')[0])).toContain('csync maintenance off');
    await done('maintenance off --yes');
    expect(await used.drills.view()).toMatchObject({ status: 'down', state: 'halted', autoRun: false });
  });

  everyStepIt('with maintenance_flag: false the monitor does not read the file', async () => {
    await serving(used);
    await must('m1', other);
    await broken(
      'm1',
      'cp /root/csync.yaml /root/kept.yaml; cp /root/other.yaml /root/csync.yaml',
      'mv /root/kept.yaml /root/csync.yaml; csync apply --yes',
    );
    await done('apply --yes --run');
    await must('m1', 'echo > /usr/local/cmcluster/conf/csync/csync.debug');
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).not.toBe('m1');
  });
});
