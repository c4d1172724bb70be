/** Texts of the emulated commands with page or screen. `ours`: unpublished (serviceguard.md gap 4), so scripts rely on exit statuses. */
interface Message {
  readonly source: string;
  readonly text: (...values: readonly string[]) => string;
}

const ours = 'ours (GAP)';

function fixed(source: string, text: string): Message {
  return { source, text: () => text };
}

function filled(source: string, text: string): Message {
  return { source, text: (...values) => text.replaceAll(/%(\d)/g, (_, index: string) => values[Number(index) - 1] ?? '') };
}

export const messages = {
  runBegins: filled('GH-gdha', 'Running package %1 on node %2'),
  runSucceeded: filled('GH-gdha', 'Successfully started package %1 on node %2'),
  runAllDone: fixed('GH-gdha', 'cmrunpkg: All specified packages are running'),
  runNotEligible: filled('GH-wiki', 'Unable to run package %1 on node %2. Node is not eligible.'),
  runSomeFailed: fixed('GH-wiki', 'cmrunpkg: Unable to start some package or package instances'),
  runScriptFailed: filled(ours, 'Package %1 did not start on node %2: %3'),
  runNotHalted: filled(ours, 'Unable to run package %1. It is %2, not halted.'),
  runOneMember: filled(ours, 'Unable to run package %1. A failover package runs on one node; -n was given %2 times.'),
  runSitePolicy: filled('MAN, A12', 'Unable to run package %1. -a cannot be used with failover_policy %2.'),
  runModulesOnlyInMaintenance: filled(
    ours,
    'Unable to run package %1. -m and -e are for packages in maintenance mode: cmmodpkg -m on -n <node> %1',
  ),
  runUnknownModule: filled(ours, 'Unable to run package %1. %2 is not a module that is started; those are: %3.'),
  haltBegins: filled(ours, 'Halting package %1'),
  haltSucceeded: filled(ours, 'Successfully halted package %1'),
  haltAllDone: fixed('INFERRED, as cmmodpkg', 'cmhaltpkg: Completed successfully on all packages specified'),
  haltSomeFailed: fixed(ours, 'cmhaltpkg: Unable to halt some package or package instances'),
  haltNotRunning: filled(ours, 'Unable to halt package %1. It does not run%2.'),
  haltScriptFailed: filled(ours, 'Package %1 did not halt cleanly on node %2: %3'),
  memberWasLost: filled(ours, 'Package %1: node %2 was lost while the command waited.'),
  switchAllDone: fixed('GH-wiki', 'cmmodpkg: Completed successfully on all packages specified'),
  switchSomeFailed: fixed(ours, 'cmmodpkg: Unable to modify some package or package instances'),
  switchUnknownMember: filled(ours, '%2 is not in the node_name list of package %1.'),
  monitorRoleOnly: filled(ours, '%1: Permission denied: this user may view the cluster, nothing else.'),
  switchInMaintenance: filled(ours, 'Package %1 is in maintenance mode; end it first: cmmodpkg -m off %1'),
  maintenanceNeedsDisabled: filled('A1120c p.222', 'Package %1 has switching enabled; disable it first: cmmodpkg -d %1'),
  maintenanceNeedsModular: filled('A1120c p.222', 'Package %1 is a legacy package; maintenance mode is for modular ones.'),
  maintenanceNeedsMember: filled('A1120c p.222', 'Package %1 is down; name the node: cmmodpkg -m on -n <node> %1'),
  maintenanceBusy: filled(ours, 'Package %1 is %2; wait until it is up or halted.'),
  maintenanceElsewhere: filled(ours, 'Package %1 cannot enter maintenance mode on node %2: %3.'),
  maintenanceUnhealthy: filled(
    'A1120c p.222',
    'Package %1 is not healthy (%2); halt it or repair it before it leaves maintenance mode.',
  ),
  unknownService: filled(ours, 'Package %1 has no service %2.'),
  unknownPackage: filled('GH-gdha (the words "is not a configured package name")', '%1 is not a configured package name.'),
  notConfigured: filled(ours, '%1: %2 is not configured in a cluster; run it on a node of cluster %3.'),
  clusterDown: filled(ours, '%1: The cluster is not running on this node; start it with cmruncl.'),
  clusterForming: filled('MAN', '%1: Unable to connect to daemon.'),
  clusterIsUp: filled(ours, 'cmruncl: Cluster %1 is already running; to add a node use cmrunnode.'),
  clusterStarted: filled(ours, 'cmruncl: Cluster %1 is running on %2'),
  clusterNotReachable: filled(
    ours,
    'cmruncl: Node %1 is unreachable; name the others with -n if no part of the cluster runs there.',
  ),
  clusterHalted: filled(ours, 'cmhaltcl: Cluster %1 is halted'),
  clusterHaltNeedsForce: filled(ours, 'cmhaltcl: Packages are running (%1); use -f to halt them too.'),
  clusterHaltFailed: fixed(ours, 'cmhaltcl: The cluster was not halted because a package did not halt cleanly.'),
  unknownMember: filled(ours, '%1: %2 is not a member of the cluster.'),
  memberNotReachable: filled(ours, 'cmrunnode: Node %1 is unreachable.'),
  memberIsUp: filled(ours, 'cmrunnode: Node %1 is already running in the cluster.'),
  memberStarted: filled(ours, 'cmrunnode: Node %1 has joined the cluster'),
  memberNotUp: filled(ours, 'cmhaltnode: Node %1 does not run in the cluster.'),
  memberHaltNeedsForce: filled(ours, 'cmhaltnode: Packages are running on %1 (%2); use -f to halt them too.'),
  memberHalted: filled(ours, 'cmhaltnode: Node %1 is halted'),
  memberHaltFailed: filled(ours, 'cmhaltnode: %1 not halted because a package did not halt cleanly.'),
  alreadyWaiting: filled(ours, '%1: A cmhaltnode or cmhaltcl is running; wait until it finishes.'),
  applyDone: fixed(ours, 'cmapplyconf: Completed the cluster configuration'),
  applyQuestion: fixed(ours, 'Modify the package configuration ([y]/n)? '),
  applyNotConfirmed: fixed(ours, 'cmapplyconf: Nothing was changed; answer y, or use -f.'),
  applyFailed: fixed(ours, 'cmapplyconf: Unable to apply the configuration'),
  applyStranger: filled(ours, 'Package %1 lists %2, which is not a member of the cluster.'),
  queryFailed: fixed(ours, 'cmquerycl: Unable to query the nodes'),
  checkDone: fixed(ours, 'cmcheckconf: Verification completed with no errors found.'),
  checkFailed: fixed(ours, 'cmcheckconf: Unable to verify the configuration'),
  deleteDone: filled(ours, 'cmdeleteconf: Deleted package %1'),
  deleteQuestion: filled(ours, 'Delete package %1 ([y]/n)? '),
  deleteNotConfirmed: fixed(ours, 'cmdeleteconf: Nothing was changed; answer y, or use -f.'),
  deleteNotHalted: filled('L8 p.292', 'cmdeleteconf: Package %1 is %2; halt it first: cmhaltpkg %1'),
  templateCreated: fixed('L10 p.126', 'Package template is created.'),
  templateMustBeEdited: fixed('L10 p.126', 'This file must be edited before it can be used.'),
  previewDone: filled('L9 p.243', '%1: Command preview completed successfully'),
  previewNotPossible: filled(ours, '%1: Preview is not possible here: %2'),
} as const satisfies Record<string, Message>;

export function say(key: keyof typeof messages, ...values: readonly string[]): string {
  return messages[key].text(...values);
}
