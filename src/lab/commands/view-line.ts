/** cmviewcl's line format, `[prefix]attribute=value` [serviceguard.md 5.1.3], with attributes from public sources only. Pure. */

import { findLegacyAttribute } from '../../serviceguard/legacy.ts';
import { findAttribute } from '../../serviceguard/modules.ts';
import { packageContent } from '../../serviceguard/package-content.ts';
import { lastValue, styleOf } from '../../serviceguard/package-file.ts';
import { packagesOf } from '../manager/draft.ts';
import type { ClusterState, MemberName, PackageState } from '../manager/model.ts';
import { policyIn } from '../manager/package-policy.ts';
import { clusterStatus, clusterSummary, enabled, highlyAvailable, memberSummary, packageSummary } from './view-status.ts';

type Attributes = readonly (readonly [attribute: string, value: string | number])[];

function lines(prefix: string, attributes: Attributes): string[] {
  return attributes.map(([attribute, value]) => `${prefix}${attribute}=${value}`);
}

function yes(value: boolean): 'yes' | 'no' {
  return value ? 'yes' : 'no';
}

export function clusterLines(state: ClusterState): string[] {
  return lines('', [
    ['name', state.name],
    ['status', clusterStatus(state)],
    ['state', clusterStatus(state)],
    ['summary', clusterSummary(state)],
  ]);
}

export function memberLines(state: ClusterState, member: MemberName, prefix: string, verbose: boolean): string[] {
  const about = state.members[member];
  const own = lines(prefix, [
    ['name', member],
    ['id', state.memberOrder.indexOf(member) + 1],
    ['status', about?.status ?? 'unknown'],
    ['state', about?.state ?? 'unknown'],
    ['summary', memberSummary(state, member)],
    ['os_status', about?.machine ?? 'unknown'],
  ]);
  return verbose ? [...own, ...networkLines(about?.subnets ?? {}, prefix)] : own;
}

/** Only with -v [GH-chk, GH-gdha]; the lab's state has no addresses of interfaces. */
function networkLines(subnets: Readonly<Record<string, string>>, prefix: string): string[] {
  return Object.entries(subnets).flatMap(([subnet, status], index) => [
    ...lines(`${prefix}interface:eth${index}|`, [
      ['name', `eth${index}`],
      ['status', status],
    ]),
    ...lines(`${prefix}subnet:${subnet}|`, [
      ['name', subnet],
      ['status', status],
      ['ip_monitor', 'off'],
    ]),
  ]);
}

export function packageLines(state: ClusterState, pkg: PackageState, prefix: string, verbose: boolean): string[] {
  const short: Attributes = [
    ['name', pkg.name],
    ['type', 'failover'],
    ['status', pkg.status],
    ['state', pkg.state],
    ['highly_available', yes(highlyAvailable(state, pkg))],
    ['summary', packageSummary(state, pkg)],
    ['autorun', enabled(pkg.autoRun)],
    ['owner', pkg.owner ?? 'unowned'],
    ['id', pkg.id],
  ];
  return verbose
    ? [...lines(prefix, [...short, ...configured(state, pkg)]), ...packageMembers(state, pkg, prefix)]
    : lines(prefix, short);
}

function configured(state: ClusterState, pkg: PackageState): Attributes {
  const policy = policyIn(state, pkg.config);
  const { legacy } = packageContent(pkg.config);
  const value = (keyword: string): string => lastValue(pkg.config, keyword) ?? findAttribute(keyword)?.attribute.fallback ?? '';
  return [
    // INFERRED. A legacy package has no such line.
    ...(legacy === null ? ([['style', styleOf(pkg.config)]] as const) : []),
    ...(legacy === null ? ([['description', value('package_description')]] as const) : []),
    ['initial_autorun', enabled(policy.autoRun)],
    ['failover_policy', policy.failover],
    ['failback_policy', policy.failback],
    ['failfast', enabled(policy.memberFailFast)],
    // In the published order of a legacy package [MIG p.11].
    ...(legacy === null ? [] : ([['run_script', legacy.runScript]] as const)),
    ['run_script_timeout', value('run_script_timeout').toLowerCase()],
    ...(legacy === null ? [] : ([['halt_script', legacy.haltScript]] as const)),
    ['halt_script_timeout', value('halt_script_timeout').toLowerCase()],
    ['priority', value('priority') || 'no_priority'],
    ['last_halt_failed', yes(pkg.lastHaltFailed)],
    ...(legacy === null ? [] : ([['style', styleOf(pkg.config)]] as const)),
  ];
}

/** status: of the package there, up on the active member [GH-gdha]. */
function packageMembers(state: ClusterState, pkg: PackageState, prefix: string): string[] {
  return policyIn(state, pkg.config).members.flatMap((member) =>
    lines(`${prefix}node:${member}|`, [
      ['name', member],
      ['status', member === pkg.owner ? 'up' : 'down'],
      ['switching', enabled(pkg.nodeSwitch[member] === true)],
    ]),
  );
}

export function wholeLines(state: ClusterState, verbose: boolean): string[] {
  return [
    ...clusterLines(state),
    ...state.memberOrder.flatMap((member) => memberLines(state, member, `node:${member}|`, verbose)),
    ...packagesOf(state).flatMap((pkg) => packageLines(state, pkg, `package:${pkg.name}|`, verbose)),
  ];
}

/** -s config: repeated attributes have their value in the prefix [GH-hpe]; the choice is INFERRED. */
export function configurationLines(pkg: PackageState, prefix: string): string[] {
  return pkg.config.lines.map(({ keyword, value }) => {
    const legacy = styleOf(pkg.config) === 'legacy';
    const repeats = (legacy ? findLegacyAttribute(keyword) : findAttribute(keyword)?.attribute)?.repeatable ?? true;
    const attribute = keyword === 'package_name' ? 'name' : keyword;
    return repeats ? `${prefix}${attribute}:${value}|${attribute}=${value}` : `${prefix}${attribute}=${value}`;
  });
}
