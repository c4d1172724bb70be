/** Work on the daemon without a failover: both ways, and their ends. */
import { describe, expect, it } from 'vitest';
import { eventually, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('csync maintenance in the lab', { timeout: 300_000 }, () => {
  const used = useLab('maintenance', { deployed: true, watched: false });
  const { sh, csync } = typedIn(used);
  const said = (member: string, text: string) =>
    eventually(
      `${member} to log ${text}`,
      async () => (await sh(member, `grep -q "monitor: .*${text}" ${log}`)).exitCode === 0,
      30_000,
    );

  it('a paused monitor lets the daemon die and come back; it ends only when the daemon is healthy', async () => {
    await used.drills.waitServed();
    const on = await csync('maintenance on --yes', 'm2');
    expect(on.exitCode, on.stderr).toBe(0);
    await said('m1', 'entering maintenance mode: until 20');
    await sh('m1', 'pkill -KILL -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done');
    const status = await csync('status');
    expect(status.stdout).toMatch(/does not serve: no cfengine daemon runs[\s\S]*maintenance on m1: the monitor is paused until/);
    const refused = await csync('maintenance off --yes');
    expect([refused.exitCode, refused.stderr]).toEqual([
      5,
      expect.stringMatching(/daemon, address, mount and policy[\s\S]*daemon: would/),
    ]);
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', status: 'up' });
    await sh('m1', 'cd / && cf-serverd -K');
    const off = await csync('maintenance off --yes');
    expect(off.exitCode, off.stderr).toBe(0);
    await said('m1', 'maintenance-off');
    expect((await csync('maintenance off --yes')).stdout).toBe('No maintenance is active.\n');
    expect((await csync('status --json')).stdout).toContain('"advice":[]');
  });

  it('after it, the new daemon is watched', async () => {
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).toBe('m2');
    await used.drills.repair('kill', 'm1');
  });

  it('a pause ends by itself, and what is broken then fails over', async () => {
    expect((await csync('maintenance on --yes --for 6s')).exitCode).toBe(0);
    await said('m2', 'entering maintenance mode: until 20');
    await sh('m2', 'pkill -KILL -x cf-serverd');
    expect((await used.drills.view()).owner).toBe('m2');
    expect(await used.drills.waitServed('m2')).toBe('m1');
    await said('m2', 'maintenance-off');
    await used.drills.repair('kill', 'm2');
    await sh('m1', 'sed "s/^maintenance_flag:.*/maintenance_flag: false/" /root/csync.yaml > /root/other.yaml');
    const ignored = await csync('maintenance on --yes --settings other.yaml');
    expect([ignored.exitCode, ignored.stderr]).toEqual([3, expect.stringContaining('the monitor ignores the file')]);
    for (const wrong of ['soon', '0m', '5', '-5m'])
      expect((await csync(`maintenance on --yes --for=${wrong}`)).exitCode, wrong).toBe(2);
  });

  it('Serviceguard’s own mode is entered and left with switching as it was; nothing can be applied meanwhile', async () => {
    const on = await csync('maintenance on --serviceguard --yes');
    expect(on.exitCode, on.stderr).toBe(0);
    expect((await csync('status')).stdout).toContain('in maintenance mode on m1');
    const refused = await csync('apply --yes --run');
    expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining('cmmodpkg -m off csync')]);
    const off = await csync('maintenance off --yes');
    expect(off.exitCode, off.stderr).toBe(0);
    expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'running', autoRun: true });
  });

  everyStepIt(
    'that mode has an end: the monitor leaves it when the time is over and the daemon is healthy, not before',
    async () => {
      expect((await csync('maintenance on --serviceguard --for 10s --yes')).exitCode).toBe(0);
      expect((await csync('status')).stdout).toMatch(/in maintenance mode on m1\n.*the monitor disables the mode at /);
      await sh('m1', 'pkill -KILL -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done');
      await said('m1', 'The time of maintenance is over, but it cannot end: no cf-serverd listens');
      expect((await csync('status')).stdout).toMatch(/in maintenance mode on m1\n.*should have ended at /);
      expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'maintenance' });
      await sh('m1', 'cd / && cf-serverd -K');
      await said('m1', 'serviceguard-maintenance-off');
      await said('m1', 'maintenance-off');
      expect(await used.drills.view()).toMatchObject({ owner: 'm1', state: 'running', autoRun: true });
      expect((await csync('maintenance off --yes')).stdout).toBe('No maintenance is active.\n');
      await used.drills.failOver('kill');
      await used.drills.repair('kill', 'm1');
    },
  );

  it('a package that is halted in that mode can leave it, and stays halted', async () => {
    expect((await csync('maintenance on --serviceguard --yes')).exitCode).toBe(0);
    await sh('m1', 'cmhaltpkg csync');
    expect((await csync('status')).stdout).toContain('csync maintenance off');
    const off = await csync('maintenance off --yes');
    expect(off.exitCode, off.stderr).toBe(0);
    expect(await used.drills.view()).toMatchObject({ status: 'down', state: 'halted', autoRun: false });
  });

  everyStepIt('with maintenance_flag: false the monitor does not look at the file', async () => {
    await sh('m1', 'cp /root/other.yaml /root/csync.yaml');
    const applied = await csync('apply --yes --run');
    expect(applied.exitCode, applied.stderr).toBe(0);
    const owner = await used.drills.waitServed();
    await sh(owner, 'echo > /usr/local/cmcluster/conf/csync/csync.debug');
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).not.toBe(owner);
  });
});
