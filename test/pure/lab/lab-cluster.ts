/** A small cluster for the tests of the lab's package manager: three members, packages with one service. */
import type { ClusterState, Effect, LabEvent, PackageState } from '../../../src/lab/manager/model.ts';
import { initialState, reduce } from '../../../src/lab/manager/package-manager.ts';
import { type PackageFile, parsePackageFile } from '../../../src/serviceguard/package-file.ts';

export const members = ['alpha', 'beta', 'gamma'] as const;
/** Machines outside of the cluster that can come in. */
export const spares = ['delta', 'epsilon'] as const;
export const subnet = '10.9.0.0';
export const addresses = ['10.9.0.50', '10.9.0.51'] as const;

/** A package file on all members, or on those named; `values` replaces or adds single lines. */
export function packageOf(
  name: string,
  values: Readonly<Record<string, string>> = {},
  on: readonly string[] = members,
): PackageFile {
  const lines: Record<string, string> = {
    auto_run: 'yes',
    node_fail_fast_enabled: 'no',
    failover_policy: 'configured_node',
    failback_policy: 'manual',
    run_script_timeout: 'no_timeout',
    halt_script_timeout: 'no_timeout',
    monitored_subnet: subnet,
    ip_subnet: subnet,
    ip_address: addresses[0],
    service_name: `${name}_monitor`,
    service_cmd: '/opt/monitor',
    service_restart: 'none',
    service_fail_fast_enabled: 'no',
    ...values,
  };
  const text = [
    `package_name ${name}`,
    ...on.map((member) => `node_name ${member}`),
    ...Object.entries(lines).map(([keyword, value]) => `${keyword} "${value}"`),
  ];
  const parsed = parsePackageFile(text.join('\n'), `${name}.conf`);
  if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problem.text).join('\n'));
  return parsed.value;
}

export type RequestEvent = Extract<LabEvent, { request: string }>;
type Distribute<E> = E extends RequestEvent ? Omit<E, 'request'> & { request?: string } : E;
export type Fed = Distribute<LabEvent>;

/** Drives the reducer by hand and keeps what it asked for. */
export class Drive {
  state: ClusterState;
  effects: readonly Effect[] = [];
  readonly history: Effect[] = [];

  constructor(state: ClusterState) {
    this.state = state;
  }

  feed(event: Fed): this {
    const { state, effects } = reduce(this.state, { request: 'r', ...event } as LabEvent);
    this.state = state;
    this.effects = effects;
    this.history.push(...effects);
    return this;
  }

  start(packageName: string, member: string, code: 0 | 1 | 2 | 3 | 'timeout' = 0): this {
    return this.feed({ kind: 'start-ended', package: packageName, member, end: endOf(code) });
  }

  halt(packageName: string, member: string, code: 0 | 1 | 2 | 3 | 'timeout' = 0): this {
    return this.feed({ kind: 'halt-ended', package: packageName, member, end: endOf(code) });
  }

  of(name: string): PackageState {
    const pkg = this.state.packages[name];
    if (pkg === undefined) throw new Error(`no package ${name}`);
    return pkg;
  }

  wanted<Kind extends Effect['kind']>(kind: Kind): Extract<Effect, { kind: Kind }>[] {
    return this.effects.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);
  }

  /** Everything the operator could read in the log so far. */
  get log(): string {
    return this.history.flatMap((effect) => (effect.kind === 'log' ? [effect.text] : [])).join('\n');
  }
}

function endOf(code: 0 | 1 | 2 | 3 | 'timeout') {
  return code === 'timeout' ? ({ kind: 'timeout' } as const) : ({ kind: 'exit', code } as const);
}

/** The cluster runs and csync is up on its primary member, alpha. */
export function served(values: Readonly<Record<string, string>> = {}, options = {}): Drive {
  return new Drive(initialState({ name: 'lab', members, spares, subnets: [subnet], options }))
    .feed({ kind: 'configuration-applied', packages: [packageOf('csync', values)] })
    .feed({ kind: 'cluster-run', members: [] })
    .start('csync', 'alpha');
}

export const serviceFails = (drive: Drive) =>
  drive.feed({ kind: 'service-died', package: 'csync', member: 'alpha', service: 'csync_monitor' });
export const subnetLost = (drive: Drive) => drive.feed({ kind: 'subnet-changed', member: 'alpha', subnet, status: 'down' });
/** The package leaves alpha with a halt script that ends as told; switching stays enabled until then. */
export const haltEnds = (code: 0 | 1 | 2 | 3 | 'timeout') => (drive: Drive) =>
  drive.feed({ kind: 'member-halt', members: ['alpha'], force: true }).halt('csync', 'alpha', code);
/** From a start on alpha that has not ended. */
export const startEnds = (code: 1 | 2 | 3 | 'timeout') => (drive: Drive) =>
  drive
    .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false })
    .halt('csync', 'alpha')
    .feed({ kind: 'package-switch', packages: ['csync'], enable: true, members: [] })
    .start('csync', 'alpha', code);
