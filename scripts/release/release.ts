/**
 * `npm run release`: builds the packages of the committed state into release/: deb, rpm, a tarball for hosts without internet, an npm package,
 * the bill of materials and checksums. The same commit has the same bytes. Called as: release.ts [--output DIRECTORY] [--node PROGRAM] [--contact CONTACT];
 * --node: a Node.js for the tarball to carry along; --contact: who signs the packages of this release, `NAME <ADDRESS>`.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { toolkitVersion } from '../../src/base/version.ts';
import { billOfMaterials, licencesOf } from './bill.ts';
import { archive, copyTree, filesBelow, hookDirectory, must, stage } from './stage.ts';

const repository = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    output: { type: 'string', default: 'release' },
    node: { type: 'string' },
    contact: { type: 'string', default: 'The csync developers <csync@csync.invalid>' },
  },
});
const output = resolve(values.output);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

if (must(['git', 'status', '--porcelain'], { cwd: repository }) !== '')
  say('Uncommitted changes are not part of the release: it is built from the last commit.');
const [commit = '', epoch = ''] = must(['git', 'log', '-1', '--format=%H %ct'], { cwd: repository }).trim().split(' ');
process.env.SOURCE_DATE_EPOCH = epoch;
process.env.TZ = 'UTC';

const work = mkdtempSync(join(tmpdir(), 'csync-release-'));
try {
  const source = join(work, 'source');
  must(['git', 'clone', '--quiet', '--no-hardlinks', repository, source]);
  must(['git', 'checkout', '--quiet', commit], { cwd: source });
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  say(`csync ${toolkitVersion}, commit ${commit.slice(0, 12)}: building`);
  must(['npm', 'run', '--silent', 'build'], { cwd: source });
  const bill = billOfMaterials(repository, commit, epoch);
  const root = join(work, 'root');
  stage(source, root, licencesOf(repository, bill));
  const made = join(work, 'release');
  mkdirSync(made);
  say('deb');
  deb(source, root, made);
  say('rpm');
  rpm(source, root, made);
  say('tarball');
  tarball(root, made);
  say('npm package');
  npmPackage(source, made);
  writeFileSync(join(made, `csync-${toolkitVersion}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`);
  const sums = filesBelow(made).map((name) => `${digest('sha256', join(made, name))}  ${name}\n`);
  writeFileSync(join(made, 'SHA256SUMS'), sums.join(''));
  rmSync(output, { recursive: true, force: true });
  cpSync(made, output, { recursive: true });
  for (const name of filesBelow(output)) process.stdout.write(`${name}\t${statSync(join(output, name)).size}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function digest(algorithm: 'md5' | 'sha256', file: string): string {
  return createHash(algorithm).update(readFileSync(file)).digest('hex');
}

/** A template of packaging/ with its values. */
function filled(source: string, name: string, given: Readonly<Record<string, string>>): string {
  return readFileSync(join(source, 'packaging', name), 'utf8').replace(/@([A-Z]+)@/g, (_, key: string) => given[key] ?? '');
}

/** dpkg-deb takes times from SOURCE_DATE_EPOCH. */
function deb(source: string, root: string, made: string): void {
  const tree = join(work, 'deb');
  copyTree(root, tree);
  mkdirSync(join(tree, 'DEBIAN'));
  const entry = `csync (${toolkitVersion}-1) stable; urgency=medium\n\n  * Release ${toolkitVersion}. changelog.gz beside this file lists the changes.\n\n -- ${values.contact}  ${new Date(Number(epoch) * 1000).toUTCString().replace('GMT', '+0000')}\n`;
  writeFileSync(join(tree, 'usr/share/doc/csync/changelog.Debian.gz'), gzipSync(entry, { level: 9 }));
  const files = filesBelow(tree).filter((name) => !name.startsWith('DEBIAN/'));
  const size = Math.ceil(files.reduce((sum, name) => sum + lstatSync(join(tree, name)).size, 0) / 1024);
  writeFileSync(
    join(tree, 'DEBIAN/control'),
    filled(source, 'deb-control', { VERSION: `${toolkitVersion}-1`, SIZE: String(size), CONTACT: values.contact }),
  );
  writeFileSync(
    join(tree, 'DEBIAN/conffiles'),
    files.flatMap((name) => (name.startsWith('etc/') ? [`/${name}\n`] : [])).join(''),
  );
  const sums = files.flatMap((name) =>
    lstatSync(join(tree, name)).isFile() ? [`${digest('md5', join(tree, name))}  ${name}\n`] : [],
  );
  writeFileSync(join(tree, 'DEBIAN/md5sums'), sums.join(''));
  must(['chmod', '-R', 'u=rwX,go=rX', tree]);
  must(['dpkg-deb', '--root-owner-group', '-Zgzip', '--build', tree, join(made, `csync_${toolkitVersion}-1_all.deb`)]);
}

