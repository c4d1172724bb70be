/** The built toolkit as administrators call it: what it prints, what it leaves behind, how it ends. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Manifest, sha256 } from '../../../src/contract/package-directory.ts';
import { checkedOutput } from '../../outputs.ts';
import { isRoot, repository, scratchDirectory, settingsText } from '../../support.ts';

const toolkit = join(repository, 'dist', 'csync.mjs');
const scratch = scratchDirectory();

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** That each output is what `csync schema` promises. */
const checks: Promise<string>[] = [];
afterAll(() => Promise.all(checks));

function csync(directory: string, words: readonly string[], environment: Record<string, string> = {}): Ended {
  const ended = spawnSync(process.execPath, [toolkit, ...words], {
    cwd: directory,
    encoding: 'utf8',
    // Nothing but what is given: no PATH, no HOME, no terminal.
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  checks.push(checkedOutput(words, ended.stdout));
  return ended;
}

/** As a user without rights: root sets them aside, anybody else has none anyway. */
function asNobody(directory: string, words: readonly string[]): Ended {
  const drop = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const [file = '', ...rest] = [...drop, process.execPath, toolkit, ...words];
  return spawnSync(file, rest, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A directory with a csync.yaml of its own. */
function project(changes: Readonly<Record<string, unknown>> = {}, text = settingsText(changes)): string {
  const directory = mkdtempSync(join(scratch, 'project-'));
  writeFileSync(join(directory, 'csync.yaml'), text);
  return directory;
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort();
const snapshot = (directory: string) =>
  filesIn(directory).map((name) => [
    name,
    statSync(join(directory, name)).mode.toString(8),
    readFileSync(join(directory, name), 'utf8'),
  ]);

/** The directory of the set that was rendered there. */
const setIn = (output: string): string => join(output, 'sets', readdirSync(join(output, 'sets'))[0] ?? '');

describe('csync render', () => {
  it.each([['render'], ['templates export own']])(
    'and what else writes directories leaves none that others could write to, with a umask of 000: %s',
    (words) => {
      const directory = project();
      const ended = spawnSync('/bin/sh', ['-c', `umask 000; exec "$@"`, 'sh', process.execPath, toolkit, ...words.split(' ')], {
        cwd: directory,
        encoding: 'utf8',
        env: {},
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      expect([ended.status, ended.stderr]).toEqual([0, expect.not.stringContaining('error')]);
      const made = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'csync.yaml');
      expect(made).not.toEqual([]);
      expect(made.filter((name) => (statSync(join(directory, name)).mode & 0o022) !== 0)).toEqual([]);
    },
  );

  it('writes the package directory, and the second time the very same bytes', () => {
    const directory = project();
    const first = csync(directory, ['render']);
    expect(first.stderr).toBe('');
    expect(first.status).toBe(0);
    const before = snapshot(join(directory, 'csync'));
    const names = filesIn(join(directory, 'csync'));
    const lines = first.stdout.split('\n').slice(1, -1);
    expect(first.stdout).toContain(`${names.length} files written to csync:\n`);
    expect(lines.map((line) => line.split(/ +/)[4]).sort()).toEqual(names);
    expect(lines.filter((line) => !line.startsWith('new '))).toEqual([]);
    const second = csync(directory, ['render']);
    expect(second.stdout).toBe(first.stdout.replaceAll(/^new /gm, 'same '));
    expect(snapshot(join(directory, 'csync'))).toEqual(before);
  });

  it('over a package directory leaves the runtime that was carried there, and its word in the manifest', () => {
    const directory = project();
    csync(directory, ['render']);
    const set = setIn(join(directory, 'csync'));
    const file = join(set, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    const runtime = { digest: sha256('node'), size: 4 };
    writeFileSync(file, JSON.stringify({ ...manifest, runtime }));
    expect(csync(directory, ['render']).status).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...manifest, runtime });
    // What the member says of it, by the manifest.
    const script = join(repository, 'dist', 'member', 'csync-validate.cjs');
    const validate = () => spawnSync(process.execPath, [script, set, 'main'], { encoding: 'utf8', env: {} }).stdout;
    const complaint = 'is not the distributed Node.js, or cannot be executed';
    expect(validate(), 'missing').toContain(complaint);
    mkdirSync(join(directory, 'csync', 'runtime'));
    const node = join(directory, 'csync', 'runtime', 'node');
    for (const [text, mode, sound] of [
      ['node', 0o755, true],
      ['node', 0o644, false],
      ['other', 0o755, false],
    ] as const) {
      writeFileSync(node, text);
      chmodSync(node, mode);
      expect(validate().includes(complaint), `${text} ${mode.toString(8)}`).toBe(!sound);
    }
  });

  it('--dry-run lists exactly what would be written and writes nothing', () => {
    const directory = project();
    const dry = csync(directory, ['render', '--dry-run', '--json']);
    expect(readdirSync(directory)).toEqual(['csync.yaml']);
    const wet = csync(directory, ['render', '--json']);
    const files = (said: Ended) => (JSON.parse(said.stdout) as { files: { name: string; digest: string }[] }).files;
    expect(files(dry)).toEqual(files(wet));
    expect(
      files(wet)
        .map((file) => file.name)
        .sort(),
    ).toEqual(filesIn(join(directory, 'csync')));
  });

  it.each(['beside the sets', 'of the set'])(
    'notices a hand edit %s, keeps it, and takes the rendered file only when told',
    (where) => {
      const directory = project();
      csync(directory, ['render']);
      const output = join(directory, 'csync');
      const launcher = join(where === 'of the set' ? setIn(output) : output, 'csync.sh');
      const rendered = readFileSync(launcher, 'utf8');
      writeFileSync(launcher, `${rendered}# mine\n`);
      const refused = csync(directory, ['render']);
      expect([refused.status, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toContain('csync.sh was edited since it was rendered');
      expect(refused.stderr).toContain('--take-rendered');
      expect(readFileSync(launcher, 'utf8')).toBe(`${rendered}# mine\n`);
      expect(csync(directory, ['render', '--take-rendered']).status).toBe(0);
      expect(readFileSync(launcher, 'utf8')).toBe(rendered);
    },
  );

  it('--take-mine makes a hand edit part of the package, and the next render notices it again', () => {
    const directory = project();
    csync(directory, ['render']);
    const launcher = join(directory, 'csync', 'csync.sh');
    const mine = `${readFileSync(launcher, 'utf8')}# mine\n`;
    writeFileSync(launcher, mine);
    expect(csync(directory, ['render', '--take-mine']).status).toBe(0);
    expect(readFileSync(launcher, 'utf8')).toBe(mine);
    const manifest = JSON.parse(readFileSync(join(setIn(join(directory, 'csync')), 'manifest.json'), 'utf8')) as Manifest;
    expect([manifest.edited, manifest.beside['csync.sh']]).toEqual([['csync.sh'], sha256(mine)]);
    expect(csync(directory, ['render']).status, 'never overwritten silently').toBe(1);
    expect(readFileSync(launcher, 'utf8')).toBe(mine);
    expect(csync(directory, ['render', '--take-rendered']).status).toBe(0);
    expect(csync(directory, ['render']).status).toBe(0);
    expect(csync(directory, ['render', '--take-mine', '--take-rendered']).status).toBe(2);
  });

  it('--take-mine of a script makes a set of its own, which the package file names, and the next render notices it again', () => {
    const directory = project();
    const output = join(directory, 'csync');
    csync(directory, ['render']);
    const before = setIn(output);
    writeFileSync(join(before, 'csync-halt.cjs'), '// mine\n');
    expect(csync(directory, ['render', '--take-mine']).status).toBe(0);
    const [name = ''] = readdirSync(join(output, 'sets')).filter((one) => !before.endsWith(one));
    expect(readFileSync(join(output, 'csync.conf'), 'utf8')).toMatch(new RegExp(`^pev_csync_set_digest +${name}$`, 'm'));
    expect(readFileSync(join(output, 'sets', name, 'csync-halt.cjs'), 'utf8')).toBe('// mine\n');
    const refused = csync(directory, ['render']);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('csync-halt.cjs was edited since')]);
    expect(csync(directory, ['render', '--take-rendered']).status).toBe(0);
    expect(readFileSync(join(output, 'csync.conf'), 'utf8')).not.toContain(name);
  });

  it('over a package directory of version 0.1.0 leaves its files beside the new set', () => {
    const directory = project();
    const output = join(directory, 'csync');
    mkdirSync(output);
    const old = { 'csync.conf': 'pev_csync_settings_digest aa\n', 'csync.sh': '#!/bin/sh\n', 'settings.json': '{}\n' };
    for (const [name, text] of Object.entries(old)) writeFileSync(join(output, name), text);
    const digests = Object.fromEntries(Object.entries(old).map(([name, text]) => [name, sha256(text)]));
    writeFileSync(join(output, 'manifest.json'), JSON.stringify({ settingsDigest: 'aa', files: digests }));
    const rendered = csync(directory, ['render']);
    expect(rendered.status, rendered.stderr).toBe(0);
    expect(readFileSync(join(output, 'settings.json'), 'utf8')).toBe('{}\n');
    expect(readFileSync(join(output, 'csync.sh'), 'utf8')).toContain('the files of version 0.1.0');
  });

  it('templates older than sets are refused: their package would name none', () => {
    const directory = project();
    csync(directory, ['templates', 'export', 'mine']);
    const [packageFile, launcher] = ['package.conf.tpl', 'launcher.sh.tpl'].map((name) => join(directory, 'mine/modular', name));
    const without = readFileSync(packageFile ?? '', 'utf8').replace(/^pev_csync_set_digest.*\n/m, '');
    writeFileSync(packageFile ?? '', without);
    writeFileSync(
      launcher ?? '',
      readFileSync(launcher ?? '', 'utf8').replace(/^directory=.*$/m, 'directory={{package_directory}}'),
    );
    for (const words of [['render'], ['templates', 'check']]) {
      const refused = csync(directory, [...words, '--templates', 'mine']);
      expect([refused.status, refused.stderr]).toEqual([3, expect.stringContaining('{{set_digest}}')]);
      expect(refused.stderr).toContain('{{package_directory}} is not a token');
      expect(refused.stderr).toContain('csync templates diff');
    }
  });

  it('a changed setting is no hand edit', () => {
    const directory = project();
    csync(directory, ['render']);
    writeFileSync(join(directory, 'csync.yaml'), settingsText({ service_restart: 2 }));
    const again = csync(directory, ['render']);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/changed .*csync\.conf/);
  });

  it('prints all problems of the settings at once, each with line, what was typed, and a remedy', () => {
    const directory = project(
      {},
      'members: [m1]\nmonitor_intervall: 5\npackage_address: 10.9.0.300\nmount_point: csync\nscript_timeout: soon\n',
    );
    const refused = csync(directory, ['render']);
    expect(refused.status).toBe(3);
    for (const expected of [
      /csync\.yaml:2:1\n.*"monitor_intervall".*\n.*monitor_interval/,
      /csync\.yaml:3:\d+\n.*10\.9\.0\.300/,
      /csync\.yaml:4:\d+\n.*"csync"/,
    ])
      expect(refused.stderr).toMatch(expected);
    expect(refused.stderr.match(/Fix: /g)?.length).toBeGreaterThanOrEqual(5);
    expect(readdirSync(directory)).toEqual(['csync.yaml']);
    const asJson = csync(directory, ['render', '--json']);
    const { problems } = JSON.parse(asJson.stdout) as { problems: { code: string; place: { line: number } }[] };
    expect(problems.length).toBe(refused.stderr.match(/Fix: /g)?.length);
    expect(problems.every((problem) => problem.code.startsWith('settings-'))).toBe(true);
  });

  it('prints every problem of a template with line and column and renders nothing', () => {
    const directory = project();
    const own = join(directory, 'templates', 'modular');
    mkdirSync(own, { recursive: true });
    const shipped = readFileSync(join(repository, 'package-templates/modular/package.conf.tpl'), 'utf8');
    writeFileSync(join(own, 'package.conf.tpl'), `{{package_nme}}\n${shipped.replace('{{package_name}}', 'fixed')}`);
    const refused = csync(directory, ['render', '--templates', 'templates']);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toMatch(/package\.conf\.tpl:1:1\n.*package_nme[\s\S]*package_name/);
    expect(readdirSync(directory).sort()).toEqual(['csync.yaml', 'templates']);
    const checked = csync(directory, ['templates', 'check', '--templates', 'templates', '--json']);
    expect([checked.status, (JSON.parse(checked.stdout) as { problems: unknown[] }).problems.length > 0]).toEqual([3, true]);
    expect(csync(directory, ['templates', 'check']).status).toBe(0);
  });

  it('lays the package over what cmmakepkg made, keeping its comments', () => {
    const directory = project();
    const conf = readFileSync(join(repository, 'test/golden/csync/csync.conf'), 'utf8');
    const modules = [...conf.matchAll(/^module_name\s+(\S+)/gm)].map((match) => match[1]);
    const base = modules.map((name) => `# what ${name} is for\nmodule_name ${name}\nmodule_version 1\n`).join('');
    writeFileSync(join(directory, 'base.conf'), `${base}package_name changeme\n`);
    const rendered = csync(directory, ['render', '--base', 'base.conf']);
    expect(rendered.status, rendered.stderr).toBe(0);
    expect(readFileSync(join(directory, 'csync/csync.conf'), 'utf8')).toContain('# what sg/failover is for');
    expect(csync(directory, ['render', '--base', 'absent.conf']).stderr).toContain('absent.conf cannot be read');
  });

  it('writes the same bytes in another locale and time zone', () => {
    const directory = project();
    csync(directory, ['render', '--output', 'one']);
    csync(directory, ['render', '--output', 'two'], { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' });
    expect(snapshot(join(directory, 'two'))).toEqual(snapshot(join(directory, 'one')));
  });

  it('sweeps up what a killed render left, and nothing else', () => {
    const directory = project();
    const output = join(directory, 'csync');
    // No process has the highest possible id plus one.
    for (const name of ['.csync-staging-4194305-abc', `.csync-staging-${process.pid}-abc`, 'mine'])
      mkdirSync(join(output, name), { recursive: true });
    csync(directory, ['render']);
    expect(readdirSync(output).filter((name) => !name.startsWith('csync'))).toEqual([
      `.csync-staging-${process.pid}-abc`,
      'mine',
      'sets',
    ]);
  });

  it('a directory that cannot be written to: nothing is rendered', () => {
    const directory = project();
    mkdirSync(join(directory, 'csync'));
    chmodSync(join(directory, 'csync'), 0o555);
    for (const passable of [scratch, directory]) chmodSync(passable, 0o755);
    const refused = asNobody(directory, ['render']);
    expect([refused.status, refused.stdout]).toEqual([5, '']);
    expect(refused.stderr).toContain('nothing was written to csync: EACCES');
  });

  it.skipIf(!isRoot)('a full disk: the package directory stays as it was, whole', () => {
    const directory = project();
    // A private mount namespace: the small file system ends with the shell.
    const script = [
      'mount -t tmpfs -o size=6m tmpfs "$PWD" && cd "$PWD"',
      'cp "$SETTINGS" csync.yaml && "$NODE" "$TOOLKIT" render >/dev/null',
      'before=$(cat csync/* | sha256sum); ls -A csync > /tmp/ls-before.$$',
      'dd if=/dev/zero of=full bs=4k 2>/dev/null',
      'echo "service_restart: 5" >> csync.yaml',
      '"$NODE" "$TOOLKIT" render --settings "$CHANGED"; echo "exit $?"',
      '[ "$before" = "$(cat csync/* | sha256sum)" ] && ls -A csync | cmp - /tmp/ls-before.$$ && echo whole; rm /tmp/ls-before.$$',
    ].join('\n');
    const changed = project({ service_restart: 5 });
    const ended = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      cwd: mkdtempSync(join(scratch, 'full-')),
      encoding: 'utf8',
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        NODE: process.execPath,
        TOOLKIT: toolkit,
        SETTINGS: join(directory, 'csync.yaml'),
        CHANGED: join(changed, 'csync.yaml'),
      },
    });
    expect(ended.stdout).toBe('exit 5\nwhole\n');
    expect(ended.stderr).toContain('nothing was written to csync: ENOSPC');
  });
});

describe('csync templates', () => {
  const name = 'modular/package.conf.tpl';

  it('exports copies that render to the same, and an edit of one reaches the package', () => {
    const directory = project();
    const dry = csync(directory, ['templates', 'export', 'mine', '--dry-run']);
    expect(dry.stdout).toMatch(/^would copy +mine\/modular\/package\.conf\.tpl \(new\)\n/);
    expect(readdirSync(directory)).toEqual(['csync.yaml']);
    expect(csync(directory, ['templates', 'export', 'mine']).status).toBe(0);
    csync(directory, ['render', '--output', 'one']);
    csync(directory, ['render', '--output', 'two', '--templates', 'mine']);
    expect(snapshot(join(directory, 'two'))).toEqual(snapshot(join(directory, 'one')));
    const copy = join(directory, 'mine', name);
    writeFileSync(copy, `${readFileSync(copy, 'utf8')}# of our site\n`);
    csync(directory, ['render', '--output', 'two', '--templates', 'mine']);
    expect(readFileSync(join(directory, 'two/csync.conf'), 'utf8')).toContain('# of our site');
    expect(csync(directory, ['templates', 'list', '--templates', 'mine']).stdout).toMatch(/package\.conf\.tpl +edited /);
  });

  it('shows after an upgrade what changed on either side, and loses no edit', () => {
    const directory = project();
    csync(directory, ['templates', 'export', 'mine']);
    expect(csync(directory, ['templates', 'diff', 'mine']).status).toBe(0);
    const [copy, pristine] = [join(directory, 'mine', name), join(directory, 'mine/.shipped', name)];
    // As if an older toolkit had shipped it with another line.
    const older = readFileSync(copy, 'utf8').replace('# The policy file system.', '# The old words.');
    chmodSync(pristine, 0o644);
    writeFileSync(pristine, older);
    writeFileSync(copy, `${older}# of our site\n`);
    const diff = csync(directory, ['templates', 'diff', 'mine']);
    expect(diff.status).toBe(1);
    expect(diff.stdout).toMatch(
      /edited, outdated\n--- your edits[\s\S]*\+# of our site[\s\S]*--- changes of the shipped[\s\S]*\+# The policy file system\./,
    );
    const refused = csync(directory, ['templates', 'export', 'mine']);
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('--take-mine');
    expect(readFileSync(copy, 'utf8')).toBe(`${older}# of our site\n`);
    expect(csync(directory, ['templates', 'export', 'mine', '--take-mine']).status).toBe(0);
    expect(readFileSync(copy, 'utf8')).toBe(`${older}# of our site\n`);
    expect(csync(directory, ['templates', 'list', '--templates', 'mine', '--json']).stdout).toContain('"state": "edited"');
    expect(csync(directory, ['templates', 'export', 'mine', '--take-shipped']).status).toBe(0);
    expect(readFileSync(copy, 'utf8')).not.toContain('# of our site');
  });

  it('a misspelt file name is found, since it would never be used', () => {
    const directory = project();
    mkdirSync(join(directory, 'mine/modular'), { recursive: true });
    writeFileSync(join(directory, 'mine/modular/pakage.conf.tpl'), 'x');
    const checked = csync(directory, ['templates', 'check', '--templates', 'mine']);
    expect(checked.status).toBe(3);
    expect(checked.stderr).toContain('modular/pakage.conf.tpl');
    expect(checked.stderr).toContain('modular/package.conf.tpl');
  });
});

describe('csync settings', () => {
  it('the example is sound once it is complete, and says what is not', () => {
    const example = csync(scratch, ['settings', 'example']);
    expect(example.status).toBe(0);
    // What only the administrator knows is asked for; nothing else is wrong with the example.
    const checked = csync(project({}, example.stdout), ['settings', 'check']);
    const codes = [...checked.stderr.matchAll(/^error \[([\w-]+)\]/gm)].map(([, code]) => code);
    expect([checked.status, new Set(codes)]).toEqual([3, new Set(['settings-missing'])]);
    const asked = [...checked.stderr.matchAll(/add a line "(\w+): /g)].map(([, key = '']) => key);
    const answers = settingsText()
      .split('\n')
      .filter((line) => asked.includes(line.split(':')[0] ?? ''));
    const complete = project({}, `${example.stdout}\n${answers.join('\n')}\n`);
    expect(csync(complete, ['settings', 'check'])).toMatchObject({ status: 0, stderr: '' });
  });

  it('check prints the digest members compare', () => {
    const directory = project();
    const checked = csync(directory, ['settings', 'check', '--json']);
    const { digest } = JSON.parse(checked.stdout) as { digest: string };
    csync(directory, ['render']);
    const manifest = JSON.parse(readFileSync(join(setIn(join(directory, 'csync')), 'manifest.json'), 'utf8')) as {
      settingsDigest: string;
    };
    expect(manifest.settingsDigest).toBe(digest);
  });
});

describe('csync status', () => {
  it.each([
    ['without settings', (directory: string) => rmSync(join(directory, 'csync.yaml'))],
    ['with broken settings', (directory: string) => writeFileSync(join(directory, 'csync.yaml'), 'members: m1\n')],
    [
      'with a template that is none',
      (directory: string) => {
        mkdirSync(join(directory, 'modular'));
        writeFileSync(join(directory, 'modular', 'package.conf.tpl'), '{{no_such_token}}');
      },
    ],
  ])('%s exits with 4, unknown; 1 and 3 would mean that the package failed or is halted', (_, damage) => {
    const directory = project();
    damage(directory);
    const ended = csync(directory, ['status', '--json', '--templates', '.']);
    expect([ended.status, Object.keys(JSON.parse(ended.stdout))]).toEqual([4, ['version', 'problems']]);
    expect(csync(directory, ['check', '--templates', '.']).status).toBe(3);
  });

  it('called wrongly ends with 2 as every verb', () => {
    expect(csync(project(), ['status', '--no-such-option']).status).toBe(2);
  });
});

describe('csync, called wrongly', () => {
  it.each([
    [['--quiet'], 'a verb is missing'],
    [['rendr'], 'did you mean render?'],
    [['renderings-of-mine'], 'renderings-of-mine'],
    [['render', '--outptu', 'x'], 'outptu'],
    [['add', 'member', 'm4'], 'Fix: csync member add'],
    [['maintenance'], 'Fix: for example csync maintenance on'],
    [['lab', 'crash'], 'a name is missing behind the verb'],
    [['lab', 'failovers', '--count', 'many'], '--count'],
    [['lab', 'failovers', '--count', '0'], '--count'],
    [['lab', 'down', '--name', '../../home'], 'a lab name has'],
    [['lab', 'exec', '--name', '', 'm1', '--', 'true'], 'a lab name has'],
  ])('%j: status 2, says what is wrong, does nothing', (words, said) => {
    const directory = project();
    const ended = csync(directory, words);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(said);
    expect(ended.stderr).toContain('Fix: ');
    expect(readdirSync(directory)).toEqual(['csync.yaml']);
  });

  it.each(['render --outptu x --json', 'rendr --json', '--json', 'lab crash --json', 'settings example --json'])(
    '%s: the problem is one JSON document, too',
    (words) => {
      const { status, stdout, stderr } = csync(scratch, words.split(' '));
      const { version, problems } = JSON.parse(stdout) as { version: number; problems: { code: string; text: string }[] };
      expect([status, version, problems.map(({ code }) => code)]).toEqual([2, 1, ['usage']]);
      expect(stderr).toContain(`error [usage]\n  ${problems[0]?.text}\n`);
    },
  );

  it('a --json of the program that lab exec runs is not that of csync', () => {
    expect(csync(scratch, ['lab', 'exec', '--', 'x', '--json'])).toMatchObject({ status: 2, stdout: '' });
  });

  it.each([
    [[], 'Set up ('],
    [['lab'], 'csync lab demo'],
  ])('%j: status 2, prints what there is', (words: string[], said) => {
    const { status, stdout, stderr } = csync(scratch, words);
    expect([status, stdout, stderr]).toEqual([2, expect.stringContaining(said), '']);
  });

  it.each([
    ['status', 4],
    ['apply', 3],
    ['members list', 3],
    ['rollback 3', 3],
  ])('%s without a csync.yaml names csync init', (words, wanted) => {
    const { status, stderr } = csync(mkdtempSync(join(scratch, 'empty-')), words.split(' '));
    expect([status, stderr]).toEqual([wanted, expect.stringContaining('Fix: csync init   writes csync.yaml')]);
  });

  it('names csync explain once behind its problems', () => {
    const { stderr } = csync(project({}, 'members: [m1]\n'), ['render']);
    expect(stderr.match(/csync explain/g)).toHaveLength(1);
    expect(stderr).toMatch(/\nMore: csync explain settings-missing\n$/);
  });

  it('--help and --version end with 0', () => {
    expect(csync(scratch, ['--help']).stdout).toContain('render');
    expect(csync(scratch, ['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(csync(scratch, ['lab', 'demo', '--help']).stdout).toContain('--name');
  });

  it('completes in a shell by the script it prints', () => {
    const script = csync(scratch, ['completion']).stdout;
    const typed = `csync() { "$NODE" "$TOOLKIT" "$@"; }; ${script}\nCOMP_WORDS=(csync client s); COMP_CWORD=2; _csync_yargs_completions; echo "\${COMPREPLY[@]}"`;
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SHELL: '/bin/bash', NODE: process.execPath, TOOLKIT: toolkit };
    expect(spawnSync('/bin/bash', ['-c', typed], { encoding: 'utf8', env }).stdout).toBe('sync\n');
  });

  it.each([['members sync --dry-run'], ['keys verify'], ['client list'], ['client add c9 --yes']])(
    'where Node.js has no MD5, as in FIPS mode, %s is refused by name before any host is asked',
    (words) => {
      const directory = mkdtempSync(join(scratch, 'fips-'));
      writeFileSync(join(directory, 'csync.yaml'), settingsText());
      // OpenSSL 3 refuses it with these words.
      const without = [
        "const crypto = require('node:crypto'); const real = crypto.createHash;",
        'crypto.createHash = (name, ...more) => {',
        "  if (/^md5$/i.test(name)) throw new Error('error:0308010C:digital envelope routines::unsupported');",
        '  return real(name, ...more);',
        '};',
        "require('node:module').syncBuiltinESMExports();",
      ];
      writeFileSync(join(directory, 'no-md5.cjs'), without.join('\n'));
      const ended = csync(directory, words.split(' '), { NODE_OPTIONS: `--require ${join(directory, 'no-md5.cjs')}` });
      expect([ended.status, ended.stderr.split('\n')[0]]).toEqual([4, 'error [here-fips]']);
    },
  );

  it('without root the lab says in one line what it needs', () => {
    const ended = asNobody('/', ['lab', 'demo']);
    expect(ended.status).toBe(4);
    expect(ended.stderr.split('\n')[1]).toContain('requires root');
  });

  it.skipIf(!isRoot)('on a machine that cannot hold a lab csync prints what is missing, and leaves nothing behind', () => {
    const inMountNamespace = (prepare: string) =>
      spawnSync(
        'unshare',
        ['--mount', 'sh', '-c', `${prepare}; "$NODE" "$TOOLKIT" lab up --name test-full; echo "$?"; ls -A /run/csync-lab`],
        {
          encoding: 'utf8',
          env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', NODE: process.execPath, TOOLKIT: toolkit },
        },
      );
    for (const size of ['100k', '6m']) {
      const full = inMountNamespace(`mkdir -p /run/csync-lab; mount -t tmpfs -o size=${size} tmpfs /run/csync-lab`);
      expect(full.stdout, full.stderr).toBe('4\n');
      expect(full.stderr).toMatch(/about \d+ MB in \/run/);
    }
    const bare = inMountNamespace('mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /usr/sbin; mkdir /run/csync-lab');
    expect(bare.stdout).toBe('4\n');
    expect(bare.stderr).toMatch(/losetup[\s\S]*apt-get install .*mount/);
  });
});
