/** The administrator's part of the policy. */
import { type Choose, dryRunOption, jsonOption, type Parser, settingsOption } from './options.ts';

const policyVerbs = () => import('../verbs/policy/policy.ts');

const read = { settings: settingsOption, json: jsonOption } as const;

export function addPolicyVerbs(parser: Parser, choose: Choose): Parser {
  return parser.command('policy', "the administrator's part of the master's policy", (builder) =>
    builder
      .command(
        'commit [paths..]',
        "puts an edit into the master copy once cfengine's parser takes it; done means: on the disk",
        (inner) =>
          inner
            .positional('paths', { type: 'string', array: true, default: [], describe: 'files, or a directory; without: here' })
            .options({
              ...read,
              message: { type: 'string', alias: 'm', default: '', describe: 'why, for csync policy log' },
              base: { type: 'string', describe: 'digest of the policy the edit began with, where there is no working copy' },
              'dry-run': dryRunOption,
            })
            .example('$0 policy commit work -m "motd"', 'a working copy, made by policy show --copy work')
            .example('$0 policy commit new.cf', 'a file that the master has not got yet'),
        (args) => choose(async () => (await policyVerbs()).policyCommit(args)),
      )
      .command(
        'show',
        'which commit and epoch the master serves, its files and whose they are',
        (inner) =>
          inner
            .options({ ...read, copy: { type: 'string', describe: 'a new directory for a working copy' } })
            .example('$0 policy show --copy work', 'to edit, and to commit'),
        (args) => choose(async () => (await policyVerbs()).policyShow(args)),
      )
      .command(
        'log',
        'the commits, the newest last',
        (inner) => inner.options(read).example('$0 policy log --json', ''),
        (args) => choose(async () => (await policyVerbs()).policyLog(args)),
      )
      .demandCommand(1, 'policy commit, show or log'),
  );
}
