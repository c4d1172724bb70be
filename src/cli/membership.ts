/** Who belongs to the master: members, clients, their keys. */
import { automaticOption, type Choose, dryRunOption, jsonOption, type Parser, templatesOption, waitOption } from './options.ts';

const clientsVerbs = () => import('../verbs/hosts/clients.ts');
const keysVerbs = () => import('../verbs/hosts/keys.ts');
const membershipVerbs = () => import('../verbs/hosts/membership.ts');

const place = {
  settings: { type: 'string', describe: 'settings file; without it csync.yaml here, else what was applied on this member' },
  templates: templatesOption,
} as const;
const read = { ...place, json: jsonOption } as const;
const change = {
  ...read,
  yes: { type: 'boolean', alias: 'y', default: false, describe: 'do not ask' },
  'dry-run': dryRunOption,
  wait: waitOption,
} as const;

export function addMembershipVerbs(parser: Parser, choose: Choose): Parser {
  return [memberCommands, clientCommands, keyCommands].reduce((made, add) => add(made, choose), parser);
}

function memberCommands(parser: Parser, choose: Choose): Parser {
  const host = { type: 'string', demandOption: true, describe: 'member, by its short name' } as const;
  return parser
    .command('member', 'set a member up, or take one out', (builder) =>
      builder
        .command(
          'add <host>',
          'daemon at boot, keys, policy, daemon, package, agent runs; run again, it does what is left',
          (inner) => inner.positional('host', host).options(change).example('$0 member add m4 --dry-run', 'the steps'),
          (args) => choose(async () => (await membershipVerbs()).memberAdd(args)),
        )
        .command(
          'remove <host>',
          "out of the package and the policy; the cluster's key is taken from it",
          (inner) => inner.positional('host', host).options(change).example('$0 member remove m3', ''),
          (args) => choose(async () => (await membershipVerbs()).memberRemove(args)),
        )
        .demandCommand(1, 'member add HOST or member remove HOST'),
    )
    .command('members', 'who belongs to the cluster, and bringing the set-up in line with it', (builder) =>
      builder
        .command(
          'list',
          'who is set up, who is in the cluster, what waits',
          (inner) => inner.options(read).example('$0 members list', ''),
          (args) => choose(async () => (await membershipVerbs()).membersList(args)),
        )
        .command(
          'sync',
          'the difference between the cluster as it is and what is set up, and whatever waits',
          (inner) =>
            inner
              .options({
                ...change,
                automatic: automaticOption,
                'until-running': {
                  type: 'number',
                  default: 0,
                  describe: 'seconds to wait until the package runs; its start calls it so',
                },
              })
              .example('$0 members sync', 'sets all members up the first time')
              .example('$0 members sync --yes', 'after cmapplyconf')
              .example('$0 members sync --yes --automatic', 'from a timer'),
          (args) => choose(async () => (await membershipVerbs()).membersSync({ ...args, untilRunning: args['until-running'] })),
        )
        .demandCommand(1, 'members list or members sync'),
    )
    .command(
      'dispatcher <event> <host>',
      'what csync_dispatcher of DSAU was called with',
      (builder) =>
        builder
          .positional('event', { type: 'string', demandOption: true, describe: 'MEMBER_ADDED: or MEMBER_DELETED:' })
          .positional('host', host)
          .options({ ...read, 'dry-run': dryRunOption, wait: waitOption })
          .example('$0 dispatcher MEMBER_ADDED: m4', 'the same as csync_dispatcher MEMBER_ADDED: m4'),
      (args) => choose(async () => (await membershipVerbs()).dispatcher(args)),
    );
}

function clientCommands(parser: Parser, choose: Choose): Parser {
  return parser.command('client', 'the hosts that fetch their policy from the master', (builder) =>
    builder
      .command(
        'add [hosts..]',
        'keys both ways, first policy, daemon at boot, remote runs; run again, it does what is left',
        (inner) =>
          inner
            .positional('hosts', { type: 'string', array: true, default: [], describe: 'names that ssh reaches' })
            .options({
              ...change,
              cluster: { type: 'string', describe: 'a member of another cluster: all members of that one' },
              from: { type: 'string', describe: 'a file with a name on each line' },
              'accept-new-key': {
                type: 'boolean',
                default: false,
                describe: 'another key than the accepted one takes its place: the host was set up anew',
              },
            })
            .example('$0 client add c1 c2', '')
            .example('$0 client add --cluster n1', 'all members of the cluster that n1 belongs to')
            .example('$0 client add --from hosts.txt --yes', 'a thousand of them'),
        (args) => choose(async () => (await clientsVerbs()).clientAdd({ ...args, acceptNewKey: args['accept-new-key'] })),
      )
      .command(
        'remove <hosts..>',
        'their keys are refused from now on',
        (inner) =>
          inner
            .positional('hosts', { type: 'string', array: true, demandOption: true, describe: 'clients' })
            .options(change)
            .example('$0 client remove c2', ''),
        (args) => choose(async () => (await clientsVerbs()).clientRemove(args)),
      )
      .command(
        'list',
        'clients with their keys, and what waits',
        (inner) => inner.options(read).example('$0 client list --json', ''),
        (args) => choose(async () => (await clientsVerbs()).clientList(args)),
      )
      .command(
        'sync [hosts..]',
        'what is left to be done on clients that could not be reached, or failed',
        (inner) =>
          inner
            .positional('hosts', { type: 'string', array: true, default: [], describe: 'only these' })
            .options({ ...change, all: { type: 'boolean', default: false, describe: 'look at every client again' } })
            .example('$0 client sync', 'those that wait'),
        (args) => choose(async () => (await clientsVerbs()).clientSync(args)),
      )
      .demandCommand(1, 'client add, remove, list or sync'),
  );
}

function keyCommands(parser: Parser, choose: Choose): Parser {
  return parser.command('keys', "the cluster's key pair, and who trusts whom", (builder) =>
    builder
      .command(
        'list',
        "the cluster's keys, and the own key of every host",
        (inner) => inner.options(read).example('$0 keys list', ''),
        (args) => choose(async () => (await keysVerbs()).keysList(args)),
      )
      .command(
        'verify',
        'for every pair of hosts whether they would accept each other, and why not; status 1 when any would not',
        (inner) => inner.options(read).example('$0 keys verify', ''),
        (args) => choose(async () => (await keysVerbs()).keysVerify(args)),
      )
      .command(
        'distribute',
        'every host gets the keys it has to have; accepted ones are never replaced',
        (inner) => inner.options(change).example('$0 keys distribute --dry-run', ''),
        (args) => choose(async () => (await keysVerbs()).keysDistribute(args)),
      )
      .command(
        'rotate',
        'another pair for the cluster, with a time in which both are good; run again, it goes on where it was',
        (inner) =>
          inner
            .options({
              ...change,
              'at-once': {
                type: 'boolean',
                default: false,
                describe: 'switch although clients have not got the next key: they refuse the master until they get it',
              },
            })
            .example('$0 keys rotate', 'clients that do not answer are waited for: nobody is locked out')
            .example('$0 keys rotate --at-once', 'the old key is not to be trusted any more'),
        (args) => choose(async () => (await keysVerbs()).keysRotate({ ...args, atOnce: args['at-once'] })),
      )
      .demandCommand(1, 'keys list, verify, distribute or rotate'),
  );
}
