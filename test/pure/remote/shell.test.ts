/** Shell and perl that are installed on hosts: each file of them, and what the templates become, is read by the tools of its language. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { bootFiles } from '../../../src/cluster/hosts/boot-start.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { bootTemplates, have, memberScripts, packageTemplates, repository, settingsFor } from '../../support.ts';

const directories = { SGCONF: '/usr/local/cmcluster/conf', SGRUN: '/usr/local/cmcluster/run' };
const rendered = (['modular', 'legacy'] as const).flatMap((style) => {
  const settings = settingsFor({ package_style: style });
  const bundles = memberScripts(() => '');
  return demand(renderPackage({ settings, templates: packageTemplates(style), bundles, directories }))
    .filter(({ text }) => text.startsWith('#!/bin/sh'))
    .map(({ name, text }) => [`${style} ${name.split('/').at(-1)}`, text] as const);
});
const boot = ([2, 3] as const).flatMap((generation) =>
  bootFiles(settingsFor({ cfengine_generation: generation }), bootTemplates())
    .filter(({ text }) => text.startsWith('#!/bin/sh'))
    .map(({ path, text }) => [`cfengine ${generation} ${path}`, text] as const),
);
const below = join(repository, 'src');
const sources = readdirSync(below, { recursive: true, encoding: 'utf8' });
const ending = (end: string): string[] => sources.filter((name) => name.endsWith(end));
const ours = [
  'scripts/demo',
  'scripts/test',
  'scripts/prepare.sh',
  'scripts/lab-container',
  'packaging/container/in-container',
  'packaging/install.sh',
  ...ending('.sh').map((name) => `src/${name}`),
].map((path) => [path, readFileSync(join(repository, path), 'utf8')] as const);
/** Perl that stands in a line of shell text, such as an act of a drill: it is typed on hosts that have no file of ours. */
const lines = ending('.ts').flatMap((name) =>
  [...readFileSync(join(below, name), 'utf8').matchAll(/perl(?: -M[\w:]+)* -e '([^']+)'/g)].map(
    ([, text = '']) => [name, text.replace(/\{port\}/g, '1').replaceAll('\\\\', '\\')] as const,
  ),
);

describe.skipIf(!have('shellcheck'))('shellcheck', () => {
  it.each([...rendered, ...boot, ...ours])('finds nothing in %s', (_, text) => {
    // SC1090, SC1091: files of the cluster and of the repository that are sourced are not given to it.
    const { stdout } = spawnSync('shellcheck', ['-s', 'sh', '-f', 'gcc', '-S', 'warning', '-e', 'SC1090,SC1091', '-'], {
      input: text,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});

/** The shells that are `sh` somewhere: Debian, RHEL and SLES, busybox, and a Korn shell. */
const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh'], ['mksh']].filter(([program = '']) => have(program));

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('%s', (_, [program = '', ...words]) => {
  it.each([...rendered, ...boot, ...ours])('reads %s', (_, text) => {
    const { status, stderr } = spawnSync(program, [...words, '-n'], { input: text, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('perl', () => {
  it.each(ending('.pl'))('compiles %s', (name) => {
    const { status, stderr } = spawnSync('perl', ['-wc', join(below, name)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, `${join(below, name)} syntax OK\n`]);
  });

  it.each(lines)('compiles the line in %s', (_, text) => {
    expect(spawnSync('perl', ['-c', '-MIO::Socket::INET', '-e', text], { encoding: 'utf8' })).toMatchObject({ status: 0 });
  });
});

/** What coreutils 8.30 of RHEL 8 lacks, by the NEWS of later releases; `sent`: text of src that becomes part of a script. */
const newerCoreutils: readonly RegExp[] = [
  /\bbasenc\b/,
  /\bcksum\b[^\n;|]* (-a|--algorithm|--check|--debug)/,
  /\bcp\b[^\n;|]* (--update=|--debug|--keep-directory-symlink)/,
  /\bdate\b[^\n;|]* --resolution/,
  /\bdate\b[^\n;|]*%[+]/,
  /\bdd\b[^\n;|]* [io]seek=/,
  /\benv\b[^\n;|]* (-a|--argv0|--(default|ignore|block)-signal)/,
  /\bid\b( -\w+)* "?\$?\w+"? "?\$?\w+"?$/,
  /\bls\b[^\n;|]* (--zero|--time=birth|--sort=width)/,
  /\bmv\b[^\n;|]* --(exchange|no-copy|update=)/,
  /\bstat\b[^\n;|]* --cached/,
  /\btail\b[^\n;|]* --debug/,
  /\btest -N\b|\[ -N /,
  /\bwc\b[^\n;|]* --(total|debug)/,
  /\b(printf|seq|sleep|tail|timeout)\b[^\n;|]* 0x/,
];
const sent = sources
  .filter((name) => /\.(ts|sh|pl)$/.test(name) && !/^(lab|script-tests|rehearsal)\//.test(name))
  .map((name) => [`src/${name}`, readFileSync(join(below, name), 'utf8')] as const);

describe('bash in a script that ssh runs', () => {
  it('reads no .bashrc, which may print: with fish as the login shell it would', () => {
    const used = [...sent, ...rendered, ...boot].flatMap(([name, text]) =>
      text
        .split('\n')
        .filter((line) => /\bbash -c\b/.test(line) && !/\benv -i\b/.test(line))
        .map((line) => `${name}: ${line}`),
    );
    expect(used).toEqual([]);
  });
});

describe('coreutils 8.30', () => {
  it.each(newerCoreutils.map(String))('does not have %s, and no script uses it untried', (source) => {
    const [, pattern = '', flags] = /^\/(.*)\/(\w*)$/.exec(source) ?? [];
    const used = [...sent, ...rendered, ...boot].flatMap(([name, text]) =>
      text.split('\n').some((line) => !/^\s*(\/\/|\*|\/\*|#)/.test(line) && new RegExp(pattern, flags).test(line)) ? [name] : [],
    );
    // It asks mv whether it has the option, and has another way.
    expect(used.filter((name) => !name.endsWith('/exchange.sh'))).toEqual([]);
  });
});
