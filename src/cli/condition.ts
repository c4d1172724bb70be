/** Verbs that report the condition of a cluster and its events, and the drills that test it. */
import {
  documents,
  dryRunOption,
  foundSettings,
  jsonOption,
  nagiosOption,
  print,
  settingsOption,
  sources,
  waitOption,
  yesOption,
} from './options.ts';
import { verb } from './verb.ts';

const alertVerbs = () => import('../verbs/cluster/alert.ts');
const alertTestVerbs = () => import('../verbs/cluster/alert-test.ts');
const applyVerbs = () => import('../verbs/package/apply.ts');
const checkVerbs = () => import('../verbs/package/check.ts');
const explainVerbs = () => import('../verbs/lab/explain.ts');
const rehearseVerbs = () => import('../verbs/cluster/rehearse.ts');
const schemaVerbs = () => import('../verbs/lab/schema.ts');
const statusVerbs = () => import('../verbs/cluster/status.ts');

const check = verb({
  words: 'check',
  task: 'Investigate',
  does: 'find problems before an apply',
  details:
    'Checks settings, templates and package file. On every member it checks what the cluster itself does not. These are: fstab, mounts, the name both ways, subnet and MTU, volume group and host tags, and versions of the scripts. Also port and largest packet between members and to the clients, the host that answers at the package address, space, clocks and other packages. Each problem has its member and its fix. csync also lists what could not be checked.',
  effect: 'reads',
  options: {
    ...sources,
    nagios: nagiosOption,
    offline: { type: 'boolean', default: false, describe: 'only settings, templates and package file' },
  },
  exits: { different: 'any error', badInput: '', cannotRunHere: '' },
  examples: [
    ['check', 'what the cluster itself checks, and what it does not'],
    ['check --offline', 'without a cluster'],
  ],
  json: async () => [(await checkVerbs()).checkDocument],
  run: async (args) => (await checkVerbs()).check(args),
});

const status = verb({
  words: 'status',
  task: 'Operate',
  does: 'show package, members, clients and problems',
  details:
    'Prints one sentence about the package, then each problem with its fix. Exit statuses are those of an init script. It does not need root: the cluster requires a user who may read its state, the members ssh.',
  effect: 'reads',
  options: { ...sources, nagios: nagiosOption, watch: { type: 'boolean', default: false, describe: 'print it again every 2 s' } },
  exits: { unread: '' },
  ownExits: {
    0: 'serving',
    1: 'failed, also where the other members reach another host at the package address',
    3: 'halted',
    4: 'unknown, also where the settings cannot be read',
  },
  examples: [['status', 'the condition of the package']],
  json: async () => [(await statusVerbs()).statusDocument],
  run: async (args) => (await statusVerbs()).status(args),
});

const rehearse = verb({
  words: 'rehearse',
  task: 'Operate',
  does: 'check each member for a failover; run drills',
  details:
    'Combines check, status, keys verify, validate and `start --dry-run`, with a score for each member. With `--drill NAME,...` csync carries failovers out and measures them ([the drills](drills.md)).',
  effect: 'changes',
  changes: ['rehearse --drill'],
  options: {
    ...sources,
    html: { type: 'string', describe: 'file for an HTML page of the results' },
    metrics: { type: 'string', describe: 'file for the score of each member as metrics for Prometheus' },
    results: { type: 'string', describe: 'directory of results, for comparison with the previous one (default rehearsals)' },
    drill: {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'drills to carry out; docs/reference/drills.md lists them',
    },
    production: { type: 'boolean', default: false, describe: 'allow drills on a cluster that is no lab' },
    yes: yesOption,
    'dry-run': dryRunOption,
    wait: waitOption,
  },
  exits: {
    different: 'a member could not take the package, or a drill failed',
  },
  examples: [
    ['rehearse --html ready.html', 'checks, and changes nothing'],
    ['rehearse --drill haltnode --dry-run', 'the steps of a drill'],
  ],
  json: async () => [(await documents()).rehearseDocument],
  run: async (args) => (await rehearseVerbs()).rehearse(args),
});

const diff = verb({
  words: 'diff',
  task: 'Investigate',
  does: 'compare the package with every member',
  details: 'Compares the rendered files with those of every member, and with the applied configuration.',
  effect: 'reads',
  options: sources,
  exits: { different: 'any file or keyword differs', badInput: '', cannotRunHere: '' },
  examples: [['diff', 'file by file, keyword by keyword']],
  json: async () => [(await applyVerbs()).diffDocument],
  run: async (args) => (await applyVerbs()).diff(args),
});

