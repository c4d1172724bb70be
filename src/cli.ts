#!/usr/bin/env node
/** yargs only parses; the verb runs inside the one error boundary that makes text and exit status of problems. */

import { basename } from 'node:path';
import { type ExitCode, errorProblem, exitCodeOf, exitCodes, Failure, type Problem } from './base/problem.ts';
import { meantVerbs, usageFix, verbIn } from './cli/help.ts';
import { type Parsed, parse } from './cli/parser.ts';
import { err, out, outputFault } from './host/output.ts';
import { printProblems } from './verbs/common/problems.ts';
import { printJson } from './verbs/outputs/json.ts';
import type { problemsDocument } from './verbs/outputs/outputs.ts';

async function main(argv: readonly string[]): Promise<number> {
  let parsed: Parsed;
  try {
    parsed = await parse(argv);
  } catch (error) {
    return report(asUsage(error, argv), wantsJson(argv));
  }
  const { run, text } = parsed;
  if (text !== '') out(`${text}\n`);
  try {
    return run === null ? exitCodes.ok : await run();
  } catch (error) {
    if (error instanceof Failure) {
      report(error.problems, wantsJson(argv));
      return error.exit;
    }
    err(`internal error, please report it with this text:\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.internal;
  }
}

/** Also of invalid arguments; those after `--` are another program's. */
function wantsJson(argv: readonly string[]): boolean {
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  return own.some((word) => word === '--json' || word === '--json=true');
}

function asUsage(error: unknown, argv: readonly string[]): readonly Problem[] {
  if (error instanceof Failure) return error.problems;
  const text = error instanceof Error ? error.message : String(error);
  const verb = verbIn(argv);
  const meant = meantVerbs(argv).map((words) => `csync ${words}`);
  if (verb === null && meant.length > 0) {
    const typed = argv.filter((word) => !word.startsWith('-')).slice(0, 2);
    return [errorProblem('usage', `there is no verb "${typed.join(' ')}"`, meant.join(', or '))];
  }
  const remedy = verb === null ? 'csync --help lists all verbs' : usageFix(verb);
  return [errorProblem('usage', text, remedy)];
}

function report(problems: readonly Problem[], json = false): ExitCode {
  if (json) printJson<typeof problemsDocument>({ problems });
  printProblems(problems);
  return exitCodeOf(problems);
}

/** DSAU's names [dsau-csync.md 2.1, 6.1]. */
const verbOfName: Readonly<Record<string, string>> = { csync_wizard: 'init', csync_dispatcher: 'dispatcher' };
// New files are not writable for others.
process.umask(process.umask() | 0o022);
const calledAs = basename(process.argv[1] ?? '').replace(/\.mjs$/, '');
const words = process.argv.slice(2);
const called = verbOfName[calledAs];
process.once('exit', (status) => {
  const fault = outputFault();
  if (fault === null) return;
  const text = `a part of the output could not be written (${fault}); what the verb did is done`;
  const remedy = 'free space where the output goes, or send it elsewhere; then run a verb that only prints again';
  const ended = report([errorProblem('here-output', text, remedy)]);
  if (status === exitCodes.ok) process.exitCode = ended;
});
process.exitCode = await main(called === undefined ? words : [called, ...words]);
