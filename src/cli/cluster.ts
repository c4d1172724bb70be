/** What works on a whole cluster, from one of its members or from a host that reaches them by ssh. */
import { type Choose, dryRunOption, jsonOption, type Parser, settingsOption, sources, waitOption } from './options.ts';

const applyVerbs = () => import('../verbs/package/apply.ts');
const checkVerbs = () => import('../verbs/package/check.ts');
const maintenanceVerbs = () => import('../verbs/cluster/maintenance.ts');
const migrateVerbs = () => import('../verbs/package/migrate.ts');
const recoverVerbs = () => import('../verbs/cluster/recover.ts');
const rehearseVerbs = () => import('../verbs/cluster/rehearse.ts');
const statusVerbs = () => import('../verbs/cluster/status.ts');
const syncVerbs = () => import('../verbs/hosts/sync.ts');

export function addClusterVerbs(parser: Parser, choose: Choose): Parser {
  return [changeCommands, procedureCommands, agentCommands, lookCommands].reduce((made, add) => add(made, choose), parser);
}

/** What changes it. */
function changeCommands(parser: Parser, choose: Choose): Parser {
  const change = {
    run: { type: 'boolean', default: false, describe: 'run the package afterwards, and let it fail over' },
    halt: { type: 'boolean', default: false, describe: 'halt the package where a change wants that; it runs again afterwards' },
    yes: { type: 'boolean', alias: 'y', default: false, describe: 'do not ask' },
    'dry-run': dryRunOption,
    wait: waitOption,
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
            'with-runtime': {
              type: 'string',
              describe: 'carry a Node.js to every member: FILE, or the one that runs csync; later applies keep it',
            },
            'without-runtime': { type: 'boolean', describe: 'drop the carried Node.js; the members use their own again' },
          })
          .conflicts('take-mine', 'take-rendered')
          .conflicts('with-runtime', 'without-runtime')
          .example('$0 apply --dry-run', 'what would be done')
          .example('$0 apply --yes --run', 'from settings to a running package')
          .example('$0 apply --with-runtime', 'members need no Node.js of their own'),
      (args) =>
        choose(async () =>
          (await applyVerbs()).apply({ ...args, takeMine: args.takeMine === true, takeRendered: args.takeRendered === true }),
        ),
    )
    .command(
      'rollback [number]',
      'apply an earlier set again; without a number the one before the last',
      (builder) =>
        builder
          .positional('number', { type: 'number', describe: 'as csync history lists it' })
          .options({ settings: settingsOption, ...change, json: jsonOption })
          .example('$0 rollback 3 --dry-run', 'what going back to set 3 would do'),
      (args) => choose(async () => (await applyVerbs()).rollback({ ...args, number: args.number })),
    )
    .command('migrate', 'another style of the same package', (builder) =>
      builder
        .command(
          'legacy-to-modular',
          'a configured legacy package becomes a modular one, with one halt; run again, it does what is left',
          (inner) =>
            inner
              .options({ ...sources, yes: change.yes, 'dry-run': dryRunOption, wait: waitOption })
              .example('$0 migrate legacy-to-modular --dry-run', 'the steps, with the one halt among them'),
          (args) => choose(async () => (await migrateVerbs()).migrateToModular(args)),
        )
        .demandCommand(1, 'migrate legacy-to-modular'),
    );
}

/** Procedures of the manual. */
function procedureCommands(parser: Parser, choose: Choose): Parser {
  const procedure = {
    settings: settingsOption,
    yes: { type: 'boolean', alias: 'y', default: false, describe: 'do not ask' },
    'dry-run': dryRunOption,
    wait: waitOption,
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
      (args) => choose(async () => (await recoverVerbs()).recover(args)),
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
              describe: "Serviceguard's own mode (cmmodpkg -m), which ignores every failure; the monitor ends it",
            },
          })
          .example('$0 maintenance on --for 1h', 'the monitor pauses; member and network are still watched')
          .example('$0 maintenance off', 'after a look whether it is healthy'),
      (args) => choose(async () => (await maintenanceVerbs()).maintenance({ ...args, on: args.switch === 'on' })),
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
      (args) => choose(async () => (await recoverVerbs()).remove(args)),
    );
}

