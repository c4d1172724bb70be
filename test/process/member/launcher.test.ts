/** The rendered launchers, run by a POSIX shell with an empty environment, as Serviceguard runs them. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { logLine } from '../../../src/base/log-line.ts';
import { demand } from '../../../src/base/problem.ts';
import { arpProbeName, nodeOptionsFile, runningFile } from '../../../src/contract/package-directory.ts';
import { ownerText } from '../../../src/member/address-owner.ts';
import { type Finding, failureMessage } from '../../../src/member/failures.ts';
import { ofStep } from '../../../src/member/messages.ts';
import { givenUpExit } from '../../../src/model-check/world/supervised.ts';
import { renderPackage, setOf } from '../../../src/render/package.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import {
  eventually,
  isRoot,
  memberScripts,
  packageTemplates,
  repository,
  scratchDirectory,
  serviceFrontName,
  settingsFor,
  settingsText,
} from '../../support.ts';

const scratch = scratchDirectory();
/** What the compiled scripts are replaced with: says how it was called. */
const echo = 'console.log(JSON.stringify({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() }))';

const front = readFileSync(join(repository, 'src/member/monitor', serviceFrontName), 'utf8');

/** A rendered package directory below a cluster configuration of its own. */
function installed(changes: Partial<Settings> = {}, scripts: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(scratch, 'member-'));
  const settings = { ...settingsFor(), nodePath: process.execPath, ...changes };
  const bundles = new Map([...memberScripts((name) => scripts[name] ?? echo), [serviceFrontName, front]]);
  const directory = join(root, 'conf', 'csync');
  const directories = { SGCONF: join(root, 'conf'), SGRUN: join(root, 'run') };
  mkdirSync(directory, { recursive: true });
  const files = demand(renderPackage({ settings, templates: packageTemplates(settings.packageStyle), bundles, directories }));
  for (const file of files) write(join(directory, file.name), file.text, file.mode);
  const name = setOf(files) ?? '';
  const set = join(directory, 'sets', name);
  writeFileSync(join(root, 'cmcluster.conf'), `SGCONF=${root}/conf\nSGRUN=${root}/run\nSGSBIN=${root}/bin\n`);
  const at = (launcher: string) => join(settings.packageStyle === 'legacy' ? set : directory, launcher);
  const env = { SGCONFFILE: `${root}/cmcluster.conf`, PEV_CSYNC_SET_DIGEST: name };
  const run = (launcher: string, words: readonly string[], environment: Record<string, string> = {}) =>
    spawnSync(at(launcher), words, { cwd: '/tmp', encoding: 'utf8', env: { ...env, ...environment } });
  /** As run, beside other tests. */
  const begin = (launcher: string, word: string): Promise<{ status: number | null; stderr: string }> => {
    const child = spawn(at(launcher), [word], { cwd: '/tmp', env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      stderr += piece;
    });
    return new Promise((resolve, reject) => child.once('error', reject).once('close', (status) => resolve({ status, stderr })));
  };
  const mark = runningFile(directory);
  marks.push(mark);
  return { root, directory, set, name, settings, mark, run, begin };
}

function write(file: string, text: string, mode: number): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

const marks: string[] = [];
afterAll(() => {
  for (const mark of marks) rmSync(mark, { force: true });
});

