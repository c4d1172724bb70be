/** Hosts as in public bug reports of other products (docs/proof/public-reports.md). */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const state = '/var/lib/cfengine3/state';

describe.skipIf(whyNoLab !== null)('a host as in a public report', { timeout: 300_000 }, () => {
  const used = useLab('reports', { deployed: true, watched: false });
  const { sh, must, done, json, broken } = typedIn(used);
  const owner = async () => (await used.drills.view()).owner;
  const movedFrom = (member: string) =>
    eventually(`another member than ${member} serves`, async () => ![null, member].includes(await owner()), 30_000);
  const back = async () => {
    for (const member of ['m1', 'm2', 'm3']) await must(member, `cmmodpkg -e -n ${member} csync`);
    await serving(used);
  };

  // First: within 45 s of a rotation of keys, a monitor that has not seen the daemon yet takes its exit for the announced restart.
  it('has a container with a copy of the mount: the halt unmounts it there, and the package moves', async () => {
    await serving(used);
    const member = (await owner()) ?? '';
    const held = await must(member, 'unshare --mount --propagation private sleep 600 >/dev/null 2>&1 </dev/null & echo $!');
    await eventually(
      'the copy',
      async () => (await sh(member, `grep -q ' /csync ' /proc/${held.trim()}/mountinfo`)).exitCode === 0,
    );
    await must(member, 'pkill -KILL cf-serverd');
    await movedFrom(member);
    expect(await must(member, `kill ${held.trim()}; grep copies /usr/local/cmcluster/run/log/csync.log | tail -n 1`)).toContain(
      '[no-copies]',
    );
    await back();
  });

  it('loses the package address to a network manager: another member serves', async () => {
    const member = (await owner()) ?? '';
    await must(member, 'ip addr del 10.9.0.100/24 dev eth0');
    await movedFrom(member);
    await back();
  });

  it('names itself 127.0.1.1: no rule of the policy has a loopback address of it', async () => {
    await serving(used);
    for (const member of ['m1', 'm2', 'm3'])
      await broken(
        member,
        `cp /etc/hosts /etc/kept; sed '1i 127.0.1.1 ${member}.lab ${member}' /etc/kept > /etc/hosts`,
        'cat /etc/kept > /etc/hosts',
      );
    await done('members sync --yes');
    await done('client add c1 c2 --yes');
    const rules = await must('m1', 'cat /csync/dsau/masterfiles/controls/cf_serverd.cf');
    expect(rules).toContain('"10.9.0.12"');
    expect(rules).not.toContain('127.0.1.1');
    await done('keys verify');
  });

  it('sets a German locale at its login: set-up, keys and apply read no translated message', async () => {
    for (const host of ['m1', 'm2', 'm3', 'c1', 'c2'])
      await broken(
        host,
        "cp /root/.bashrc /root/.kept 2>/dev/null; sed -i '1i export LC_ALL=de_DE.UTF-8' /root/.bashrc || echo 'export LC_ALL=de_DE.UTF-8' > /root/.bashrc",
        'mv /root/.kept /root/.bashrc || rm /root/.bashrc',
      );
    for (const words of ['members sync --yes', 'client add c1 c2 --yes', 'keys verify', 'diff', 'keys rotate --yes'])
      await done(words);
  });

  it.each(['c1', 'm3'])('has inputs as a link: the policy is fetched (%s)', async (host) => {
    await broken(
      host,
      'cd /var/lib/cfengine3 && mv inputs /etc/cfengine3 && ln -s /etc/cfengine3 inputs',
      'cd /var/lib/cfengine3 && rm inputs && mv /etc/cfengine3 inputs',
    );
    await must(host, 'rm /etc/cfengine3/site.cf && cf-agent -Kf update.cf && test -s /etc/cfengine3/site.cf');
  });

  it('has files from the future: hosts fetch what is committed behind them', async () => {
    await must('m1', 'find /csync/dsau/masterfiles -exec touch -d "+2 days" {} +');
    await must('c1', 'find /var/lib/cfengine3/inputs -type f -exec touch -d "+3 days" {} +');
    await must('m1', 'cd /root && rm -rf work && csync policy show --copy work && echo "# later" >> work/site.cf');
    await done('policy commit work');
    expect(await must('c1', 'cf-agent -Kf update.cf && tail -n 1 /var/lib/cfengine3/inputs/site.cf')).toBe('# later\n');
  });

  it('has a repository and an immutable file in the master copy: a commit keeps the one and replaces the other', async () => {
    const tree = '/csync/dsau/masterfiles';
    await must('m1', `cd ${tree} && mkdir .git && echo ref > .git/HEAD && chattr +i site.cf`);
    await must('m1', 'cd /root && rm -rf work && csync policy show --copy work && echo "# fixed" >> work/site.cf');
    await done('policy commit work');
    expect(await must('m1', `tail -n 1 ${tree}/site.cf; cat ${tree}/.git/HEAD; rm -r ${tree}/.git`)).toBe('# fixed\nref\n');
  });

  it('has a file in the master copy whose name is not UTF-8: it is named, and after its rename a commit works', async () => {
    const tree = '/csync/dsau/masterfiles';
    const named = `"$(printf 'caf\\351.txt')"`;
    await must('m1', `rm -rf /root/work && cd /root && csync policy show --copy work && echo "# named" >> work/site.cf`);
    const repaired = await broken('m1', `: > ${tree}/${named}`, `mv ${tree}/${named} ${tree}/cafe.txt`);
    for (const words of ['policy commit work', 'policy show --copy other']) {
      const refused = await json(words);
      expect([refused.exitCode, refused.codes], words).toEqual([3, ['policy-name']]);
      expect(refused.problems[0]?.text, words).toContain('caf\uFFFD.txt');
    }
    await repaired();
    await done('policy commit work');
    await must('m1', `: > /root/work/${named}`);
    expect((await json('policy commit work')).problems[0]?.text).toContain('UTF-8');
  });

  it('has damaged databases: cfengine repairs one at each start, and the member becomes the master', async () => {
    await must(
      'm2',
      `pkill -KILL cf-serverd; cd ${state} && for file in cf_lastseen cf_lock cf_state; do rm -f $file.lmdb-lock; head -c 16384 /dev/urandom > $file.lmdb; done`,
    );
    await must('m1', 'cmhaltpkg csync && cmrunpkg -n m2 csync && cmmodpkg -e csync');
    expect(await owner()).toBe('m2');
    await must('c1', 'cf-agent -Kf update.cf');
    await must('m1', 'cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
  });
});
