/** Verbs on the package of a whole cluster, from a member or from a host that reaches the members by ssh. */
import { documents, dryRunOption, handEdits, jsonOption, settingsOption, sources, waitOption, yesOption } from './options.ts';
import { verb } from './verb.ts';

const applyVerbs = () => import('../verbs/package/apply.ts');
const maintenanceVerbs = () => import('../verbs/cluster/maintenance.ts');
const migrateVerbs = () => import('../verbs/package/migrate.ts');
const toolkitVerbs = () => import('../verbs/cluster/toolkit.ts');
const recoverVerbs = () => import('../verbs/cluster/recover.ts');

const change = {
  run: { type: 'boolean', default: false, describe: 'run the package afterwards, and enable its failover' },
  halt: { type: 'boolean', default: false, describe: 'halt the package for changes that require it; it runs again afterwards' },
  yes: yesOption,
  'dry-run': dryRunOption,
  wait: waitOption,
} as const;

const applied = { different: 'files were edited by hand on a member' } as const;

const apply = verb({
  words: 'apply',
  task: 'Change',
  does: 'distribute and apply the package',
  details:
    'Plan, confirm, apply, verify. Run it again to complete an interrupted apply. A new set of files is written [beside the applied one](package-directory.md), so the package can fail over between any two steps. Changes that require a halt are listed first.',
  effect: 'changes',
  changes: ['apply'],
  options: {
    ...sources,
    ...change,
    'take-rendered': { ...handEdits.rendered, describe: 'overwrite files that were edited by hand on a member' },
    'take-mine': { ...handEdits.mine, describe: 'make the hand edits of this member part of the package, on all members' },
    'with-runtime': {
      type: 'string',
      requiresArg: false,
      describe: 'copy Node.js to every member: FILE, or the one that runs csync; later applies keep it',
    },
    force: { type: 'boolean', default: false, describe: 'with --with-runtime: copy a Node.js whose support has ended' },
    'without-runtime': { type: 'boolean', describe: 'remove the copied Node.js; the members use their own again' },
  },
  conflicts: [
    ['take-mine', 'take-rendered'],
    ['with-runtime', 'without-runtime'],
  ],
  exits: applied,
  examples: [
    ['apply --dry-run', 'the steps, and which of them require a halt'],
    ['apply --yes --run', 'from settings to a running package'],
    ['apply --with-runtime', 'members need no Node.js of their own'],
  ],
  json: async () => [(await documents()).applyDocument],
  run: async (args) =>
    (await applyVerbs()).apply({ ...args, takeMine: args.takeMine === true, takeRendered: args.takeRendered === true }),
});

const rollback = verb({
  words: 'rollback',
  task: 'Change',
  does: 'apply an earlier set again',
  details: 'Without a number: the previous set.',
  effect: 'changes',
  changes: ['rollback'],
  positionals: { number: { type: 'number', describe: 'number of the set, as csync history lists it' } },
  options: { settings: settingsOption, ...change, json: jsonOption },
  exits: applied,
  examples: [['rollback 3 --dry-run', 'the steps back to set 3']],
  json: async () => [(await documents()).applyDocument],
  run: async (args) => (await applyVerbs()).rollback({ ...args, number: args.number }),
});

const migrate = verb({
  words: 'migrate legacy-to-modular',
  task: 'Change',
  does: 'replace a legacy package; one halt',
  details:
    'Makes a modular package of a configured legacy package. Steps: check, one halt, apply, run on the same member, switches as they were, one line of csync.yaml. The other settings stay the same. Run it again to complete an interrupted migration.',
  effect: 'changes',
  changes: ['migrate legacy-to-modular'],
  options: { ...sources, yes: change.yes, 'dry-run': dryRunOption, wait: waitOption },
  exits: applied,
  examples: [['migrate legacy-to-modular --dry-run', 'the steps, with the halt among them']],
  json: async () => [(await documents()).applyDocument],
  run: async (args) => (await migrateVerbs()).migrateToModular(args),
});

const procedure = {
  settings: settingsOption,
  yes: yesOption,
  'dry-run': dryRunOption,
  wait: waitOption,
  json: jsonOption,
} as const;

