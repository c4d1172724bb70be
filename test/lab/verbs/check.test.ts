/** csync check on a cluster, sound and broken. */
import { describe, expect, it } from 'vitest';
import { everyStepIt, have } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync check in the lab', { timeout: 300_000 }, () => {
  const used = useLab('check', { deployed: true, without: { sudo: 'a member loses bash, which is the shell of the account' } });
  const { json, broken } = typedIn(used);
  const check = () => json<{ looks: number; leftOut: { member: string }[] }>('check');
  const isSound = { exitCode: 0, codes: [], leftOut: [] };

  it('finds nothing in a sound cluster, before and while the package runs', async () => {
    await serving(used);
    const running = await check();
    expect(running).toMatchObject(isSound);
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    expect(await check()).toMatchObject({ ...isSound, looks: running.looks });
  });

  it('finds on each member what was broken there, all at once', async () => {
    await serving(used);
    const directory = '/usr/local/cmcluster/conf/csync';
    await broken(
      'm2',
      `cp -p ${directory}/csync.sh /root; echo "# mine" >> ${directory}/csync.sh; echo "/dev/vg_csync/lv_csync /csync ext4 defaults 0 2" >> /etc/fstab; chattr -i /csync 2>/dev/null; touch /csync/stale`,
      `cp -p /root/csync.sh ${directory}; sed -i /lv_csync/d /etc/fstab; rm /csync/stale`,
    );
    await broken(
      'm3',
      'cp /etc/hosts /root; cat /root/hosts | sed "s/^10.9.0.100.*/10.9.0.100 other.lab/" > /etc/hosts; ip link set eth0 mtu 1400; pkill -x cf-serverd; mv /etc/lvm/lvm.conf /root',
      'cat /root/hosts > /etc/hosts; ip link set eth0 mtu 1500; mv /root/lvm.conf /etc/lvm',
    );
    const { exitCode, codes } = await check();
    expect(exitCode).toBe(1);
    expect([...codes].sort()).toEqual([
      'check-fstab m2',
      'check-mount-point m2',
      // Frames of 1500 that m3 does not take, and no host reports it.
      'check-mtu m1',
      'check-mtu m2',
      'check-name m3',
      'check-name m3',
      'check-network m3',
      'check-port m1',
      'check-port m2',
      'check-scripts m2',
      'check-volume-group m3',
    ]);
  });

  it('clients are known without being registered: who does not listen, and to whom large packets are lost', async () => {
    await serving(used);
    await broken('c1', 'ip link set eth0 mtu 1400', 'ip link set eth0 mtu 1500');
    await broken('c2', 'pkill -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done', 'cd / && cf-serverd -K');
    const { problems } = await check();
    const ofClients = problems.filter(({ code }) => code.startsWith('check-client'));
    expect(ofClients.map(({ code, member, text }) => `${code} ${member} ${/\bc\d/.exec(text)?.[0]}`).sort()).toEqual([
      'check-client-mtu m1 c1',
      'check-client-mtu m2 c1',
      'check-client-mtu m3 c1',
      'check-client-port m1 c2',
      'check-client-port m2 c2',
      'check-client-port m3 c2',
    ]);
  });

  /** m2 as a minimal installation, with a csh for root. */
  const minimal = () =>
    broken(
      'm2',
      `mv /usr/bin/bash /usr/bin/bash.away; mount -o remount,noexec /tmp; mount -o remount,noexec /run
cp /etc/passwd /root/passwd; sed -i '/^root:/s|[^:]*$|/usr/bin/tcsh|' /etc/passwd; mount --bind /dev/null /usr/bin/perl`,
      `umount /usr/bin/perl; mv /usr/bin/bash.away /usr/bin/bash; mount -o remount,exec /tmp; mount -o remount,exec /run
cat /root/passwd > /etc/passwd`,
    );

  it.skipIf(!have('tcsh'))('what a minimal member lacks is named with its cost, and nothing else is wrong there', async () => {
    await serving(used);
    await minimal();
    const { codes, problems, leftOut } = await check();
    expect(codes).toEqual(['check-programs m2', 'check-programs m2']);
    expect(problems.map(({ severity, text }) => `${severity} ${text.split(':')[0]}`)).toEqual([
      'warning /usr/bin/perl is missing',
      'warning bash is missing',
    ]);
    expect(leftOut, 'without bash it opens no connections').not.toEqual([]);
    expect(leftOut.filter(({ member }) => member !== 'm2')).toEqual([]);
  });

  everyStepIt('a member out of reach is reported, and what was not checked is skipped', async () => {
    await serving(used);
    const whole = await check();
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const { exitCode, codes, looks, leftOut } = await check();
    expect([exitCode, codes]).toEqual([1, ['check-unreachable m3', 'check-port m1', 'check-port m2']]);
    expect(looks + leftOut.length, 'each is done or skipped').toBe(whole.looks);
    expect(leftOut.filter(({ member }) => member === 'm3').length * 3, 'of m3 all').toBe(whole.looks - 1);
  });
});
