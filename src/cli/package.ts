/** Verbs that work on the administrator's host, with or without a cluster. */
import { baseOption, foundSettings, handEdits, jsonOption, print, settingsOption, sources, templatesOption } from './options.ts';
import { verb } from './verb.ts';

const conformVerbs = () => import('../verbs/lab/conform.ts');
const initVerbs = () => import('../verbs/package/init.ts');
const readerVerbs = () => import('../verbs/cluster/reader.ts');
const renderVerbs = () => import('../verbs/package/render.ts');
const settingsVerbs = () => import('../verbs/package/settings.ts');
const templatesVerbs = () => import('../verbs/package/templates.ts');

const directory = { type: 'string', demandOption: true, describe: 'directory with your own templates' } as const;

const init = verb({
  words: 'init',
  task: 'Set up',
  does: 'ask for the settings and write csync.yaml',
  details:
    'Checks the cluster first, and offers what it found. Also installed as csync_wizard. If answers are missing, csync lists them with the option that sets each, and writes nothing.',
  effect: 'writes here',
  options: {
    output: { type: 'string', default: 'csync.yaml', describe: 'settings file to write' },
    answers: { type: 'string', describe: 'file of answers, in the form of csync.yaml' },
    set: { type: 'string', array: true, nargs: 1, default: [] as string[], describe: 'an answer, as key=value; may be repeated' },
    yes: { type: 'boolean', default: false, describe: 'ask nothing, accept every offer' },
    force: { type: 'boolean', default: false, describe: 'replace an existing settings file' },
    'dry-run': { type: 'boolean', default: false, describe: 'print the file, write nothing' },
    json: { ...jsonOption, describe: 'print the result as JSON; asks nothing' },
  },
  exits: {
    different: 'you chose not to write the file',
    badInput: 'an answer is missing or wrong',
    cannotRunHere: 'the settings file already exists',
    changeFailed: 'the file cannot be written',
  },
  examples: [
    ['init', 'at a terminal: asks, and offers what was found'],
    ['init --yes --set volume_group=vg_csync', 'in a script'],
  ],
  json: async () => [(await initVerbs()).initDocument],
  run: async (args) => (await initVerbs()).init(args),
});

const render = verb({
  words: 'render',
  task: 'Set up',
  does: 'write the package directory on this host only',
  details: 'Uses settings and templates; needs no cluster. csync writes all files or none.',
  effect: 'writes here',
  options: {
    settings: settingsOption,
    output: { type: 'string', default: 'csync', describe: 'package directory to write' },
    templates: templatesOption,
    base: baseOption,
    'dry-run': { type: 'boolean', default: false, describe: 'list what would be written, write nothing' },
    'take-rendered': handEdits.rendered,
    'take-mine': handEdits.mine,
    json: jsonOption,
  },
  conflicts: [['take-mine', 'take-rendered']],
  exits: {
    different: 'files were edited by hand, and nothing is written',
    changeFailed: 'the files cannot be written; nothing has changed',
  },
  examples: [
    ['render --dry-run', 'which files would change'],
    ['render --templates /etc/csync/templates', 'with your own templates'],
  ],
  json: async () => [(await renderVerbs()).renderDocument],
  run: async (args) =>
    print((await renderVerbs()).render({ ...args, takeMine: args.takeMine === true, takeRendered: args.takeRendered === true })),
});

const check = verb({
  words: 'settings check',
  task: 'Set up',
  does: 'check the settings file; print line and fix',
  effect: 'reads',
  options: { settings: settingsOption, json: jsonOption },
  exits: { badInput: 'the settings have problems' },
  examples: [['settings check', 'after each edit of csync.yaml']],
  json: async () => [(await settingsVerbs()).settingsDocument],
  run: async (args) => print((await settingsVerbs()).checkSettings(args.settings, args.json)),
});

const example = verb({
  words: 'settings example',
  task: 'Set up',
  does: 'print a complete csync.yaml with comments',
  effect: 'prints',
  examples: [['settings example > csync.yaml', 'to fill in by hand']],
  run: async () => print((await settingsVerbs()).exampleSettings()),
});

const schema = verb({
  words: 'settings schema',
  task: 'Set up',
  does: 'print the JSON schema of csync.yaml, for editors',
  details:
    'Draft 07. An editor with the YAML language server completes and checks csync.yaml by it: [change-package.md](../how-to/operate/change-package.md#in-an-editor). Packages of csync install it as `/usr/share/csync/schemas/settings.json`.',
  effect: 'prints',
  examples: [['settings schema > settings.json', 'for an editor on another host']],
  run: async () => print((await settingsVerbs()).schemaText()),
});

