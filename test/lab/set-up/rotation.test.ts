/** Another key for the cluster while a third of its clients does not answer: no client is locked out. */
import { describe, expect } from 'vitest';
import { eventually } from '../../support.ts';
import { story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const work = '/var/lib/cfengine3';

const count = 30;

describe.skipIf(whyNoLab !== null)(`keys rotate with ${count} clients`, () => {
  const used = useLab('rotation', { deployed: false, bare: true, clients: count });
  const { sh, must, json, done } = typedIn(used);
  const { longChapter } = story(400_000);
  const clients = Array.from({ length: count }, (_, index) => `c${index + 1}`);
  const [offline, online] = [clients.slice(0, count / 3), clients.slice(count / 3)];
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
  const clusterKey = async () => (await done<{ cluster: { key: string } }>('keys list')).cluster.key;
  const verified = () => json<{ handshakes: number; refused: object[]; unseen: object[] }>('keys verify');

  /** Every client with every member, either way, and the members among themselves. */
  const isSound = { exitCode: 0, handshakes: 6 * count + 15, refused: [], unseen: [] };

  longChapter('all are set up in one go', async () => {
    await sh('m1', 'cmruncl -w none');
    await done('members sync --yes');
    await done('apply --yes --run');
    const isDone = async () => (await json<{ outcome: string }>('members sync --dry-run')).outcome === 'unchanged';
    await eventually('the policy', isDone, 60_000);
    await sh('m1', `printf '%s\\n' ${clients.join(' ')} > /root/hosts.txt`);
    await done('client add --from hosts.txt --yes');
    expect(await verified()).toMatchObject(isSound);
    expect(await lockedOut(clients)).toEqual([]);
  });

  longChapter('those that do not answer are remembered, both keys are good, and the switch waits for them', async () => {
    const before = await clusterKey();
    for (const client of offline) await used.lab.ask({ verb: 'cut', member: client });
    const begun = await json<{ waiting: { host: string }[] }>('keys rotate --yes');
    expect([begun.exitCode, [...new Set(begun.waiting.map(({ host }) => host))].sort()]).toEqual([5, [...offline].sort()]);
    expect(await clusterKey()).toBe(before);
    expect(await lockedOut(online)).toEqual([]);
    const { rotation } = await done<{ rotation: string }>('keys list');
    expect(rotation).toMatch(new RegExp(`\\b${offline.length} of ${count}\\b`));
  });

  longChapter('when they come back they fetch with the key they know, and the rotation goes on to its end', async () => {
    const before = await clusterKey();
    for (const client of offline) await used.lab.ask({ verb: 'heal', member: client });
    await eventually(
      'ssh to answer there',
      async () => (await sh('m1', `for c in ${offline.join(' ')}; do ssh $c true || exit 1; done`)).exitCode === 0,
    );
    expect(await lockedOut(offline)).toEqual([]);
    const owner = (await used.drills.view()).owner;
    const daemon = (await sh(owner ?? '', 'pgrep -x cf-serverd')).stdout;
    await done('keys rotate --yes');
    const after = await clusterKey();
    expect(after).not.toBe(before);
    expect(await lockedOut(clients)).toEqual([]);
    expect(await verified()).toMatchObject(isSound);
    expect(await used.drills.view()).toMatchObject({ state: 'running', owner });
    expect((await sh(owner ?? '', 'pgrep -x cf-serverd')).stdout, 'the master has the new key').not.toBe(daemon);
    for (const host of ['m1', 'm2', 'm3', ...clients])
      expect((await must(host, `ls ${work}/ppkeys`)).includes(before), `${host} trusts the old key no more`).toBe(false);
  });
});