describe('the launcher', () => {
  it.each([
    ['csync.sh', 'start', 'main'],
    ['csync.sh', 'stop', 'main'],
    ['csync.sh', 'monitor', 'main'],
    ['csync_pre.sh', 'validate', 'pre'],
  ])('%s %s hands over with directories of the cluster and its role', (launcher, word, role) => {
    const { root, set, run } = installed();
    const ended = run(launcher, [word, '--dry-run'], { SG_PACKAGE: 'csync', LD_PRELOAD: '', NODE_OPTIONS: '--no-such-option' });
    expect(ended.stderr).toBe('');
    const said = JSON.parse(ended.stdout) as { argv: string[]; env: Record<string, string> };
    expect(said.argv).toEqual([set, role, '--dry-run']);
    expect(said.env).toMatchObject({ LC_ALL: 'C', SGRUN: `${root}/run`, SG_PACKAGE: 'csync', CSYNC_MOUNT_POINT: '/csync' });
    expect(Object.keys(said.env), 'nothing of the caller gets through').not.toContain('NODE_OPTIONS');
  });

  it.each(['start', 'stop', 'validate', 'monitor'])('%s runs without standard input, output and error', (word) => {
    const { root, directory } = installed();
    const script = `exec ${join(directory, 'csync.sh')} ${word} <&- >&- 2>&-`;
    expect(spawnSync('/bin/sh', ['-c', script], { env: { SGCONFFILE: `${root}/cmcluster.conf` } }).status).toBe(0);
  });

  it("no variable of Serviceguard's environment steers a script", () => {
    const { root, run } = installed();
    const evil = join(root, 'evil');
    writeFileSync(evil, `touch ${root}/ran\n`, { mode: 0o755 });
    const names =
      'NODE_OPTIONS NODE_PATH NODE_V8_COVERAGE NODE_EXTRA_CA_CERTS UV_THREADPOOL_SIZE OPENSSL_CONF SSL_CERT_FILE PERL5OPT PERL5LIB BASH_ENV ENV CDPATH TMPDIR TZ LD_LIBRARY_PATH';
    const environment = Object.fromEntries(names.split(' ').map((name) => [name, evil]));
    for (const word of ['start', 'stop', 'validate', 'monitor']) {
      const ended = run('csync.sh', [word], { ...environment, PATH: root, IFS: '/' });
      expect([ended.status, ended.stderr], word).toEqual([0, '']);
      const { env } = JSON.parse(ended.stdout) as { env: Record<string, string> };
      expect(
        Object.keys(env).filter((name) => name in environment),
        word,
      ).toEqual([]);
      expect(env.PATH, word).toBe('/usr/sbin:/usr/bin:/sbin:/bin');
    }
    expect(existsSync(join(root, 'ran'))).toBe(false);
  });

  it.each([
    ['start', 2, 'another member may do better'],
    ['stop', 0, 'nothing is mounted, so the halt is done'],
    ['validate', 1, 'told by cmcheckconf'],
    ['monitor', 1, 'the service fails'],
  ])('without node, %s ends with %i: %s', (word, status) => {
    const { run } = installed({ nodePath: '/opt/absent/node' });
    const ended = run('csync.sh', [word]);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toContain('/opt/absent/node');
    expect(ended.stderr).toContain('is missing on this member');
  });

  it.each([
    ['wins over one of the member', process.execPath],
    ['is enough for a member that has none', '/opt/absent/node'],
  ])('a Node.js that was carried along %s', (_, nodePath) => {
    const { directory, run } = installed({ nodePath });
    mkdirSync(join(directory, 'runtime'));
    writeFileSync(join(directory, 'runtime/node'), `#!/bin/sh\nCARRIED=1 exec ${process.execPath} "$@"\n`, { mode: 0o755 });
    const said = JSON.parse(run('csync.sh', ['start']).stdout) as { env: Record<string, string> };
    expect(said.env.CARRIED).toBe('1');
    chmodSync(join(directory, 'runtime/node'), 0o644);
    expect(run('csync.sh', ['start']).stdout, 'one that cannot be executed is passed over').not.toContain('CARRIED');
  });

  it('without its compiled script it ends by consequence, too', () => {
    const { set, run } = installed();
    for (const name of ['start', 'halt']) rmSync(join(set, `csync-${name}.cjs`));
    expect([run('csync.sh', ['start']).status, run('csync.sh', ['stop']).status]).toEqual([2, 0]);
  });

  it('a halt that cannot run fails while the file system is still mounted', () => {
    // Something is mounted at / on every machine.
    const { run } = installed({ nodePath: '/opt/absent/node', mountPoint: '/' });
    expect(run('csync_pre.sh', ['stop']).status).toBe(1);
  });

  it.each([[[]], [['status']], [['start; touch /tmp/injected']]])('words it does not know are refused: %j', (words) => {
    const { run } = installed();
    const ended = run('csync.sh', words);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('start, stop, validate or monitor');
  });

  it('an absent cluster configuration leaves the documented directories', () => {
    const { run, directory } = installed();
    const ended = run('csync.sh', ['start'], { SGCONFFILE: '/absent', SGCONF: join(directory, '..') });
    expect((JSON.parse(ended.stdout) as { env: Record<string, string> }).env.SGRUN).toBe('/usr/local/cmcluster/run');
  });

  it.each(['/a b', "/a'b", '/a"b', '/a$(id)', '/a`id`', '/a;id', '/a\nid', '/a|id', '/a&id', '/a>b', '/a\\b', '/a*', '/../etc'])(
    'values that could break out of their place are refused as settings: %j',
    (value) => {
      for (const key of ['mount_point', 'node_path', 'package_directory'])
        expect(parseSettings(settingsText({ [key]: value }), 'csync.yaml').ok, key).toBe(false);
    },
  );
});

