/** How a package starts, halts and moves, with the defaults of serviceguard.md 2.5 and 2.6. Pure. */
import { packageContent, type ServiceEntry } from '../../serviceguard/package-content.ts';
import { allValues, lastValue, type PackageFile } from '../../serviceguard/package-file.ts';
import type { ClusterState, MemberName, ServiceState } from './model.ts';

export interface PackagePolicy {
  readonly members: readonly MemberName[];
  readonly autoRun: boolean;
  readonly memberFailFast: boolean;
  readonly runTimeoutSeconds: number | null;
  readonly haltTimeoutSeconds: number | null;
  readonly failover: string;
  readonly failback: 'manual' | 'automatic';
  readonly subnets: readonly string[];
  readonly services: readonly ServiceEntry[];
}

export function packagePolicy(file: PackageFile, memberOrder: readonly MemberName[]): PackagePolicy {
  const word = (keyword: string, fallback: string): string => (lastValue(file, keyword) ?? fallback).toLowerCase();
  const listed = allValues(file, 'node_name');
  return {
    members: listed.length === 0 || listed.includes('*') ? memberOrder : [...new Set(listed)],
    autoRun: word('auto_run', 'yes') === 'yes',
    memberFailFast: word('node_fail_fast_enabled', 'no') === 'yes',
    runTimeoutSeconds: timeoutOf(word('run_script_timeout', 'no_timeout')),
    haltTimeoutSeconds: timeoutOf(word('halt_script_timeout', 'no_timeout')),
    failover: word('failover_policy', 'configured_node'),
    failback: word('failback_policy', 'manual') === 'automatic' ? 'automatic' : 'manual',
    // Of a legacy package [serviceguard.md 4.5].
    subnets: [...allValues(file, 'monitored_subnet'), ...allValues(file, 'subnet')],
    services: packageContent(file).services,
  };
}

export function policyIn(state: ClusterState, config: PackageFile): PackagePolicy {
  return packagePolicy(config, state.memberOrder);
}

function timeoutOf(word: string): number | null {
  return /^\d+$/.test(word) && Number(word) > 0 ? Number(word) : null;
}

export function servicesAtRest(policy: PackagePolicy, status: ServiceState['status']): ServiceState[] {
  return policy.services.map((service) => ({ name: service.name, status, restarts: 0 }));
}
