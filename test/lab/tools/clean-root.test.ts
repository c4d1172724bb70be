/**
 * The deb in a clean Debian with a Node.js and nothing else: installed, then README's way to a served package in a lab inside, a failover, an
 * upgrade of csync while the package runs, and csync removed. The deb is built from the last commit.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { toolkitVersion } from '../../../src/base/version.ts';
import { bootCleanRoot, type CleanRoot, unpackCleanRoot, whyNoCleanRoot, withNetwork } from '../../clean-root.ts';
import { codeBelow, commandsOf, readPage } from '../../markdown.ts';
import { eventually, everyStep, repository, scratchDirectory } from '../../support.ts';
import { atTerminal, reported, story } from '../../use-lab.ts';

const whyNot = everyStep ? whyNoCleanRoot() : null;
if (whyNot !== null) console.warn(`the deb is not tried in a clean Debian: ${whyNot}`);

const scratch = scratchDirectory();
const root = join(scratch, 'root');
const members = ['m1', 'm2', 'm3'];
const installation = codeBelow(readPage('docs/how-to/install-packages.md'), '2. Install it on every member')[0] ?? '';
const removal = codeBelow(readPage('docs/how-to/install-packages.md'), '3. Upgrade and remove')[0] ?? '';
const command = (block: string, program: string): string =>
  commandsOf(block).find((line) => line.startsWith(`${program} `)) ?? `no ${program}`;

function run(argv: readonly string[], cwd = scratch): string {
  const [program = '', ...rest] = argv;
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd, encoding: 'utf8', maxBuffer: 1 << 27 });
  expect([argv.join(' '), status, stderr]).toEqual([argv.join(' '), 0, expect.any(String)]);
  return stdout;
}

/** The same programs as a later version, which has no completion for fish any more. */
function laterDeb(deb: string, version: string): void {
  run(['dpkg-deb', '--raw-extract', deb, 'later']);
  const share = join(scratch, 'later/usr/share');
  for (const name of readdirSync(join(share, 'csync'), { recursive: true, encoding: 'utf8' }).filter((one) =>
    /\.[cm]js$/.test(one),
  )) {
    const file = join(share, 'csync', name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`"${toolkitVersion}"`, `"${version}"`));
  }
  rmSync(join(share, 'fish'), { recursive: true });
  rmSync(join(scratch, 'later/DEBIAN/md5sums'));
  const control = join(scratch, 'later/DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(`Version: ${toolkitVersion}-1`, `Version: ${version}-1`));
  run(['dpkg-deb', '--root-owner-group', '--build', 'later', join(root, 'root/later.deb')]);
}

