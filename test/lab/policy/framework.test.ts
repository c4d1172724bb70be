/** A site whose policy is the Masterfiles Policy Framework: Debian's own files, joined by def.json, with real agents that run its update.cf. */
import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { readPage, shownCommands } from '../../markdown.ts';
import { story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const framework = '/usr/share/cfengine3/masterfiles';
const whyNot = whyNoLab ?? (existsSync(`${framework}/promises.cf`) ? null : `${framework} is missing`);
if (whyNot !== null) console.warn(`the Masterfiles Policy Framework is skipped: ${whyNot}`);

/** def.json of the site. */
const site = {
  vars: { acl: ['10.77.0.0/16'], mailto: 'root@lab' },
  classes: { disable_inventory_package_refresh: ['any'], services_autorun: ['any'] },
};

const [served, work] = ['/csync/dsau/masterfiles', '/var/lib/cfengine3'];

describe.skipIf(whyNot !== null)('a site with the Masterfiles Policy Framework', () => {
  const used = useLab('framework', { deployed: false, bare: true, clients: 2, watched: false });
  const { sh, must, json, done } = typedIn(used);
  const { longChapter } = story(200_000);
  const commands = shownCommands(readPage('docs/how-to/masterfiles-framework.md'));
  const type = (wanted: typeof commands) =>
    wanted.reduce<Promise<unknown>>(
      (before, { host, command }) => before.then(() => must(host, `. /etc/cmcluster.conf; cd /root; ${command}`)),
      Promise.resolve(),
    );
  const edits = commands.findIndex(({ command }) => command.startsWith('csync policy show'));
  /** What a host's own run of the framework's update.cf complains about. */
  const complaints = async (host: string): Promise<string> =>
    (await sh(host, 'cf-agent -K -f update.cf 2>&1 | grep -E "error:|TRUST"; true')).stdout;
  const commit = async (name: string, text: string): Promise<void> => {
    await must('m1', `cd /root; rm -rf again; csync policy show --copy again > /dev/null; printf '%s' '${text}' > again/${name}`);
    await done(`policy commit again -m ${name}`);
  };
  const has = (host: string, name: string) => sh(host, `cat ${work}/inputs/${name}`).then(({ stdout }) => stdout.trim());
  const nextKeys = async () =>
    (await must((await used.drills.view()).owner ?? '', 'ls /csync/dsau/public_keys')).split('\n').filter(Boolean);

  longChapter('is set up as the page says: no file of the framework is changed, and hosts fetch with its update.cf', async () => {
    await must('m1', 'cmruncl -v; cd /root; rm -f csync.yaml');
    await must(
      'm1',
      '. /etc/cmcluster.conf; cd /root; csync init --yes --set volume_group=vg_csync --set logical_volume=lv_csync',
    );
    const copied = commands.findIndex(({ command }) => command.includes('cp -r')) + 1;
    await type(commands.slice(0, copied));
    await must('m1', `echo '${JSON.stringify(site)}' > ${served}/def.json`);
    await type(commands.slice(copied, edits));
    const changed = (await sh('m1', `diff -rq ${framework} ${served}`)).stdout.trim().split('\n');
    const files = changed.map((line) => line.replace(/^Only in \S+: |^Files \S+\/(\S+) and .*/, '$1')).sort();
    expect(files).toEqual(['csync_members.cf', 'csync_server.cf', 'csync_update.cf', 'def.json', 'failsafe.cf']);
    const { vars, classes } = JSON.parse(await must('m1', `cat ${served}/def.json`));
    expect([vars, classes]).toMatchObject([
      { mailto: 'root@lab', acl: ['10.77.0.0/16', '@(csync_hosts.allowed)'] },
      site.classes,
    ]);
    const others = `grep -v 'csync_\\|/def.json\\|: def.json\\|failsafe.cf\\|: cf_promises'`;
    for (const host of ['m1', 'm2', 'm3', 'c1']) {
      expect((await sh(host, `diff -rq ${framework} ${work}/inputs | ${others}`)).stdout, host).toBe('');
      expect(await complaints(host), host).toBe('');
    }
    expect(await json('members sync --dry-run')).toMatchObject({ exitCode: 0, outcome: 'unchanged' });
  });

  longChapter('an edit is committed as the page says, and a client runs it', async () => {
    await type(commands.slice(edits));
    expect(await has('c1', 'services/autorun/motd.cf')).toContain('bundle agent site_motd');
    await must('m1', 'cd /root; printf "{}" > work/def.json');
    const refused = await json('policy commit work -m gone');
    expect(refused.codes).toEqual(['policy-toolkit-file']);
    expect(refused.problems[0]?.remedy).toContain('@(csync_hosts.allowed)');
  });

  longChapter('a failover moves the master, and clients fetch from the next one', async () => {
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).not.toBe('m1');
    await must('m1', 'cmmodpkg -e -n m1 csync');
    await commit('after.txt', 'after the failover');
    expect(await complaints('c1')).toBe('');
    expect(await has('c1', 'after.txt')).toBe('after the failover');
  });

  longChapter('a rotation locks no client out, also one that has the new key from its update.cf alone', async () => {
    await must('m1', 'cd /root; csync client add c2 --yes');
    // ssh does not reach c2: no key can be pushed.
    await must('c2', 'mv /root/.ssh/authorized_keys /root/.ssh/aside');
    const [before = ''] = await nextKeys();
    expect((await json('keys rotate --yes')).exitCode).toBe(5);
    const [next = ''] = (await nextKeys()).filter((name) => name !== before);
    expect(next).toMatch(/^root-MD5=/);
    expect((await sh('c2', `ls ${work}/ppkeys`)).stdout).not.toContain(next);
    expect(await complaints('c2')).toBe('');
    expect((await sh('c2', `ls ${work}/ppkeys`)).stdout).toContain(next);
    await must('c2', 'mv /root/.ssh/aside /root/.ssh/authorized_keys');
    await done('keys rotate --yes');
    expect(await nextKeys()).toEqual([next]);
    await commit('rotated.txt', 'after the rotation');
    for (const client of ['c1', 'c2']) {
      expect(await complaints(client), client).toBe('');
      expect(await has(client, 'rotated.txt'), client).toBe('after the rotation');
    }
    expect(await json('keys verify')).toMatchObject({ exitCode: 0 });
  });
});