describe('the choice of the set', () => {
  /** Another set beside the first one; its scripts say which. */
  const withAnother = () => {
    const member = installed();
    const another = 'abcdefabcdefabcd';
    cpSync(member.set, join(member.directory, 'sets', another), { recursive: true });
    return { ...member, another };
  };
  /** The files of version 0.1.0 beside the launchers of this one. */
  const withFlat = () => {
    const member = installed();
    for (const name of readdirSync(member.set).filter((one) => !one.endsWith('.sh')))
      copyFileSync(join(member.set, name), join(member.directory, name));
    return member;
  };
  const chosen = (ended: { stdout: string; stderr: string }): string => {
    expect(ended.stderr).toBe('');
    return ((JSON.parse(ended.stdout) as { argv: string[] }).argv[0] ?? '').split('/').at(-1) ?? '';
  };
  const notOurs = { PEV_CSYNC_SET_DIGEST: '' };
  const asRoot = it.skipIf(!isRoot);

  it.each(['start', 'validate'])('%s takes the one that the package names, and no other', (word) => {
    const { name, another, run, directory } = withAnother();
    writeFileSync(join(directory, 'applied'), `${name} /csync -\n`);
    expect(chosen(run('csync.sh', [word]))).toBe(name);
    expect(chosen(run('csync.sh', [word], { PEV_CSYNC_SET_DIGEST: another }))).toBe(another);
  });

  asRoot.each(['stop', 'monitor'])('%s takes the one that runs here, even if another is applied by now', (word) => {
    const { name, another, run, mark } = withAnother();
    writeFileSync(mark, `${name} /csync\n`);
    const ended = run('csync.sh', [word], { PEV_CSYNC_SET_DIGEST: another, PEV_CSYNC_SETTINGS_DIGEST: 'another' });
    expect(chosen(ended)).toBe(name);
    const { env } = JSON.parse(ended.stdout) as { env: Record<string, string> };
    expect(env.PEV_CSYNC_SETTINGS_DIGEST, 'and holds it against no other settings').toBe('');
    expect(chosen(run('csync.sh', ['start'], { PEV_CSYNC_SET_DIGEST: another })), 'a start does not').toBe(another);
  });

  asRoot('the monitor runs with the options that the start chose for this Node.js, and with none that are no options', () => {
    const settings = { packageName: `options-${process.pid}` };
    const { run } = installed(settings, { monitor: 'console.log(JSON.stringify(process.execArgv))' });
    const file = nodeOptionsFile(settings.packageName);
    marks.push(file);
    const withOptions = (text: string) => {
      writeFileSync(file, text);
      const { stdout, stderr } = run('csync.sh', ['monitor']);
      return [JSON.parse(stdout), stderr];
    };
    expect(withOptions('--no-opt --single-threaded\n')).toEqual([['--no-opt', '--single-threaded'], '']);
    for (const text of ['', '\n', '--no-such-option\n', '--eval=1;touch\n', '/*\n'])
      expect(withOptions(text)[0], text).toEqual([]);
    rmSync(file);
    expect(JSON.parse(run('csync.sh', ['monitor']).stdout)).toEqual([]);
  });

  asRoot('what another user wrote down is no word', () => {
    const { name, another, run, mark } = withAnother();
    writeFileSync(mark, `${another} /csync\n`);
    chownSync(mark, 65534, 65534);
    expect(chosen(run('csync.sh', ['stop']))).toBe(name);
  });

  it.each<[string, number]>([
    ['start', 2],
    ['validate', 1],
    ['stop', 0],
    ['monitor', 1],
  ])('where it is missing %s ends with %i, and says what to do', (word, status) => {
    const { set, run } = installed();
    rmSync(set, { recursive: true });
    const ended = run('csync.sh', [word]);
    expect([ended.status, ended.stderr]).toEqual([status, expect.stringContaining('Fix: csync apply')]);
  });

  asRoot('where it is missing a halt fails only while the policy file system is held', () => {
    const { set, run, mark, name, directory } = installed();
    rmSync(set, { recursive: true });
    writeFileSync(mark, `${name} /\n`);
    expect(run('csync_pre.sh', ['stop']).status, 'something is mounted at / on every machine').toBe(1);
    writeFileSync(mark, `${name} /nowhere\n`);
    expect(run('csync_pre.sh', ['stop']).status).toBe(0);
    rmSync(mark);
    writeFileSync(join(directory, 'applied'), `${name} / -\n`);
    expect(run('csync_pre.sh', ['stop']).status).toBe(1);
  });

  it.each(['start', 'validate', 'stop', 'monitor'])('%s of a package of version 0.1.0 goes on with its files', (word) => {
    const { run, directory, root } = withFlat();
    const ended = run('csync.sh', [word], { ...notOurs, PEV_CSYNC_SETTINGS_DIGEST: 'its own' });
    expect(chosen(ended)).toBe('csync');
    const said = JSON.parse(ended.stdout) as { argv: string[]; env: Record<string, string> };
    expect(said.argv).toEqual([directory, 'main']);
    expect(said.env).toMatchObject({ SGRUN: `${root}/run`, CSYNC_MOUNT_POINT: '/csync' });
    expect((JSON.parse(run('csync_pre.sh', [word], notOurs).stdout) as { argv: string[] }).argv[1]).toBe('pre');
  });

  it('by hand it is the one applied last, else that of the package file', () => {
    const { run, directory, name, another } = withAnother();
    expect(chosen(run('csync.sh', ['start', '--dry-run'], notOurs))).toBe(name);
    writeFileSync(join(directory, 'applied'), `${another} /csync -\n`);
    expect(chosen(run('csync.sh', ['start', '--dry-run'], notOurs))).toBe(another);
  });

  it.each(['../../tmp', 'ABCDEF0123456789', '*', 'a b'])('a name that is none leads nowhere: %j', (digest) => {
    const { run } = installed();
    expect(run('csync.sh', ['start'], { PEV_CSYNC_SET_DIGEST: digest }).status).toBe(2);
  });
});

