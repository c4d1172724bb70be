/** Runs tests of vitest under other circumstances, and counts them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Words before a program, which then has mounts of its own. `script`: makes them, then `exec`s the rest of its `words`. */
export const withMounts = (script: string, ...words: readonly string[]): string[] => [
  ...['unshare', '--mount', '--propagation', 'private', '/bin/bash', '-euc', script, 'bash'],
  ...words,
];

/** `front`: words before those that run vitest. Prints the counts behind `name`; returns how many failed. */
export function testsUnder(
  name: string,
  front: readonly string[],
  paths: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): number {
  // Below the repository, which is also visible in another root.
  const directory = mkdtempSync(join('node_modules', '.csync-tests-under-'));
  try {
    const file = join(directory, 'report.json');
    const argv = ['node', 'node_modules/vitest/vitest.mjs', 'run', ...paths];
    const [program = '', ...rest] = [...front, ...argv, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    spawnSync(program, rest, { stdio: ['ignore', process.stderr, 'inherit'], env });
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, testResults } = report;
    const broken = testResults.filter(({ assertionResults }) => assertionResults.length === 0).length;
    process.stdout.write(`${name}, ${paths.join(' ')}: ${passed} passed, ${failed + broken} failed, ${skipped} skipped\n`);
    for (const { assertionResults } of testResults)
      for (const { status, fullName } of assertionResults)
        if (status === 'failed') process.stdout.write(`  failed: ${fullName}\n`);
    return failed + broken;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