const reader = verb({
  words: 'reader',
  task: 'Set up',
  does: 'print csync-reader, for a read-only account',
  details:
    'sudo runs it on the members for `CSYNC_VIA=reader`. Print and install it again after a change of settings and an upgrade. See [without-root-ssh.md](../how-to/without-root-ssh.md).',
  effect: 'prints',
  options: { settings: foundSettings },
  exits: { badInput: '' },
  examples: [['reader > csync-reader', 'then install it on each member']],
  run: async (args) => print((await readerVerbs()).printReader(args.settings)),
});

const list = verb({
  words: 'templates list',
  task: 'Set up',
  does: 'list the templates and show which you edited',
  details: 'Also lists the copies that are older than the shipped templates.',
  effect: 'reads',
  options: { templates: templatesOption, json: jsonOption },
  exits: { badInput: '' },
  examples: [['templates list --templates /etc/csync/templates', 'which of yours were edited, which are outdated']],
  json: async () => [(await templatesVerbs()).listDocument],
  run: async (args) => (await templatesVerbs()).listTemplates(args.templates, args.json),
});

const exportVerb = verb({
  words: 'templates export',
  task: 'Set up',
  does: 'copy the templates to a directory, for edits',
  details: 'An export over your copies keeps your edits.',
  effect: 'writes here',
  positionals: { directory },
  options: {
    'dry-run': { type: 'boolean', default: false, describe: 'print what would be copied, copy nothing' },
    // No default for these two, as for render.
    'take-mine': { type: 'boolean', describe: 'keep your edits: you merged what changed in the shipped templates' },
    'take-shipped': { type: 'boolean', describe: 'discard your edits' },
    json: jsonOption,
  },
  conflicts: [['take-mine', 'take-shipped']],
  exits: { different: 'an edited template changed in csync, too; nothing is written', changeFailed: '' },
  examples: [['templates export /etc/csync/templates', 'then: csync render --templates /etc/csync/templates']],
  json: async () => [(await templatesVerbs()).exportDocument],
  run: async (args) =>
    (await templatesVerbs()).exportTemplates({
      directory: args.directory,
      dryRun: args.dryRun,
      takeMine: args.takeMine === true,
      takeShipped: args.takeShipped === true,
      json: args.json,
    }),
});

const checkTemplates = verb({
  words: 'templates check',
  task: 'Set up',
  does: 'check your templates before they are used',
  details:
    'Reports unknown, unused and malformed tokens with line and column, and wrong file names. The tokens: [package-templates/README.md](../../package-templates/README.md).',
  effect: 'reads',
  options: { settings: { ...settingsOption, default: undefined }, templates: templatesOption, json: jsonOption },
  exits: { badInput: 'templates have problems' },
  examples: [['templates check --templates /etc/csync/templates', 'after each edit']],
  json: async () => [(await templatesVerbs()).checkDocument],
  run: async (args) => (await templatesVerbs()).checkTemplates(args.templates, args.settings, args.json),
});

const diff = verb({
  words: 'templates diff',
  task: 'Set up',
  does: 'show your edits, and what csync changed',
  details: 'Compares your copies with the shipped templates of this version and of the version that exported them.',
  effect: 'reads',
  positionals: { directory },
  options: { json: jsonOption },
  exits: { different: 'any template differs', badInput: '' },
  examples: [['templates diff /etc/csync/templates', 'after an upgrade of csync']],
  json: async () => [(await templatesVerbs()).diffDocument],
  run: async (args) => (await templatesVerbs()).diffTemplates(args.directory, args.json),
});

const conform = verb({
  words: 'conform',
  task: 'Set up',
  does: 'test the package scripts in a sandbox',
  details:
    'Calls the scripts as the cluster does, and reports which assertions hold. For edited templates (`--templates DIR`) or any package directory (`--package DIR`). It uses the real cfengine.',
  effect: 'reads',
  options: {
    settings: { ...sources.settings, default: undefined, describe: 'settings file; default: the settings of the lab' },
    templates: templatesOption,
    package: { type: 'string', describe: 'a rendered package directory, instead of settings and templates' },
    only: {
      type: 'string',
      array: true,
      nargs: 1,
      default: [] as string[],
      describe: 'assertions with this in their names; * matches any text; may be repeated',
    },
    list: { type: 'boolean', default: false, describe: 'list the names of all assertions, run nothing' },
    json: jsonOption,
  },
  conflicts: [
    ['package', 'settings'],
    ['package', 'templates'],
  ],
  exits: {
    different: 'an assertion does not hold',
    badInput: '',
    cannotRunHere: 'not root, a program is missing, or an assertion was skipped',
    unread: '',
  },
  examples: [['conform --templates mine --only "halt*"', 'only the assertions about halts']],
  json: async () => [(await conformVerbs()).conformDocument],
  run: async (args) => {
    const { conformPackage, listAssertions } = await conformVerbs();
    return args.list ? print(listAssertions(args.only)) : conformPackage(args);
  },
});

export const packageVerbs = [init, check, example, schema, render, reader, list, exportVerb, checkTemplates, diff, conform];
