/**
 * `csync`: arguments to a verb and its options. yargs parses and nothing else; the verb runs outside of it, inside the
 * one error boundary that turns problems into text and an exit status.
 */

import { basename } from 'node:path';
import yargs from 'yargs';
import { type ExitCode, exitCodeOf, exitCodes, Failure, formatProblem, type Problem } from './base/problem.ts';
import { toolkitVersion } from './base/version.ts';
import { addClusterVerbs } from './cli/cluster.ts';
import { addLabVerbs } from './cli/lab.ts';
import { addMembershipVerbs } from './cli/membership.ts';
import type { Parser, Verb } from './cli/options.ts';
import { addPackageVerbs } from './cli/package.ts';
import { addPolicyVerbs } from './cli/policy.ts';
import { addProofVerbs } from './cli/proof.ts';
import { err, out, outputFault } from './host/output.ts';

/** Parses; returns the verb to run, or null when help or the version was printed. Throws a Failure of usage. */
async function parse(argv: readonly string[]): Promise<Verb | null> {
  let verb: Verb | null = null;
  const choose = (chosen: Verb): void => {
    verb = chosen;
  };
  // Everything behind -- belongs to the program that lab exec runs.
  const separator = argv.indexOf('--');
  const rest = separator === -1 ? [] : argv.slice(separator + 1);
  const own = separator === -1 ? argv : argv.slice(0, separator);
  const parser = [addPackageVerbs, addClusterVerbs, addMembershipVerbs, addProofVerbs, addPolicyVerbs]
    .reduce((made: Parser, add) => add(made, choose), yargs([...own]))
    .scriptName('csync')
    .version(toolkitVersion)
    .usage('$0 <verb>: makes a cfengine master a Serviceguard package')
    .exitProcess(false)
    .fail(false)
    .detectLocale(false)
    .updateStrings({
      'Not enough non-option arguments: got %s, need at least %s': {
        one: 'a name is missing behind the verb (got %s, need %s)',
        other: 'a name is missing behind the verb (got %s, need %s)',
      } as unknown as string,
    })
    .strict()
    .demandCommand(1, 'name a verb')
    .wrap(100)
    .command('lab', 'an emulated cluster on this machine', (builder) => addLabVerbs(builder, choose, rest))
    .help();
  let help = '';
  await parser.parseAsync([...own], {}, (error, _args, output) => {
    if (error) throw error;
    help = output;
  });
  if (help !== '') out(`${help}\n`);
  return verb;
}

/** The outermost boundary: problems to standard error, an exit status from the table. */
async function main(argv: readonly string[]): Promise<number> {
  let verb: Verb | null;
  try {
    verb = await parse(argv);
  } catch (error) {
    return report(asUsage(error));
  }
  try {
    return verb === null ? exitCodes.ok : await verb();
  } catch (error) {
    if (error instanceof Failure) {
      report(error.problems, argv.includes('--json'));
      return error.exit;
    }
    err(`internal error, please report it with this text:\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.internal;
  }
}

function asUsage(error: unknown): readonly Problem[] {
  if (error instanceof Failure) return error.problems;
  const text = error instanceof Error ? error.message : String(error);
  return [{ code: 'usage', severity: 'error', text, remedy: 'csync --help lists verbs and options' }];
}

function report(problems: readonly Problem[], json = false): ExitCode {
  if (json) out(`${JSON.stringify({ problems }, null, 2)}\n`);
  err(`${problems.map(formatProblem).join('\n')}\n`);
  return exitCodeOf(problems);
}

/** DSAU's names for the wizard and for the handler of events [dsau-csync.md 2.1, 6.1]. */
const verbOfName: Readonly<Record<string, string>> = { csync_wizard: 'init', csync_dispatcher: 'dispatcher' };
// Whatever is made without a mode of its own can at least not be written by others.
process.umask(process.umask() | 0o022);
const calledAs = basename(process.argv[1] ?? '').replace(/\.mjs$/, '');
const words = process.argv.slice(2);
const called = verbOfName[calledAs];
process.once('exit', (status) => {
  const fault = outputFault();
  if (fault === null) return;
  const text = `a part of the output could not be written (${fault}); what the verb did is done`;
  const remedy = 'free space where the output goes, or send it elsewhere; then run a verb that only prints again';
  const ended = report([{ code: 'here-output', severity: 'error', text, remedy }]);
  if (status === exitCodes.ok) process.exitCode = ended;
});
process.exitCode = await main(called === undefined ? words : [called, ...words]);
