/**
 * What `npm run release` makes, installed, upgraded and removed in empty roots: deb, rpm, tarball, npm package. The release is built from the
 * last commit.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { toolkitVersion } from '../../../src/base/version.ts';
import { everyStepIt, isRoot, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();

function run(argv: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}) {
  const [program = '', ...rest] = argv;
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 27, ...options });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

function release(output: string): void {
  const argv = [process.execPath, '--import', './scripts/typescript.mjs', 'scripts/release/release.ts', '--output', output];
  const { status, stderr } = run(argv, { cwd: repository });
  expect([status, stderr]).toEqual([0, expect.any(String)]);
}

const made = join(scratch, 'release');
const file = (end: string): string => join(made, readdirSync(made).find((name) => name.endsWith(end)) ?? `no ${end}`);
const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort();

/** csync of that root works without anything of the repository: it renders a package. */
function works(root: string, program = 'usr/bin/csync'): void {
  const directory = join(root, 'somewhere');
  mkdirSync(directory, { recursive: true });
  const env = { PATH: process.env.PATH };
  const csync = (...argv: string[]) => run([join(root, program), ...argv], { cwd: directory, env });
  expect(csync('--version').stdout.trim()).toBe(toolkitVersion);
  writeFileSync(join(directory, 'csync.yaml'), readFileSync(join(repository, 'examples/csync.yaml')));
  const rendered = csync('render', '--settings', 'csync.yaml', '--output', join(directory, 'csync'));
  expect([rendered.status, rendered.stderr]).toEqual([0, expect.any(String)]);
  expect(readdirSync(join(directory, 'csync'))).toContain('csync.conf');
  const answers = [
    'volume_group=vg',
    'logical_volume=lv',
    'members=[m1]',
    'package_address=127.0.0.1',
    'package_subnet=127.0.0.0',
  ];
  const sets = [...answers, 'package_dns_name=localhost'].flatMap((answer) => ['--set', answer]);
  const [, schema = ''] =
    /^# yaml-language-server: \$schema=(.*)\n/.exec(csync('init', '--dry-run', '--yes', ...sets).stdout) ?? [];
  expect(JSON.parse(readFileSync(schema, 'utf8'))).toMatchObject({ title: 'csync.yaml' });
  expect(readdirSync(join(dirname(schema), 'output'))).toEqual(expect.arrayContaining(['check.json', 'members-list.json']));
}

