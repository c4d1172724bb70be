/** The rendered launchers, run by a POSIX shell with an empty environment, as Serviceguard runs them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../src/problem.ts';
import { renderPackage } from '../../src/render/package.ts';
import type { Settings } from '../../src/settings.ts';
import { parseSettings } from '../../src/settings-yaml.ts';
import {
  memberScripts,
  packageTemplates,
  repository,
  scratchDirectory,
  serviceFrontName,
  settingsFor,
  settingsText,
} from '../support.ts';

const scratch = scratchDirectory();
/** What the compiled scripts are replaced with: says how it was called. */
const echo = 'console.log(JSON.stringify({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() }))';

const front = readFileSync(join(repository, 'src/member', serviceFrontName), 'utf8');

/** A rendered package directory below a cluster configuration of its own. */
function installed(changes: Partial<Settings> = {}) {
  const root = mkdtempSync(join(scratch, 'member-'));
  const settings = { ...settingsFor(), nodePath: process.execPath, ...changes };
  const bundles = new Map([...memberScripts(() => echo), [serviceFrontName, front]]);
  const directory = join(root, 'conf', 'csync');
  mkdirSync(directory, { recursive: true });
  for (const file of demand(renderPackage({ settings, templates: packageTemplates(), bundles })))
    writeFileSync(join(directory, file.name), file.text, { mode: file.mode });
  writeFileSync(join(root, 'cmcluster.conf'), `SGCONF=${root}/conf\nSGRUN=${root}/run\nSGSBIN=${root}/bin\n`);
  const run = (launcher: string, words: readonly string[], environment: Record<string, string> = {}) =>
    spawnSync(join(directory, launcher), words, {
      cwd: '/tmp',
      encoding: 'utf8',
      env: { SGCONFFILE: `${root}/cmcluster.conf`, ...environment },
    });
  return { root, directory, run };
}

describe('the launcher', () => {
  it.each([
    ['csync.sh', 'start', 'main'],
    ['csync.sh', 'stop', 'main'],
    ['csync.sh', 'monitor', 'main'],
    ['csync_pre.sh', 'validate', 'pre'],
  ])('%s %s hands over with directories of the cluster and its role', (launcher, word, role) => {
    const { root, directory, run } = installed();
    const ended = run(launcher, [word, '--dry-run'], { SG_PACKAGE: 'csync', LD_PRELOAD: '', NODE_OPTIONS: '--no-such-option' });
    expect(ended.stderr).toBe('');
    const said = JSON.parse(ended.stdout) as { argv: string[]; env: Record<string, string> };
    expect(said.argv).toEqual([directory, role, '--dry-run']);
    expect(said.env).toMatchObject({ LC_ALL: 'C', SGRUN: `${root}/run`, SG_PACKAGE: 'csync', CSYNC_MOUNT_POINT: '/csync' });
    expect(Object.keys(said.env), 'nothing of the caller gets through').not.toContain('NODE_OPTIONS');
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
    const { directory, run } = installed();
    for (const name of ['start', 'halt']) rmSync(join(directory, `csync-${name}.cjs`));
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
