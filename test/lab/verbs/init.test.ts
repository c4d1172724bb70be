/** `csync init` on a member of a lab: against its cmviewcl, its resolver and its ssh. */
import { describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { reported, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync init on a member', { timeout: 300_000 }, () => {
  const used = useLab('init', { deployed: false, watched: false, without: { sudo: 'init gets no --set ssh_user' } });
  const { sh, must } = typedIn(used);
  const toolkit = 'node /opt/csync/csync.mjs';

  it('finds everything, and settings check takes what it writes', async () => {
    const place = 'mkdir -p /tmp/w && cd /tmp/w && rm -f csync.yaml';
    const made = JSON.parse(await must('m2', `${place} && ${toolkit} init --yes --json`));
    expect(made).toMatchObject({ output: 'csync.yaml', from: { members: 'cmviewcl' }, problems: [] });
    const { settings } = JSON.parse(await must('m2', `cd /tmp/w && ${toolkit} settings check --json`));
    expect(settings).toEqual(made.settings);
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
    const made = await must('m1', `cd /root && ${toolkit} init --yes --force`);
    const steps = [...made.matchAll(/^ *csync .*/gm)].map(([line]) => line.trim());
    expect(steps.map((line) => line.split(' ')[1])).toEqual(['check', 'members', 'apply', 'apply']);
    const run = steps
      .join('\n')
      .replaceAll(/^csync /gm, `${toolkit} `)
      .replace('--run', '--run --yes')
      .replace('members sync', 'members sync --yes');
    expect((await used.lab.exec('m1', ['cmruncl'])).exitCode).toBe(0);
    await must('m1', `cd /root && set -e\n${run}`);
    await used.drills.waitServed();
  });

  everyStepIt('a member that is away is reported and not waited for', async () => {
    await used.lab.ask({ verb: 'cut', member: 'm3' });
    const made = reported<{ unseen: object }>(await sh('m2', `cd /tmp && ${toolkit} init --dry-run --yes --json`), 'init');
    expect([made.exitCode, Object.keys(made.unseen)]).toEqual([0, ['m3']]);
    await used.lab.ask({ verb: 'heal', member: 'm3' });
  });
});
