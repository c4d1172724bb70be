/** What is made on the administrator's machine, cluster or no cluster. */
import { baseOption, type Choose, jsonOption, type Parser, print, settingsOption, templatesOption } from './options.ts';

const conformVerbs = () => import('../verbs/lab/conform.ts');
const initVerbs = () => import('../verbs/package/init.ts');
const renderVerbs = () => import('../verbs/package/render.ts');
const settingsVerbs = () => import('../verbs/package/settings.ts');
const templatesVerbs = () => import('../verbs/package/templates.ts');

export function addPackageVerbs(parser: Parser, choose: Choose): Parser {
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
        choose(async () =>
          print(
            (await renderVerbs()).render({ ...args, takeMine: args.takeMine === true, takeRendered: args.takeRendered === true }),
          ),
        ),
    )
    .command('settings', 'the settings file', (builder) => settingsCommands(builder, choose))
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
      (args) =>
        choose(async () => {
          const { conformPackage, listAssertions } = await conformVerbs();
          return args.list ? print(listAssertions(args.only)) : conformPackage(args);
        }),
    )
    .command('templates', 'the templates', (builder) => templateCommands(builder, choose));
}

function initCommand(parser: Parser, choose: Choose): Parser {
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
    (args) => choose(async () => (await initVerbs()).init(args)),
  );
}

function settingsCommands(builder: Parser, choose: Choose) {
  return builder
    .command(
      'check',
      'all problems of a settings file at once',
      (inner) =>
        inner.options({ settings: settingsOption, json: jsonOption }).example('$0 settings check', 'before anything else'),
      (args) => choose(async () => print((await settingsVerbs()).checkSettings(args.settings, args.json))),
    )
    .command(
      'example',
      'a complete, commented csync.yaml',
      (inner) => inner.example('$0 settings example > csync.yaml', 'to fill in by hand'),
      () => choose(async () => print((await settingsVerbs()).exampleSettings())),
    )
    .demandCommand(1, 'settings check or settings example');
}

function templateCommands(builder: Parser, choose: Choose) {
  const directory = { type: 'string', demandOption: true, describe: "directory of the administrator's own templates" } as const;
  return builder
    .command(
      'list',
      'which there are, and where yours differ from the shipped ones',
      (inner) =>
        inner
          .options({ templates: templatesOption, json: jsonOption })
          .example('$0 templates list --templates /etc/csync/templates', 'which of yours were edited, which are behind'),
      (args) => choose(async () => (await templatesVerbs()).listTemplates(args.templates, args.json)),
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
        choose(async () =>
          (await templatesVerbs()).exportTemplates({
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
      (args) => choose(async () => (await templatesVerbs()).checkTemplates(args.templates, args.settings, args.json)),
    )
    .command(
      'diff <directory>',
      'your edits, and what changed in the shipped templates since the export; status 1 if any',
      (inner) =>
        inner
          .positional('directory', directory)
          .options({ json: jsonOption })
          .example('$0 templates diff /etc/csync/templates', 'after an upgrade of the toolkit'),
      (args) => choose(async () => (await templatesVerbs()).diffTemplates(args.directory, args.json)),
    )
    .demandCommand(1, 'templates list, export, check or diff');
}
