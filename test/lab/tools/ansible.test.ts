/** The Ansible collection: it installs, changes and checks a lab cluster, with the commands, inventory and variables of its page. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { codeBelow, readPage } from '../../markdown.ts';
import { everyStep, have, repository } from '../../support.ts';
import { story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const whyNot = whyNoLab ?? (have('ansible-playbook') ? null : 'ansible-core is not installed');
if (whyNot !== null) console.warn(`the Ansible collection is not run: ${whyNot}`);

const [install = '', inventory = '', variables = '', commands = ''] = codeBelow(
  readPage('ansible/README.md'),
  'Set up csync with Ansible',
);
const [inCheckMode = '', run = ''] = commands.split('\n');
const control = 'c2';
const atControl = 'cd /root && export LC_ALL=C.UTF-8';

/** Hosts with what a play changed there; empty: nothing. */
function changedIn(printed: string): Record<string, number> {
  const recap = [...printed.matchAll(/^(\w+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 /gm)];
  expect(recap.length, printed).toBe(3);
  return Object.fromEntries(recap.flatMap(([, host = '', count]) => (count === '0' ? [] : [[host, Number(count)]])));
}

// The lab itself takes time, so it is not even started for a test that is skipped.
describe.skipIf(whyNot !== null || !everyStep)('the Ansible collection', () => {
  const used = useLab('ansible', { deployed: false });
  const { sh, must, json, done } = typedIn(used, 'csync');
  const { longChapter } = story(600_000);
  const members = ['m1', 'm2', 'm3'];
  const play = async (command: string) => must(control, `${atControl} && ${command}`);
  /** What lies where the collection writes. */
  const written = (member: string) =>
    must(member, 'cat /etc/csync/csync.yaml 2>&1; ls -l /usr/local/bin /usr/local/lib /run/csync-ansible* 2>&1; ls /opt');

  beforeAll(async () => {
    cpSync(join(repository, 'ansible'), join(used.lab.spec.home, 'shared/ansible'), { recursive: true });
    for (const member of members) await must(member, 'rm /usr/local/bin/csync /root/csync.yaml');
    await must('m1', 'cmruncl -v');
    const release =
      'mkdir -p csync-0.2.0/usr/share && cp -r /opt/csync csync-0.2.0/usr/share/csync && tar -czf csync-0.2.0.tar.gz csync-0.2.0';
    await must(control, `${atControl} && cp -r /run/csync-lab/ansible . && ${release} && ${install.replaceAll('\n', ' && ')}`);
    await must(
      control,
      `cd /root && mkdir group_vars && cat > hosts.yml <<'END'\n${inventory}\nEND\ncat > group_vars/all.yml <<'END'\n${variables}\nEND`,
    );
  });

  longChapter('goes from nothing to a served package; a second run changes nothing', async () => {
    const before = await written('m1');
    await play(inCheckMode);
    expect(await written('m1')).toBe(before);
    expect(changedIn(await play(run))).toEqual({ m1: expect.any(Number) });
    await used.drills.waitServed();
    for (const member of members) expect((await sh(member, 'csync --version')).exitCode, member).toBe(0);
    const { clients } = await done<{ clients: readonly { name: string }[] }>('client list --settings /etc/csync/csync.yaml');
    expect(clients.map(({ name }) => name)).toEqual(['c1']);
    expect(changedIn(await play(run))).toEqual({});
  });

  longChapter('an edit: check mode prints the steps and changes nothing, then the package gets it without a halt', async () => {
    const mark = used.drills.entries.length;
    await must(control, `cd /root && echo '  halt_grace_seconds: 31' >> group_vars/all.yml`);
    const before = await written('m1');
    const printed = await play(inCheckMode);
    expect(changedIn(printed)).toEqual({ m1: expect.any(Number) });
    expect(printed).toContain('distribute to m3: csync.conf sets/');
    expect(await written('m1')).toBe(before);
    expect((await json('diff --settings /etc/csync/csync.yaml')).exitCode).toBe(0);
    expect(changedIn(await play(run))).toEqual({ m1: expect.any(Number) });
    expect(await must('m3', 'grep -h haltGraceSeconds /usr/local/cmcluster/conf/csync/sets/*/settings.json')).toContain('31');
    expect(changedIn(await play(run))).toEqual({});
    expect(used.drills.entries.slice(mark).filter(({ what }) => what === 'halting')).toEqual([]);
  });

  longChapter('a wrong setting is refused before csync.yaml is replaced', async () => {
    const before = await written('m1');
    const refused = await sh(control, `${atControl} && sed 's/31/soon/' -i group_vars/all.yml && ${run}`);
    expect([refused.exitCode, refused.stdout]).toEqual([2, expect.stringContaining('halt_grace_seconds')]);
    expect(await written('m1')).toBe(before);
  });
});
