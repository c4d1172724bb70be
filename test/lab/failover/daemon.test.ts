/** The lab's one daemon serves all members: nothing that hangs on one of them, and no order of power and cable, stops it. */
import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('the daemon of a lab', { timeout: 180_000 }, () => {
  const used = useLab('daemon', { deployed: true, watched: false });
  const { sh } = typedIn(used);
  const answers = async (): Promise<void> => {
    const asked = performance.now();
    expect((await sh('m1', 'cmviewcl -v -f line')).exitCode).toBe(0);
    await used.lab.status();
    expect(performance.now() - asked).toBeLessThan(5000);
  };
  const log = '/usr/local/cmcluster/run/log';
  afterAll(async () => {
    await sh('m2', `fsfreeze -u ${log} 2>/dev/null; true`);
  });

  it('goes on while the log of a member is on a file system that hangs', async () => {
    await serving(used);
    const made = await sh(
      'm2',
      [
        'set -e; truncate -s 8M /root/log.img; mkfs.ext4 -q /root/log.img',
        '[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237',
        'device=$(losetup -f); [ -b "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"',
        `mkdir -p ${log}; losetup "$device" /root/log.img; mount "$device" ${log}; losetup -d "$device"; fsfreeze -f ${log}`,
      ].join('\n'),
    );
    expect([made.exitCode, made.stderr]).toEqual([0, '']);
    const moved = sh('m1', 'cmhaltpkg csync && { cmrunpkg -n m2 csync; cmmodpkg -e csync; }');
    await eventually('the start on m2 to be begun', async () =>
      /state=(starting|running)/.test((await used.lab.view('csync')) ?? ''),
    );
    for (let round = 0; round < 5; round += 1) await answers();
    await sh('m2', `fsfreeze -u ${log}`);
    await moved;
    await used.drills.waitServed();
    await answers();
    expect((await sh('m2', `umount -l ${log}`)).exitCode).toBe(0);
  });

  it('does not wait for who writes a FIFO', async () => {
    await sh('m3', 'rm -f /root/fifo.conf; mkfifo /root/fifo.conf');
    expect((await sh('m3', 'cmcheckconf -P /root/fifo.conf')).exitCode).toBe(1);
    await answers();
  });

  it('takes the power of a member whose file system is frozen, and it is not frozen on the next one', async () => {
    await serving(used);
    const owner = 'm1';
    expect((await sh(owner, 'fsfreeze -f /csync && ( echo late > /csync/late ) > /dev/null 2>&1 < /dev/null &')).exitCode).toBe(
      0,
    );
    await used.lab.ask({ verb: 'crash', member: owner });
    const next = await used.drills.waitServed(owner);
    expect((await sh(next, 'echo more > /csync/more')).exitCode).toBe(0);
    await used.lab.ask({ verb: 'boot', member: owner });
    await answers();
  });

  it('knows the cable of a member without power', async () => {
    await serving(used);
    const { lab } = used;
    const carrier = async (): Promise<string> => (await sh('m3', 'cat /sys/class/net/eth0/operstate')).stdout.trim();
    await lab.ask({ verb: 'cut', member: 'm3' });
    await lab.ask({ verb: 'crash', member: 'm3' });
    await lab.ask({ verb: 'heal', member: 'm3' });
    await lab.ask({ verb: 'boot', member: 'm3' });
    expect(await carrier()).toBe('up');
    await lab.ask({ verb: 'crash', member: 'm3' });
    await lab.ask({ verb: 'cut', member: 'm3' });
    await lab.ask({ verb: 'boot', member: 'm3' });
    expect(await carrier()).not.toBe('up');
    expect((await sh('m1', 'cmviewcl -v')).stdout).toMatch(/m3[\s\S]*down/);
    await lab.ask({ verb: 'heal', member: 'm3' });
    expect(await carrier()).toBe('up');
  });

  it('the output of its commands may be read in part', async () => {
    await serving(used);
    const { stdout, stderr } = await sh(
      'm1',
      'for n in 1 2 3; do cmviewcl -v | head -n 1 || echo failed; done; csync check | true; csync status | head -n 1',
    );
    expect(stdout + stderr).not.toMatch(/EPIPE|node:|failed/);
  });

  it('a change whose reader goes away is a whole change', async () => {
    await serving(used);
    const changed = await sh(
      'm1',
      'cd /root && sed -i "/^package_description:/d" csync.yaml && echo "package_description: read by no user" >> csync.yaml && rm -f /root/p && mkfifo /root/p && ( exec 3<>/root/p 4>/root/p 3<&-; csync apply --yes >&4 2>&4 ); echo "$?"; csync diff',
    );
    expect([changed.stdout.split('\n')[0], changed.exitCode]).toEqual(['0', 0]);
  });
});
