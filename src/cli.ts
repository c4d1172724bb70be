/**
 * `csync`: arguments to a verb and its options. yargs parses and nothing else; the verb runs outside of it, inside the
 * one error boundary that turns problems into text and an exit status.
 */
import { basename } from 'node:path';
import yargs from 'yargs';
import { LabUnavailable } from './lab/handle.ts';
import { type ExitCode, exitCodeOf, exitCodes, Failure, formatProblem, type Problem } from './problem.ts';
import { apply, diff, history, rollback } from './verbs/apply.ts';
import { check } from './verbs/check.ts';
import { conformPackage, listAssertions } from './verbs/conform.ts';
import { init } from './verbs/init.ts';
import { type LabOptions, labDemo, labDown, labExec, labFailovers, labMachine, labStatus, labUp } from './verbs/lab.ts';
import { maintenance } from './verbs/maintenance.ts';
import { recover, remove } from './verbs/recover.ts';
import { render } from './verbs/render.ts';
import { checkSettings, exampleSettings } from './verbs/settings.ts';
import { status } from './verbs/status.ts';
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
  const parser = [packageCommands, changeCommands, procedureCommands, lookCommands]
    .reduce((made, add) => add(made, choose) as typeof made, yargs([...own]))
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
  return initCommand(parser, choose)
    .command(
      'render',
      'settings and templates to the package directory',
      (builder) =>
        builder
          .options({
            settings: settingsOption,
            output: { type: 'string', default: 'csync', describe: 'package directory to write' },
            templates: templatesOption,
            base: baseOption,
            'dry-run': { type: 'boolean', default: false, describe: 'list what would be written, write nothing' },
            'take-rendered': { type: 'boolean', describe: 'overwrite files that were edited by hand' },
            'take-mine': { type: 'boolean', describe: 'keep files that were edited by hand as part of the package' },
            json: jsonOption,
          })
          // yargs takes a default of an option for its use: these two have none, or they would always be in conflict.
          .conflicts('take-mine', 'take-rendered')
          .example('$0 render --dry-run', 'which files would change')
          .example('$0 render --templates /etc/csync/templates', 'with your own templates'),
      (args) =>
        choose(() => print(render({ ...args, takeMine: args.takeMine === true, takeRendered: args.takeRendered === true }))),
    )
    .command('settings', 'the settings file', (builder) =>
      builder
        .command(
          'check',
          'all problems of a settings file at once',
          (inner) =>
            inner.options({ settings: settingsOption, json: jsonOption }).example('$0 settings check', 'before anything else'),
          (args) => choose(() => print(checkSettings(args.settings, args.json))),
        )
        .command(
          'example',
          'a complete, commented csync.yaml',
          (inner) => inner.example('$0 settings example > csync.yaml', 'to fill in by hand'),
          () => choose(() => print(exampleSettings())),
        )
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

const baseOption = { type: 'string', describe: "a file with cmmakepkg's output to lay the package over" } as const;
const dryRunOption = { type: 'boolean', default: false, describe: 'print the steps, do none' } as const;

const sources = { settings: settingsOption, templates: templatesOption, base: baseOption, json: jsonOption } as const;

/** What changes a whole cluster, from one of its members or from a host that reaches them by ssh. */
function changeCommands(parser: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  const change = {
    run: { type: 'boolean', default: false, describe: 'run the package afterwards, and let it fail over' },
    halt: { type: 'boolean', default: false, describe: 'halt the package where a change wants that; it runs again afterwards' },
    yes: { type: 'boolean', alias: 'y', default: false, describe: 'do not ask' },
    'dry-run': dryRunOption,
  } as const;
  return parser
    .command(
      'apply',
      'distribute the package to all members and apply it; run again, it does what is left',
      (builder) =>
        builder
          .options({
            ...sources,
            ...change,
            'take-rendered': { type: 'boolean', describe: 'overwrite files that were edited on a member' },
            'take-mine': { type: 'boolean', describe: "this member's hand edits become part of the package, on all members" },
          })
          .conflicts('take-mine', 'take-rendered')
          .example('$0 apply --dry-run', 'what would be done')
          .example('$0 apply --yes --run', 'from settings to a running package'),
      (args) => choose(() => apply({ ...args, takeMine: args.takeMine === true, takeRendered: args.takeRendered === true })),
    )
    .command(
      'rollback [number]',
      'apply an earlier set again; without a number the one before the last',
      (builder) =>
        builder
          .positional('number', { type: 'number', describe: 'as csync history lists it' })
          .options({ settings: settingsOption, ...change, json: jsonOption })
          .example('$0 rollback 3 --dry-run', 'what going back to set 3 would do'),
      (args) => choose(() => rollback({ ...args, number: args.number })),
    );
}

/** Procedures of the manual. */
function procedureCommands(parser: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  const procedure = {
    settings: settingsOption,
    yes: { type: 'boolean', alias: 'y', default: false, describe: 'do not ask' },
    'dry-run': dryRunOption,
    json: jsonOption,
  } as const;
  return parser
    .command(
      'recover',
      'clean up what a failed or timed-out script left behind, and switch members on again',
      (builder) =>
        builder
          .options({
            ...procedure,
            run: { type: 'boolean', default: false, describe: 'start the package afterwards (cmmodpkg -e)' },
          })
          .example('$0 recover --dry-run', 'what is left behind, and the steps'),
      (args) => choose(() => recover(args)),
    )
    .command(
      'maintenance <switch>',
      'on: work on the daemon without a failover; off: watch it again, once it is healthy',
      (builder) =>
        builder
          .positional('switch', { choices: ['on', 'off'] as const, demandOption: true })
          .options({
            ...procedure,
            for: { type: 'string', default: '30m', describe: 'when it ends by itself: 90s, 30m, 2h' },
            serviceguard: {
              type: 'boolean',
              default: false,
              describe: "Serviceguard's own mode (cmmodpkg -m), which ignores every failure and has no end",
            },
          })
          .example('$0 maintenance on --for 1h', 'the monitor pauses; member and network are still watched')
          .example('$0 maintenance off', 'after a look whether it is healthy'),
      (args) => choose(() => maintenance({ ...args, on: args.switch === 'on' })),
    )
    .command(
      'remove',
      "halt and delete the package; daemons, policy, keys and the package's files stay",
      (builder) =>
        builder
          .options({
            ...procedure,
            unconfigure: { type: 'boolean', default: false, describe: 'set CSYNC_CONFIGURED to 0 on the members, too' },
          })
          .example('$0 remove --dry-run', 'the steps'),
      (args) => choose(() => remove(args)),
    );
}

/** What looks at one. */
function lookCommands(parser: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  return parser
    .command(
      'history',
      'the sets that were applied',
      (builder) => builder.options({ settings: settingsOption, json: jsonOption }).example('$0 history', 'the newest last'),
      (args) => choose(() => history(args.settings, args.json)),
    )
    .command(
      'check',
      'everything that can be known before an apply, in one list; status 1 with any error',
      (builder) =>
        builder
          .options({ ...sources, offline: { type: 'boolean', default: false, describe: 'settings and templates only' } })
          .example('$0 check', 'what cmcheckconf looks at, and what it does not')
          .example('$0 check --offline', 'without a cluster'),
      (args) => choose(() => check(args)),
    )
    .command(
      'status',
      'one sentence, what helps, and a table of members; exit status 0 serving, 1 failed, 3 halted, 4 cannot tell',
      (builder) =>
        builder
          .options({ ...sources, watch: { type: 'boolean', default: false, describe: 'look again every two seconds' } })
          .example('$0 status', 'needs no root: cmviewcl wants the monitor role, the members ssh'),
      (args) => choose(() => status(args)),
    )
    .command(
      'diff',
      'rendered against every member and the applied configuration; status 1 if anything differs',
      (builder) => builder.options(sources).example('$0 diff', 'file by file, keyword by keyword'),
      (args) => choose(() => diff(args)),
    );
}

function initCommand(parser: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  return parser.command(
    'init',
    'look at the cluster, ask for the rest, write csync.yaml (also installed as csync_wizard)',
    (builder) =>
      builder
        .options({
          output: { type: 'string', default: 'csync.yaml', describe: 'settings file to write' },
          answers: { type: 'string', describe: 'a file of answers, in the form of csync.yaml' },
          set: {
            type: 'string',
            array: true,
            nargs: 1,
            default: [] as string[],
            describe: 'an answer, as key=value; may be repeated',
          },
          yes: { type: 'boolean', default: false, describe: 'ask nothing, take everything that is offered' },
          force: { type: 'boolean', default: false, describe: 'replace the settings file if there is one' },
          'dry-run': { type: 'boolean', default: false, describe: 'print the file, write nothing' },
          json: { ...jsonOption, describe: 'machine-readable result; asks nothing' },
        })
        .example('$0 init', 'at a terminal: asks, with what was found as defaults')
        .example('$0 init --yes --set volume_group=vg_csync', 'in a script'),
    (args) => choose(() => init(args)),
  );
}

function templateCommands(builder: ReturnType<typeof yargs>, choose: (verb: Verb) => void) {
  const directory = { type: 'string', demandOption: true, describe: "directory of the administrator's own templates" } as const;
  return builder
    .command(
      'list',
      'which there are, and where yours differ from the shipped ones',
      (inner) =>
        inner
          .options({ templates: templatesOption, json: jsonOption })
          .example('$0 templates list --templates /etc/csync/templates', 'which of yours were edited, which are behind'),
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
            // No default for these two: as for render.
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
        inner
          .options({ settings: { ...settingsOption, default: undefined }, templates: templatesOption, json: jsonOption })
          .example('$0 templates check --templates /etc/csync/templates', 'after each edit'),
      (args) => choose(() => checkTemplates(args.templates, args.settings, args.json)),
    )
    .command(
      'diff <directory>',
      'your edits, and what changed in the shipped templates since the export; status 1 if any',
      (inner) =>
        inner
          .positional('directory', directory)
          .options({ json: jsonOption })
          .example('$0 templates diff /etc/csync/templates', 'after an upgrade of the toolkit'),
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
  const withMember = (inner: typeof builder, name: string, behind = '') =>
    inner
      .positional('member', { type: 'string', demandOption: true, describe: 'lab host' })
      .example(`$0 lab ${name} m1${behind}`, '');
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
    builder.command(
      name,
      text,
      (inner) => inner.example(`$0 lab ${name}`, text),
      (args) => choose(() => run(args as unknown as LabOptions)),
    );
  builder.command(
    'failovers',
    'many failovers in a row, invariants checked after each',
    (inner) =>
      inner
        .options({
          count: { type: 'number', default: 50, describe: 'how many' },
          seed: { type: 'number', default: 1, describe: 'same seed, same faults in the same order' },
        })
        .example('$0 lab failovers --count 200 --seed 7', ''),
    (args) => choose(() => labFailovers(args as unknown as LabOptions, args.count, args.seed)),
  );
  for (const [name, text] of machine) {
    builder.command(
      `${name} <member>`,
      text,
      (inner) => withMember(inner, name),
      (args) => choose(() => labMachine(args as unknown as LabOptions, name, String(args.member))),
    );
  }
  builder.command(
    'exec <member>',
    'run a program on a lab host',
    (inner) => withMember(inner, 'exec', ' -- cmviewcl -v'),
    (args) => choose(() => labExec(args as unknown as LabOptions, String(args.member), rest)),
  );
  builder.command(
    'shell <member>',
    'a shell on a lab host',
    (inner) => withMember(inner, 'shell'),
    (args) => choose(() => labExec(args as unknown as LabOptions, String(args.member), ['/bin/bash', '--norc'])),
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

/** DSAU's name for the wizard [dsau-csync.md 2.1]: whoever calls that gets init. */
const calledAs = basename(process.argv[1] ?? '').replace(/\.mjs$/, '');
const words = process.argv.slice(2);
process.exitCode = await main(calledAs === 'csync_wizard' ? ['init', ...words] : words);