function rpm(source: string, root: string, made: string): void {
  const tree = join(work, 'rpm-root');
  copyTree(root, tree);
  // Where each family of distributions looks for completions of zsh.
  mkdirSync(join(tree, 'usr/share/zsh/site-functions'), { recursive: true });
  renameSync(join(tree, 'usr/share/zsh/vendor-completions/_csync'), join(tree, 'usr/share/zsh/site-functions/_csync'));
  rmSync(join(tree, 'usr/share/zsh/vendor-completions'), { recursive: true });
  must(['chmod', '-R', 'u=rwX,go=rX', tree]);
  const files = filesBelow(tree).map((name) => {
    if (name.startsWith('etc/')) return `%config(noreplace) %attr(0644,root,root) /${name}`;
    return `${name.startsWith('usr/share/doc/') || name.startsWith('usr/share/man/') ? '%doc ' : ''}%attr(-,root,root) "/${name}"`;
  });
  const directories = ['/usr/share/csync', '/usr/share/doc/csync', '/etc/csync', `/${hookDirectory}`].map(
    (name) => `%dir %attr(0755,root,root) ${name}`,
  );
  const date = new Date(Number(epoch) * 1000).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+).*/, '$1 $3 $2 $4');
  const spec = join(work, 'csync.spec');
  writeFileSync(
    spec,
    filled(source, 'csync.spec', {
      CONTACT: values.contact,
      VERSION: toolkitVersion,
      STAGE: tree,
      DATE: date,
      FILES: [...directories, ...files].join('\n'),
    }),
  );
  const defines = {
    _topdir: join(work, 'rpm'),
    _buildhost: 'csync',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    _dbpath: join(work, 'rpmdb'),
  };
  must(['rpmbuild', '-bb', ...Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]), spec]);
  for (const name of filesBelow(join(work, 'rpm/RPMS')))
    cpSync(join(work, 'rpm/RPMS', name), join(made, name.replace(/^.*\//, '')));
}

/** The same tree below one directory, with a script that copies it to where it belongs. */
function tarball(root: string, made: string): void {
  const name = `csync-${toolkitVersion}`;
  copyTree(root, join(work, name));
  cpSync(join(repository, 'packaging/install.sh'), join(work, name, 'install.sh'));
  if (values.node !== undefined) {
    if (!existsSync(values.node)) throw new Error(`--node ${values.node} does not exist`);
    cpSync(values.node, join(work, name, 'node'));
  }
  must(['chmod', '-R', 'u=rwX,go=rX', join(work, name)]);
  archive(work, name, join(made, `${name}.tar.gz`), epoch);
}

/** npm takes only what package.json names in `files`. Everything is bundled: an installation downloads nothing. */
function npmPackage(source: string, made: string): void {
  rmSync(join(source, 'dist/.built-from'));
  const path = join(source, 'package.json');
  const facts = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  for (const name of ['dependencies', 'devDependencies', 'scripts', 'private']) delete facts[name];
  writeFileSync(path, `${JSON.stringify(facts, null, 2)}\n`);
  must(['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', made], { cwd: source });
  if (!readdirSync(made).some((name) => name.endsWith('.tgz'))) throw new Error('npm pack wrote no package');
}