describe.skipIf(whyNot !== null || !everyStep)('the deb in a clean Debian', () => {
  const { longChapter } = story(300_000);
  const laterVersion = `${toolkitVersion}.1`;
  let debian: CleanRoot;
  const must = async (script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await debian.sh(script);
    expect([script, exitCode, stderr]).toEqual([script, 0, expect.any(String)]);
    return stdout;
  };
  const quoted = (script: string): string => `'${script.replaceAll("'", "'\\''")}'`;
  const on = (host: string, script: string) => debian.sh(`csync lab exec ${host} -- sh -c ${quoted(`cd /root; ${script}`)}`);
  const mustOn = (host: string, script: string) => must(`csync lab exec ${host} -- sh -c ${quoted(`cd /root; ${script}`)}`);
  const json = async <Result = object>(words: string, host = 'm1') =>
    reported<Result>(await on(host, `csync ${words} --json`), words);
  const master = async () => /^owner=(.*)$/m.exec((await on('m3', 'cmviewcl -f line -p csync')).stdout)?.[1];
  const daemons = async () =>
    Promise.all(members.map((member) => mustOn(member, 'pgrep -x cf-serverd; pgrep -f "[c]sync-monitor" || :')));
  /** The daemon of the active member is killed; the package serves from the next one, and the failed one may have it again. */
  const failsOver = async (from: string, to: string): Promise<void> => {
    await mustOn(from, 'pkill -9 cf-serverd');
    await eventually(`${to} to be the master`, async () => (await master()) === to, 40_000);
    await eventually('a client to fetch from it', async () => (await on('c1', 'cf-agent -KIf update.cf')).exitCode === 0, 40_000);
    await mustOn(to, `cmmodpkg -e -n ${from} csync`);
  };

  beforeAll(async () => {
    run(['npm', 'run', '--silent', 'release', '--', '--output', join(scratch, 'release')], repository);
    unpackCleanRoot(root);
    copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
    const name = `csync_${toolkitVersion}-1_all.deb`;
    copyFileSync(join(scratch, 'release', name), join(root, 'root', name));
    laterDeb(join(scratch, 'release', name), laterVersion);
    debian = await bootCleanRoot(root);
  }, 400_000);
  afterAll(async () => debian?.close());

  longChapter('is installed by dpkg alone, and names what a lab needs besides', async () => {
    await must(command(installation, 'dpkg'));
    expect((await must(command(installation, 'csync'))).trim()).toBe(toolkitVersion);
    const refused = await debian.sh('csync lab demo --json');
    const [problem] = reported(refused, 'lab demo').problems;
    expect([refused.exitCode, problem?.code]).toEqual([4, 'here-programs-missing']);
    expect(problem?.remedy).toMatch(/^apt-get install [a-z0-9 -]+$/);
    const fixed = withNetwork(root, `apt-get update -qq && ${problem?.remedy} -y -qq --no-install-recommends`);
    expect([fixed.status, fixed.text]).toEqual([0, expect.any(String)]);
    expect(await must('csync lab demo')).toContain('\nPASS: ');
  });

  longChapter('gets from nothing to a served package with the commands of README', async () => {
    await must('csync lab up --bare');
    // The lab's own csync would be found first.
    for (const member of members) await mustOn(member, 'rm /usr/local/bin/csync');
    await mustOn('m1', 'cmruncl -v; rm csync.yaml');
    const [, onMember = ''] = codeBelow(readPage('README.md'), 'Install');
    for (const line of commandsOf(onMember)) await mustOn('m1', atTerminal(line));
    expect(await mustOn('m1', 'grep ^toolkit_program csync.yaml')).toContain('/usr/bin/csync');
    expect(await json('check')).toMatchObject({ exitCode: 0, codes: [] });
    expect(await master()).toBe('m1');
    for (const member of ['m2', 'm3']) await mustOn('m1', `scp -q csync.yaml ${member}:`);
  });

  longChapter('fails over', async () => {
    await failsOver('m1', 'm2');
  });

  longChapter('is upgraded while the package runs, and keeps an edited configuration file', async () => {
    for (const member of members) await mustOn(member, 'echo "# ours" >> /etc/logrotate.d/csync');
    const before = await daemons();
    await mustOn('m2', 'dpkg --install later.deb < /dev/null');
    expect((await json('check')).codes).toEqual(['check-toolkit m2']);
    for (const member of ['m1', 'm3']) await mustOn(member, 'dpkg --install later.deb < /dev/null');
    for (const member of members) {
      expect((await mustOn(member, 'csync --version')).trim()).toBe(laterVersion);
      expect(await mustOn(member, 'tail -n 1 /etc/logrotate.d/csync')).toBe('# ours\n');
      expect((await on(member, 'ls /usr/share/fish/vendor_completions.d/csync.fish')).exitCode, member).not.toBe(0);
    }
    expect((await json('toolkit install --yes')).exitCode).toBe(0);
    expect((await json('apply --yes')).exitCode).toBe(0);
    expect(await daemons()).toEqual(before);
    expect(await json('check')).toMatchObject({ exitCode: 0, codes: [] });
    await failsOver('m2', 'm1');
  });

  longChapter('is removed and purged; the package that was applied stays, and fails over', async () => {
    const before = await daemons();
    const gone = async (member: string, path: string) => expect((await on(member, `ls ${path}`)).exitCode, path).not.toBe(0);
    for (const member of members) {
      await mustOn(member, command(removal, 'dpkg').replace(/ *or:.*/, ''));
      await gone(member, '/usr/share/csync');
      await gone(member, '/usr/bin/csync');
      expect(await mustOn(member, 'tail -n 1 /etc/logrotate.d/csync')).toBe('# ours\n');
      await mustOn(member, 'dpkg --purge csync');
      await gone(member, '/etc/logrotate.d/csync');
    }
    expect(await daemons()).toEqual(before);
    await mustOn('m1', 'pkill -9 cf-serverd');
    await eventually('m2 to be the master', async () => (await master()) === 'm2', 40_000);
    // The lab's own aside, it has what csync wrote at the verbs of an administrator.
    const found = await mustOn(
      'm3',
      'find / -xdev -name "*csync*" ! -name "*.deb" ! -path "/etc/csync-lab*" ! -path "/opt/*" -prune',
    );
    expect(found.trim().split('\n').sort()).toEqual([
      '/csync',
      '/root/csync.yaml',
      '/usr/local/cmcluster/conf/csync',
      '/usr/local/sbin/csync-cfservd',
    ]);
  });
});
