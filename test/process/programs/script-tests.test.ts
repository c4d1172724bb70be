/**
 * The conformance test, tested: the shipped templates hold in all of it, and each of the planted mistakes is caught by the
 * assertion that names it. Real sandboxes, the built toolkit, the real cfengine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { assertionNames } from '../../../src/script-tests/run.ts';
import { eventually, everyStep, have, isRoot, repository, scratchDirectory } from '../../support.ts';

const programs = ['unshare', 'nsenter', 'ip', 'losetup', 'mkfs.ext4', 'perl', 'ss', 'cf-serverd', 'cf-agent'];
const whyNot = !isRoot ? 'namespaces need root' : have(...programs) ? null : 'programs are missing';
if (whyNot !== null) console.warn(`tests of csync conform are skipped: ${whyNot}`);

const toolkit = join(repository, 'dist', 'csync.mjs');
const scratch = scratchDirectory();

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Told {
  readonly ok: number;
  readonly failed: number;
  readonly leftOut: number;
  readonly assertions: readonly { readonly name: string; readonly result: string; readonly seen: string }[];
}

function conform(...words: readonly string[]): Promise<Said> {
  const child = spawn(process.execPath, [toolkit, 'conform', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (data: Buffer) => {
      said[stream] += data;
    });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...said })));
}

const only = (names: readonly string[]): string[] => names.flatMap((name) => ['--only', name]);

const waiting: (() => void)[] = [];
let free = 2;
/** Two at a time: the machine of the tests has two cores. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free -= 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
}

/** The package as it is rendered for the lab; each mistake gets a copy. */
const sound = join(scratch, 'sound');

function copy(): string {
  const directory = mkdtempSync(join(scratch, 'package-'));
  cpSync(sound, directory, { recursive: true });
  return directory;
}

