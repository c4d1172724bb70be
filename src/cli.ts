/**
 * `csync`: arguments to a verb and its options. yargs parses and nothing else; the verb runs outside of it, inside the
 * one error boundary that turns problems into text and an exit status.
 */
import yargs from 'yargs';
import { LabUnavailable } from './lab/handle.ts';
import { type ExitCode, exitCodeOf, exitCodes, Failure, formatProblem, type Problem } from './problem.ts';
import { conformPackage, listAssertions } from './verbs/conform.ts';
import { type LabOptions, labDemo, labDown, labExec, labFailovers, labMachine, labStatus, labUp } from './verbs/lab.ts';
import { render } from './verbs/render.ts';
import { checkSettings, exampleSettings } from './verbs/settings.ts';
import { checkTemplates, diffTemplates, exportTemplates, listTemplates } from './verbs/templates.ts';
import { toolkitVersion } from './version.ts';

type Verb = () => Promise<number>;

const print = async (text: string | Promise<string>): Promise<ExitCode> => {
  process.stdout.write(await text);
  return exitCodes.ok;
};

const settingsOption = { type: 'string', default: 'csync.yaml', describe: 'settings file' } as const;
const jsonOption = { type: 'boolean', default: false, describe: 'machine-readable result' } as const;
const templatesOption = { type: 'string', describe: "directory with the administrator's own templates" } as const;

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
  const parser = packageCommands(yargs([...own]), choose)
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
    .command('lab', 'an emulated cluster on this machine', (builder) => labCommands(builder, choose, rest))
    .help();
  let help = '';
  await parser.parseAsync([...own], {}, (error, _args, output) => {
    if (error) throw error;
    help = output;
  });
  if (help !== '') process.stdout.write(`${help}\n`);
  return verb;
}

/** What is made on the administrator's machine, cluster or no cluster. */
function packageCommands(parser: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  return parser
    .command(
      'render',
      'settings and templates to the package directory',
      (builder) =>
        builder.options({
          settings: settingsOption,
          output: { type: 'string', default: 'csync', describe: 'package directory to write' },
          templates: templatesOption,
          base: { type: 'string', describe: "a file with cmmakepkg's output to lay the package over" },
          'dry-run': { type: 'boolean', default: false, describe: 'list what would be written, write nothing' },
          'take-rendered': { type: 'boolean', default: false, describe: 'overwrite files that were edited by hand' },
          json: jsonOption,
        }),
      (args) => choose(() => print(render(args))),
    )
    .command('settings', 'the settings file', (builder) =>
      builder
        .command(
          'check',
          'all problems of a settings file at once',
          (inner) => inner.options({ settings: settingsOption, json: jsonOption }),
          (args) => choose(() => print(checkSettings(args.settings, args.json))),
        )
        .command('example', 'a complete, commented csync.yaml', {}, () => choose(() => print(exampleSettings())))
        .demandCommand(1, 'settings check or settings example'),
    )
    .command(
      'conform',
      'calls the scripts of the package as Serviceguard does, in a sandbox, and says what holds',
      (builder) =>
        builder
          .options({
            settings: { ...settingsOption, default: undefined, describe: "settings file; without it the lab's own" },
            templates: templatesOption,
            package: { type: 'string', describe: 'a rendered package directory instead of settings and templates' },
            only: { type: 'string', array: true, nargs: 1, default: [] as string[], describe: 'part of a name; * is anything' },
            list: { type: 'boolean', default: false, describe: 'the names of all assertions; runs nothing' },
            json: jsonOption,
          })
          .conflicts('package', ['settings', 'templates'])
          .example('$0 conform --templates mine --only "halt*"', 'only what is said of halts'),
      (args) => choose(() => (args.list ? print(listAssertions(args.only)) : conformPackage(args))),
    )
    .command('templates', 'the templates', (builder) => templateCommands(builder, choose));
}

