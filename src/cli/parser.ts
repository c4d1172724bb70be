/** yargs, made from the rows of the verbs: the only place that knows it. */
import yargs from 'yargs';
import { toolkitVersion } from '../base/version.ts';
import { exitLines, synopsis } from './reference.ts';
import type { Verb } from './verb.ts';
import { verbGroups, verbs } from './verbs.ts';

type Parser = ReturnType<typeof yargs>;

/** What the completion script of yargs puts before the words that were typed so far. */
const completionRequest = '--get-yargs-completions';

export interface Parsed {
  /** Carries the verb out; null: there is only something to print. */
  readonly run: (() => Promise<number>) | null;
  /** Help, version or completions. */
  readonly text: string;
}

/** Parses what stands behind `csync`. Throws what yargs finds wrong with them. */
export async function parse(argv: readonly string[]): Promise<Parsed> {
  let run: Parsed['run'] = null;
  // Everything behind -- belongs to the program that lab exec runs.
  const separator = argv[0] === completionRequest ? -1 : argv.indexOf('--');
  const rest = separator === -1 ? [] : argv.slice(separator + 1);
  const own = separator === -1 ? [...argv] : argv.slice(0, separator);
  const parser = withVerbs(base(own), (chosen, args) => {
    // Runs outside of yargs, once the arguments are parsed, and is loaded then: reading all of the toolkit takes longer than most verbs.
    run = () => chosen.run(args as never, rest);
  });
  let text = '';
  await parser.parseAsync(own, {}, (error, _args, output) => {
    if (error) throw error;
    text = output;
  });
  return { run, text };
}

function base(own: readonly string[]): Parser {
  return yargs([...own])
    .scriptName('csync')
    .version(toolkitVersion)
    .usage('$0 <verb>: makes a cfengine master highly available as a Serviceguard package')
    .exitProcess(false)
    .fail(false)
    .detectLocale(false)
    .updateStrings({
      'Did you mean %s?': 'there is no such verb; did you mean %s?',
      'Not enough non-option arguments: got %s, need at least %s': {
        one: 'a name is missing behind the verb (got %s, need %s)',
        other: 'a name is missing behind the verb (got %s, need %s)',
      } as unknown as string,
    })
    .strict()
    .recommendCommands()
    .demandCommand(1, 'name a verb')
    .completion('completion', 'print a completion script for bash or zsh; add it to ~/.bashrc or ~/.zshrc')
    .wrap(100)
    .help();
}

type Choose = (verb: Verb, args: unknown) => void;

/** In the order of the rows; a group stands where its first verb stands. */
function withVerbs(parser: Parser, choose: Choose): Parser {
  const heads = new Set(verbs.map(({ words }) => words.split(' ')[0] ?? ''));
  for (const head of heads) {
    const group = verbGroups[head];
    const members = verbs.filter(({ words }) => words.split(' ')[0] === head);
    if (group === undefined) for (const one of members) addVerb(parser, one, choose);
    else
      parser.command(head, group.does, (builder) => {
        builder.options(group.options ?? {}).demandCommand(1, `name one of: ${members.map(({ words }) => words).join(', ')}`);
        for (const one of members) addVerb(builder, one, choose);
      });
  }
  return parser;
}

function addVerb(parser: Parser, verb: Verb, choose: Choose): void {
  const last = verb.words.split(' ').length - 1;
  parser.command(
    synopsis(verb).split(' ').slice(last).join(' '),
    verb.does,
    (builder) => {
      for (const [name, positional] of Object.entries(verb.positionals)) builder.positional(name, positional as object);
      builder.options(verb.options);
      for (const [one, other] of verb.conflicts ?? []) builder.conflicts(one, other);
      for (const [command, why] of verb.examples) builder.example(`$0 ${command}`, why);
      return builder.epilogue(
        `Exit status:\n${exitLines(verb)
          .map(([status, means]) => `  ${`${status}`.padEnd(3)}  ${means}`)
          .join('\n')}`,
      );
    },
    (args) => choose(verb, args),
  );
}
