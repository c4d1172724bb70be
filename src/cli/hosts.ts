import {
  automaticOption,
  documents,
  dryRunOption,
  foundSettings,
  jsonOption,
  settingsOption,
  templatesOption,
  waitOption,
  yesOption,
} from './options.ts';
import { verb } from './verb.ts';

const clientsVerbs = () => import('../verbs/hosts/clients.ts');
const keysVerbs = () => import('../verbs/hosts/keys.ts');
const membershipVerbs = () => import('../verbs/hosts/membership.ts');
const syncVerbs = () => import('../verbs/hosts/sync.ts');

const read = { settings: foundSettings, templates: templatesOption, json: jsonOption } as const;
const change = { ...read, yes: yesOption, 'dry-run': dryRunOption, wait: waitOption } as const;
const looks = { badInput: '', cannotRunHere: '' } as const;
const changed = {
  changeFailed: 'a change failed or is pending; csync remembers it, and the same command completes it',
} as const;
const setsUp = {
  task: 'Change',
  effect: 'changes',
  options: change,
  exits: changed,
  json: async () => [(await documents()).setUpDocument],
} as const;
const lists = { task: 'Investigate', effect: 'reads', options: read, exits: looks } as const;
const host = { type: 'string', demandOption: true, describe: 'member, by its short name' } as const;

const memberAdd = verb({
  ...setsUp,
  words: 'member add',
  does: 'set up a member',
  details: 'Sets up boot start, keys, policy, daemon, package and agent runs. Run it again to complete an interrupted set-up.',
  changes: ['member add'],
  positionals: { host },
  examples: [['member add m4 --dry-run', 'the steps']],
  run: async (args) => (await membershipVerbs()).memberAdd(args),
});

const memberRemove = verb({
  ...setsUp,
  words: 'member remove',
  does: 'remove a member from package and policy',
  details: "Also deletes the member's copy of the cluster's key.",
  changes: ['member remove'],
  positionals: { host },
  examples: [['member remove m3', 'before it leaves the cluster']],
  run: async (args) => (await membershipVerbs()).memberRemove(args),
});

const membersList = verb({
  ...lists,
  words: 'members list',
  does: 'list the members and their pending work',
  details: 'Shows which members are set up and which are in the cluster.',
  examples: [['members list', 'which members are set up']],
  json: async () => [(await membershipVerbs()).listDocument],
  run: async (args) => (await membershipVerbs()).membersList(args),
});

const membersSync = verb({
  ...setsUp,
  words: 'members sync',
  does: 'set up new members, remove deleted ones',
  details: 'Compares the members of the cluster with those that are set up. Completes pending work, too.',
  changes: ['members sync'],
  options: {
    ...change,
    automatic: automaticOption,
    'until-running': {
      type: 'number',
      default: 0,
      describe: 'seconds to wait until the package runs; the start of the package uses it',
    },
  },
  examples: [
    ['members sync', 'sets up all members the first time'],
    ['members sync --yes', 'after the cluster has another member'],
    ['members sync --yes --automatic', 'from a timer'],
  ],
  run: async (args) => (await membershipVerbs()).membersSync({ ...args, untilRunning: args['until-running'] }),
});

const dispatcher = verb({
  ...setsUp,
  words: 'dispatcher',
  does: 'handle an event of DSAU',
  details: 'Also installed as csync_dispatcher.',
  changes: ['member add', 'members sync'],
  positionals: {
    event: { type: 'string', demandOption: true, describe: 'MEMBER_ADDED: or MEMBER_DELETED:' },
    host,
  },
  options: { ...read, 'dry-run': dryRunOption, wait: waitOption },
  examples: [['dispatcher MEMBER_ADDED: m4', 'the same as csync_dispatcher MEMBER_ADDED: m4']],
  run: async (args) => (await membershipVerbs()).dispatcher(args),
});

const clientAdd = verb({
  ...setsUp,
  words: 'client add',
  does: 'set up clients',
  details:
    'Exchanges the keys, installs the first policy, starts the daemon at boot, allows remote runs. Run it again to complete an interrupted set-up.',
  changes: ['client add'],
  positionals: { hosts: { type: 'string', array: true, default: [] as string[], describe: 'names that ssh reaches' } },
  options: {
    ...change,
    cluster: { type: 'string', describe: 'a member of another cluster: all its members become clients' },
    from: { type: 'string', describe: 'file with a name on each line' },
    'accept-new-key': {
      type: 'boolean',
      default: false,
      describe: 'replace the accepted key of a host that was reinstalled',
    },
  },
  examples: [
    ['client add c1 c2', 'two clients'],
    ['client add --cluster n1', 'all members of the cluster of n1'],
    ['client add --from hosts.txt --yes', 'a thousand clients'],
  ],
  run: async (args) => (await clientsVerbs()).clientAdd({ ...args, acceptNewKey: args['accept-new-key'] }),
});