const recover = verb({
  words: 'recover',
  task: 'Operate',
  does: 'clean up after a failed package script',
  details:
    "Finds address, mount, its users, volume group and switches that a failed or timed-out script left. Cleans them up in the manual's order, after your confirmation, and enables the members again. It never touches the active member.",
  effect: 'changes',
  changes: ['recover'],
  options: { ...procedure, run: { type: 'boolean', default: false, describe: 'start the package afterwards' } },
  examples: [['recover --dry-run', 'what was left, and the steps']],
  json: async () => [(await documents()).procedureDocument],
  run: async (args) => (await recoverVerbs()).recover(args),
});

const maintenance = verb({
  words: 'maintenance',
  task: 'Operate',
  does: 'pause (on) or resume (off) the monitor',
  details:
    'Use it to work on the daemon without a failover. The monitor pauses until `--for` is over or until `off`. `off` first checks that the daemon serves as the master. While the monitor pauses, csync status reports it.',
  effect: 'changes',
  changes: ['maintenance on', 'maintenance off'],
  positionals: {
    switch: { choices: ['on', 'off'] as const, demandOption: true, describe: 'on pauses the monitor, off resumes it' },
  },
  options: {
    ...procedure,
    for: { type: 'string', default: '30m', describe: 'when it ends by itself: 90s, 30m, 2h' },
    serviceguard: {
      type: 'boolean',
      default: false,
      describe: 'also the maintenance mode of Serviceguard (cmmodpkg -m), which ignores every failure; the monitor leaves it',
    },
  },
  examples: [
    ['maintenance on --for 1h', 'the monitor pauses; the cluster still monitors member and network'],
    ['maintenance off', 'after a check that the daemon is healthy'],
  ],
  json: async () => [(await documents()).procedureDocument],
  run: async (args) => (await maintenanceVerbs()).maintenance({ ...args, on: args.switch === 'on' }),
});

const remove = verb({
  words: 'remove',
  task: 'Change',
  does: 'halt and delete the package',
  details: 'Daemons, policy, keys and the files of the package stay.',
  effect: 'changes',
  changes: ['remove'],
  options: {
    ...procedure,
    unconfigure: { type: 'boolean', default: false, describe: 'also set CSYNC_CONFIGURED to 0 on the members' },
  },
  examples: [['remove --dry-run', 'the steps']],
  json: async () => [(await documents()).procedureDocument],
  run: async (args) => (await recoverVerbs()).remove(args),
});

const toolkitInstall = verb({
  words: 'toolkit install',
  task: 'Change',
  does: 'put this csync on every member',
  details:
    'Copies this version beside the others, checks that it runs on every member, and then switches `toolkit_program`. The previous version is kept. A csync that a deb or rpm installed is left alone and reported. It does not touch the package: `csync apply` does.',
  effect: 'changes',
  changes: ['toolkit install'],
  options: {
    ...procedure,
    previous: { type: 'boolean', default: false, describe: 'return to the version that each member had before' },
  },
  examples: [
    ['toolkit install --dry-run', 'which members need it'],
    ['toolkit install --previous', 'take the last switch back'],
  ],
  json: async () => [(await toolkitVerbs()).toolkitDocument],
  run: async (args) => (await toolkitVerbs()).toolkitInstall(args),
});

const toolkitStatus = verb({
  words: 'toolkit status',
  task: 'Investigate',
  does: 'list the version of csync on each member',
  details: 'Compares `toolkit_program` of each member with the csync that you type.',
  effect: 'reads',
  options: { settings: settingsOption, json: jsonOption },
  exits: { different: 'a member has another csync, or none', badInput: '' },
  examples: [['toolkit status', 'after an upgrade']],
  json: async () => [(await toolkitVerbs()).toolkitStatusDocument],
  run: async (args) => (await toolkitVerbs()).toolkitStatus(args),
});

const toolkitRemove = verb({
  words: 'toolkit remove',
  task: 'Change',
  does: 'take csync off the members again',
  details:
    'Removes only what `csync toolkit install` put there. A link that was at `toolkit_program` before comes back. The package is not affected.',
  effect: 'changes',
  changes: ['toolkit remove'],
  options: procedure,
  examples: [['toolkit remove --dry-run', 'what would be removed']],
  json: async () => [(await toolkitVerbs()).toolkitDocument],
  run: async (args) => (await toolkitVerbs()).toolkitRemove(args),
});

export const clusterVerbs = [
  maintenance,
  recover,
  apply,
  rollback,
  migrate,
  remove,
  toolkitInstall,
  toolkitStatus,
  toolkitRemove,
];
