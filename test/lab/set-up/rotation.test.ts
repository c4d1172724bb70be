/** Another key for the cluster while a third of its clients does not answer: nobody is locked out. */
import { describe, expect } from 'vitest';
import { eventually, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const work = '/var/lib/cfengine3';

const count = 30;

describe.skipIf(whyNoLab !== null)(`keys rotate with ${count} clients`, { timeout: 400_000 }, () => {
  const used = useLab('rotation', { deployed: false, bare: true, clients: count });
  const { sh, csync } = typedIn(used);
  const clients = Array.from({ length: count }, (_, index) => `c${index + 1}`);
  const [offline, online] = [clients.slice(0, count / 3), clients.slice(count / 3)];
  const must = async (words: string, status = 0) => {
    const ended = await csync(words);
    expect(ended.exitCode, `${words}: ${ended.stdout}${ended.stderr}`).toBe(status);
    return ended.stdout;
  };
  /** Clients that do not get the policy, with what their agent says. */
  const lockedOut = async (some: readonly string[]) => {
    const said = await Promise.all(
      some.map(async (client) => {
        const { stdout } = await sh(client, 'cf-agent -K -f update.cf 2>&1 | grep -E "error:|TRUST"; true');
        return stdout.trim() === '' ? [] : [`${client}: ${stdout.trim()}`];
      }),
    );
    return said.flat();
  };
  const clusterKey = async () => (JSON.parse(await must('keys list --json')) as { cluster: { key: string } }).cluster.key;

  /** Every client with every member, either way, and the members among themselves. */
  const handshakes = 6 * count + 15;

  everyStepIt('all are set up in one go', async () => {
    await sh('m1', 'cmruncl -w none');
    await must('members sync --yes');
    await must('apply --yes --run');
    await eventually('the policy', async () => (await csync('members sync --dry-run')).stdout.includes('nothing waits'), 60_000);
    await sh('m1', `printf '%s\\n' ${clients.join(' ')} > /root/hosts.txt`);
    await must('client add --from hosts.txt --yes');
    expect(await must('keys verify')).toBe(`${handshakes} of ${handshakes} handshakes would succeed.\n`);
    expect(await lockedOut(clients)).toEqual([]);
  });

  everyStepIt('those that do not answer are remembered, both keys are good, and the switch waits for them', async () => {
    const before = await clusterKey();
    for (const client of offline) await used.lab.ask({ verb: 'cut', member: client });
    const begun = await csync('keys rotate --yes');
    expect(begun.exitCode, begun.stdout + begun.stderr).toBe(5);
    expect(begun.stderr).toContain('c1 is pending: the switch to the next key waits for this client');
    expect(await clusterKey()).toBe(before);
    expect(await lockedOut(online)).toEqual([]);
    const status = await csync('status');
    expect(status.stdout).toContain(`${offline.length} of ${count} clients do not have it yet`);
  });

  everyStepIt('when they come back they fetch with the key they know, and the rotation goes on to its end', async () => {
    const before = await clusterKey();
    for (const client of offline) await used.lab.ask({ verb: 'heal', member: client });
    await eventually(
      'ssh to answer there',
      async () => (await sh('m1', `for c in ${offline.join(' ')}; do ssh $c true || exit 1; done`)).exitCode === 0,
    );
    expect(await lockedOut(offline)).toEqual([]);
    const owner = (await used.drills.view()).owner;
    const daemon = (await sh(owner ?? '', 'pgrep -x cf-serverd')).stdout;
    await must('keys rotate --yes');
    const after = await clusterKey();
    expect(after).not.toBe(before);
    expect(await lockedOut(clients)).toEqual([]);
    expect(await must('keys verify')).toBe(`${handshakes} of ${handshakes} handshakes would succeed.\n`);
    expect(await used.drills.view()).toMatchObject({ state: 'running', owner });
    expect((await sh(owner ?? '', 'pgrep -x cf-serverd')).stdout, 'the master has the new key').not.toBe(daemon);
    for (const host of ['m1', 'm2', 'm3', ...clients])
      expect((await sh(host, `ls ${work}/ppkeys`)).stdout, `${host} trusts the old key no more`).not.toContain(before);
  });
});
