/**
 * `npm run node-versions`: runs pure and process tests with other release lines of Node.js, which it gets as packages of the npm registry into a
 * temporary directory. Called as: node-versions.ts [MAJOR...] [--tests PATH]...; default: 22 and 24, test/pure and test/process.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testsUnder, withMounts } from './tests-under.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: 'string', multiple: true, default: ['test/pure', 'test/process'] } },
});
const majors = positionals.length > 0 ? positionals : ['22', '24'];
const work = mkdtempSync(join(tmpdir(), 'csync-node-'));

/** Runs a program; throws when it fails. */
function must(argv: readonly string[]): string {
  const [program = '', ...rest] = argv;
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd: work, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${argv.join(' ')} exited with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** The directory with the newest Node.js of a release line. */
function fetched(major: string): string {
  const file = must(['npm', 'pack', '--silent', `node-linux-${process.arch}@${major}`])
    .trim()
    .split('\n')
    .at(-1);
  must(['tar', '-xzf', file ?? '', '--one-top-level']);
  return join(work, (file ?? '').replace(/\.tgz$/, ''), 'package/bin');
}

let failed = 0;
try {
  for (const major of majors) {
    const bin = fetched(major);
    const version = must([join(bin, 'node'), '--version']).trim();
    // The tests start further processes by `node`, by their own path and, as member scripts, by node_path: each is that Node.js.
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const inPlace = 'mount --bind "$1" "$2"; shift 2; exec "$@"';
    const front = process.getuid?.() === 0 ? withMounts(inPlace, join(bin, 'node'), process.execPath) : [];
    for (const path of values.tests) failed += testsUnder(`Node.js ${version}`, front, [path], env);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