/** What the agents of members and clients are told. */
function agentCommands(parser: Parser, choose: Choose): Parser {
  return parser.command(
    'sync [host..]',
    'agent runs now, hailed from the member that runs the package; status 5 if some did not run',
    (builder) =>
      builder
        .positional('host', { type: 'string', array: true, default: [] as string[], describe: 'members and clients' })
        .options({
          settings: settingsOption,
          from: { type: 'string', describe: 'the member that hails' },
          parallel: { type: 'number', default: 16, describe: 'hosts at a time' },
          timeout: { type: 'string', default: '10m', describe: 'for one host: 90s, 10m, 1h' },
          define: { type: 'string', array: true, default: [] as string[], describe: 'classes the agents shall have' },
          'dry-run': dryRunOption,
          json: jsonOption,
        })
        .example('$0 sync c1 c2', 'and what became of it')
        .example('$0 sync c1 --define urgent --timeout 2m', 'with a class'),
    (args) => choose(async () => (await syncVerbs()).sync({ ...args, hosts: args.host })),
  );
}

/** What looks at one. */
function lookCommands(parser: Parser, choose: Choose): Parser {
  return parser
    .command(
      'history',
      'the sets that were applied',
      (builder) => builder.options({ settings: settingsOption, json: jsonOption }).example('$0 history', 'the newest last'),
      (args) => choose(async () => (await applyVerbs()).history(args.settings, args.json)),
    )
    .command(
      'check',
      'everything that can be known before an apply, in one list; status 1 with any error',
      (builder) =>
        builder
          .options({ ...sources, offline: { type: 'boolean', default: false, describe: 'settings and templates only' } })
          .example('$0 check', 'what cmcheckconf looks at, and what it does not')
          .example('$0 check --offline', 'without a cluster'),
      (args) => choose(async () => (await checkVerbs()).check(args)),
    )
    .command(
      'status',
      'one sentence, what helps, and a table of members; exit status 0 serving, 1 failed, 3 halted, 4 cannot tell',
      (builder) =>
        builder
          .options({ ...sources, watch: { type: 'boolean', default: false, describe: 'look again every two seconds' } })
          .example('$0 status', 'needs no root: cmviewcl wants the monitor role, the members ssh'),
      (args) => choose(async () => (await statusVerbs()).status(args)),
    )
    .command(
      'rehearse',
      'would the package start on each member, and why not? With --drill it fails over; status 1 when the answer is no',
      (builder) =>
        builder
          .options({
            ...sources,
            html: { type: 'string', describe: 'file for a page of it' },
            results: { type: 'string', describe: 'directory of results, compared with the last one (rehearsals)' },
            drill: { type: 'string', array: true, default: [] as string[], describe: 'carry these out: docs/drills.md has them' },
            production: { type: 'boolean', default: false, describe: 'drills are meant for a cluster that is no lab' },
            yes: { type: 'boolean', alias: 'y', default: false, describe: 'do not ask' },
            'dry-run': dryRunOption,
            wait: waitOption,
          })
          .example('$0 rehearse --html ready.html', 'looks, and changes nothing')
          .example('$0 rehearse --drill haltnode --dry-run', 'what the drill does'),
      (args) => choose(async () => (await rehearseVerbs()).rehearse(args)),
    )
    .command(
      'diff',
      'rendered against every member and the applied configuration; status 1 if anything differs',
      (builder) => builder.options(sources).example('$0 diff', 'file by file, keyword by keyword'),
      (args) => choose(async () => (await applyVerbs()).diff(args)),
    );
}
