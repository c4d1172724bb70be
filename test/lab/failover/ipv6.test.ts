/** A package with an IPv6 address, on hosts with addresses of both families. */
import { describe, expect, it } from 'vitest';
import type { MonitorState } from '../../../src/contract/monitor-state.ts';
import { withIpv6 } from '../../../src/lab/machines/lab-spec.ts';
import { eventually, everyStep, everyStepIt, labSettings } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';
const address = 'fd09::100';

describe.skipIf(whyNoLab !== null)('an IPv6 package in the lab', { timeout: 200_000 }, () => {
  const used = useLab('ipv6', {
    deployed: true,
    settings: withIpv6(labSettings()),
    without: { tree: 'the agent of a client that is added and the probe of the lab share one connection' },
    changes: { monitorOwner: 'every 1 s, limit 1 s, 2 in a row, warn', clientNetworks: ['fd0a::/16'] },
  });
  const { sh, must, json, done, broken } = typedIn(used);
  type Report = { members: { member: string; seen: { monitor: MonitorState } }[]; clients: { address: string; name: string }[] };
  const cardOf = async (member: string) => (await must(member, 'cat /sys/class/net/eth0/address')).trim();

  it('passes the check, serves its clients by IPv6, and is seen there by the other members', async () => {
    await serving(used);
    expect((await done('check')).codes).toEqual([]);
    await used.drills.waitClients();
    await eventually('both clients are listed by their IPv6 address', async () => {
      const { clients } = await json<Report>('status');
      return ['fd09::21', 'fd09::22'].every((one) => clients.some((client) => client.address === one));
    });
    expect(await must('m2', `ip -6 neigh show to ${address}`)).toContain(await cardOf('m1'));
  });

  it('binds rules to whole addresses and networks: a neighbour with a longer address is refused', async () => {
    await serving(used);
    const fetches = async (from: string) =>
      (await sh('c1', `ip -6 route replace ${address} dev eth0 src ${from} && cf-agent -KI -f update.cf 2>&1`)).stdout;
    const added = ['fd09::2111/64', 'fd0a::21/16'].map((one) => `ip addr add ${one} dev eth0 nodad`).join(' && ');
    await broken('m1', 'ip -6 route add fd0a::/16 dev eth0', 'ip -6 route del fd0a::/16 dev eth0');
    await broken(
      'c1',
      added,
      `ip -6 route del ${address} dev eth0; ip addr del fd09::2111/64 dev eth0; ip addr del fd0a::21/16 dev eth0`,
    );
    // Its own agent and probe may have the one connection of the client.
    for (const from of ['fd09::21', 'fd0a::21'])
      await eventually(`policy for ${from}`, async () => !/error/.test(await fetches(from)));
    expect(await fetches('fd09::2111')).toMatch(/error/);
    await eventually('the refusal', async () =>
      /fd09::2111.*not in allowconnects/.test(await must('m1', 'cat /var/log/messages')),
    );
  });

  it('fails over when its daemon is killed: clients have new policy from the next member, at its hardware address', async () => {
    await serving(used);
    await used.drills.killDaemon('m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await used.drills.waitClients();
    expect(await must('c1', `ip -6 neigh show to ${address}`)).toContain(await cardOf('m2'));
    // Announced by the start, after duplicate address detection: no neighbour waits for m1.
    expect(await must('m2', `grep -c 'start: done \\[address-here\\]' ${log}`)).toBe('1\n');
  });

  it('resets the connections of its clients at a halt', async () => {
    await serving(used);
    const open = `node -e "const c=require('net').connect(5308,'${address}');c.on('error',e=>{console.log(e.code);process.exit()});c.on('connect',()=>require('fs').writeFileSync('/tmp/open',''));setTimeout(()=>process.exit(9),60000)"`;
    // A member may have several connections.
    const client = sh('m3', open);
    await eventually('the connection', async () => (await sh('m3', 'test -e /tmp/open')).exitCode === 0);
    await must('m1', '/usr/local/cmcluster/bin/cmhaltpkg csync');
    expect((await client).stdout).toBe('ECONNRESET\n');
    await must('m1', '/usr/local/cmcluster/bin/cmmodpkg -e csync');
  });

  it('reports another host with the address, by a solicitation that turns no client to it', async () => {
    await serving(used);
    const owner = async () => (await json<Report>('status')).members[0]?.seen.monitor.layers.owner;
    const before = await must('c1', `ip -6 neigh show to ${address}`);
    const gone = await broken('m3', `ip addr add ${address}/64 dev eth0 nodad`, `ip addr del ${address}/64 dev eth0`);
    const card = await cardOf('m3');
    await eventually('the warning', async () => {
      const found = await owner();
      return found?.result === 'bad' && found.detail.includes(card);
    });
    expect(before).toContain(await cardOf('m1'));
    expect(await must('c1', `ip -6 neigh show to ${address}`)).not.toContain(card);
    await gone();
    await eventually('the end of it', async () => (await owner())?.result === 'good');
  });

  it('does not start where the kernel finds a duplicate, and serves from there when it is gone', async () => {
    await serving(used);
    await must('m1', '/usr/local/cmcluster/bin/cmhaltpkg csync');
    const gone = await broken('c2', `ip addr add ${address}/64 dev eth0 nodad`, `ip addr del ${address}/64 dev eth0`);
    expect((await sh('m1', '/usr/local/cmcluster/bin/cmrunpkg -n m2 csync')).exitCode).not.toBe(0);
    expect(await must('m2', `tail -n 40 ${log}`)).toContain(`another host has ${address}`);
    expect((await must('m2', 'ip -6 addr show dev eth0')).includes(`${address}/`)).toBe(false);
    await gone();
    await must('m1', '/usr/local/cmcluster/bin/cmmodpkg -e -n m2 csync; /usr/local/cmcluster/bin/cmrunpkg -n m2 csync');
    await must('m1', '/usr/local/cmcluster/bin/cmmodpkg -e csync');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await used.drills.waitClients();
  });

  it('adds a client that ssh reaches by IPv4: it counts with its IPv6 address', async () => {
    await serving(used);
    await done('client add 10.9.0.21 --yes');
    const roster = await must('m1', 'cat /usr/local/cmcluster/conf/csync/roster.json');
    expect(JSON.parse(roster).clients).toMatchObject([{ name: '10.9.0.21', addresses: ['fd09::21'] }]);
  });
});

describe.skipIf(whyNoLab !== null || !everyStep)('an IPv6 package of legacy style in the lab', { timeout: 200_000 }, () => {
  const used = useLab('ipv6-legacy', { deployed: true, settings: { ...withIpv6(labSettings()), packageStyle: 'legacy' } });

  everyStepIt('fails over when its daemon is killed', async () => {
    await serving(used);
    await used.drills.killDaemon('m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await used.drills.waitClients();
  });
});