describe('the outer part of a start and of a halt', () => {
  const asRoot = it.skipIf(!isRoot);
  const places: string[] = [];
  afterAll(() => {
    for (const place of places) spawnSync('chattr', ['-i', place]);
  });
  /** A member whose scripts write how they were called beside the configuration. */
  const withMountPoint = (changes: Partial<Settings> = {}) => {
    const mountPoint = mkdtempSync(join(scratch, 'mount-'));
    places.push(mountPoint);
    const ran = mkdtempSync(join(scratch, 'ran-'));
    const how = 'JSON.stringify({ cwd: process.cwd(), env: process.env })';
    const script = `const fs = require('node:fs'); fs.writeFileSync('${ran}.part', ${how}); fs.renameSync('${ran}.part', '${ran}/' + process.argv[3])`;
    const member = installed({ mountPoint, ...changes }, { start: script, halt: script });
    return { ...member, mountPoint, ran, roles: () => readdirSync(ran).toSorted() };
  };

  asRoot('are decided without Node.js while the mount point is free; the daemon is started beside the halt', async () => {
    const { run, mark, mountPoint, ran, roles, root } = withMountPoint();
    const started = run('csync_pre.sh', ['start']);
    expect([started.status, roles()]).toEqual([0, []]);
    expect(spawnSync('lsattr', ['-d', mountPoint], { encoding: 'utf8' }).stdout).toMatch(/^-*i/);
    const halted = run('csync_pre.sh', ['stop']);
    expect([halted.status, halted.stdout]).toEqual([0, '']);
    expect(readFileSync(mark, 'utf8')).toBe(`- ${mountPoint}\n`);
    await eventually('the daemon beside the halt', () => roles().includes('daemon'));
    const said = JSON.parse(readFileSync(join(ran, 'daemon'), 'utf8')) as { cwd: string; env: Record<string, string> };
    expect(said.cwd, 'it is in the way of no unmount').toBe('/');
    expect(said.env).toMatchObject({ SGRUN: `${root}/run`, CSYNC_SUPERVISED: '' });
  });

  asRoot.each([
    ['without Node.js', 'csync_pre.sh', 'modular', false],
    ['where the script decides', 'csync_pre.sh', 'modular', true],
    ['of a legacy package', 'csync_control.sh', 'legacy', false],
  ] as const)(
    'a start %s looks for another host that has the address, with the warning of the table',
    async (_, launcher, packageStyle, isBusy) => {
      const { run, set, root, settings, mountPoint } = withMountPoint({ packageStyle });
      if (isBusy) writeFileSync(join(mountPoint, 'stale'), '');
      const file = join(root, 'words');
      const words = `open my $f, '>', '${file}.part'; print $f join "\\0", @ARGV; close $f; rename '${file}.part', '${file}';`;
      writeFileSync(join(set, arpProbeName), words);
      const log = join(root, 'csync.log');
      expect(run(launcher, ['start'], { SG_SCRIPT_LOG_FILE: log }).status).toBe(0);
      await eventually('the probe', () => existsSync(file));
      const [address, ms, ...others] = readFileSync(file, 'utf8').split('\0');
      const member = hostname().replace(/\..*/, '');
      const found: Finding = { code: 'address-conflict', text: ownerText(settings.packageAddress, '%s') };
      const warning = ofStep('owner', failureMessage(found, member, settings.packageName));
      const head = { member, packageName: settings.packageName, script: 'start' };
      const line = logLine(head, 'warning', warning);
      expect([address, ms, ...others]).toEqual([settings.packageAddress, '200', log, settings.packageName, line]);
      if (launcher === 'csync_pre.sh' && !isBusy) expect(readFileSync(log, 'utf8')).toContain('start: ok [mount-point-free]');
    },
  );

  asRoot.each<[string, (at: string) => void]>([
    ['is not empty', (at) => writeFileSync(join(at, '.hidden'), '')],
    ['has a file named *', (at) => writeFileSync(join(at, '*'), '')],
    ['is missing', (at) => rmSync(at, { recursive: true })],
    [
      'is a file',
      (at) => {
        rmSync(at, { recursive: true });
        writeFileSync(at, '');
      },
    ],
  ])('are decided by the scripts where the mount point %s', (_, make) => {
    for (const word of ['start', 'stop']) {
      const { run, mountPoint, roles, mark } = withMountPoint();
      make(mountPoint);
      expect([run('csync_pre.sh', [word]).status, roles(), existsSync(mark)], word).toEqual([0, ['pre'], false]);
    }
  });

  asRoot('are decided by the scripts in a dry run, and in a halt whose record cannot be written', () => {
    for (const words of [
      ['start', '--dry-run'],
      ['stop', '--dry-run'],
    ]) {
      const { run, roles } = withMountPoint();
      expect([run('csync_pre.sh', words).status, roles()]).toEqual([0, ['pre']]);
    }
    const { run, roles, mark } = withMountPoint();
    mkdirSync(mark);
    expect([run('csync_pre.sh', ['stop']).status, roles()]).toEqual([0, ['pre']]);
    rmSync(mark, { recursive: true });
    const { set, roles: others } = withMountPoint();
    const ended = spawnSync(join(set, 'csync_pre.sh'), ['stop'], { cwd: '/', env: {} });
    expect([ended.status, others()], 'an older entry does not name the record').toEqual([0, ['pre']]);
  });
});