const clientRemove = verb({
  ...setsUp,
  words: 'client remove',
  does: 'deny the keys of clients from now on',
  changes: ['client remove'],
  positionals: { hosts: { type: 'string', array: true, demandOption: true, describe: 'clients' } },
  examples: [['client remove c2', 'a client that is retired']],
  run: async (args) => (await clientsVerbs()).clientRemove(args),
});

const clientList = verb({
  ...lists,
  words: 'client list',
  does: 'list the clients and their pending work',
  details: 'Shows the key of each client, too.',
  examples: [['client list --json', 'for programs']],
  json: async () => [(await clientsVerbs()).listDocument],
  run: async (args) => (await clientsVerbs()).clientList(args),
});

const clientSync = verb({
  ...setsUp,
  words: 'client sync',
  does: 'complete pending work on clients',
  details: 'For clients that were unreachable, or where a step failed.',
  changes: ['client sync'],
  positionals: { hosts: { type: 'string', array: true, default: [] as string[], describe: 'only these' } },
  options: { ...change, all: { type: 'boolean', default: false, describe: 'check every client again' } },
  examples: [['client sync', 'all clients with pending work']],
  run: async (args) => (await clientsVerbs()).clientSync(args),
});

const keysList = verb({
  ...lists,
  words: 'keys list',
  does: 'list the keys of the cluster and its hosts',
  examples: [['keys list', 'which host has which key']],
  json: async () => [(await keysVerbs()).listDocument],
  run: async (args) => (await keysVerbs()).keysList(args),
});

const keysVerify = verb({
  ...lists,
  words: 'keys verify',
  does: 'check whether the hosts accept each other',
  details: 'Checks each pair of hosts, and prints the reason for each refusal.',
  exits: { ...looks, different: 'a pair would not, or a host did not answer' },
  examples: [['keys verify', 'after a change of keys']],
  json: async () => [(await keysVerbs()).verifyDocument],
  run: async (args) => (await keysVerbs()).keysVerify(args),
});

const keysDistribute = verb({
  ...setsUp,
  words: 'keys distribute',
  does: 'copy missing public keys to the hosts',
  details: 'Never replaces an accepted key.',
  changes: ['keys distribute'],
  examples: [['keys distribute --dry-run', 'which keys are missing where']],
  run: async (args) => (await keysVerbs()).keysDistribute(args),
});

const keysRotate = verb({
  ...setsUp,
  words: 'keys rotate',
  does: 'replace the key pair of the cluster',
  details: 'Both pairs are valid until every client has the next key. Run it again to complete a rotation.',
  changes: ['keys rotate'],
  options: {
    ...change,
    'at-once': {
      type: 'boolean',
      default: false,
      describe: 'switch although clients lack the next key: they refuse the master until they have it',
    },
  },
  examples: [
    ['keys rotate', 'waits for clients that do not answer: no client is locked out'],
    ['keys rotate --at-once', 'the old key must not be trusted any more'],
  ],
  run: async (args) => (await keysVerbs()).keysRotate({ ...args, atOnce: args['at-once'] }),
});

const sync = verb({
  words: 'sync',
  task: 'Operate',
  does: 'run the cfengine agent on hosts now',
  details:
    'Starts the agents through cf-runagent or cfrun on the active member. Prints counts and changes. For each kind of failure it prints the hosts, the reason and the fix.',
  effect: 'agents',
  positionals: { host: { type: 'string', array: true, default: [] as string[], describe: 'members and clients; default: all' } },
  options: {
    settings: settingsOption,
    from: { type: 'string', describe: 'the member that starts the agents; default: the active member' },
    parallel: { type: 'number', default: 16, describe: 'hosts at a time, 1 to 128' },
    timeout: { type: 'string', default: '10m', describe: 'for one host: 90s, 10m, 1h; at most a day' },
    define: { type: 'string', array: true, default: [] as string[], describe: 'classes to define in the agents' },
    'dry-run': dryRunOption,
    json: jsonOption,
  },
  exits: { changeFailed: 'an agent did not run on some hosts' },
  examples: [
    ['sync c1 c2', 'two clients'],
    ['sync c1 --define urgent --timeout 2m', 'with a class'],
  ],
  json: async () => {
    const { runsDocument, commandsDocument } = await syncVerbs();
    return [runsDocument, commandsDocument];
  },
  run: async (args) => (await syncVerbs()).sync({ ...args, hosts: args.host }),
});

export const hostVerbs = [
  membersSync,
  memberAdd,
  memberRemove,
  clientAdd,
  clientRemove,
  clientSync,
  keysDistribute,
  keysRotate,
  dispatcher,
  membersList,
  clientList,
  keysList,
  keysVerify,
  sync,
];
