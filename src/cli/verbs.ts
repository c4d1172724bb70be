/** In the order of help and reference. */
import { clusterVerbs } from './cluster.ts';
import { conditionVerbs } from './condition.ts';
import { hostVerbs } from './hosts.ts';
import { labOptions, labVerbRows } from './lab.ts';
import { packageVerbs } from './package.ts';
import { policyVerbRows } from './policy.ts';
import { type Verb, type VerbGroup, verbTasks } from './verb.ts';

const rows: readonly Verb[] = [
  ...packageVerbs,
  ...conditionVerbs,
  ...clusterVerbs,
  ...policyVerbRows,
  ...hostVerbs,
  ...labVerbRows,
];

export const verbs: readonly Verb[] = Object.keys(verbTasks).flatMap((task) => rows.filter((verb) => verb.task === task));

export const verbGroups: Readonly<Record<string, VerbGroup>> = {
  settings: { does: 'the settings file csync.yaml' },
  templates: { does: 'the templates' },
  alert: { does: 'events of the package, reported by hooks' },
  toolkit: { does: 'csync itself on the members' },
  migrate: { does: 'another style of the same package' },
  member: { does: 'set up a member, or remove one' },
  members: { does: 'all members and their pending work' },
  client: { does: 'the hosts that fetch their policy from the master' },
  keys: { does: 'the key pair of the cluster, and which hosts accept each other' },
  policy: { does: "the administrator's part of the policy" },
  lab: { does: 'an emulated cluster on this machine', options: labOptions },
};

/** As typed. The failover audit has a row for each. */
export const changingVerbs: readonly string[] = [...new Set(verbs.flatMap(({ changes = [] }) => changes))];
