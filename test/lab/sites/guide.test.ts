/**
 * The procedures of the guide, one command right behind the other: members that go, come and are replaced, while the package runs and
 * while it is down. The package is one that was applied by hand, so nothing but what is applied remembers it.
 */
import { describe, expect, it } from 'vitest';
import { eventually, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('procedures of the guide, without a pause', { timeout: 300_000 }, () => {
  const used = useLab('guide', { deployed: true, spares: ['m4'], clients: 1, watched: false });
  const { sh } = typedIn(used);
  /** Commands as they are typed on m1, csync among them; each has to succeed before the next one. */
  const typed = async (...commands: readonly string[]): Promise<string> => {
    const said: string[] = [];
    for (const command of commands) {
      const done = await sh('m1', `cd /root && ${command}`);
      expect(done.exitCode, `${command}\n${done.stdout}${done.stderr}`).toBe(0);
      said.push(done.stdout);
    }
    return said.join('');
  };
  const cluster = (...names: readonly string[]) => [
    `cmquerycl -C cluster.ascii -c ${used.lab.spec.name} ${names.map((name) => `-n ${name}`).join(' ')}`,
    'cmcheckconf -C cluster.ascii',
    'cmapplyconf -f -C cluster.ascii',
  ];
  const listed = async () => (await typed('cmgetconf -p csync')).match(/(?<=^node_name\s+)\S+/gm);
  /** Status says that it serves, and nothing differs anywhere. */
  const isWhole = async (): Promise<void> => {
    const { exitCode, stdout } = await sh('m1', 'cd /root && csync status');
    expect([exitCode, stdout], stdout).toEqual([0, expect.not.stringMatching(/not as rendered|differ/)]);
  };

  it('a member is removed while the package runs, and then from the cluster', async () => {
    await typed('csync members sync --yes', 'csync client add c1 --yes');
    const said = await typed('cmhaltnode -f m3', 'csync member remove m3 --yes');
    expect(said).toMatch(
      /Done: \d+ steps in \d+ s\.\nThe package no longer needs m3, .*To remove it: cmhaltnode -f m3; cmquerycl/,
    );
    expect(await listed()).toEqual(['m1', 'm2']);
    await isWhole();
    await typed(...cluster('m1', 'm2'));
    await isWhole();
  });

  it('a member is added while the package runs, with what the cluster starts by itself at the same time', async () => {
    await typed(...cluster('m1', 'm2', 'm4'), 'cmrunnode m4', 'csync member add m4 --yes');
    expect(await listed()).toEqual(['m1', 'm2', 'm4']);
    await isWhole();
    await typed('csync keys verify');
  });

  it('a member is replaced while the package is down; its next start completes what is pending, and status says so until then', async () => {
    await typed('cmhaltpkg csync', 'cmhaltnode -f m4');
    const removed = await sh('m1', 'cd /root && csync member remove m4 --yes');
    expect([removed.exitCode, removed.stderr]).toEqual([5, expect.stringContaining('m1 is pending: the package is down')]);
    await typed(...cluster('m1', 'm2'));
    await typed(...cluster('m1', 'm2', 'm3'), 'cmrunnode m3');
    const added = await sh('m1', 'cd /root && csync member add m3 --yes');
    expect([added.exitCode, added.stderr]).toEqual([5, expect.stringContaining('m3 is pending: the package is down')]);
    expect(await listed()).toEqual(['m1', 'm2', 'm3']);
    await typed('cmrunpkg -n m1 csync', 'cmmodpkg -e csync');
    await isWhole();
    await eventually(
      'the start to complete it',
      async () => (await typed('csync members list')).includes('waits') === false,
      60_000,
    );
    await isWhole();
    await typed('csync members sync --yes', 'csync keys verify');
  });

  everyStepIt('the same once more, with a member that does not answer', async () => {
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const removed = await sh('m1', 'cd /root && csync member remove m3 --yes');
    expect([removed.exitCode, await listed()], removed.stderr).toEqual([0, ['m1', 'm2']]);
    await isWhole();
  });
});
