import { code } from './entry.ts';

const unchanged = 'Nothing was changed. All hosts keep the served policy.';
const open =
  'The hosts of the stage have its policy, and fetch it at each run. All other hosts keep the served policy. The package can fail over.';
const goesOn = 'Run the same command again: it continues where it stopped.';
const takeBack = '`csync policy take-back` ends it: all hosts fetch the served policy.';

export const stageCodes = {
  'policy-stage-hosts': code('badInput', 'The hosts of --stage cannot be used.', {
    cluster: unchanged,
    why: 'A name is no client that is set up, no client has the class, or there are too many of them for the size of the policy.',
    fix: ['`csync client list` lists the clients.', 'Name some in --stage, or a share such as 10%.'],
    example: '`csync policy commit work --stage m1`: m1 is a member.',
    page: 'staged rollout',
  }),
  'policy-stage-generation': code('badInput', 'cfengine 2 has no staged rollouts.', {
    cluster: unchanged,
    why: 'cfservd cannot admit a directory to one host without a new cfservd.conf on every member, and cfrun does not report whether an agent succeeded.',
    fix: [
      'Commit without --stage.',
      'To try an edit on some hosts first: limit it to their classes in site.main, and remove the class in a second commit.',
    ],
    example: '`cfengine_generation: 2` and `csync policy commit work --stage c1`.',
    page: 'staged rollout',
  }),
  'policy-stage-rules': code('cannotRunHere', 'The policy of the master has no rules for staged rollouts.', {
    cluster: unchanged,
    why: 'update.cf is not from csync, or csync was upgraded and the policy was not. Or policy_directory is the mount point itself, which every host may read.',
    fix: [
      '`csync members sync` writes the rules. For a file of yours it prints the lines that are missing.',
      'With an update.cf of your own: commit without --stage.',
    ],
    example: 'A site keeps its own update.cf.',
    page: 'staged rollout',
  }),
  'change-policy-staged': code('changeFailed', 'Another staged rollout is not finished.', {
    cluster: open,
    why: 'A csync policy commit --stage was interrupted, or is running. Until it ends, no other edit is committed.',
    fix: ['`csync policy show` prints who began it, and its hosts.', 'Run the command that began it again.', takeBack],
    example: '`csync policy commit`, while another administrator stages an edit.',
    page: 'staged rollout',
  }),
  'change-policy-stage-open': code('changeFailed', 'The staged rollout could not go on.', {
    cluster: open,
    why: 'The package moved or did not run for longer than csync waits, or the policy of the master changed each time.',
    fix: ['`csync status` shows whether the package runs.', goesOn, takeBack],
    example: 'Both members were rebooted during the rollout.',
    page: 'staged rollout',
  }),
  'change-policy-taken-back': code('changeFailed', 'A host of the stage did not succeed, so the edit was taken back.', {
    cluster: 'The master serves the previous policy. No host outside the stage had the edit. The package can fail over.',
    why: 'An agent failed or printed an error with the staged policy, or a host did not report that it has it.',
    fix: [
      'The message has the reason of each host. Correct the edit, or the host.',
      'Run the same command again. It begins a new rollout.',
      'A host that is still listed by `csync status` returns at its next agent run; `csync policy take-back` runs it now.',
    ],
    example: 'A package that the edit installs does not exist for the release of c2.',
    page: 'staged rollout',
  }),
  'interrupted-stage': code('interrupted', 'You interrupted a staged rollout; it stays as it is.', {
    cluster: open,
    why: 'You interrupted `csync policy commit --stage`. Agents that were started run to their end.',
    fix: [goesOn, takeBack],
    example: 'Ctrl-C while the agents run.',
    page: 'staged rollout',
  }),
};
