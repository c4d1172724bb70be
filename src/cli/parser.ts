/** The only place that knows yargs. */
import yargs, { type Options } from 'yargs';
import { folded } from '../base/fold.ts';
import { exitCodes, failure } from '../base/problem.ts';
import { toolkitVersion } from '../base/version.ts';
import { chosenWay } from '../host/admin/member-way.ts';
import { out, outputWidth, quieten } from '../host/output.ts';
import { helpText, partsText } from './help.ts';
import { exitLines, plainText, synopsis } from './reference.ts';
import type { OptionTable, Verb } from './verb.ts';
import { verbGroups, verbs } from './verbs.ts';

type Parser = ReturnType<typeof yargs>;

/** yargs' completion script puts it before the typed words. */
const completionRequest = '--get-yargs-completions';

export interface Parsed {
  /** null: there is only text to print. */
  readonly run: (() => Promise<number>) | null;
  /** Help, version or completions. */
  readonly text: string;
}

/** Parses the words after `csync`. Throws yargs' errors. */
export async function parse(argv: readonly string[]): Promise<Parsed> {
  let run: Parsed['run'] = null;
  const [first = '', second] = argv;
  if (argv.length === 0) return { run: prints(helpText), text: '' };
  if (argv.length === 1 && ['help', '--help', '-h'].includes(first)) return { run: null, text: helpText().trimEnd() };
  if (argv.length === 1 && Object.hasOwn(verbGroups, first)) return { run: prints(() => partsText(first)), text: '' };
  if (first === 'help' && second !== undefined) return parse([...argv.slice(1), '--help']);
  // Everything after -- belongs to the program that lab exec runs.
  const separator = argv[0] === completionRequest ? -1 : argv.indexOf('--');
  const rest = separator === -1 ? [] : argv.slice(separator + 1);
  const own = separator === -1 ? [...argv] : argv.slice(0, separator);
  const parser = withVerbs(base(own), (chosen, args) => {
    // Loaded and run outside of yargs, after parsing: reading all of csync takes longer than most verbs.
    run = () => {
      if ((args as { quiet?: boolean }).quiet === true) quieten();
      refuseOtherWay(chosen);
      return chosen.run(args as never, rest, verbs);
    };
  });
  let text = '';
  await parser.parseAsync(own, {}, (error, _args, output) => {
    if (error) throw error;
    text = output;
  });
  return { run, text };
}

/** A way that only reads must not be half of a change. */
function refuseOtherWay({ words, effect }: Verb): void {
  const way = chosenWay();
  if (way === '' || (effect !== 'changes' && effect !== 'agents')) return;
  const text = `nothing was changed: CSYNC_VIA=${way} is only for verbs that read, and csync ${words} changes something`;
  throw failure('usage', text, 'unset CSYNC_VIA');
}

/** A script with an empty variable must not get a success. */
const prints = (text: () => string) => async (): Promise<number> => {
  out(text());
  return exitCodes.usage;
};

const one = (text: string): string => ({ one: text, other: text }) as unknown as string;

function base(own: readonly string[]): Parser {
  return yargs([...own])
    .scriptName('csync')
    .version(toolkitVersion)
    .usage('$0 <verb>: makes a cfengine master highly available with Serviceguard or Pacemaker')
    .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'print only results and problems' })
    .exitProcess(false)
    .fail(false)
    .detectLocale(false)
    .updateStrings({
      'Did you mean %s?': 'there is no such verb; did you mean %s?',
      'Unknown argument: %s': one('there is no verb or option "%s" here'),
      'Unknown arguments: %s': one('there are no verbs or options "%s" here'),
      'Not enough arguments following: %s': 'a value is missing behind --%s',
      'Show help': 'print help with examples and exit statuses',
      'Show version number': 'print the version',
      'Not enough non-option arguments: got %s, need at least %s': one(
        'a name is missing behind the verb: %s typed, %s required',
      ),
    })
    .strict()
    .recommendCommands()
    .demandCommand(1, 'a verb is missing')
    .completion('completion', 'print a completion script for bash or zsh; add it to ~/.bashrc or ~/.zshrc')
    .wrap(outputWidth())
    .help()
    .alias('help', 'h');
}

type Choose = (verb: Verb, args: unknown) => void;

/** In the order of the rows; a group takes the place of its first verb. */
function withVerbs(parser: Parser, choose: Choose): Parser {
  const heads = new Set(verbs.map(({ words }) => words.split(' ')[0] ?? ''));
  for (const head of heads) {
    const group = verbGroups[head];
    const members = verbs.filter(({ words }) => words.split(' ')[0] === head);
    if (group === undefined) for (const one of members) addVerb(parser, one, choose);
    else
      parser.command(head, group.does, (builder) => {
        addOptions(builder, group.options ?? {});
        builder.demandCommand(1, `name one of: ${members.map(({ words }) => words).join(', ')}`);
        for (const one of members) addVerb(builder, one, choose, group.options);
      });
  }
  return parser;
}

function addOptions(builder: Parser, options: OptionTable): void {
  for (const [name, option] of Object.entries(options)) builder.option(name, { ...option, requiresArg: takesValue(option) });
}

/** `inherited`: options of its group. yargs would print their choices twice. */
function addVerb(parser: Parser, verb: Verb, choose: Choose, inherited: OptionTable = {}): void {
  const last = verb.words.split(' ').length - 1;
  parser.command(
    synopsis(verb).split(' ').slice(last).join(' '),
    verb.does,
    (builder) => {
      builder.usage(`Usage: csync ${synopsis(verb)} [options]\n\n${folded(plainText(verb), outputWidth() - 1)}`).version(false);
      for (const [name, positional] of Object.entries(verb.positionals)) builder.positional(name, positional as object);
      addOptions(builder, Object.fromEntries(Object.entries(verb.options).filter(([name]) => inherited[name] === undefined)));
      for (const [first, second] of verb.conflicts ?? []) builder.conflicts(first, second);
      for (const [command, why] of verb.examples) builder.example(`$0 ${command}`, why);
      const statuses = exitLines(verb).map(([status, means]) =>
        folded(`  ${`${status}`.padEnd(3)}  ${means}`, outputWidth() - 1, 7),
      );
      return builder.epilogue(`Exit status:\n${statuses.join('\n')}`);
    },
    (args) => choose(verb, args),
  );
}

/** Whether the option's value must not be forgotten. */
const takesValue = ({ type, choices, requiresArg }: Options): boolean =>
  requiresArg ?? (type === 'string' || type === 'number' || choices !== undefined);
