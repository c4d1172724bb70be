/** Members added and removed online, really: the commands of the manual, what they refuse, the package on the new member, the notices. */
import { beforeAll, describe, expect } from 'vitest';
import { eventually } from '../../support.ts';
import { codesIn, story, typedAsRoot, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('members that are added and removed', () => {
  const used = useLab('membership', {
    deployed: true,
    spares: ['m4'],
    clients: 1,
    without: typedAsRoot,
    // The new member is set up by hand here: the policy must not turn it away.
    changes: { clientNetworks: ['10.9.0.0/24'] },
  });
  const { sh, must, done } = typedIn(used);
  const { chapter } = story(120_000);
  const cluster = () => used.lab.spec.name;
  const nodes = (...names: readonly string[]) => names.map((name) => `-n ${name}`).join(' ');
  const query = (...names: readonly string[]) => `cmquerycl -C /root/cluster.ascii -c ${cluster()} ${nodes(...names)}`;
  const apply = 'cmapplyconf -f -C /root/cluster.ascii';
  const viewed = async (member: string) =>
    (await must(member, 'cmviewcl -f line -l node')).match(/(?<=name=)\w+|(?<=\|status=)\w+/g);
  /** What the journal has about calls of one of the programs that are notified; the words and the result. */
  const told = (program: string) =>
    used.drills.entries.filter((entry) => entry.what === 'dispatched' && entry.text.includes(`/${program} `));

  /** csync's own would set the new members up; here that is done by hand. */
  beforeAll(async () => {
    for (const member of ['m1', 'm2', 'm3', 'm4']) await must(member, 'rm /etc/csync-lab/events.d/csync_dispatcher');
  });

  chapter('a spare machine is added online, down until cmrunnode, seen alike from every member', async () => {
    expect((await sh('m4', 'cmviewcl')).exitCode).toBe(1);
    await must('m1', query('m1', 'm2', 'm3', 'm4'));
    await must('m1', 'cmcheckconf -C /root/cluster.ascii');
    await must('m1', apply);
    for (const member of ['m1', 'm4'])
      expect(await viewed(member), member).toEqual(['m1', 'up', 'm2', 'up', 'm3', 'up', 'm4', 'down']);
    expect(await must('m2', 'cmviewcl')).toMatch(/ {2}m4 +down +halted/);
    await must('m1', 'cmrunnode m4');
    expect((await viewed('m4'))?.at(-1)).toBe('up');
    expect((await used.lab.status()).hosts.find((host) => host.name === 'm4')?.kind).toBe('member');
    expect(await must('m4', `cmgetconf -c ${cluster()} /root/read; cat /root/read`)).toMatch(/^NODE_NAME m4$/m);
  });

  chapter('the package gets the new member while it runs, and moves there', async () => {
    expect((await sh('m1', 'cmrunpkg -n m4 csync')).exitCode).not.toBe(0);
    const { work, start } = { work: '/var/lib/cfengine3', start: "sh -c 'cd / && cf-serverd -K' </dev/null >/dev/null 2>&1" };
    await must('m1', `scp -rpq ${work}/ppkeys ${work}/inputs m4:${work}/ && ssh m4 "${start}"`);
    const owner = await used.drills.waitServed();
    await must('m1', "sed -i 's/^members:.*/members: [m1, m2, m3, m4]/' /root/csync.yaml; grep -A4 ^members: /root/csync.yaml");
    await done('apply --yes');
    expect(await used.drills.waitServed(), 'it went on running').toBe(owner);
    for (const member of ['m2', 'm3'].filter((one) => one !== owner)) await must('m1', `cmmodpkg -d -n ${member} csync`);
    await must('m1', `cmhaltnode -f ${owner}`);
    expect(await used.drills.waitServed(owner)).toBe('m4');
    await used.drills.publishAndFetch();
    await must('m4', `cmrunnode ${owner}; cmmodpkg -e -n m2 -n m3 csync`);
    expect(await used.drills.invariants()).toEqual([]);
  });

  chapter('an active node, one that a package lists and an unknown host are refused, each with its fix', async () => {
    const refused = async (script: string) => {
      const { exitCode, stdout } = await sh('m1', script);
      return { exitCode, stdout, codes: codesIn(stdout) };
    };
    await must('m1', query('m1', 'm2', 'm4'));
    expect(await refused('cmcheckconf -C /root/cluster.ascii')).toMatchObject({
      exitCode: 1,
      codes: ['cluster-member-active'],
      stdout: expect.stringMatching(/cmhaltnode -f m3$/m),
    });
    await must('m1', 'cmhaltnode -f m3');
    expect(await refused(apply)).toMatchObject({
      exitCode: 1,
      codes: ['cluster-member-listed'],
      stdout: expect.stringMatching(/\bcsync\b.*\bm3\b[\s\S]*cmapplyconf -C/),
    });
    const unknown = { exitCode: 1, codes: ['cluster-host-unknown'], stdout: expect.stringContaining('nowhere') };
    expect(await refused(query('m1', 'nowhere'))).toMatchObject(unknown);
    await must('m1', "sed -i 's/m4/nowhere/' /root/cluster.ascii");
    // And what the file leaves out.
    expect(await refused(apply)).toMatchObject({
      ...unknown,
      codes: ['cluster-host-unknown', 'cluster-member-listed', 'cluster-member-active'],
    });
    await must('m1', `${query('m1', 'm2', 'm3', 'm4')}; sed -i 's/NODE_NAME m2/NODE_NAME m1/' /root/cluster.ascii`);
    expect(await refused(apply)).toMatchObject({ exitCode: 1, codes: ['cluster-file'] });
    expect(await viewed('m2')).toEqual(['m1', 'up', 'm2', 'up', 'm3', 'down', 'm4', 'up']);
  });

  chapter('a halted node is removed together with its line in the package, and can come back', async () => {
    await must('m1', `${query('m1', 'm2', 'm4')}; cmgetconf -p csync /root/p.conf; sed -i '/^node_name *"*m3/d' /root/p.conf`);
    await must('m1', `${apply} -P /root/p.conf`);
    expect(await viewed('m4')).toEqual(['m1', 'up', 'm2', 'up', 'm4', 'up']);
    expect((await sh('m3', 'cmviewcl')).exitCode).toBe(1);
    expect(await used.drills.waitServed()).toBe('m4');
    await must('m1', `${query('m1', 'm2', 'm3', 'm4')}; ${apply}; cmrunnode m3`);
    expect(await viewed('m3')).toEqual(['m1', 'up', 'm2', 'up', 'm4', 'up', 'm3', 'up']);
  });

  chapter(
    'programs of the events directory are called once a change with two words, and what they say is only noted',
    async () => {
      const events = '/etc/csync-lab/events.d';
      const script = (...lines: readonly string[]) => `printf '%s\\n' '#!/bin/sh' ${lines.map((line) => `'${line}'`).join(' ')}`;
      await must(
        'm2',
        `${script('echo "$#" "$@" "$(env | wc -l)" >> /root/told; echo heard')} > ${events}/a; chmod 755 ${events}/a`,
      );
      await must('m2', `${script('echo no >&2; exit 7')} > ${events}/b; chmod 755 ${events}/b; echo x > ${events}/c`);
      await must('m2', 'cmhaltnode -f m3');
      const changed = await sh('m2', `${query('m1', 'm2', 'm4')}; ${apply}`);
      expect(changed).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('heard') });
      await eventually('both to be called', () => told('b').length === 1);
      expect(told('a').map(({ member, text }) => [member, text])).toEqual([
        ['m2', `${events}/a MEMBER_DELETED: m3 exited with 0:\nheard`],
      ]);
      expect(told('b')[0]?.text).toBe(`${events}/b MEMBER_DELETED: m3 exited with 7:\nno`);
      await must('m2', `${query('m1', 'm2', 'm3', 'm4')}; ${apply}; cmapplyconf -f -C /root/cluster.ascii`);
      await eventually('them to be called again', () => told('b').length === 2);
      expect(await must('m2', 'cat /root/told')).toMatch(/^2 MEMBER_DELETED: m3 \d+\n2 MEMBER_ADDED: m3 \d+\n$/);
      expect(told('c')).toEqual([]);
      expect(used.drills.entries.filter((entry) => entry.what === 'dispatched' && entry.member !== 'm2')).toEqual([]);
    },
  );
});