describe('a script that exits without having decided to', () => {
  const crashes = "require('node:fs').writeSync(3, 'step 10 installation\\n'); process.exit(1);";
  const dies = "process.kill(process.pid, 'SIGKILL'); for (;;);";
  const decides = "require('node:fs').writeSync(3, 'step 10 leaving\\n'); process.exit(1);";

  it.each([
    ['a start crashes: another member is tried', {}, 'csync.sh', 'start', crashes, 2],
    ['a start is killed: another member is tried', {}, 'csync_pre.sh', 'start', dies, 2],
    ['a start says that no other member can cure it', {}, 'csync.sh', 'start', decides, 1],
    ['a halt crashes: what follows lets go of the rest', {}, 'csync.sh', 'stop', crashes, 0],
    ['the end of a halt crashes, and nothing is held', {}, 'csync_pre.sh', 'stop', crashes, 0],
    ['the end of a halt crashes, and the file system is held', { mountPoint: '/' }, 'csync_pre.sh', 'stop', crashes, 1],
    ['a validate crashes', {}, 'csync.sh', 'validate', crashes, 1],
  ])('%s', (_what, settings, launcher, word, text, expected) => {
    const { run } = installed(settings, { start: text, halt: text, validate: text });
    expect(run(launcher, [word]).status).toBe(expected);
  });
});

