/**
 * `npm run proof`: the forms of the proof that take minutes, one after the other, and a table of their results. Exits with 1 when anything
 * failed. What cannot run here is skipped and says why; it is never counted as passed. The long forms: `npm run model-check`, `fuzz`,
 * `torture`, `rehearse-all`, and `csync lab simulate --seeds N`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { have } from '../../test/support.ts';
import { whyNoLab } from '../../test/use-lab.ts';

interface Row {
  readonly what: string;
  readonly argv: readonly string[];
  /** As `npm run every-step` has it. */
  readonly at?: 'length';
  /** Why it cannot run here. */
  readonly without?: string | null;
  /** The line of its output that says most; the last one when there is none of that kind. */
  readonly says?: RegExp;
  /** Whether what it printed means that it could not be done at all. */
  readonly cannot?: RegExp;
}

const seed = '20261128';
const csync = [process.execPath, 'dist/csync.mjs'];
const typescript = [process.execPath, '--import', './scripts/typescript.mjs'];
const directory = mkdtempSync(join(tmpdir(), 'csync-proof-'));
const report = join(directory, 'report.json');
const tests = (...files: readonly string[]) => [
  ...[process.execPath, 'node_modules/vitest/vitest.mjs', 'run'],
  ...['--reporter=json', `--outputFile=${report}`],
  ...files,
];

const rows: readonly Row[] = [
  { what: 'decision tables: total, and their page current', argv: tests('test/pure/trials/decision-tables.test.ts') },
  {
    what: 'model check, 3 members, 1 event',
    argv: [...typescript, 'scripts/proof/model-check.ts', '--members', '3', '--events', '1'],
    says: /^\| 3 /m,
  },
  {
    what: 'model check, 2 members, 2 events',
    argv: [...typescript, 'scripts/proof/model-check.ts', '--members', '2', '--events', '2'],
    says: /^\| 2 /m,
  },
  { what: 'planted bugs are found', argv: tests('test/proof/planted.test.ts') },
  { what: 'simulated lives', argv: [...csync, 'lab', 'simulate', '--seeds', '10000'] },
  {
    what: 'crash points',
    argv: tests(
      'test/process/cluster/crash-points.test.ts',
      'test/process/member/member-writes.test.ts',
      'test/process/cluster/policy-commit.test.ts',
    ),
    without: whyNoLab,
  },
  {
    what: 'a verb killed, or with a full disk reported, at each remote command',
    argv: tests('test/lab/set-up/killed-verbs.test.ts', '-t', 'maintenance on'),
    at: 'length',
    without: whyNoLab,
  },
  {
    what: 'hostile values, owners, what listens',
    argv: tests('test/process/programs/injection.test.ts', 'test/process/cluster/ownership.test.ts'),
  },
  {
    what: 'parsers of foreign text, 2,000 inputs each',
    argv: [...typescript, 'scripts/proof/fuzz.ts', '--inputs', '2000', '--seed', seed, '--report', join(directory, 'fuzz.md')],
  },
  {
    what: 'torture',
    argv: [...csync, 'lab', 'torture', '--iterations', '8', '--seed', seed],
    without: whyNoLab,
    says: /^(PASS|FAIL)/m,
  },
  {
    what: 'drills',
    argv: [
      ...[...csync, 'lab', 'rehearse', '--results', join(directory, 'rehearsals')],
      ...['kill-daemon', 'haltnode', 'crash'].flatMap((drill) => ['--drill', drill]),
    ],
    without: whyNoLab,
    says: /^(PASSED|FAILED|NOT|passed|failed).*drills/im,
  },
  {
    what: "a rehearsal's times against the system's own",
    argv: tests('test/lab/verbs/rehearse.test.ts', 'test/process/programs/rehearsal-watch.test.ts'),
    without: whyNoLab,
  },
  {
    what: "a rehearsal's page in a browser",
    argv: tests('test/process/programs/rehearsal-page.test.ts'),
    without: have('chromium') ? null : 'chromium is missing (Debian: apt-get install chromium)',
  },
  { what: 'advisories known by name, against what is locked', argv: tests('test/pure/repository/advisories.test.ts') },
  {
    what: 'known holes in dependencies',
    // Also below `npm run --silent`, which would have it say nothing.
    argv: ['npm', 'audit', '--loglevel=warn'],
    says: /vulnerabilities/,
    cannot: /npm warn audit \d{3} |audit endpoint returned an error|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|E40\d/,
  },
];

interface Outcome {
  readonly what: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  readonly said: string;
}

/** What the process printed; its standard error is shown while it runs. */
function run(
  [file = '', ...rest]: readonly string[],
  more: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn(file, rest, {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...more },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        process.stderr.write(piece);
      });
    child.once('error', (error) => resolve({ status: null, text: error.message }));
    child.once('close', (status) => resolve({ status, text }));
  });
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** "12 passed, 1 skipped" of a test run; null: it left no report. Failed tests are named; tests that were not requested do not count as skipped. */
function counted(argv: readonly string[]): { readonly said: string; readonly passed: number; readonly leftOut: number } | null {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    rmSync(report);
    for (const { status, fullName, failureMessages } of testResults.flatMap(({ assertionResults }) => assertionResults))
      if (status === 'failed') process.stderr.write(`${fullName}\n${failureMessages.join('\n')}\n`);
    const leftOut = argv.includes('-t') ? 0 : numPendingTests;
    const said = [
      [numPassedTests, 'passed'],
      [numFailedTests, 'failed'],
      [leftOut, 'skipped'],
    ]
      .flatMap(([count, word]) => (count ? [`${count} ${word}`] : []))
      .join(', ');
    return { said, passed: numPassedTests, leftOut };
  } catch {
    return null;
  }
}

async function prove({ what, argv, at, without = null, says, cannot }: Row): Promise<Outcome> {
  if (without !== null) return { what, result: 'skipped', seconds: 0, said: without };
  process.stderr.write(`\n--- ${what}\n`);
  const began = performance.now();
  const { status, text } = await run(argv, at === 'length' ? { CSYNC_EVERY_STEP: '1' } : {});
  const lines = text.split('\n').map((line) => line.trim());
  const why = lines.find((line) => cannot?.test(line));
  const telling = why ?? lines.findLast((line) => says?.test(line)) ?? lines.findLast((line) => line !== '') ?? '';
  const isTests = argv.includes(`--outputFile=${report}`);
  const tests = isTests ? counted(argv) : null;
  // A test runner in which nothing ran ends with 0.
  const nothing = isTests && (tests?.passed ?? 0) === 0 ? ((tests?.leftOut ?? 0) > 0 ? 'skipped' : 'failed') : null;
  return {
    what,
    result: why !== undefined ? 'skipped' : status !== 0 ? 'failed' : (nothing ?? 'passed'),
    seconds: (performance.now() - began) / 1000,
    said: tests === null ? telling : tests.said || 'no test ran',
  };
}

const outcomes: Outcome[] = [];
for (const row of rows) outcomes.push(await prove(row));
rmSync(directory, { recursive: true, force: true });
if (process.argv.includes('--json')) console.log(JSON.stringify(outcomes, null, 2));
else {
  const width = Math.max(...outcomes.map(({ what }) => what.length));
  console.log('');
  for (const { what, result, seconds, said } of outcomes)
    console.log(`${what.padEnd(width)}  ${result.padEnd(8)}  ${seconds.toFixed(0).padStart(4)} s  ${said.slice(0, 140)}`);
}
const count = (wanted: Outcome['result']) => outcomes.filter(({ result }) => result === wanted).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exitCode = count('failed') > 0 ? 1 : 0;
