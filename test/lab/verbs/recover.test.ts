/** What a failed halt leaves behind is shown and cleaned up; a package is taken out of the cluster again. */
import { describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync recover and remove in the lab', { timeout: 300_000 }, () => {
  const used = useLab('recover', { deployed: true, watched: false });
  const { sh, must, csync, json, done } = typedIn(used);
  const condition = (member: string) =>
    sh(
      member,
      'grep -c " /csync " /proc/mounts; ip -o -4 addr show | grep -c " 10.9.0.100/"; ls /dev/vg_csync 2>/dev/null; pgrep -c -x cf-serverd',
    );

  it('a cluster that is well has nothing to recover; without --yes and a terminal no question is asked', async () => {
    await serving(used);
    expect(await done('recover --yes')).toMatchObject({ outcome: 'unchanged', steps: [] });
    expect((await condition('m1')).stdout).toBe('1\n1\nlv_csync\n1\n');
  });

  it('address, mount with its users, volume group and switches: shown, then cleaned in order, only where the package is not', async () => {
    await serving(used);
    await must('m1', 'cmhaltpkg csync; cmmodpkg -d -n m2 csync');
    const leave = [
      'vgchange --addtag m2 vg_csync',
      'vgchange -a y vg_csync',
      'mount -t ext4 /dev/vg_csync/lv_csync /csync',
      'ip addr add 10.9.0.100/24 dev eth0',
      // A user who works there, and the daemon in mid transfer.
      '(cd /csync && exec sleep 1000) >/dev/null 2>&1 &',
    ];
    await must('m2', leave.join('\n'));
    type Report = { condition: string; members: { member: string; seen: object }[]; advice: { remedy: string }[] };
    const seen = await json<Report>('status');
    expect([seen.exitCode, seen.condition]).toEqual([1, 'failed']);
    expect(seen.members[1]).toMatchObject({ member: 'm2', switching: false, seen: { mounted: true, address: true } });
    expect(seen.advice[0]?.remedy).toMatch(/^csync recover/);
    const steps = [
      /^on m2: cmmodnet -r -i 10\.9\.0\.100 10\.9\.0\.0$/,
      /^on m2: fuser -km \/csync.*\bsleep \(pid \d+\)/,
      /^on m2: umount \/csync$/,
      /^on m2: vgchange -a n vg_csync; vgchange --deltag m2 vg_csync$/,
      /^on m2: .*cf-serverd/,
      /^on m1: cmmodpkg -e -n m2 csync$/,
    ].map((step) => expect.stringMatching(step));
    expect(await done('recover --dry-run')).toMatchObject({ outcome: 'would be done', steps });
    expect((await csync('recover </dev/null')).exitCode).toBe(2);
    expect((await condition('m2')).stdout).toBe('1\n1\nlv_csync\n1\n');
    await done('recover --yes --run');
    expect((await condition('m2')).stdout).toBe('0\n0\n1\n');
    expect(await used.drills.waitServed()).toBe('m1');
    expect(await json('status')).toMatchObject({ condition: 'serving', advice: [] });
    expect(await done('recover --yes')).toMatchObject({ outcome: 'unchanged', steps: [] });
  });

  everyStepIt('a member out of reach: it says that only a person can know, and changes nothing', async () => {
    await serving(used);
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const refused = await json('recover --yes');
    expect([refused.exitCode, refused.codes]).toEqual([4, ['cluster-unreachable m3']]);
    await used.lab.ask({ verb: 'boot', member: 'm3' });
  });

  it('remove halts and deletes the package and leaves what is not its own; a second time there is nothing to do', async () => {
    await serving(used);
    const conf = await must('m1', 'cmgetconf -p csync');
    await must('m2', 'mkdir -p /etc/rc.config.d; echo "CSYNC_CONFIGURED=1" > /etc/rc.config.d/cfservd');
    const files = async () =>
      (
        await sh(
          'm1',
          'cd /usr/local/cmcluster/conf/csync && find . -type f ! -name ".*" | xargs sha256sum; ls /var/lib/cfengine3/ppkeys /var/lib/cfengine3/inputs',
        )
      ).stdout;
    const before = await files();
    expect(await done('remove --yes --unconfigure')).toMatchObject({ outcome: 'done' });
    expect((await used.lab.exec('m1', ['cmgetconf', '-p', 'csync'])).exitCode).not.toBe(0);
    expect(await must('m2', 'cat /etc/rc.config.d/cfservd')).toBe('CSYNC_CONFIGURED=0\n');
    for (const member of ['m1', 'm2']) expect((await condition(member)).stdout, member).toBe('0\n0\n1\n');
    expect(await files(), 'its files, keys and policies').toBe(before);
    expect(await done('remove --yes')).toMatchObject({ outcome: 'unchanged', steps: [] });
    await must('m1', `cat > /root/back.conf <<'END'\n${conf}END\ncmapplyconf -f -P /root/back.conf`);
  });
});
