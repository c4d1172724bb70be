/** What root of one host does may exclude that host, and no other: keys, addresses, in the verbs that check all of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('one host excludes only itself', { timeout: 300_000 }, () => {
  const used = useLab('one-host', { deployed: true, clients: 2, watched: false });
  const { sh, must, json, done } = typedIn(used);
  type Keys = { cluster: { key: string; retired: string[] }; rotation: string | null };
  const keys = () => done<Keys>('keys list');
  const isServed = async (client: string): Promise<void> =>
    expect((await sh(client, 'cf-agent -KI -f update.cf 2>&1 | grep -E "error:|TRUST"')).stdout, client).toBe('');
  /** Its root made another key, which no host accepted. */
  const otherKey = () => must('c1', 'cd /var/lib/cfengine3/ppkeys && rm localhost.priv localhost.pub && cf-key');

  beforeAll(async () => {
    await done('members sync --yes');
    await done('client add c1 c2 --yes');
    for (const member of ['m2', 'm3'])
      await must(member, 'ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up');
    const address = (await must('c2', "ip -o -4 addr show scope global | sed -n 's/.* inet \\([0-9.]*\\).*/\\1/p'"))
      .trim()
      .split('\n')[0];
    // Where c1 answers for it on the wire as well, c2 is out of reach, which no verb can help.
    await must('c1', `echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; ip addr add ${address}/24 dev lo noprefixroute`);
  }, 120_000);

  it('bridges of containers are no host’s address, and members sync has nothing against them', async () => {
    await done('client add c1 --accept-new-key --yes');
    await done('members sync --yes');
    expect(await must('m1', '. /etc/cmcluster.conf; cat $SGCONF/csync/roster.json')).not.toMatch(/172\.17\.0\.1/);
  });

  it('keys rotate goes through for all but the client with another key, which it names', async () => {
    await otherKey();
    const before = (await keys()).cluster;
    const rotated = await json('keys rotate --yes');
    expect([rotated.exitCode, rotated.codes]).toEqual([5, ['change-other-key c1']]);
    expect(rotated.problems[0]?.remedy).toMatch(/csync client add c1 --accept-new-key/);
    const { cluster, rotation } = await keys();
    expect([cluster.key === before.key, cluster.retired, rotation]).toEqual([false, [before.key], null]);
    await isServed('c2');
  });

  it('the address of another client counts for that one only', async () => {
    await otherKey();
    const added = await done('client add c1 --accept-new-key --yes');
    expect(added.codes).toEqual(['settings-shared-address c1']);
    expect(added.problems[0]).toMatchObject({ severity: 'warning', text: expect.stringMatching(/\bc2\b/) });
    await done('keys verify');
    await isServed('c1');
  });

  everyStepIt('an agent that hangs on one client costs its own set-up two minutes, and that of the others nothing', async () => {
    const agent = '/usr/bin/cf-agent';
    await done('client add c1 --accept-new-key --yes');
    await must(
      'c1',
      `cp -a ${agent} /root/agent; rm ${agent}; printf '#!/bin/sh\\nexec sleep 1000\\n' > ${agent}; chmod 755 ${agent}`,
    );
    for (const client of ['c1', 'c2']) await must(client, 'rm -f /var/lib/cfengine3/ppkeys/root-*.pub');
    const began = performance.now();
    const synced = await json<{ waiting: { host: string; remedy: string }[] }>('client sync c1 c2 --yes');
    expect([synced.exitCode, synced.codes]).toEqual([5, ['change-agent c1']]);
    expect(synced.problems[0]?.remedy).toMatch(/csync client sync c1/);
    expect((performance.now() - began) / 1000).toBeLessThan(180);
    await must('c1', `rm ${agent}; mv /root/agent ${agent}`);
    await done('client sync c1 --yes');
    await done('keys verify');
  });
});
