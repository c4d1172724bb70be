/** A package that is not called csync, in a directory that is not called as the package, from settings to clients in the order of the installation page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { eventually, labSettings, repository } from '../../support.ts';
import { story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

/** The commands of the installation page behind the wizard, to the first clients. */
const page = readFileSync(join(repository, 'docs/how-to/install.md'), 'utf8');
const blocks = [...page.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map(([, block = '']) => block).join('');
const typed = [...blocks.matchAll(/^csync (\S.*?) *(?:#.*)?$/gm)].map(([, words = '']) => words);
const installation = typed.slice(typed.indexOf('init') + 1, typed.findIndex((words) => words.startsWith('client add')) + 1);

describe.skipIf(whyNoLab !== null)('a package of another name, in another directory', () => {
  const settings = labSettings({ package_name: 'cfmaster', package_directory: '$SGCONF/site' });
  const used = useLab('package-name', { deployed: false, bare: true, clients: 2, watched: false, settings });
  const { sh, must, csync, json } = typedIn(used);
  const { chapter } = story(120_000);
  const waiting = async (): Promise<unknown> =>
    JSON.parse(await must('m1', '. /etc/cmcluster.conf; cat $SGCONF/site/roster.json')).waiting;

  chapter('is set up, applied and run, and its clients added, one command right behind the other', async () => {
    expect(installation).toEqual([
      'check',
      'toolkit install',
      'members sync',
      'apply --dry-run',
      'apply --run',
      'client add c1 c2',
    ]);
    await must('m1', 'cmruncl -w none');
    for (const words of installation) {
      const ended = await csync(/^(toolkit install|members sync|apply --run|client add)/.test(words) ? `${words} --yes` : words);
      expect(ended.exitCode, `${words}\n${ended.stdout}${ended.stderr}`).toBe(0);
    }
    const stranger = await sh('c1', 'cf-agent -KI -f update.cf 2>&1 | grep -E "error:|TRUST"');
    expect(stranger.stdout).toBe('');
  });

  chapter('what is pending while it is down is completed by its start, and by nothing else', async () => {
    await must('m1', 'cmhaltpkg cfmaster');
    const removed = await json<{ waiting: { host: string }[] }>('client remove c2 --yes');
    expect([removed.exitCode, removed.waiting.map(({ host }) => host)]).toEqual([5, ['m1']]);
    expect((await csync('client add c2 --yes')).exitCode).toBe(5);
    const hosts = ((await waiting()) as { host: string }[]).map(({ host }) => host);
    expect(hosts.sort()).toEqual(['c2', 'm1']);
    await must('m1', 'cmrunpkg -n m2 cfmaster; cmmodpkg -e cfmaster');
    await eventually('what is pending to be completed', async () => ((await waiting()) as unknown[]).length === 0, 60_000);
    await eventually(
      'its last word',
      async () => (await sh('m2', 'grep -E " cfmaster(\\[[0-9]+\\])?: csync members sync: " /var/log/messages')).exitCode === 0,
    );
  });

  chapter('a timer finds its settings without a name, and by their name', async () => {
    for (const words of ['', ' --settings /usr/local/cmcluster/conf/site/settings.json']) {
      const ended = await sh('m3', `cd / && csync members sync --yes --automatic --json${words}`);
      expect([ended.exitCode, JSON.parse(ended.stdout).outcome], ended.stderr).toEqual([0, 'unchanged']);
    }
  });

  chapter('syslog has the package’s name as the tag of its scripts', async () => {
    const log = await must('m2', 'cat /var/log/messages');
    expect(log).toMatch(/ cfmaster(\[\d+\])?: [mM]2 cfmaster start/);
    expect(log).not.toMatch(/ csync(\[\d+\])?: /);
  });
});