// Side by side: what they take are seconds of waiting.
describe('a script that hangs', { concurrent: true }, () => {
  /** Reports what it does as a member script would, leaves its pid, and then stops: nothing in it runs any more. */
  const hangs = (step = '') => `
    const { writeFileSync, writeSync } = require('node:fs');
    const { spawn } = require('node:child_process');
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    writeFileSync(process.argv[2] + '/pids', process.pid + ' ' + child.pid);
    if (${JSON.stringify(step)} !== '') writeSync(3, ${JSON.stringify(step)});
    process.kill(process.pid, 'SIGSTOP');
    for (;;);`;
  const halts = (status: number) => `
    require('node:fs').writeFileSync(process.argv[2] + '/halted', process.argv[3] + ' ' + process.env.CSYNC_HURRIED);
    process.exit(${status});`;
  const reading = 'step 1 installation\nfile /var/lib/cfengine3/ppkeys/localhost.pub\n';
  const briefly = { runScriptTimeoutSeconds: 10, haltScriptTimeoutSeconds: 10, haltGraceSeconds: 0 } as const;
  const legacy = { ...briefly, packageStyle: 'legacy' } as const;
  const isGone = (pid: number): boolean =>
    !existsSync(`/proc/${pid}/stat`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

  /** How it ends, in how many seconds, and that nothing of it is left. */
  async function ended(member: ReturnType<typeof installed>, launcher: string, word: string) {
    const began = performance.now();
    const { status, stderr } = await member.begin(launcher, word);
    const seconds = (performance.now() - began) / 1000;
    for (const pid of readFileSync(join(member.set, 'pids'), 'utf8').split(' ').map(Number))
      await eventually(`the end of ${pid}`, () => isGone(pid));
    const halted = join(member.set, 'halted');
    return { status, stderr, seconds, halted: existsSync(halted) ? readFileSync(halted, 'utf8') : null };
  }

  it('is given up with its step, its file and the time it took, and another member is tried', async () => {
    const { status, stderr, seconds } = await ended(installed({}, { start: hangs(reading) }), 'csync.sh', 'start');
    expect(status).toBe(2);
    expect(stderr).toMatch(
      / csync start: failed \[script-stopped\] The script was stopped after [12] s: step installation took [12] s, the last of it at \/var\/lib\/cfengine3\/ppkeys\/localhost\.pub\. \| role=main\n$/,
    );
    expect(seconds).toBeLessThan(5);
  });

  it.each<[string, Partial<Settings>, string, string, number, number]>([
    ['before its first word, and before the storage is touched', briefly, 'csync_pre.sh', 'start', 2, 4],
    ['before its first word', briefly, 'csync.sh', 'start', 2, 8],
    ['in a halt: what follows lets go of the rest', briefly, 'csync.sh', 'stop', 0, 9],
    ['in the end of a halt, and nothing is held', briefly, 'csync_pre.sh', 'stop', 0, 4],
    ['in the end of a halt, and the file system is held', { ...briefly, mountPoint: '/' }, 'csync_pre.sh', 'stop', 1, 4],
  ])(
    '%s ends by consequence, and within a part of the limit of Serviceguard',
    async (_what, settings, launcher, word, status, most) => {
      const result = await ended(installed(settings, { start: hangs(), halt: hangs() }), launcher, word);
      expect([result.status, result.halted]).toEqual([status, null]);
      const role = launcher === 'csync_pre.sh' ? 'pre' : 'main';
      const consequence = { isHeld: settings.mountPoint === '/', isTakenBack: false };
      expect(givenUpExit(word === 'start' ? 'start' : 'halt', role, consequence), 'as the model check has it').toBe(status);
      expect(result.seconds).toBeLessThan(most);
    },
  );

  it.each([
    ['exists and works: another member is tried', 0, 2],
    ['does not get everything away: no other member may start it', 1, 1],
  ])('of a legacy package is taken back by the halt, which %s', async (_what, status, expected) => {
    const member = installed(legacy, { start: hangs(reading), halt: halts(status) });
    expect(await ended(member, 'csync_control.sh', 'start')).toMatchObject({ status: expected, halted: 'legacy 1' });
    expect(givenUpExit('start', 'legacy', { isHeld: false, isTakenBack: status === 0 }), 'as the model check has it').toBe(
      expected,
    );
  });

  it("of a legacy package is no other member's to start where the halt hangs as well", async () => {
    const member = installed(legacy, { start: hangs(reading), halt: hangs(reading) });
    const { status, seconds } = await ended(member, 'csync_control.sh', 'start');
    expect(status).toBe(1);
    expect(seconds).toBeLessThan(9);
  });

  it('in a halt of a legacy package is tried once more, in a hurry', async () => {
    const once = `if (process.env.CSYNC_HURRIED === '1') { ${halts(0)} } ${hangs(reading)}`;
    expect(await ended(installed(legacy, { halt: once }), 'csync_control.sh', 'stop')).toMatchObject({
      status: givenUpExit('halt', 'legacy', { isHeld: false, isTakenBack: true }),
      halted: 'legacy 1',
    });
  });

  it('is not waited for where it goes on telling of new steps, beyond the whole of its time', async () => {
    const busy = `${hangs().split('process.kill')[0]} setInterval(() => writeSync(3, 'step 5 again\\n'), 200);`;
    const { status, stderr, seconds } = await ended(installed(briefly, { start: busy }), 'csync.sh', 'start');
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/\[script-stopped\] The script was stopped after 5 s: step again took [01] s/),
    ]);
    expect(seconds).toBeLessThan(8);
  });
});

