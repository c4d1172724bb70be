/** Labs that are not set up: what exists, what is missing, and what the start-up of a host does. */
import { describe, expect, it } from 'vitest';
import { readsLogins, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('a bare lab', { timeout: 300_000 }, () => {
  const used = useLab('bare', {
    deployed: false,
    bare: true,
    spares: ['m4', 'm5'],
    clients: 8,
    without: { ...readsLogins, names: 'the output of uname is compared' },
  });
  const { sh } = typedIn(used);
  const hosts = () => used.lab.spec.hosts;
  const withServiceguard = () => hosts().flatMap((host) => (host.kind === 'client' ? [] : [host.name]));
  const said = async (host: string, script: string) => {
    const done = await sh(host, script);
    return `${done.stdout}${done.stderr}`;
  };

  it('has the programs of cfengine on every host, and no key, no policy, no daemon, no package', async () => {
    for (const { name } of hosts()) {
      const found = await said(
        name,
        'cd /var/lib/cfengine3 && bin/cf-agent -V | cut -c 1-8; stat -c %a ppkeys; ls -A ppkeys inputs; pgrep -l cf-; ls $SGCONF 2>/dev/null; ls -A /csync 2>/dev/null',
      );
      expect(found, name).toBe(`CFEngine\n700\ninputs:\n\nppkeys:\n${withServiceguard().includes(name) ? 'scripts\n' : ''}`);
    }
  });

  it('reaches every host from every member and spare by ssh without a question', async () => {
    const names = hosts().map((host) => host.name);
    const called = { m1: names, m4: hosts().map((host) => host.address), m5: ['m1', 'c8'] };
    for (const [member, them] of Object.entries(called)) {
      const answers = await said(
        member,
        `for host in ${them.join(' ')}; do ssh -o StrictHostKeyChecking=yes $host uname -n; done`,
      );
      expect(answers.trim().split('\n'), member).toEqual(member === 'm5' ? them : names);
    }
  });

  it('has csync on every member and spare, also as the program that is notified of members', async () => {
    for (const member of withServiceguard()) {
      expect(await said(member, 'csync --version')).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect(await said(member, 'readlink /etc/csync-lab/events.d/csync_dispatcher')).toBe('/opt/dsau/bin/csync_dispatcher\n');
      // What it makes of its words is its own business; a Node.js and the toolkit it finds without a profile.
      expect(await said(member, 'env -i /opt/dsau/bin/csync_dispatcher --version')).not.toMatch(/not found|Cannot find/);
    }
  });

  it('has an empty policy file system that the members can mount', async () => {
    const mounted = await said(
      'm1',
      'vgchange --addtag m1 vg_csync && vgchange -a y vg_csync >/dev/null && mount /dev/vg_csync/lv_csync /csync && ls -A /csync; umount /csync; vgchange -a n vg_csync >/dev/null; vgchange --deltag m1 vg_csync',
    );
    expect(mounted).toBe('lost+found\n');
  });

  const initScript = (says: string) =>
    `mkdir -p /etc/rc.config.d; printf '#!/bin/sh\\necho "$0 $1 as $(id -un)" | tee -a /root/started; exit 3\\n' > /etc/init.d/cfservd; chmod 755 /etc/init.d/cfservd; echo '${says}' > /etc/rc.config.d/cfservd`;

  it('boots a host as a system without systemd: the init script, if it is configured', async () => {
    await sh('m4', initScript('CSYNC_CONFIGURED=1'));
    await sh('c8', initScript('CSYNC_CONFIGURED="1"'));
    await sh('m5', initScript('CSYNC_CONFIGURED=0'));
    await sh('c7', `${initScript('CSYNC_CONFIGURED=1')}; chmod 644 /etc/init.d/cfservd`);
    for (const host of ['m4', 'm5', 'c7', 'c8']) {
      await used.lab.ask({ verb: 'crash', member: host });
      await used.lab.ask({ verb: 'boot', member: host });
    }
    const started = async (host: string) => (await sh(host, 'cat /root/started')).stdout;
    expect(await started('m4')).toBe('/etc/init.d/cfservd start as root\n');
    expect(await started('c8')).toBe('/etc/init.d/cfservd start as root\n');
    expect([await started('m5'), await started('c7')]).toEqual(['', '']);
    const noted = used.drills.entries.filter((entry) => entry.what === 'init-script');
    expect(noted.map(({ member, text }) => [member, text])).toEqual(
      ['m4', 'c8'].map((host) => [host, expect.stringMatching(/\b3\b/)]),
    );
  });
});