function templateCommands(builder: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  const directory = { type: 'string', demandOption: true, describe: "directory of the administrator's own templates" } as const;
  return builder
    .command(
      'list',
      'which there are, and where yours differ from the shipped ones',
      (inner) => inner.options({ templates: templatesOption, json: jsonOption }),
      (args) => choose(() => listTemplates(args.templates, args.json)),
    )
    .command(
      'export <directory>',
      'copies to edit; run again after an upgrade, it loses no edit',
      (inner) =>
        inner
          .positional('directory', directory)
          .options({
            'dry-run': { type: 'boolean', default: false, describe: 'say what would be done, do nothing' },
            // No default for these two: yargs takes a default of an option for its use, and says that they are in conflict.
            'take-mine': { type: 'boolean', describe: 'edits stay; what is new upstream was carried over' },
            'take-shipped': { type: 'boolean', describe: 'give edits up' },
            json: jsonOption,
          })
          .conflicts('take-mine', 'take-shipped')
          .example('$0 templates export /etc/csync/templates', 'then: csync render --templates /etc/csync/templates'),
      (args) =>
        choose(() =>
          exportTemplates({
            directory: args.directory,
            dryRun: args.dryRun,
            takeMine: args.takeMine === true,
            takeShipped: args.takeShipped === true,
            json: args.json,
          }),
        ),
    )
    .command(
      'check',
      'unknown, unused and malformed tokens with line and column; misspelt file names',
      (inner) =>
        inner.options({ settings: { ...settingsOption, default: undefined }, templates: templatesOption, json: jsonOption }),
      (args) => choose(() => checkTemplates(args.templates, args.settings, args.json)),
    )
    .command(
      'diff <directory>',
      'your edits, and what changed in the shipped templates since the export; status 1 if any',
      (inner) => inner.positional('directory', directory).options({ json: jsonOption }),
      (args) => choose(() => diffTemplates(args.directory, args.json)),
    )
    .demandCommand(1, 'templates list, export, check or diff');
}

function labCommands(builder: ReturnType<typeof yargs>, choose: (verb: Verb) => void, rest: readonly string[]) {
  const options = {
    name: { type: 'string', default: 'lab', describe: 'name of the lab' },
    settings: { type: 'string', describe: "settings file; without it the lab's own" },
    json: jsonOption,
  } as const;
  const withMember = (inner: typeof builder) =>
    inner.positional('member', { type: 'string', demandOption: true, describe: 'lab host' });
  type Simple = (options: LabOptions) => Promise<number>;
  const simple: readonly [string, string, Simple][] = [
    ['up', 'start a lab that stays, with the package running', labUp],
    ['down', 'end it and free everything', labDown],
    ['status', 'machines, mounts and addresses of a running lab', labStatus],
    ['demo', 'show the package fail over, then clean up', labDemo],
  ];
  const machine = [
    ['crash', 'cut the power of a member'],
    ['boot', 'switch it on again'],
    ['cut', "pull a member's network cable"],
    ['heal', 'plug it in again'],
  ] as const;
  builder.options(options).demandCommand(1, 'name what to do with the lab');
  for (const [name, text, run] of simple)
    builder.command(name, text, {}, (args) => choose(() => run(args as unknown as LabOptions)));
  builder.command(
    'failovers',
    'many failovers in a row, invariants checked after each',
    {
      count: { type: 'number', default: 50, describe: 'how many' },
      seed: { type: 'number', default: 1, describe: 'same seed, same faults in the same order' },
    },
    (args) => choose(() => labFailovers(args as unknown as LabOptions, args.count, args.seed)),
  );
  for (const [name, text] of machine) {
    builder.command(`${name} <member>`, text, withMember, (args) =>
      choose(() => labMachine(args as unknown as LabOptions, name, String(args.member))),
    );
  }
  builder.command('exec <member>', 'run a program on a lab host: csync lab exec m1 -- cmviewcl -v', withMember, (args) =>
    choose(() => labExec(args as unknown as LabOptions, String(args.member), rest)),
  );
  builder.command('shell <member>', 'a shell on a lab host', withMember, (args) =>
    choose(() => labExec(args as unknown as LabOptions, String(args.member), ['/bin/bash', '--norc'])),
  );
  return builder;
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
    if (error instanceof Failure) return report(error.problems, argv.includes('--json'));
    if (error instanceof LabUnavailable) {
      const { message: text, remedy } = error;
      return report([{ code: 'lab-unavailable', severity: 'error', text, remedy }], argv.includes('--json'));
    }
    process.stderr.write(
      `internal error, please report it with this text:\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return exitCodes.internal;
  }
}

function asUsage(error: unknown): readonly Problem[] {
  if (error instanceof Failure) return error.problems;
  const text = error instanceof Error ? error.message : String(error);
  return [{ code: 'usage', severity: 'error', text, remedy: 'csync --help lists verbs and options' }];
}

function report(problems: readonly Problem[], json = false): ExitCode {
  if (json) process.stdout.write(`${JSON.stringify({ problems }, null, 2)}\n`);
  process.stderr.write(`${problems.map(formatProblem).join('\n')}\n`);
  return exitCodeOf(problems);
}

process.exitCode = await main(process.argv.slice(2));
