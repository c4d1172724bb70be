/** What root of one host does there may leave out that host, and no other: keys, addresses, in the verbs that look at all of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('one host excludes only itself', { timeout: 300_000 }, () => {
  const used = useLab('one-host', { deployed: true, clients: 2, watched: false });
  const { sh, csync } = typedIn(used);
  const must = async (host: string, script: string): Promise<string> => {
    const done = await sh(host, script);
    expect(done.exitCode, `${script}\n${done.stdout}${done.stderr}`).toBe(0);
    return done.stdout;
  };
  const errors = (text: string): string[] =>
    [...text.matchAll(/^error \[(\S+)\] member (\S+)$/gm)].map(([, code, of]) => `${code} ${of}`);

  beforeAll(async () => {
    expect((await csync('members sync --yes')).exitCode).toBe(0);
    expect((await csync('client add c1 c2 --yes')).exitCode).toBe(0);
    for (const member of ['m2', 'm3'])
      await must(member, 'ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up');
    const address = (await must('c2', "ip -o -4 addr show scope global | sed -n 's/.* inet \\([0-9.]*\\).*/\\1/p'"))
      .trim()
      .split('\n')[0];
    // Where c1 answers for it on the wire as well, c2 is out of reach, which no verb can help.
    await must('c1', `echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; ip addr add ${address}/24 dev lo noprefixroute`);
    await must('c1', 'cd /var/lib/cfengine3/ppkeys && rm localhost.priv localhost.pub && cf-key');
  }, 120_000);

  it('bridges of containers are nobody’s address, and members sync has nothing against them', async () => {
    const synced = await csync('members sync --yes');
    expect(synced.exitCode, synced.stderr).toBe(0);
    expect(await must('m1', '. /etc/cmcluster.conf; cat $SGCONF/csync/roster.json')).not.toContain('172.17.0.1');
  });

  it('keys rotate goes through for all but the client with another key, which it names', async () => {
    const before = JSON.parse((await csync('keys list --json')).stdout).cluster.key as string;
    const rotated = await csync('keys rotate --yes');
    expect([rotated.exitCode, errors(rotated.stderr)], rotated.stderr).toEqual([5, ['change-other-key c1']]);
    expect(rotated.stderr).toContain('csync client add c1 --accept-new-key');
    const { cluster, rotation } = JSON.parse((await csync('keys list --json')).stdout);
    expect([cluster.key === before, cluster.retired, rotation]).toEqual([false, [before], null]);
    expect((await sh('c2', 'cf-agent -KI -f update.cf 2>&1 | grep -E "error:|TRUST"')).stdout).toBe('');
  });

  it('the address of another client counts for that one only', async () => {
    const added = await csync('client add c1 --accept-new-key --yes');
    expect([added.exitCode, errors(added.stderr)], added.stderr).toEqual([0, []]);
    expect(added.stderr).toMatch(/warning \[settings-shared-address\] member c1\n.*which is the one of c2/);
    expect((await csync('keys verify')).exitCode).toBe(0);
    expect((await sh('c1', 'cf-agent -KI -f update.cf 2>&1 | grep -E "error:|TRUST"')).stdout).toBe('');
  });

  everyStepIt('an agent that hangs on one client costs its own set-up two minutes, and that of the others nothing', async () => {
    const agent = '/usr/bin/cf-agent';
    await must(
      'c1',
      `cp -a ${agent} /root/agent; rm ${agent}; printf '#!/bin/sh\\nexec sleep 1000\\n' > ${agent}; chmod 755 ${agent}`,
    );
    for (const client of ['c1', 'c2']) await must(client, 'rm -f /var/lib/cfengine3/ppkeys/root-*.pub');
    const began = performance.now();
    const command = 'cd /root && exec node /opt/csync/csync.mjs client sync c1 c2 --yes';
    const synced = await used.lab.exec('m1', ['sh', '-c', command], { timeoutMs: 240_000 });
    expect([synced.exitCode, errors(synced.stderr)], synced.stderr).toEqual([5, ['change-agent c1']]);
    expect(synced.stderr).toContain('c1 is skipped: c1: run the agent: it did not finish within 120 s, and was killed');
    expect(synced.stderr).toContain('then csync client sync c1');
    expect((performance.now() - began) / 1000).toBeLessThan(180);
    await must('c1', `rm ${agent}; mv /root/agent ${agent}`);
    const finished = await csync('client sync c1 --yes');
    expect(finished.exitCode, finished.stderr).toBe(0);
    expect((await csync('keys verify')).exitCode).toBe(0);
  });
});