/** Changes the text of one file of the set, or of the package file; a text that is missing would plant nothing. */
function replace(file: string, from: string, to: string): (directory: string) => void {
  return (directory) => {
    const [set = ''] = readdirSync(join(directory, 'sets'));
    const path = file === 'csync.conf' ? join(directory, file) : join(directory, 'sets', set, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)} any more`);
    writeFileSync(path, text.replaceAll(from, to));
  };
}

/** Puts a line in front of where csync.sh hands over. */
const launcherDoes = (line: string) => replace('csync.sh', '\n  exec env -i', `\n${line}\n  exec env -i`);
const both =
  (...plants: readonly ((directory: string) => void)[]) =>
  (directory: string) => {
    for (const plant of plants) plant(directory);
  };

/** What an administrator got wrong, and the assertion that has to report it. */
const mistakes: readonly [mistake: string, plant: (directory: string) => void, caught: string][] = [
  [
    'the launcher has no PATH of its own',
    replace('csync.sh', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin\n', ''),
    'start with a PATH of missing directories: exits with 0',
  ],
  [
    'the launcher has no locale of its own',
    both(replace('csync.sh', 'LC_ALL=C\nexport', 'export'), replace('csync.sh', 'LC_ALL=C HOME', 'LC_ALL="$LC_ALL" HOME')),
    'monitor in a foreign locale: runs in the C locale',
  ],
  [
    'the launcher hands its environment on',
    replace('csync.sh', 'exec env -i ', 'exec env '),
    'start with variables that change interpreters: exits with 0',
  ],
  [
    'the launcher swallows the exit status',
    replace('csync.sh', 'exit "$ended"', 'exit 0'),
    'start with the daemon missing: exits with 2',
  ],
  [
    'a halt ignores SIGTERM',
    replace('csync-halt.cjs', 'void runScript({', 'process.on("SIGTERM", () => {});\nvoid runScript({'),
    'halt killed by SIGTERM: at step "release" it does not continue',
  ],
  [
    'the monitor ignores SIGTERM',
    both(
      replace(
        'csync-front.pl',
        "\nstart('started', $node, @options",
        "\n$SIG{TERM} = 'IGNORE';\nstart('started', $node, @options",
      ),
      replace('csync-monitor.cjs', 'process.on("SIGTERM", () => process.exit(0));', 'process.on("SIGTERM", () => {});'),
    ),
    'monitor killed by SIGTERM: takes no longer than 2 s',
  ],
  [
    'the launcher does not check whether Node.js exists',
    replace('csync.sh', 'if [ ! -x "$node" ] ||', 'if false &&'),
    'start without Node.js: names what is missing',
  ],
  [
    'the launcher wants a temporary file',
    launcherDoes('mktemp > "${TMPDIR:-/tmp}/csync.$$" || exit 1'),
    'start with a read-only /tmp: exits with 0',
  ],
  [
    'the launcher wants to write its log',
    launcherDoes('echo "$word" >> "$SG_SCRIPT_LOG_FILE" || exit 1'),
    'start with a full log: exits with 0',
  ],
  ['the launcher still has a debugging line', launcherDoes('echo "about to $word"'), 'start: prints only to the log'],
  [
    'the launcher logs the private key',
    launcherDoes('cat /var/lib/cfengine3/ppkeys/localhost.priv >> "$SG_SCRIPT_LOG_FILE"'),
    'start: no line of the private key is in a log or a file',
  ],
  ['the launcher leaves a helper behind', launcherDoes('sleep 1000 &'), "halt: no process keeps the caller's pipes open"],
  [
    'the launcher starts a second monitor',
    launcherDoes('[ "$word" != start ] || "$0" monitor > /dev/null 2>&1 &'),
    'start: leaves no process of the scripts',
  ],
  [
    'the launcher cannot be executed',
    (directory) => chmodSync(join(directory, 'csync.sh'), 0o644),
    'package: launchers are executable for every user, and writable for root only',
  ],
  ['the launcher is no shell', launcherDoes('if true; then'), 'package: launchers are valid shell'],
  [
    'a halt kills an idle daemon',
    launcherDoes('[ "$word" != stop ] || kill $(cat /proc/[0-9]*/stat | sed -n "s/ (cf-serverd).*//p")'),
    'halt: does not touch the daemon',
  ],
  [
    'a halt of what is halted fails',
    replace(
      'csync-halt.cjs',
      '{ mount_point: settings.mountPoint })));\n    return 0;',
      '{ mount_point: settings.mountPoint })));\n    return 1;',
    ),
    'halt never started: exits with 0',
  ],
  [
    'a halt without settings fails',
    replace('csync-halt.cjs', 'mountPoint) !== void 0 ? 1 : 0;', 'mountPoint) !== void 0 ? 1 : 1;'),
    'halt with settings removed: exits with 0',
  ],
  [
    'the last step of a halt leaves a dead daemon dead',
    replace('csync_pre.sh', '&& hand_over halt', '&& true'),
    'last step of a halt with the daemon dead: a daemon starts afterwards',
  ],
  [
    'the last step of a halt does not look',
    replace(
      'csync-halt.cjs',
      'return mount === void 0 ? null : { code: "still-held"',
      'return true ? null : { code: "still-held"',
    ),
    'last step of a halt, still mounted: exits with 1',
  ],
  [
    'a start ends with 3',
    replace('csync-start.cjs', 'finishWaiting(context);\n  }\n  return startExit(failed);', '}\n  return 3;'),
    'start: exits with 0',
  ],
  [
    'a start writes no sentinel',
    replace('csync-start.cjs', '  sentinelWritten,\n  roleProved,', ''),
    'start: the sentinel has epoch 1',
  ],
  [
    'a start does not check the mount point',
    replace('csync-start.cjs', '[mountPointFree, mountPointSealed, ', '[mountPointSealed, '),
    'start with the mount busy: exits with 2',
  ],
  [
    'a full file system costs the service',
    replace('csync-start.cjs', 'name: "sentinel",\n    optional: true', 'name: "sentinel",\n    optional: false'),
    'start with the policy file system full: exits with 0',
  ],
  [
    'a start forgets to leave the directory it is called in',
    both(
      replace(
        'csync-start.cjs',
        'cd / && umask 077 && ulimit -c 0 && ulimit -n 4096 || exit; for try in 1 2 3 4 5; do "$@"; status=$?; [ "$status" = 120 ] || break; done; exit "$status"',
        '"$@" -F > /dev/null 2>&1 &',
      ),
      replace('csync-start.cjs', 'cwd: options.cwd ?? "/"', 'cwd: options.cwd'),
    ),
    'start from within the policy file system: no process uses the policy file system',
  ],
  [
    'a daemon inherits what is open',
    replace('csync-start.cjs', '\n  closeInherited();', ''),
    'start with the daemon not running: the daemon has no file descriptor of its caller',
  ],
  [
    'the monitor exits with 0 when the daemon dies',
    replace('csync-monitor.cjs', 'front.leave(1, ', 'front.leave(0, '),
    'monitor of a daemon that is killed: exits with a failure',
  ],
  ['a validation writes', launcherDoes('[ "$word" != validate ] || date > /tmp/validated'), 'validate: changes nothing'],
  [
    'the package file names no absolute path',
    replace('csync.conf', '"$SGCONF/csync/csync.sh monitor"', '"csync.sh monitor"'),
    'package: Serviceguard calls scripts by absolute paths',
  ],
  [
    'the package file is of other settings',
    replace('csync.conf', 'pev_csync_settings_digest   ', 'pev_csync_settings_digest   0'),
    'package: the package file has the digest of settings.json',
  ],
  [
    'the files are those of another set',
    replace('manifest.json', '"csync-front.pl": "', '"csync-front.pl": "0'),
    'package: the package file names the set of these files',
  ],
];

describe.skipIf(whyNot !== null)('csync conform', () => {
  beforeAll(() => {
    const settings = join(repository, 'package-templates/lab/csync.yaml');
    const rendered = spawnSync(process.execPath, [toolkit, 'render', '--settings', settings, '--output', sound], {
      encoding: 'utf8',
    });
    expect(rendered.stderr).toBe('');
  });

  it(`the shipped templates hold in ${everyStep ? 'every assertion' : 'those of every eighth case'}`, {
    timeout: 240_000,
  }, async () => {
    const names = (await conform('--list')).stdout.trim().split('\n');
    expect(names).toEqual(assertionNames());
    // In two halves at a time; an assertion of a case belongs to the half of its case.
    const cases = [...new Set(names.map((name) => name.split(': ')[0]))].filter((_, index) => everyStep || index % 8 === 0);
    const wanted = names.filter((name) => cases.includes(name.split(': ')[0]));
    const half = (which: number): string[] => wanted.filter((name) => cases.indexOf(name.split(': ')[0]) % 2 === which);
    const halves = await Promise.all([half(0), half(1)].map((part) => inTurn(() => conform('--json', ...only(part)))));
    const told = halves.map(({ stdout }) => JSON.parse(stdout) as Told).flatMap(({ assertions }) => assertions);
    expect(told.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(told.map(({ name }) => name).sort()).toEqual(wanted.sort());
    expect(halves.map(({ status }) => status)).toEqual([0, 0]);
  });

  it('takes the templates of an administrator', async () => {
    const templates = mkdtempSync(join(scratch, 'templates-'));
    const shipped = readFileSync(join(repository, 'package-templates/modular/launcher.sh.tpl'), 'utf8');
    mkdirSync(join(templates, 'modular'));
    writeFileSync(join(templates, 'modular/launcher.sh.tpl'), shipped.replace('\n  exec env -i', '\n  set -x\n  exec env -i'));
    const caught = 'last step of a halt never started: exits with 0';
    const { status, stdout } = await inTurn(() =>
      conform('--templates', templates, ...only([caught, 'halt: prints only to the log'])),
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAILED +halt: prints only to the log +\+ exec env -i PATH=/m);
    expect(stdout).toMatch(/^ok +last step of a halt never started: exits with 0/m);
    expect(stdout).toContain(`${templates}: 1 passed, 1 failed`);
  });

  it('a case that cannot be tried is skipped, and never taken for good', async () => {
    const settings = join(scratch, 'slow.yaml');
    const lab = readFileSync(join(repository, 'package-templates/lab/csync.yaml'), 'utf8');
    writeFileSync(
      settings,
      lab
        .replace(/halt_grace_seconds: \d+/, 'halt_grace_seconds: 600')
        .replace(/halt_script_timeout_seconds: \d+/, 'halt_script_timeout_seconds: 900'),
    );
    const { status, stdout } = await conform('--settings', settings, '--json', '--only', 'halt with a transfer');
    const { ok, failed, leftOut, assertions } = JSON.parse(stdout) as Told;
    expect([status, ok, failed, leftOut]).toEqual([4, 0, 0, 3]);
    expect(assertions[0]).toMatchObject({ result: 'skipped', seen: 'it would take 600 s by the settings' });
  });

  it.each([
    ['a name that is none', ['--only', 'no such thing'], 2, '[usage]'],
    ['a directory that is no package', ['--package', '/etc'], 3, '[package-settings] /etc/settings.json'],
    ['a directory and templates', ['--package', '/etc', '--templates', '/etc'], 2, '[usage]'],
  ])('%s is refused', async (_, words, status, said) => {
    const ended = await conform(...words);
    expect([ended.status, ended.stdout]).toEqual([status, '']);
    expect(ended.stderr).toContain(said);
  });

  it('without root it says so in one line, and runs nothing', () => {
    const words = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, toolkit, 'conform'];
    const ended = spawnSync('setpriv', words, { encoding: 'utf8' });
    expect([ended.status, ended.stdout]).toEqual([4, '']);
    expect(ended.stderr).toContain('[here-not-root]\n  a conformance test makes network namespaces, mounts and a loop device');
  });

  describe('leaves nothing', () => {
    /** What it could leave on the machine, each as one line. */
    const leftovers = (pid: number): string[] => {
      const home = `/run/csync-conform/${pid}`;
      const processes = spawnSync('pgrep', ['-fa', `${home}/`], { encoding: 'utf8' }).stdout.split('\n');
      const disks = spawnSync('losetup', ['-l', '-n', '-O', 'BACK-FILE'], { encoding: 'utf8' }).stdout.split('\n');
      const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
      return [...processes, ...disks, ...mounts].filter((line) => line.includes(home));
    };

    /** Starts all of it, and signals it in the middle of a case. */
    async function interrupted(signal: 'SIGINT' | 'SIGKILL') {
      const child = spawn(process.execPath, [toolkit, 'conform', '--only', 'monitor of a healthy daemon'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const ended = new Promise<number | string | null>((resolve) => child.once('exit', (code, by) => resolve(code ?? by)));
      const pid = child.pid ?? 0;
      await eventually('a sandbox', () => leftovers(pid).length > 0);
      child.kill(signal);
      return { pid, ended: await ended };
    }

    it('after Ctrl-C', async () => {
      const { pid, ended } = await interrupted('SIGINT');
      expect(ended).toBe(130);
      expect(leftovers(pid)).toEqual([]);
      expect(existsSync(`/run/csync-conform/${pid}`)).toBe(false);
    });

    it('after kill -9; its directory goes at the next run', async () => {
      const { pid, ended } = await interrupted('SIGKILL');
      expect(ended).toBe('SIGKILL');
      await eventually('the end of the namespaces', () => leftovers(pid).length === 0);
      expect((await conform('--only', 'validate of the first script: exits with 0')).status).toBe(0);
      expect(existsSync(`/run/csync-conform/${pid}`)).toBe(false);
    });
  });

  describe('catches it, by name, when', () => {
    it('there is anything: each mistake can be made in what is rendered now', () => {
      for (const [, plant] of mistakes) plant(copy());
    });
    // Each runs its case with a package and a daemon of its own; all of them in npm run every-step.
    const tried = everyStep ? mistakes : mistakes.filter((_, index) => index % 7 === 0);
    it.concurrent.each(tried)('%s', { timeout: 240_000 }, async (_, plant, caught) => {
      const directory = copy();
      plant(directory);
      const { status, stdout, stderr } = await inTurn(() => conform('--package', directory, '--json', '--only', caught));
      expect(status, stderr).toBe(1);
      const { assertions } = JSON.parse(stdout) as Told;
      expect(assertions).toEqual([{ name: caught, result: 'failed', seen: expect.any(String) }]);
    });
  });
});
