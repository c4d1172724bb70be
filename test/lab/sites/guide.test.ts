/**
 * The procedures of the guide, one command right behind the other: members that are removed, added and replaced, while the package runs and
 * while it is down. The package is one that was applied by hand, so nothing but what is applied remembers it.
 */
import { describe, expect } from 'vitest';
import { eventually } from '../../support.ts';
import { story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('procedures of the guide, without a pause', () => {
  const used = useLab('guide', { deployed: true, spares: ['m4'], clients: 1, watched: false });
  const { sh, json } = typedIn(used);
  const { chapter, longChapter } = story(150_000);
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
  /** It serves, and nothing differs anywhere that can be seen. */
  const isWhole = async (): Promise<void> => {
    const { condition, members } = await json<{ condition: string; members: { staleFiles: string[] | null }[] }>('status');
    expect([condition, members.flatMap(({ staleFiles }) => staleFiles ?? [])]).toEqual(['serving', []]);
  };
  type Change = { outcome: string; waiting: { host: string }[] };
  const isPending = async (words: string, ...hosts: readonly string[]): Promise<void> => {
    const { exitCode, waiting } = await json<Change>(words);
    expect([exitCode, waiting.map(({ host }) => host).sort()], words).toEqual([5, hosts]);
  };

  chapter(
    'a member is replaced while the package is down; its next start completes what is pending, and status says so until then',
    async () => {
      await typed('csync members sync --yes', 'csync client add c1 --yes');
      await typed('cmhaltpkg csync', 'cmhaltnode -f m3');
      await isPending('member remove m3 --yes', 'm1');
      await typed(...cluster('m1', 'm2'));
      await typed(...cluster('m1', 'm2', 'm3'), 'cmrunnode m3');
      await isPending('member add m3 --yes', 'm1', 'm3');
      expect(await listed()).toEqual(['m1', 'm2', 'm3']);
      await typed('cmrunpkg -n m1 csync', 'cmmodpkg -e csync');
      await isWhole();
      const pending = async () =>
        (await json<{ members: { waiting: object[] }[] }>('members list')).members.flatMap(({ waiting }) => waiting).length;
      await eventually('the start to complete it', async () => (await pending()) === 0, 60_000);
      await isWhole();
      await typed('csync members sync --yes', 'csync keys verify');
    },
  );

  // While the package runs test/lab/sites/pages.test.ts types the same from the pages.
  longChapter('a member is removed while the package runs, and then from the cluster', async () => {
    const said = await typed('cmhaltnode -f m3', 'csync member remove m3 --yes');
    expect(said, 'what is to be typed').toMatch(/\bm3\b.*: cmhaltnode -f m3; cmquerycl /);
    expect(await listed()).toEqual(['m1', 'm2']);
    await isWhole();
    await typed(...cluster('m1', 'm2'));
    await isWhole();
  });

  longChapter('a member is added while the package runs, with what the cluster starts by itself at the same time', async () => {
    await typed(...cluster('m1', 'm2', 'm4'), 'cmrunnode m4', 'csync member add m4 --yes');
    expect(await listed()).toEqual(['m1', 'm2', 'm4']);
    await isWhole();
    await typed('csync keys verify');
  });

  longChapter('the same once more, with a member that does not answer', async () => {
    await used.lab.ask({ verb: 'crash', member: 'm4' });
    const removed = await json('member remove m4 --yes');
    expect([removed.exitCode, await listed()], removed.stderr).toEqual([0, ['m1', 'm2']]);
    await isWhole();
  });
});
