/**
 * Runs the test suite and closes with one line that machines and people read the same way: `N passed, N failed`.
 * A failed check before the tests (first argument 1) counts as one failure. With --json the result of each test is printed
 * to standard output instead, and everything else to standard error.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { longMark } from '../test/every-step.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly duration?: number }[];
  }[];
}

const checksFailed = process.argv[2] === '1' ? 1 : 0;
const json = process.argv.includes('--json');
const directory = mkdtempSync(join(tmpdir(), 'csync-tests-'));
const output = join(directory, 'report.json');

const vitest = spawn(
  'node_modules/.bin/vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${output}`],
  { stdio: ['ignore', json ? process.stderr : 'inherit', 'inherit'] },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => vitest.kill(signal));
vitest.on('exit', (code) => {
  let report: Report | null = null;
  try {
    report = JSON.parse(readFileSync(output, 'utf8')) as Report;
  } catch {
    console.error('the test run left no report');
  }
  rmSync(directory, { recursive: true, force: true });
  // A file that could not even be loaded has no tests to count; it is a failure all the same.
  const brokenFiles =
    report?.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length ?? 1;
  const counted = (report?.numFailedTests ?? 0) + brokenFiles + checksFailed;
  // An error outside of every test (an unhandled rejection, say) fails the run without failing a test.
  const passed = report?.numPassedTests ?? 0;
  // So does a run without a test that passed.
  const failed = counted === 0 && (code !== 0 || passed === 0) ? 1 : counted;
  const skipped = report?.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
  );
  const longer = skipped?.filter(({ fullName }) => fullName.endsWith(longMark)).length ?? 0;
  const leftOut = (skipped?.length ?? 0) - longer;
  if (json) {
    const tests = report?.testResults.flatMap((file) =>
      file.assertionResults.map(({ fullName, status, duration }) => ({
        file: file.name.slice(process.cwd().length + 1),
        test: fullName,
        status,
        milliseconds: duration === undefined ? null : Math.round(duration),
      })),
    );
    console.log(JSON.stringify({ passed, failed, leftOut, longer, checksFailed, tests }, null, 2));
  } else {
    if (longer > 0) console.log(`${longer} tests that repeat at length what others show are in: npm run every-step`);
    if (leftOut > 0)
      console.log(`${leftOut} tests need root or programs that are missing, and were skipped; the reasons are printed above`);
    console.log(`${passed} passed, ${failed} failed`);
  }
  process.exit(failed > 0 ? 1 : 0);
});
