/** `csync init` on a member of a lab: against its cmviewcl, its resolver and its ssh. */
import { describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync init on a member', { timeout: 300_000 }, () => {
  const used = useLab('init', { deployed: false, watched: false });
  const on = (member: string, script: string) => used.lab.exec(member, ['sh', '-c', script]);
  const toolkit = 'node /opt/csync/csync.mjs';

  it('finds everything, and settings check takes what it writes', async () => {
    const made = await on('m2', `mkdir /tmp/w && cd /tmp/w && ${toolkit} init --yes && ls -A`);
    expect(made.exitCode, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/cmviewcl +cluster \S+: m1 m2 m3\n/);
    expect(made.stdout).toMatch(/\ncsync\.yaml\n$/);
    const checked = await on('m2', `cd /tmp/w && ${toolkit} settings check --json`);
    expect(checked.exitCode, checked.stderr).toBe(0);
    const { settings } = JSON.parse(checked.stdout) as { settings: Record<string, unknown> };
    expect(settings).toMatchObject({
      members: ['m1', 'm2', 'm3'],
      packageDnsName: 'csync.lab',
      packageAddress: '10.9.0.100',
      packageSubnet: '10.9.0.0',
      volumeGroup: 'vg_csync',
      logicalVolume: 'lv_csync',
      mountPoint: '/csync',
      cfengineGeneration: 3,
      cfengineBinDirectory: '/usr/bin',
      cfengineWorkDirectory: '/var/lib/cfengine3',
      packageDirectory: '$SGCONF/csync',
    });
  });

  it('what comes next is what it printed: checked, applied, running', async () => {
    const made = await on('m1', `cd /root && ${toolkit} init --yes --force`);
    expect(made.exitCode, made.stderr).toBe(0);
    const steps = made.stdout.split('Next steps:\n')[1] ?? '';
    const run = steps
      .replaceAll(/^ *csync /gm, `${toolkit} `)
      .replace('--run', '--run --yes')
      .replace('members sync', 'members sync --yes');
    expect((await used.lab.exec('m1', ['cmruncl'])).exitCode).toBe(0);
    const done = await on('m1', `cd /root && set -e\n${run}`);
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    await used.drills.waitServed();
  });

  everyStepIt('a member that is away is told of and not waited for', async () => {
    // Its hardware address stays known, so that the kernel never says that there is no route.
    const neighbour = 'neigh replace $(getent hosts m3 | cut -d " " -f 1) lladdr 02:00:00:00:00:99 dev eth0 nud';
    expect((await on('m2', `ip ${neighbour} permanent`)).exitCode).toBe(0);
    await used.lab.ask({ verb: 'cut', member: 'm3' });
    const made = await on('m2', `cd /tmp/w && ${toolkit} init --dry-run --yes`);
    expect(made.exitCode, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/m3 +not looked at: .*timed out/);
    await on('m2', `ip ${neighbour} stale`);
    await used.lab.ask({ verb: 'heal', member: 'm3' });
  });
});
