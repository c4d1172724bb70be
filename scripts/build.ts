/**
 * Bundles everything into dist/: the csync command, the member scripts, the lab's programs, and the templates beside them.
 * Fails when a member script outgrows its budget: it is started at the worst moment, on a machine that may be short of
 * everything.
 */
import { chmodSync, cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';

const shared: BuildOptions = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning', legalComments: 'none' };

const memberScripts = ['start', 'halt', 'validate', 'monitor'] as const;
/**
 * Bytes a member script may have. All carry the certificate maker of node-forge for the probe; it is loaded only when a
 * certificate has to be made.
 */
const memberScriptBudget = 800_000;

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });
await build({
  ...shared,
  entryPoints: ['src/cli.ts'],
  // The verbs are loaded when they are called. All parts lie beside each other: they find templates and scripts from where they are.
  entryNames: 'csync',
  chunkNames: 'parts-[hash]',
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  splitting: true,
  format: 'esm',
  // Some of the bundled packages are CommonJS and ask for `require` at run time.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as csyncRequire } from 'node:module';\nconst require = csyncRequire(import.meta.url);",
  },
});
// Files and no links: a copied dist/ keeps them. They tell the program the name it was called by.
const oldNames = ['csync_wizard', 'csync_dispatcher'];
for (const name of oldNames) writeFileSync(`dist/${name}.mjs`, "#!/usr/bin/env node\nimport './csync.mjs';\n");
for (const name of ['csync', ...oldNames]) chmodSync(`dist/${name}.mjs`, 0o755);
await Promise.all(
  memberScripts.map((name) =>
    build({ ...shared, entryPoints: [`src/member/${name}.ts`], outfile: `dist/member/csync-${name}.cjs`, format: 'cjs' }),
  ),
);
await Promise.all(
  ['daemon', 'client', 'prober'].map((name) =>
    build({ ...shared, entryPoints: [`src/lab/${name}.ts`], outfile: `dist/lab/${name}.cjs`, format: 'cjs' }),
  ),
);
// The release form of the model check searches in what was compiled.
await build({ ...shared, entryPoints: ['src/proof/search-program.ts'], outfile: 'dist/lab/search.cjs', format: 'cjs' });
for (const name of ['csync-front.pl', 'csync-entry.sh']) cpSync(`src/member/${name}`, `dist/member/${name}`);
cpSync('package-templates', 'dist/package-templates', { recursive: true });

for (const name of memberScripts) {
  const { size } = statSync(`dist/member/csync-${name}.cjs`);
  if (size <= memberScriptBudget) continue;
  console.error(`dist/member/csync-${name}.cjs has ${size} bytes, its budget is ${memberScriptBudget}`);
  process.exitCode = 1;
}