describe('a script under its supervisor', () => {
  const texts = (words: Readonly<Record<string, string>>): string =>
    `const { writeFileSync, writeSync } = require('node:fs'); const { log, pid } = ${JSON.stringify(words)};`;

  it.each(['csync.sh', 'csync_pre.sh'])('%s has written the last lines of a script that was killed', async (launcher) => {
    const log = join(mkdtempSync(join(scratch, 'log-')), 'csync.log');
    const lines = Array.from({ length: 50 }, (_, line) => `${line} \\ two  blanks\n`).join('');
    const killed = `${texts({ log })} writeSync(5, log + '\\n' + ${JSON.stringify(lines)}); process.kill(process.pid, 'SIGKILL');`;
    expect(installed({}, { start: killed }).run(launcher, ['start']).status).toBe(2);
    expect(readFileSync(log, 'utf8')).toBe(lines);
  });

  it.each([
    ['is not waited for once it has said how it ends, nor is a log whose writer hangs', 'sleep 0.1;'],
    ['nor where sleep knows no parts of a second', 'sleep 0.1x;'],
  ])('%s', async (_, sleeps) => {
    const log = join(mkdtempSync(join(scratch, 'log-')), 'csync.log');
    // Its pipe stays open, so that the writer never comes to an end.
    const stays = `${texts({ log, pid: `${log}.pid` })} writeFileSync(pid, String(process.pid)); writeSync(5, log + '\\nline\\n');
      writeSync(3, 'step 10 leaving\\nend 1\\n'); for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);`;
    const member = installed({}, { start: stays });
    const launcher = join(member.directory, 'sets', member.name, 'csync.sh');
    const text = readFileSync(launcher, 'utf8');
    expect(text).toContain('sleep 0.1;');
    writeFileSync(launcher, text.replace('sleep 0.1;', sleeps));
    const began = performance.now();
    const child = spawn(join(member.directory, 'csync.sh'), ['start'], {
      env: { SGCONFFILE: `${member.root}/cmcluster.conf`, PEV_CSYNC_SET_DIGEST: member.name },
      stdio: 'ignore',
    });
    const status = await new Promise((resolve) => child.once('exit', resolve));
    const took = performance.now() - began;
    process.kill(Number(readFileSync(`${log}.pid`, 'utf8')), 'SIGKILL');
    // Nothing waited for the writer, which goes on.
    if (sleeps !== 'sleep 0.1;') await eventually('the line', () => existsSync(log) && readFileSync(log, 'utf8') !== '');
    expect([status, readFileSync(log, 'utf8')]).toEqual([1, 'line\n']);
    expect(took).toBeLessThan(5000);
  });

  it('has a program started beside it, with the variables it names and no other, and its words as they are', async () => {
    const file = join(mkdtempSync(join(scratch, 'beside-')), 'said');
    // No shell, which has variables of its own.
    const words = [
      'A=b  c $(id)',
      '/usr/bin/perl',
      '-e',
      'open my $e, ">", "$ARGV[0].env"; print $e keys %ENV; close $e; open my $f, ">", $ARGV[0]; print $f "$ENV{A}|$ARGV[1]|$ARGV[2]"',
      file,
      '',
      "'; $x",
    ];
    const starts = `require('node:fs').writeSync(3, ${JSON.stringify(`${words.map((word) => `word ${word}\n`).join('')}run\n`)});`;
    const ended = installed({}, { start: starts }).run('csync.sh', ['start'], { PERL5OPT: 'evil' });
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    await eventually('its words', () => existsSync(file) && readFileSync(file, 'utf8') !== '');
    expect([readFileSync(file, 'utf8'), readFileSync(`${file}.env`, 'utf8')]).toEqual(["b  c $(id)||'; $x", 'A']);
  });
});

