/**
 * Bundles everything into dist/: the csync command, the member scripts, the lab's programs, and the templates beside them.
 * Does nothing when dist/ was made from the same files already; else the new one takes its place as a whole, since programs may be running
 * from it, other builds too. Fails when a member script outgrows its budget: it is started at the worst moment, on a machine that may be
 * short of everything.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, type Plugin } from 'esbuild';
import { exchangeFunction } from '../src/cluster/policy/scripts.ts';
import { claimName } from '../src/host/lab/lab-socket.ts';
import { bundling } from './bundling.ts';

/** The programs of a member, each with the folder below src/member it lies in. */
const memberPrograms = { start: 'programs', halt: 'programs', validate: 'programs', monitor: 'monitor' } as const;
/** Bytes a member script may have: each is read anew on the way of a failover. */
const memberScriptBudget = 240_000;
const certificateMaker = 'csync-certificate.cjs';
/** The maker of certificates carries node-forge; the member scripts load it from beside them, when they need one. */
const certificateBeside: Plugin = {
  name: 'certificate-beside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/certificate\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: `./${certificateMaker}`, external: true } : null,
    ),
};
/**
 * A member script loads a module of Node.js when it first uses it: `node:crypto` and `node:child_process` cost 4 ms on the way of a failover,
 * and most scripts need no more than one of them.
 */
function withLazyModules(bundle: string): string {
  const strict = '"use strict";\n';
  if (!bundle.startsWith(strict)) throw new Error('a member script does not begin as esbuild writes it');
  const lazy = 'const lazyModule = (name) => new Proxy({}, { get: (_, key) => require(name)[key] });\n';
  return `${strict}${lazy}${bundle.slice(strict.length).replace(/^(var \w+ = )require(\("node:[\w/]+"\);)$/gm, '$1lazyModule$2')}`;
}

/** File of dist/: the digest of what it was made from, and the parts that belong to it, a line each. */
const stampName = '.built-from';

/** Of everything a build reads. */
function digestOfInputs(): string {
  const hash = createHash('sha256');
  const below = (directory: string): string[] =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((name) => join(directory, name))
      .filter((path) => statSync(path).isFile());
  const paths = [
    ...below('src'),
    ...below('package-templates'),
    'scripts/build.ts',
    'scripts/bundling.ts',
    'package.json',
    'package-lock.json',
  ].sort();
  for (const path of paths)
    hash
      .update(`${path}\0${statSync(path).mode}\0`)
      .update(readFileSync(path))
      .update('\0');
  return hash.digest('hex');
}

const stamp = (): string[] => (existsSync(`dist/${stampName}`) ? readFileSync(`dist/${stampName}`, 'utf8').split('\n') : []);

async function buildInto(dist: string): Promise<void> {
  await build({
    ...bundling,
    entryPoints: ['src/cli.ts'],
    // The verbs are loaded when they are called. All parts lie beside each other: they find templates and scripts from where they are.
    entryNames: 'csync',
    chunkNames: 'parts-[hash]',
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    format: 'esm',
    // Some of the bundled packages are CommonJS and ask for `require` at run time.
    banner: {
      js: "import { createRequire as csyncRequire } from 'node:module';\nconst require = csyncRequire(import.meta.url);",
    },
  });
  // Files and no links: a copied dist/ keeps them. The program detects by them the name it was called by.
  const oldNames = ['csync_wizard', 'csync_dispatcher'];
  for (const name of oldNames) writeFileSync(`${dist}/${name}.mjs`, "#!/usr/bin/env node\nimport './csync.mjs';\n");
  for (const name of ['csync', ...oldNames]) chmodSync(`${dist}/${name}.mjs`, 0o755);
  await Promise.all(
    Object.entries(memberPrograms).map(async ([name, folder]) => {
      const outfile = `${dist}/member/csync-${name}.cjs`;
      await build({
        ...bundling,
        entryPoints: [`src/member/${folder}/${name}.ts`],
        outfile,
        format: 'cjs',
        plugins: [certificateBeside],
      });
      writeFileSync(outfile, withLazyModules(readFileSync(outfile, 'utf8')));
    }),
  );
  await build({
    ...bundling,
    entryPoints: ['src/cfengine/certificate.ts'],
    outfile: `${dist}/member/${certificateMaker}`,
    format: 'cjs',
  });
  await Promise.all(
    ['daemon', 'prober'].map((name) =>
      build({ ...bundling, entryPoints: [`src/lab/${name}.ts`], outfile: `${dist}/lab/${name}.cjs`, format: 'cjs' }),
    ),
  );
  // The release form of the model check searches in what was compiled.
  await build({
    ...bundling,
    entryPoints: ['src/model-check/search-program.ts'],
    outfile: `${dist}/lab/search.cjs`,
    format: 'cjs',
  });
  for (const path of ['monitor/csync-front.pl', 'programs/csync-arp.pl', 'programs/csync-entry.sh'])
    cpSync(`src/member/${path}`, `${dist}/member/${basename(path)}`);
  cpSync('src/pacemaker/master.sh', `${dist}/pacemaker/master`);
  cpSync('package-templates', `${dist}/package-templates`, { recursive: true });
}

/** In words; empty: all are within the budget. */
function tooLarge(dist: string): string[] {
  return Object.keys(memberPrograms).flatMap((name) => {
    const { size } = statSync(`${dist}/member/csync-${name}.cjs`);
    return size <= memberScriptBudget ? [] : [`csync-${name}.cjs has ${size} bytes, its budget is ${memberScriptBudget}`];
  });
}

function takePlace(next: string): void {
  if (!existsSync('dist')) mkdirSync('dist');
  // A verb that began with the old parts may still load one of them.
  const [, ...parts] = stamp();
  for (const name of parts)
    if (existsSync(`dist/${name}`) && !existsSync(`${next}/${name}`)) cpSync(`dist/${name}`, `${next}/${name}`);
  // Where directories cannot be exchanged there is a moment without a dist/.
  const script = `${exchangeFunction}\nexchange "$1" dist 2>/dev/null || { mv dist "$1.old" && mv "$1" dist && mv "$1.old" "$1"; }`;
  execFileSync('/bin/sh', ['-c', script, 'sh', next], { stdio: 'inherit' });
  rmSync(next, { recursive: true, force: true });
}

const digest = digestOfInputs();
if (stamp()[0] !== digest) {
  const name = `csync-build/${createHash('sha256').update(resolve('.')).digest('hex').slice(0, 32)}`;
  let release = await claimName(name);
  for (; release === null; release = await claimName(name)) await pause(100);
  if (stamp()[0] !== digest) {
    const next = `dist.new-${process.pid}`;
    for (const left of readdirSync('.').filter((one) => one.startsWith('dist.new-')))
      rmSync(left, { recursive: true, force: true });
    await buildInto(next);
    const parts = readdirSync(next).filter((one) => one.startsWith('parts-'));
    writeFileSync(`${next}/${stampName}`, [digest, ...parts].join('\n'));
    const problems = tooLarge(next);
    for (const problem of problems) console.error(problem);
    if (problems.length === 0) takePlace(next);
    else {
      rmSync(next, { recursive: true, force: true });
      process.exitCode = 1;
    }
  }
  release();
}
