/** What `csync explain CODE` and docs/reference/problem-codes.md print about a code. */

export const manualPages = {
  runbook: 'docs/runbook.md',
  install: 'docs/how-to/install.md',
  settings: 'docs/reference/settings.md',
  ssh: 'docs/how-to/ssh.md',
  nodejs: 'docs/how-to/nodejs.md',
  hardened: 'docs/how-to/hardened/selinux.md',
  lab: 'docs/how-to/lab.md',
  members: 'docs/how-to/operate/members.md',
  clients: 'docs/how-to/operate/clients.md',
  keys: 'docs/how-to/operate/rotate-keys.md',
  policy: 'docs/how-to/operate/policy.md',
  'staged rollout': 'docs/how-to/policy/staged-rollout.md',
  maintenance: 'docs/how-to/operate/maintenance.md',
  rehearsals: 'docs/how-to/operate/rehearsals.md',
  alerts: 'docs/how-to/alerts/hooks.md',
  upgrade: 'docs/how-to/operate/upgrade.md',
  restore: 'docs/how-to/operate/restore.md',
  'no master': 'docs/explanation/no-master.md',
  monitor: 'docs/reference/monitor.md',
  Pacemaker: 'docs/reference/pacemaker/group.md',
  'package directory': 'docs/reference/package-directory.md',
  verbs: 'docs/reference/verbs.md',
  'threat model': 'docs/explanation/threat-model.md',
  templates: 'package-templates/README.md',
  Serviceguard: 'docs/facts/serviceguard.md',
} as const;

export interface Explanation {
  /** Whether the policy is served, and whether a failover works. */
  readonly cluster: string;
  readonly why: string;
  /** In the order in which to try them; commands in backticks. */
  readonly fix: readonly string[];
  readonly example: string;
  readonly page: keyof typeof manualPages;
}

/** `exit`: name of an exit status (`exitTable` of problem.ts); `text`: what the code means, in one sentence. */
export function code<const Exit extends string>(exit: Exit, text: string, explanation: Explanation) {
  return { exit, text, ...explanation };
}