const history = verb({
  words: 'history',
  task: 'Investigate',
  does: 'list the last ten applied sets',
  effect: 'reads',
  options: { settings: settingsOption, json: jsonOption },
  exits: { badInput: '', cannotRunHere: '' },
  examples: [['history', 'the newest last']],
  json: async () => [(await applyVerbs()).historyDocument],
  run: async (args) => (await applyVerbs()).history(args.settings, args.json),
});

const explain = verb({
  words: 'explain',
  task: 'Investigate',
  does: 'explain a problem code, or list all codes',
  details:
    'Prints what the code means for the cluster, the fix, an example and the page of the manual. Commands are those of the engine that this host has. All codes: [problem-codes.md](problem-codes.md).',
  effect: 'reads',
  positionals: { code: { type: 'string', describe: 'code of a problem, as in error [CODE]; default: list all codes' } },
  options: { json: jsonOption },
  examples: [
    ['explain change-busy', 'one code'],
    ['explain', 'all codes'],
  ],
  json: async () => {
    const { codeDocument, codesDocument } = await explainVerbs();
    return [codeDocument, codesDocument];
  },
  run: async (args) => print((await explainVerbs()).explain(args.code, args.json)),
});

const decisions = verb({
  words: 'decisions',
  task: 'Investigate',
  does: 'print when the package fails over, as tables',
  details:
    'What start, halt, monitor and cluster conclude from their findings. The same as a page with a diagram: [decision-tables.md](../proof/decision-tables.md).',
  effect: 'reads',
  options: { json: jsonOption },
  examples: [['decisions --json', 'for programs']],
  json: async () => [(await explainVerbs()).decisionsDocument],
  run: async (args) => print((await explainVerbs()).decisions(args.json)),
});

const schema = verb({
  words: 'schema',
  task: 'Investigate',
  does: 'print the JSON schema of what a verb prints',
  details:
    'Of its output with --json; without VERB all of them, by verb. Every document has a field `version`; its fields keep their meaning while it stays the same. Packages of csync install them below `/usr/share/csync/schemas/output`.',
  effect: 'prints',
  positionals: { verb: { type: 'string', array: true, describe: 'verb, for example: members list; default: all' } },
  examples: [['schema status', 'to validate the output of csync status --json']],
  run: async (args, _rest, all) => print(await (await schemaVerbs()).schemaText(args.verb ?? [], all)),
});

const alertExits = { changeFailed: 'a hook failed, or is not run' } as const;

const alertRun = verb({
  words: 'alert run',
  task: 'Operate',
  does: 'report new events by hooks; for a timer',
  details:
    'Observes this member and the cluster, and calls every program in `alert_directory` for each event that is due: [hooks.md](../how-to/alerts/hooks.md). It asks no other host. A timer calls it on each member once a minute. No start, halt or monitor calls it, and none waits for it.',
  effect: 'agents',
  options: {
    settings: foundSettings,
    test: { type: 'boolean', default: false, describe: 'only the test event' },
    'dry-run': { ...dryRunOption, describe: 'print the events that are due and the hooks, call none' },
    json: jsonOption,
  },
  exits: alertExits,
  examples: [['alert run --dry-run', 'which events are due on this member']],
  json: async () => [(await alertVerbs()).alertRunDocument],
  run: async (args) => (await alertVerbs()).alertRun(args),
});

const alertTest = verb({
  words: 'alert test',
  task: 'Operate',
  does: 'try the hooks on every member',
  details:
    'Calls the hooks of each member with the event `test`, by the csync and the settings of that member, and reports each result.',
  effect: 'agents',
  options: {
    settings: settingsOption,
    'dry-run': { ...dryRunOption, describe: 'print the hooks of each member, call none' },
    json: jsonOption,
  },
  exits: alertExits,
  examples: [['alert test --dry-run', 'which hooks each member would run']],
  json: async () => [(await alertTestVerbs()).alertTestDocument],
  run: async (args) => (await alertTestVerbs()).alertTest(args),
});

export const conditionVerbs = [status, rehearse, alertRun, alertTest, check, diff, history, explain, decisions, schema];