describe.runIf(isRoot)('a release', { timeout: 300_000 }, () => {
  beforeAll(() => release(made), 300_000);

  it('has the checksums of all its files', () => {
    expect(run(['sha256sum', '--check', '--strict', 'SHA256SUMS'], { cwd: made }).status).toBe(0);
    const listed = readFileSync(join(made, 'SHA256SUMS'), 'utf8').trim().split('\n').length;
    expect(listed).toBe(readdirSync(made).length - 1);
  });

  it('has a bill of materials with each dependency as it is locked, and no host of a registry', () => {
    const text = readFileSync(file('.cdx.json'), 'utf8');
    const bill = JSON.parse(text) as { components: { name: string; version: string; licenses?: unknown[] }[] };
    const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; dependencies?: Record<string, string> }>;
    };
    for (const name of Object.keys(lock.packages['']?.dependencies ?? {})) {
      const locked = lock.packages[`node_modules/${name}`]?.version;
      const component = bill.components.find((one) => one.name === name && one.version === locked);
      expect([name, component?.version]).toEqual([name, locked]);
      expect(component?.licenses).not.toEqual([]);
    }
    expect(text).not.toContain('distribution');
  });

  it('is a deb that is installed, keeps an edited configuration file in an upgrade, is removed and purged', () => {
    const root = join(scratch, 'deb');
    for (const name of ['info', 'updates']) mkdirSync(join(root, 'var/lib/dpkg', name), { recursive: true });
    writeFileSync(join(root, 'var/lib/dpkg/status'), '');
    const dpkg = (...argv: string[]) => {
      const { status, stderr } = run(['dpkg', '--root', root, '--log=/dev/null', ...argv]);
      expect([status, stderr]).toEqual([0, expect.any(String)]);
    };
    dpkg('--install', file('.deb'));
    works(root);
    appendFileSync(join(root, 'etc/logrotate.d/csync'), '# ours\n');
    dpkg('--install', file('.deb'));
    expect(readFileSync(join(root, 'etc/logrotate.d/csync'), 'utf8')).toContain('# ours');
    dpkg('--remove', 'csync');
    expect(existsSync(join(root, 'usr/share/csync'))).toBe(false);
    dpkg('--purge', 'csync');
    expect(filesBelow(root).filter((name) => !/^(var\/lib\/dpkg|somewhere)\//.test(name))).toEqual([]);
    // Nothing runs at an installation: nothing can be restarted by one.
    expect(run(['dpkg-deb', '--info', file('.deb')]).stdout).not.toMatch(/postinst|preinst|prerm|postrm/);
  });

  it('is an rpm with the same files, which is installed and removed', () => {
    const root = join(scratch, 'rpm');
    mkdirSync(root);
    const rpm = (...argv: string[]) => {
      const { status, stdout, stderr } = run(['rpm', '--root', root, '--dbpath', '/var/lib/rpm', ...argv]);
      expect([status, stderr]).toEqual([0, expect.any(String)]);
      return stdout;
    };
    rpm('--initdb');
    rpm('--install', '--nodeps', file('.rpm'));
    works(root);
    expect(rpm('--query', '--scripts', 'csync')).toBe('');
    const inRpm = rpm('--query', '--list', 'csync').trim().split('\n');
    const inDeb =
      run(['dpkg-deb', '--fsys-tarfile', file('.deb')], {}).status === 0
        ? run(['dpkg-deb', '--contents', file('.deb')]).stdout
        : '';
    const debFiles = inDeb
      .split('\n')
      .flatMap((line) => /^[-l].* \.(\/\S+)/.exec(line)?.[1] ?? [])
      .map((name) => name.replace('/zsh/vendor-completions/', '/zsh/site-functions/'))
      .filter((name) => !name.endsWith('changelog.Debian.gz'));
    expect(debFiles.length).toBeGreaterThan(100);
    expect(debFiles.filter((name) => !inRpm.includes(name))).toEqual([]);
    rpm('--erase', 'csync');
    expect(existsSync(join(root, 'usr/share/csync/csync.mjs'))).toBe(false);
  });

  it('is a tarball whose install.sh needs no network, and leaves an edited configuration file alone', () => {
    const root = join(scratch, 'tar');
    expect(run(['tar', 'xzf', file('.tar.gz')], { cwd: scratch }).status).toBe(0);
    const install = ['unshare', '--net', join(scratch, `csync-${toolkitVersion}/install.sh`), root];
    expect(run(install).status).toBe(0);
    works(root);
    appendFileSync(join(root, 'etc/logrotate.d/csync'), '# ours\n');
    expect(run(install).status).toBe(0);
    expect(readFileSync(join(root, 'etc/logrotate.d/csync'), 'utf8')).toContain('# ours');
    expect(readdirSync(join(root, 'usr/share')).filter((name) => /^csync/.test(name))).toEqual(['csync']);
  });

  it('is an npm package that is installed without a registry, and has no file of the development', () => {
    const names = run(['tar', 'tzf', file('.tgz')])
      .stdout.trim()
      .split('\n');
    expect(
      names.filter((name) => !/^package\/(dist|man|docs|examples|ansible|[A-Z]+\.md|LICENSE|package\.json)/.test(name)),
    ).toEqual([]);
    const prefix = join(scratch, 'npm');
    const npm = run(['npm', 'install', '--global', '--offline', '--no-audit', '--no-fund', '--prefix', prefix, file('.tgz')]);
    expect([npm.status, npm.stderr]).toEqual([0, expect.any(String)]);
    works(prefix, 'bin/csync');
  });

  everyStepIt('has the same bytes when it is built again', () => {
    const again = join(scratch, 'again');
    release(again);
    expect(readFileSync(join(again, 'SHA256SUMS'), 'utf8')).toBe(readFileSync(join(made, 'SHA256SUMS'), 'utf8'));
  });

  everyStepIt('has no error for lintian and rpmlint', () => {
    const deb = run(['lintian', '--no-cfg', '--allow-root', '--fail-on', 'error', file('.deb')]);
    expect([deb.status, deb.stdout]).toEqual([0, expect.any(String)]);
    const rpm = run(['rpmlint', '--config', join(repository, 'packaging/rpmlint.toml'), file('.rpm')]);
    expect([rpm.status, rpm.stdout]).toEqual([0, expect.stringContaining(' 0 errors,')]);
  });
});