describe('the cluster configuration that the environment names', () => {
  const evil = (directory: string): string => `touch ${directory}/sourced; SGRUN=/evil\n`;

  it.runIf(isRoot).each<[string, (file: string, root: string) => void]>([
    ['that everybody can write', (file) => chmodSync(file, 0o666)],
    ['of another user', (file) => chownSync(file, 12_345, 0)],
    ['in a directory that everybody can write', (_, root) => chmodSync(join(root, 'open'), 0o777)],
    ['in a directory of another user', (_, root) => chownSync(join(root, 'open'), 12_345, 0)],
    [
      'behind a link into such a directory',
      (file, root) => {
        mkdirSync(join(root, 'theirs'));
        renameSync(file, join(root, 'theirs/evil.conf'));
        symlinkSync(join(root, 'theirs/evil.conf'), file);
        chmodSync(join(root, 'theirs'), 0o777);
      },
    ],
    [
      'that is a FIFO',
      (file) => {
        rmSync(file);
        spawnSync('/usr/bin/mkfifo', [file]);
      },
    ],
  ])('%s is not sourced', (_what, spoil) => {
    const { root, directory, run } = installed();
    mkdirSync(join(root, 'open'));
    const file = join(root, 'open/evil.conf');
    writeFileSync(file, evil(root));
    spoil(file, root);
    const ended = run('csync.sh', ['start'], { SGCONFFILE: file, SGCONF: join(directory, '..') });
    expect(existsSync(join(root, 'sourced'))).toBe(false);
    expect((JSON.parse(ended.stdout) as { env: Record<string, string> }).env.SGRUN).toBe('/usr/local/cmcluster/run');
  });

  it('is sourced where only root, or who runs this, can change it, below a directory such as /tmp', () => {
    const { root, directory, run } = installed();
    mkdirSync(join(root, 'open'));
    chmodSync(join(root, 'open'), 0o1777);
    mkdirSync(join(root, 'open/ours'));
    writeFileSync(join(root, 'open/ours/good.conf'), 'SGRUN=/good\n');
    const ended = run('csync.sh', ['start'], { SGCONFFILE: join(root, 'open/ours/good.conf'), SGCONF: join(directory, '..') });
    expect([ended.stderr, (JSON.parse(ended.stdout) as { env: Record<string, string> }).env.SGRUN]).toEqual(['', '/good']);
  });
});
