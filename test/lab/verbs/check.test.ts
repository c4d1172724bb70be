/** csync check on a cluster, sound and broken. */
import { describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync check in the lab', { timeout: 300_000 }, () => {
  const used = useLab('check', { deployed: true });
  const { sh, csync } = typedIn(used);
  const check = async () => {
    const { exitCode, stdout } = await csync('check --json');
    const report = JSON.parse(stdout) as {
      problems: { code: string; member?: string; text: string }[];
      looks: number;
      leftOut: unknown[];
    };
    return { exitCode, ...report, found: report.problems.map(({ code, member }) => `${code} ${member}`) };
  };

  it('finds nothing in a sound cluster, before and while the package runs', async () => {
    await used.drills.waitServed();
    expect(await check()).toMatchObject({ exitCode: 0, problems: [], looks: 49, leftOut: [] });
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    expect(await check()).toMatchObject({ exitCode: 0, problems: [], looks: 49, leftOut: [] });
  });

  it('finds on each member what was broken there, all at once', async () => {
    await sh(
      'm2',
      'echo "# mine" >> /usr/local/cmcluster/conf/csync/csync.sh; echo "/dev/vg_csync/lv_csync /csync ext4 defaults 0 2" >> /etc/fstab; chattr -i /csync 2>/dev/null; touch /csync/stale',
    );
    await sh(
      'm3',
      'sed -i "s/^10.9.0.100.*/10.9.0.100 other.lab/" /etc/hosts; ip link set eth0 mtu 1400; pkill -x cf-serverd; rm /etc/lvm/lvm.conf',
    );
    const { exitCode, found } = await check();
    expect(exitCode).toBe(1);
    expect(found.sort()).toEqual([
      'check-fstab m2',
      'check-mount-point m2',
      // Frames of 1500 that m3 does not take, and nobody says so.
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
    await sh('c1', 'ip link set eth0 mtu 1400');
    await sh('c2', 'pkill -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done');
    const { problems } = await check();
    const ofClients = problems.filter(({ code }) => code.startsWith('check-client'));
    expect(ofClients.map(({ code, member, text }) => `${code} ${member} ${/\bc\d/.exec(text)?.[0]}`).sort()).toEqual([
      'check-client-mtu m1 c1',
      'check-client-mtu m2 c1',
      'check-client-port m1 c2',
      'check-client-port m2 c2',
      'check-client-port m3 c2',
    ]);
  });

  everyStepIt('a member out of reach is told, and what was not looked at is left out', async () => {
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const { exitCode, found, leftOut } = await check();
    expect(exitCode).toBe(1);
    expect(found).toContain('check-unreachable m3');
    expect(leftOut).toHaveLength(16 + 2);
  });
});
