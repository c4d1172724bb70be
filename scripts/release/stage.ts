/** The files of an installed csync, laid out below a directory as they lie below `/` on a host. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export const programs = ['csync', 'csync_wizard', 'csync_dispatcher'] as const;
const pages = ['README.md', 'CHANGELOG.md', 'DECISIONS.md', 'FIDELITY.md', 'SECURITY.md', 'docs', 'examples', 'ansible'] as const;

export const hookDirectory = 'etc/csync/alerts.d';

/** Runs a program; throws with what it printed when it fails. */
export function must(argv: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): string {
  const [program = '', ...rest] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (error !== undefined) throw new Error(`${program} cannot be run: ${error.message}. Install it, then run the release again`);
  if (status !== 0) throw new Error(`${argv.join(' ')} exited with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** All files and links below a directory, as paths relative to it, sorted. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort();
}

/** Lays the files out. `source`: a clone of one commit that is built; `licences`: text with those of all that is bundled. */
export function stage(source: string, root: string, licences: string): void {
  const put = (path: string, content: string | Buffer, mode = 0o644): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), mode);
  };
  const read = (path: string): Buffer => readFileSync(join(source, path));
  const copy = (from: string, to: string): void => {
    if (statSync(join(source, from)).isDirectory())
      for (const name of filesBelow(join(source, from))) put(`${to}/${name}`, read(`${from}/${name}`));
    else put(to, read(from));
  };
  writeSchemas(source);
  copy('dist', 'usr/share/csync');
  rmSync(join(root, 'usr/share/csync/.built-from'));
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  for (const name of programs) {
    chmodSync(join(root, `usr/share/csync/${name}.mjs`), 0o755);
    symlinkSync(`../share/csync/${name}.mjs`, join(root, `usr/bin/${name}`));
  }
  for (const name of ['member/csync-entry.sh', 'pacemaker/master', 'package-templates/sudo/csync-root'])
    chmodSync(join(root, `usr/share/csync/${name}`), 0o755);
  for (const name of pages) copy(name, `usr/share/doc/csync/${name}`);
  put('usr/share/doc/csync/THIRD-PARTY-LICENCES', licences);
  put('usr/share/doc/csync/copyright', copyright);
  put('usr/share/doc/csync/changelog.gz', gzipSync(read('CHANGELOG.md'), { level: 9 }));
  for (const name of existsSync(join(source, 'man')) ? filesBelow(join(source, 'man')) : []) {
    const section = /\.(\d)$/.exec(name)?.[1];
    if (section !== undefined) put(`usr/share/man/man${section}/${name}.gz`, gzipSync(read(`man/${name}`), { level: 9 }));
  }
  for (const unit of ['csync-members', 'csync-rehearsal', 'csync-alerts'])
    for (const kind of ['service', 'timer']) copy(`packaging/${unit}.${kind}`, `usr/lib/systemd/system/${unit}.${kind}`);
  // Empty: an administrator decides which hooks run.
  mkdirSync(join(root, hookDirectory), { recursive: true });
  copy('packaging/csync.logrotate', 'etc/logrotate.d/csync');
  copy('packaging/csync.fish', 'usr/share/fish/vendor_completions.d/csync.fish');
  const completion = (shell: string): string =>
    must([process.execPath, 'dist/csync.mjs', 'completion'], {
      cwd: source,
      env: { PATH: process.env.PATH, SHELL: shell, HOME: '/' },
    });
  put('usr/share/bash-completion/completions/csync', completion('/bin/bash'));
  put('usr/share/zsh/vendor-completions/_csync', completion('/bin/zsh'));
}

/** In dist/, so that every form of the release has them: of csync.yaml, and of what each verb prints with --json. */
function writeSchemas(source: string): void {
  const csync = (...words: string[]): string => must([process.execPath, 'dist/csync.mjs', ...words], { cwd: source });
  const directory = join(source, 'dist/schemas');
  mkdirSync(join(directory, 'output'), { recursive: true });
  writeFileSync(join(directory, 'settings.json'), csync('settings', 'schema'));
  for (const [verb, schema] of Object.entries(JSON.parse(csync('schema')) as Record<string, object>))
    writeFileSync(join(directory, 'output', `${verb.replaceAll(' ', '-')}.json`), `${JSON.stringify(schema, null, 2)}\n`);
}

/** Debian's machine-readable form. */
const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: csync

Files: *
Copyright: 2026 The csync developers
License: Apache-2.0
Comment: THIRD-PARTY-LICENCES beside this file has the licences of bundled packages.

License: Apache-2.0
 On Debian systems, the text of this licence is in /usr/share/common-licenses/Apache-2.0.
`;

/** A copy of a tree in which all times, owners and orders are the same for the same content: a tar archive, compressed. */
export function archive(directory: string, name: string, target: string, epoch: string): void {
  const tar = `${target}.tar`;
  must(
    ['tar', '--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--format=gnu', '-cf', tar, name],
    { cwd: directory },
  );
  writeFileSync(target, gzipSync(readFileSync(tar), { level: 9 }));
  rmSync(tar);
}

export function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}
