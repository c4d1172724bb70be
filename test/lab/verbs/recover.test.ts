/** What a failed halt leaves behind is shown and cleaned up; a package is taken out of the cluster again. */
import { describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync recover and remove in the lab', { timeout: 300_000 }, () => {
  const used = useLab('recover', { deployed: true, watched: false });
  const { sh, csync } = typedIn(used);
  const condition = (member: string) =>
    sh(
      member,
      'grep -c " /csync " /proc/mounts; ip -o -4 addr show | grep -c " 10.9.0.100/"; ls /dev/vg_csync 2>/dev/null; pgrep -c -x cf-serverd',
    );

  it('a cluster that is well has nothing to recover; without --yes nobody is asked without a terminal', async () => {
    await used.drills.waitServed();
    const well = await csync('recover --yes');
    expect([well.exitCode, well.stdout]).toEqual([0, 'Nothing is left over, and no member is disabled.\n']);
    expect((await condition('m1')).stdout).toBe('1\n1\nlv_csync\n1\n');
  });

  it('address, mount with its users, volume group and switches: shown, then cleaned in order, only where the package is not', async () => {
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    await used.lab.exec('m1', ['cmmodpkg', '-d', '-n', 'm2', 'csync']);
    const leave = [
      'vgchange --addtag m2 vg_csync',
      'vgchange -a y vg_csync',
      'mount -t ext4 /dev/vg_csync/lv_csync /csync',
      'ip addr add 10.9.0.100/24 dev eth0',
      // Somebody who works there, and the daemon in mid transfer.
      '(cd /csync && exec sleep 1000) >/dev/null 2>&1 &',
    ];
    await sh('m2', leave.join('\n'));
    const seen = await csync('status');
    expect(seen.exitCode).toBe(1);
    expect(seen.stdout).toContain('still active on m2 (/csync, 10.9.0.100)');
    const dry = await csync('recover --dry-run');
    expect(dry.stdout).toMatch(
      /1\. on m2: cmmodnet -r -i 10\.9\.0\.100 10\.9\.0\.0\n +2\. on m2: fuser -km \/csync, which kills sleep \(pid \d+\)\n +3\. on m2: umount \/csync\n +4\. on m2: vgchange -a n vg_csync; vgchange --deltag m2 vg_csync\n +5\. on m2: start cf-serverd if none runs\n +6\. on m1: cmmodpkg -e -n m2 csync\n$/,
    );
    expect((await csync('recover </dev/null')).exitCode).toBe(2);
    expect((await condition('m2')).stdout).toBe('1\n1\nlv_csync\n1\n');
    const done = await csync('recover --yes --run');
    expect(done.exitCode, done.stderr).toBe(0);
    expect((await condition('m2')).stdout).toBe('0\n0\n1\n');
    expect(await used.drills.waitServed()).toBe('m1');
    expect((await csync('status --json')).stdout).toContain('"advice":[]');
    expect((await csync('recover --yes')).stdout).toContain('Nothing is left behind');
  });

  everyStepIt('a member out of reach: it says that only a person can know, and changes nothing', async () => {
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const refused = await csync('recover --yes');
    expect([refused.exitCode, refused.stderr]).toEqual([4, expect.stringContaining('member m3')]);
    await used.lab.ask({ verb: 'boot', member: 'm3' });
  });

  it('remove halts and deletes the package and leaves what is not its own; a second time there is nothing to do', async () => {
    await sh('m2', 'mkdir -p /etc/rc.config.d; echo "CSYNC_CONFIGURED=1" > /etc/rc.config.d/cfservd');
    const removed = await csync('remove --yes --unconfigure');
    expect(removed.exitCode, removed.stderr).toBe(0);
    expect(removed.stdout).toContain('Not removed:');
    expect((await used.lab.exec('m1', ['cmgetconf', '-p', 'csync'])).exitCode).not.toBe(0);
    expect((await sh('m2', 'cat /etc/rc.config.d/cfservd')).stdout).toBe('CSYNC_CONFIGURED=0\n');
    for (const member of ['m1', 'm2']) expect((await condition(member)).stdout, member).toBe('0\n0\n1\n');
    expect((await sh('m1', 'ls /usr/local/cmcluster/conf/csync/csync.sh')).exitCode).toBe(0);
    expect((await csync('remove --yes')).stdout).toBe('csync is not configured in this cluster.\n');
  });
});
