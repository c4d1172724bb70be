import { dryRunOption, jsonOption, settingsOption } from './options.ts';
import { verb } from './verb.ts';

const policyVerbs = () => import('../verbs/policy/policy.ts');
const commitVerb = () => import('../verbs/policy/commit.ts');
const commitParts = () => import('../verbs/policy/commit-steps.ts');
const takeBackVerb = () => import('../verbs/policy/take-back.ts');

const read = { settings: settingsOption, json: jsonOption } as const;
const looks = { badInput: '', cannotRunHere: '' } as const;

const commit = verb({
  words: 'policy commit',
  task: 'Operate',
  does: 'put a policy edit on the master',
  details:
    "cfengine's parser checks the edit first. Done means written to the disk. The master copy is the old or the new policy as a whole, with commit and epoch, never a mixture. With --stage, some clients get it first and their agents run; if one does not succeed, the edit is taken back. The same command continues a rollout that was interrupted.",
  effect: 'changes',
  changes: ['policy commit'],
  positionals: {
    paths: { type: 'string', array: true, default: [] as string[], describe: 'files, or a directory; default: here' },
  },
  options: {
    ...read,
    message: { type: 'string', alias: 'm', default: '', describe: 'the reason, for csync policy log' },
    base: { type: 'string', describe: 'digest of the policy that the edit started from, if there is no working copy' },
    from: { type: 'string', describe: 'a git repository, REPOSITORY[@REF], instead of paths' },
    subdirectory: { type: 'string', default: '', describe: 'directory of the policy in the repository' },
    stage: {
      type: 'string',
      describe: 'clients that get it before all others: names, a share such as 10%, class:NAME; with commas',
    },
    timeout: { type: 'string', default: '10m', describe: 'with --stage, for one agent: 90s, 10m, 1h; at most a day' },
    'dry-run': dryRunOption,
  },
  exits: { badInput: "cfengine's parser refuses the policy, or the settings have problems" },
  examples: [
    ['policy commit work -m "motd"', 'a working copy, made by policy show --copy work'],
    ['policy commit new.cf', 'a file that the master does not have yet'],
    ['policy commit --from p.git@main', 'the policy of a git branch'],
    ['policy commit work --stage c1,c2', 'two clients first'],
  ],
  json: async () => [(await commitParts()).commitDocument],
  run: async (args) => (await commitVerb()).policyCommit(args),
});

const takeBack = verb({
  words: 'policy take-back',
  task: 'Operate',
  does: 'end a staged rollout without a commit',
  details:
    'All hosts get the served policy: those of the rollout find no staged policy any more, and their agents are run. Run it again for hosts that did not answer.',
  effect: 'changes',
  changes: ['policy take-back'],
  options: { ...read, 'dry-run': dryRunOption },
  exits: { badInput: '', changeFailed: 'a host may have the staged policy until its next agent run' },
  examples: [['policy take-back', 'after an interrupted policy commit --stage']],
  json: async () => [(await takeBackVerb()).takeBackDocument],
  run: async (args) => (await takeBackVerb()).policyTakeBack(args),
});

const show = verb({
  words: 'policy show',
  task: 'Operate',
  does: 'show the policy that the master serves',
  details: 'Prints commit and epoch, and the files with their owners.',
  effect: 'reads',
  options: { ...read, copy: { type: 'string', describe: 'a new directory for a working copy' } },
  exits: { ...looks, changeFailed: 'the working copy cannot be written' },
  examples: [['policy show --copy work', 'to edit and commit']],
  json: async () => [(await policyVerbs()).showDocument],
  run: async (args) => (await policyVerbs()).policyShow(args),
});

const log = verb({
  words: 'policy log',
  task: 'Operate',
  does: 'list the policy commits, newest last',
  effect: 'reads',
  options: read,
  exits: looks,
  examples: [['policy log --json', 'for programs']],
  json: async () => [(await policyVerbs()).logDocument],
  run: async (args) => (await policyVerbs()).policyLog(args),
});

export const policyVerbRows = [commit, takeBack, show, log];
