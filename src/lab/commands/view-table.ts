/** cmviewcl's table [serviceguard.md 5.1.1, 5.1.2]. The plain widths are from a real screen; growing columns and -v are INFERRED. Pure. */
import { packagesOf } from '../manager/draft.ts';
import type { ClusterState, MemberName, PackageState, ServiceState } from '../manager/model.ts';
import { type PackagePolicy, policyIn } from '../manager/package-policy.ts';
import { clusterStatus, enabled } from './view-status.ts';

type Cells = readonly string[];

/** At least as wide as on the real screen, with trailing blanks. */
function table(indent: number, widths: readonly number[], rows: readonly Cells[]): string[] {
  const wide = widths.map((width, column) => Math.max(width, ...rows.map((row) => (row[column]?.length ?? 0) + 3)));
  return rows.map((row) => ' '.repeat(indent) + row.map((cell, column) => cell.padEnd(wide[column] ?? 0)).join(''));
}

const packageHeading = ['PACKAGE', 'STATUS', 'STATE', 'AUTO_RUN', 'NODE'];
const packageWidths = [15, 17, 17, 12, 12];

export function clusterTable(state: ClusterState): string[] {
  return table(
    0,
    [13, 13],
    [
      ['CLUSTER', 'STATUS'],
      [state.name, clusterStatus(state)],
    ],
  );
}

/** A block has one member, `-l node` all of them [GH-gdha, GH-chk]. */
export function memberTable(state: ClusterState, members: readonly MemberName[], indent: number): string[] {
  const rows = members.map((member) => {
    const { status = 'down', state: word = 'unknown' } = state.members[member] ?? {};
    return [member, status, word];
  });
  return table(indent, [15, 13, 13], [['NODE', 'STATUS', 'STATE'], ...rows]);
}

export function networkTable(state: ClusterState, member: MemberName, indent: number): string[] {
  const subnets = Object.values(state.members[member]?.subnets ?? {});
  const rows = subnets.map((status, index) => ['PRIMARY', status, `eth${index}`]);
  return [
    '',
    `${' '.repeat(indent)}Network_Parameters:`,
    ...table(indent, [13, 13, 13], [['INTERFACE', 'STATUS', 'NAME'], ...rows]),
  ];
}

/** The list of `-l package` [GH-gdha]. */
export function packageList(packages: readonly PackageState[], indent: number): string[] {
  const rows = packages.map((pkg) => [pkg.name, pkg.status, pkg.state, enabled(pkg.autoRun), pkg.owner ?? 'unowned']);
  return table(indent, packageWidths, [packageHeading, ...rows]);
}

export function packageTable(state: ClusterState, pkg: PackageState, indent: number, verbose: boolean): string[] {
  const lines = packageList([pkg], indent);
  return verbose ? [...lines, ...packageDetails(state, pkg, indent + 2)] : lines;
}

function packageDetails(state: ClusterState, pkg: PackageState, indent: number): string[] {
  const policy = policyIn(state, pkg.config);
  const heading = (text: string): string[] => ['', `${' '.repeat(indent)}${text}:`];
  return [
    ...heading('Policy_Parameters'),
    ...table(
      indent,
      [16, 16],
      [
        ['POLICY_NAME', 'CONFIGURED_VALUE'],
        ['Failover', policy.failover],
        ['Failback', policy.failback],
      ],
    ),
    ...heading('Script_Parameters'),
    ...(pkg.owner === null ? unownedScripts(state, pkg, policy, indent) : ownedScripts(state, pkg, policy, indent)),
    ...heading('Node_Switching_Parameters'),
    ...table(
      indent,
      [13, 13, 13, 13],
      [
        ['NODE_TYPE', 'STATUS', 'SWITCHING', 'NAME'],
        ...policy.members.map((member, index) => [
          index === 0 ? 'Primary' : 'Alternate',
          state.members[member]?.status ?? 'unknown',
          enabled(pkg.nodeSwitch[member] === true),
          member,
          ...(member === pkg.owner ? ['(current)'] : []),
        ]),
      ],
    ),
  ];
}

function ownedScripts(state: ClusterState, pkg: PackageState, policy: PackagePolicy, indent: number): string[] {
  const subnets = state.members[pkg.owner ?? '']?.subnets ?? {};
  const limitOf = ({ name, limit }: ServiceState): string =>
    String(limit ?? policy.services.find((one) => one.name === name)?.restart ?? 0);
  return table(
    indent,
    [10, 9, 14, 11, 13],
    [
      ['ITEM', 'STATUS', 'MAX_RESTARTS', 'RESTARTS', 'NAME'],
      ...pkg.services.map((service) => ['Service', service.status, limitOf(service), String(service.restarts), service.name]),
      ...policy.subnets.map((subnet) => ['Subnet', subnets[subnet] ?? 'unknown', '0', '0', subnet]),
    ],
  );
}

/** Subnets once for each node [L8 p.254]. */
function unownedScripts(state: ClusterState, pkg: PackageState, policy: PackagePolicy, indent: number): string[] {
  return table(
    indent,
    [10, 9, 13, 13],
    [
      ['ITEM', 'STATUS', 'NODE_NAME', 'NAME'],
      ...policy.members.flatMap((member) =>
        policy.subnets.map((subnet) => ['Subnet', state.members[member]?.subnets[subnet] ?? 'unknown', member, subnet]),
      ),
      ...pkg.services.map((service) => ['Service', service.status, '', service.name]),
    ],
  );
}

/** Cluster, members with their packages, packages that run nowhere. */
export function wholeTable(state: ClusterState, verbose: boolean): string[] {
  const lines = clusterTable(state);
  for (const member of state.memberOrder) {
    lines.push('  ', ...memberTable(state, [member], 2));
    if (verbose) lines.push(...networkTable(state, member, 4));
    for (const pkg of packagesOf(state)) if (pkg.owner === member) lines.push('', ...packageTable(state, pkg, 4, verbose));
  }
  const unowned = packagesOf(state).filter((pkg) => pkg.owner === null);
  if (unowned.length > 0) lines.push('  ', 'UNOWNED_PACKAGES');
  for (const pkg of unowned) lines.push('', ...packageTable(state, pkg, 4, verbose));
  return lines;
}
