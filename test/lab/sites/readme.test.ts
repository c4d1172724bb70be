/** README in a lab, as written: its installation typed command by command, and its samples held against what is printed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeBelow, commandsOf, readPage, shapes } from '../../markdown.ts';
import { eventually, repository } from '../../support.ts';
import { atTerminal, readsLogins, reported, story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const readme = readPage('README.md');

describe.skipIf(whyNoLab !== null)('README', { timeout: 150_000 }, () => {
  const used = useLab('readme', { deployed: false, bare: true, watched: false, without: readsLogins });
  const { sh } = typedIn(used);
  const { chapter } = story(150_000);
  const [elsewhere = '', onMember = ''] = codeBelow(readme, 'Install');

  const typed = (member: string, command: string) => sh(member, `cd /root && ${atTerminal(command)}`);

  /** The next command, by status and by the list of clients. */
  const looked = async () => {
    const { stdout } = await sh('m1', 'cd /root && { csync status; csync client list; }');
    const [, first] = /\n {4}Fix: (.*)/.exec(stdout) ?? [];
    const [, second] = /set up yet: (.*)/.exec(stdout) ?? [];
    return [first, second];
  };

  chapter('installs the build on a member with the commands of its first block', async () => {
    const [build, ...rest] = elsewhere.split('\n');
    // scripts/test has done just that before it runs this.
    expect(build).toBe('npm ci && npm run build');
    const gone = await sh('m1', 'umount /opt/csync && rmdir /opt/csync && rm /usr/local/bin/csync');
    expect(gone.stderr).toBe('');
    await sh('m2', 'mkdir /root/clone && cp -r /opt/csync /root/clone/dist');
    for (const command of rest) {
      const done = await sh('m2', `cd /root/clone && ${command}`);
      expect([command, done.exitCode, done.stderr]).toEqual([command, 0, '']);
    }
    expect((await sh('m1', 'csync --version')).exitCode).toBe(0);
  });

  chapter('gets from nothing to a served package with the commands of its second block, without a pause', async () => {
    await sh('m1', 'cmruncl -v; rm -f /root/csync.yaml');
    const commands = commandsOf(onMember);
    expect(commands).toEqual([
      'csync init',
      'csync check',
      'csync toolkit install',
      'csync members sync',
      'csync apply --run',
      'csync client add c1 c2',
      'csync status',
    ]);
    for (const command of commands) {
      const done = await typed('m1', command);
      expect([command, done.exitCode, done.stdout]).toEqual([command, 0, expect.any(String)]);
      // As one who reads only what csync prints.
      if (command === 'csync init')
        expect(await looked()).toEqual([
          'csync members sync, then csync apply --run',
          'csync members sync, then csync client add HOST',
        ]);
      if (command === 'csync members sync') expect(await looked()).toEqual(['csync apply --run', 'csync client add HOST']);
    }
  });

  chapter('shows csync status as it is printed', async () => {
    const [sample = ''] = codeBelow(readme, 'csync status');
    const printed = async () => shapes((await sh('m1', 'cd /root && csync status')).stdout.split('\n'));
    // The daemon writes down who connected a moment later.
    const clients = async () => (await printed()).filter((line) => line.startsWith('10.9.0.')).length;
    await eventually('both clients in its list', async () => (await clients()) === 2, 20_000);
    // Who was silent longest is chance.
    const inOrder = (lines: readonly string[]): string[] => [
      ...lines.filter((line) => !line.startsWith('10.9.0.')),
      ...lines.filter((line) => line.startsWith('10.9.0.')).sort(),
    ];
    expect(inOrder(await printed())).toEqual(inOrder(shapes(sample.split('\n'))));
  });

  chapter('has a csync.yaml that csync check accepts on every member', async () => {
    const [sample = ''] = codeBelow(readme, 'csync.yaml');
    const checked = await sh(
      'm1',
      `mkdir -p /root/sample && cd /root/sample && cat > csync.yaml <<'END'\n${sample}\nEND\ncsync check --json`,
    );
    expect(reported(checked, 'check')).toMatchObject({ exitCode: 0, codes: [] });
  });

  it('shows lines of the demo as they are printed', () => {
    const blocks = codeBelow(readme, 'See it');
    const [, sample = ''] = blocks;
    const demo = spawnSync(process.execPath, [join(repository, 'dist/csync.mjs'), 'lab', 'demo', '--name', 'test-readme-demo'], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect([demo.status, demo.stdout]).toEqual([0, expect.stringContaining('PASS')]);
    // Which client is first is chance.
    const lines = (text: string): string[] => shapes(text.split('\n')).map((line) => line.replace(/\bc[12]\b/, 'CLIENT'));
    const printed = new Set(lines(demo.stdout));
    expect(lines(sample).length).toBeGreaterThan(10);
    expect(lines(sample).filter((line) => !printed.has(line))).toEqual([]);
  });
});
