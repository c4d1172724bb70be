/** The package manager as a table: states and events are small numbers, each pair calls the reducer once. With its rules. Pure. */
import type { ClusterState, Effect, LabEvent, PackageState } from '../lab/manager/model.ts';
import { initialState, invariants, reduce } from '../lab/manager/package-manager.ts';
import { type PackageFile, parsePackageFile } from '../serviceguard/package-file.ts';
import type { Settings } from '../settings/settings.ts';
import { stepRules } from './cluster-rules.ts';

type Untold<Event> = Event extends { request: string } ? Omit<Event, 'request'> : Event;
export type Told = LabEvent extends infer Event ? (Event extends LabEvent ? Untold<Event> : never) : never;

export interface ClusterStep {
  readonly cluster: number;
  readonly effects: readonly Effect[];
  readonly broken: readonly string[];
}

export interface ClusterView {
  readonly state: ClusterState;
  readonly pkg: PackageState | undefined;
  /** -1: none. */
  readonly owner: number;
  /** A bit for each member that cmviewcl reports as failed. */
  readonly down: number;
  readonly isReforming: boolean;
}

const commands = new Set(['cluster-run', 'cluster-halt', 'member-run', 'member-halt', 'package-run', 'package-halt']);
const changes = new Set(['package-switch', 'package-maintenance', 'service-reset', 'configuration-applied', 'package-deleted']);

function requestOf(state: ClusterState): string {
  const taken = new Set(state.operations.map(({ request }) => request));
  for (let number = 1; ; number += 1) if (!taken.has(`r${number}`)) return `r${number}`;
}

/** With the attributes that the manager uses. */
export function packageFileOf(settings: Settings): PackageFile {
  const { packageName, packageSubnet, packageAddress, members, packageStyle } = settings;
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  const modular = [
    ['monitored_subnet', packageSubnet],
    ['ip_subnet', packageSubnet],
    ['ip_address', packageAddress],
    ['service_cmd', 'monitor'],
    ['service_restart', String(settings.serviceRestart)],
  ];
  const legacy = [
    ['run_script', '/csync_control.sh'],
    ['halt_script', '/csync_control.sh'],
    ['subnet', packageSubnet],
  ];
  const lines = [
    ['package_name', packageName],
    ...members.map((name) => ['node_name', name]),
    ['auto_run', 'yes'],
    ['node_fail_fast_enabled', yes(settings.nodeFailFast)],
    ['run_script_timeout', String(settings.runScriptTimeoutSeconds)],
    ['halt_script_timeout', String(settings.haltScriptTimeoutSeconds)],
    ['service_name', `${packageName}_monitor`],
    ['service_fail_fast_enabled', yes(settings.serviceFailFast)],
    ...(packageStyle === 'legacy' ? legacy : modular),
  ];
  const parsed = parsePackageFile(lines.map(([keyword, value]) => `${keyword} "${value}"`).join('\n'), `${packageName}.conf`);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ text }) => text).join('; '));
  return parsed.value;
}

export class PackageCluster {
  readonly #settings: Settings;
  readonly #views: ClusterView[] = [];
  readonly #byText = new Map<string, number>();
  readonly #events: Told[] = [];
  readonly #eventByText = new Map<string, number>();
  readonly #eventByTold = new WeakMap<Told, number>();
  readonly #steps: (ClusterStep | undefined)[][] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  initial(): number {
    const { members, packageSubnet } = this.#settings;
    const bare = initialState({ name: 'checked', members, subnets: [packageSubnet] });
    const applied = { kind: 'configuration-applied', request: 'r1', packages: [packageFileOf(this.#settings)] } as const;
    return this.#intern(reduce(bare, applied).state);
  }

  view(cluster: number): ClusterView {
    return this.#views[cluster] as ClusterView;
  }

  event(told: Told): number {
    const same = this.#eventByTold.get(told);
    if (same !== undefined) return same;
    const text = JSON.stringify(told);
    const known = this.#eventByText.get(text) ?? this.#events.push(told) - 1;
    this.#eventByText.set(text, known);
    this.#eventByTold.set(told, known);
    return known;
  }

  step(cluster: number, event: number): ClusterStep {
    this.#steps[event] ??= [];
    const steps = this.#steps[event];
    const known = steps[cluster];
    if (known !== undefined) return known;
    const before = this.view(cluster).state;
    const told = this.#events[event] as Told;
    const asked = commands.has(told.kind) || changes.has(told.kind);
    const given = (asked ? { ...told, request: requestOf(before) } : told) as LabEvent;
    const { state, effects } = reduce(before, given);
    const broken = [
      ...invariants(state),
      ...stepRules({ before, event: given, after: state, effects, name: this.#settings.packageName }),
    ];
    const made: ClusterStep = { cluster: this.#intern(state), effects, broken };
    steps[cluster] = made;
    return made;
  }

  #intern(state: ClusterState): number {
    const text = JSON.stringify([state.running, state.members, state.packages, state.operations], (key, value) =>
      key === 'config' ? undefined : value,
    );
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const pkg = state.packages[this.#settings.packageName];
    const members = state.memberOrder.map((name) => state.members[name]);
    this.#views.push({
      state,
      pkg,
      owner: pkg?.owner == null ? -1 : state.memberOrder.indexOf(pkg.owner),
      down: members.reduce((bits, member, index) => (member?.state === 'failed' ? bits | (1 << index) : bits), 0),
      isReforming: members.some((member) => member?.state === 'unknown'),
    });
    this.#byText.set(text, this.#views.length - 1);
    return this.#views.length - 1;
  }
}
