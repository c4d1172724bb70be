import { packagesOf } from '../manager/draft.ts';
import { say } from '../manager/messages.ts';
import type { ClusterState, MemberName, PackageState } from '../manager/model.ts';
import type { CommandRequest } from './command-table.ts';
import { clusterLines, configurationLines, memberLines, packageLines, wholeLines } from './view-line.ts';
import { clusterTable, memberTable, networkTable, packageList, packageTable, wholeTable } from './view-table.ts';

export type ViewRequest = Extract<CommandRequest, { command: 'cmviewcl' }>;

export interface ViewResult {
  readonly exitCode: 0 | 1;
  readonly lines: readonly string[];
  readonly errorLines: readonly string[];
}

/** An unknown name: exit 1, with the words that public scripts search for [GH-gdha]. */
export function viewCluster(state: ClusterState, request: ViewRequest): ViewResult {
  const errorLines = [
    ...request.packages
      .filter((name) => !Object.hasOwn(state.packages, name))
      .map((name) => `cmviewcl: ${say('unknownPackage', name)}`),
    ...request.members.filter((name) => !state.memberOrder.includes(name)).map((name) => say('unknownMember', 'cmviewcl', name)),
  ];
  if (errorLines.length > 0) return { exitCode: 1, lines: [], errorLines };
  const view = request.configuration ? configurationView : request.format === 'line' ? lineView : tableView;
  return { exitCode: 0, lines: view(state, request), errorLines: [] };
}

interface Chosen {
  readonly cluster: boolean;
  readonly members: readonly MemberName[];
  readonly packages: readonly PackageState[];
}

/** By -l, -n and -p. null: everything. */
function chosen(state: ClusterState, { level, members, packages }: ViewRequest): Chosen | null {
  const none: Chosen = { cluster: false, members: [], packages: [] };
  if (packages.length > 0) return { ...none, packages: packagesOf(state).filter((pkg) => packages.includes(pkg.name)) };
  if (members.length > 0) return { ...none, members: state.memberOrder.filter((member) => members.includes(member)) };
  if (level === 'cluster') return { ...none, cluster: true };
  if (level === 'node') return { ...none, members: state.memberOrder };
  return level === 'package' ? { ...none, packages: packagesOf(state) } : null;
}

function tableView(state: ClusterState, request: ViewRequest): string[] {
  const { verbose, members, packages } = request;
  const some = chosen(state, request);
  if (some === null) return wholeTable(state, verbose);
  if (some.cluster) return clusterTable(state);
  // Without -v and names: one list.
  if (!verbose && members.length + packages.length === 0)
    return some.members.length > 0 ? memberTable(state, some.members, 0) : packageList(some.packages, 0);
  const blocks = some.members.map((member) => [
    ...memberTable(state, [member], 0),
    ...(verbose ? networkTable(state, member, 2) : []),
    // -n also prints its packages, -l node only members.
    ...(members.length === 0
      ? []
      : packagesOf(state).flatMap((pkg) => (pkg.owner === member ? ['', ...packageTable(state, pkg, 2, verbose)] : []))),
  ]);
  for (const pkg of some.packages) blocks.push(packageTable(state, pkg, 0, verbose));
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

/** Omits what the command line names: with one -p its attributes are bare [MAN]. */
function lineView(state: ClusterState, request: ViewRequest): string[] {
  const { verbose } = request;
  const some = chosen(state, request);
  if (some === null) return wholeLines(state, verbose);
  if (some.cluster) return clusterLines(state);
  const bareMember = request.members.length === 1;
  const barePackage = request.packages.length === 1;
  return [
    ...some.members.flatMap((member) => memberLines(state, member, bareMember ? '' : `node:${member}|`, verbose)),
    ...some.packages.flatMap((pkg) => packageLines(state, pkg, barePackage ? '' : `package:${pkg.name}|`, verbose)),
  ];
}

function configurationView(state: ClusterState, request: ViewRequest): string[] {
  const some = chosen(state, request);
  const bare = request.packages.length === 1;
  const packages = (some?.packages ?? packagesOf(state)).flatMap((pkg) =>
    configurationLines(pkg, bare ? '' : `package:${pkg.name}|`),
  );
  if (some !== null && some.packages.length > 0) return packages;
  const members = state.memberOrder.map((member) => `node:${member}|name=${member}`);
  return [`name=${state.name}`, ...members, ...packages];
}
