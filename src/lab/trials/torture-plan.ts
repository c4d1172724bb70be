/** A schedule from a seed, and the owner that the reducer predicts after each step, with every script succeeding. Pure. */

import { random } from '../../base/random.ts';
import type { PackageFile } from '../../serviceguard/package-file.ts';
import type { ClusterState, LabEvent } from '../manager/model.ts';
import { initialState, reduce } from '../manager/package-manager.ts';

/** Others leave nothing to repair, or need all members. */
const mayLinger = {
  'kill-daemon': true,
  'hang-daemon': true,
  crash: true,
  cut: true,
  haltnode: true,
  'haltnode-standby': true,
  'crash-standby': true,
  'full-disk': false,
  haltpkg: false,
  move: false,
  modpkg: true,
  maintenance: false,
  apply: false,
  member: false,
  'hang-monitor': false,
  'hang-front': false,
  'hang-syslog': false,
  'hang-sshd': false,
  'hung-read': false,
  'killed-apply': false,
  'freeze-log': false,
  'freeze-policy': false,
  overload: false,
  'duplicate-address': false,
  'hung-start': false,
} as const;
export type TortureKind = keyof typeof mayLinger;
export const tortureKinds = Object.keys(mayLinger) as TortureKind[];

export interface TortureStep {
  readonly kind: TortureKind;
  readonly standby: number;
  readonly lingers: boolean;
}

/** Every kind once before any repeats, so even a short run has them all. */
export function scheduleFor(seed: number, iterations: number): TortureStep[] {
  const next = random(seed);
  const steps: TortureStep[] = [];
  let bag: TortureKind[] = [];
  while (steps.length < iterations) {
    if (bag.length === 0) bag = [...tortureKinds];
    const [kind = 'kill-daemon'] = bag.splice(Math.floor(next() * bag.length), 1);
    const [standby, lot] = [Math.floor(next() * 6), next()];
    steps.push({ kind, standby, lingers: mayLinger[kind] && lot < 0.3 });
  }
  return steps;
}

export function replayCommand(seed: number, iteration: number): string {
  return `csync lab torture --seed ${seed} --iterations ${iteration}`;
}

type WithoutRequest<E> = E extends { readonly request: string } ? Omit<E, 'request'> : E;
export type TableEvent = WithoutRequest<LabEvent>;

/** Predicts the owner from the lab's events. */
export class Table {
  #state: ClusterState;
  readonly #package: string;

  #before: string | null = null;
  #latest: string | null;

  readonly #refusing = new Set<string>();

  /** `deployed`: the applied configuration; the package runs on the first member. */
  constructor(name: string, members: readonly string[], subnet: string, deployed: PackageFile, packageName: string) {
    this.#package = packageName;
    this.#state = initialState({ name, members, subnets: [subnet] });
    const packages = [packageName];
    this.#latest = members[0] ?? null;
    this.feed(
      { kind: 'cluster-run', members },
      { kind: 'configuration-applied', packages: [deployed] },
      { kind: 'package-run', packages, members: [], issuedOn: members[0] ?? '', anyMember: false },
      { kind: 'package-switch', packages, enable: true, members: [] },
    );
  }

  /** A start there exits with "try another member", until repaired. */
  refuse(member: string, is: boolean): void {
    if (is) this.#refusing.add(member);
    else this.#refusing.delete(member);
  }

  /** Scripts succeed, except on members that refuse. */
  feed(...events: readonly TableEvent[]): void {
    const queue = events.map((event) => ({ request: 'torture', ...event }) as LabEvent);
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      const { state, effects } = reduce(this.#state, event);
      this.#state = state;
      const { owner } = this;
      // A failed start never had the package.
      const hasStarted = event.kind === 'start-ended' && event.end.kind === 'exit' && event.end.code === 0;
      if (hasStarted && owner !== null && owner !== this.#latest) [this.#before, this.#latest] = [this.#latest, owner];
      const answers = effects.flatMap((effect): LabEvent[] => {
        if (effect.kind !== 'run-start' && effect.kind !== 'run-halt') return [];
        const kind = effect.kind === 'run-start' ? 'start-ended' : 'halt-ended';
        const code = kind === 'start-ended' && this.#refusing.has(effect.member) ? 2 : 0;
        return [{ kind, package: effect.package, member: effect.member, end: { kind: 'exit', code } }];
      });
      queue.unshift(...answers);
    }
  }

  get owner(): string | null {
    return this.#state.packages[this.#package]?.owner ?? null;
  }

  /** The last owner is disabled: another failover would be the second in a short time, so an exited daemon may be restarted in place. */
  get braked(): boolean {
    return this.#before !== null && this.#state.packages[this.#package]?.nodeSwitch[this.#before] === false;
  }

  get up(): string[] {
    return this.#state.memberOrder.filter((member) => this.#state.members[member]?.status === 'up');
  }

  get ready(): string[] {
    const pkg = this.#state.packages[this.#package];
    const isReady = (member: string): boolean =>
      pkg?.nodeSwitch[member] === true &&
      Object.values(this.#state.members[member]?.subnets ?? {}).every((status) => status === 'up');
    return this.up.filter((member) => member !== this.owner && isReady(member));
  }
}

/** A step in the present state: its member, events, and events of the repair. */
export interface Wound {
  readonly kind: TortureKind;
  readonly member: string;
  /** 0 to 5: when a multi-step action is killed. */
  readonly moment: number;
  readonly harm: readonly TableEvent[];
  readonly repair: readonly TableEvent[];
  /** Seconds for another member to serve if the daemon is killed meanwhile. null: not tried; the step moves the package or must not. */
  readonly failsOver: number | null;
  readonly refuses: boolean;
  readonly meanwhile: Meanwhile;
}

/**
 * place: the predicted member; clients may follow the other host with the address. others: all but the first client, which uses up its
 * connections.
 */
export type Meanwhile = 'all' | 'others' | 'place';

/** Undisturbed; after skipping a member. */
const failoverSeconds = 10;
const nextMemberSeconds = 60;
/** The monitor detects missing notifications after 10 s. */
const frontSeconds = 15;

const slower: Partial<Readonly<Record<TortureKind, number>>> = {
  'hung-read': nextMemberSeconds,
  'hung-start': nextMemberSeconds,
  'hang-front': frontSeconds,
};

/** A start on the next member fails. */
const refusing: ReadonlySet<TortureKind> = new Set(['hung-read', 'hung-start']);

const meanwhile: Partial<Readonly<Record<TortureKind, Meanwhile>>> = { overload: 'others', 'duplicate-address': 'place' };

/** The package must still be able to move. */
const quiet: ReadonlySet<TortureKind> = new Set([
  'haltnode-standby',
  'crash-standby',
  'modpkg',
  'full-disk',
  'apply',
  'member',
  'hang-monitor',
  'hang-front',
  'hang-syslog',
  'hang-sshd',
  'killed-apply',
  'freeze-log',
  'freeze-policy',
  'duplicate-address',
]);

export function killOf(member: string, packageName: string): HarmAndRepair {
  const service = `${packageName}_monitor`;
  return [[{ kind: 'service-died', package: packageName, member, service }], [switchOf(packageName, true, [member])]];
}

type HarmAndRepair = readonly [harm: readonly TableEvent[], repair: readonly TableEvent[]];

function crashOf(member: string): HarmAndRepair {
  const lost: readonly TableEvent[] = [
    { kind: 'member-crashed', member },
    { kind: 'cluster-reformed', lost: [member] },
  ];
  return [lost, [{ kind: 'member-booted', member, join: true }]];
}

function haltNodeOf(member: string): HarmAndRepair {
  return [[{ kind: 'member-halt', members: [member], force: true }], [{ kind: 'member-run', members: [member] }]];
}

function cutOf(member: string, subnet: string): HarmAndRepair {
  const told = (status: 'up' | 'down'): readonly TableEvent[] => [{ kind: 'subnet-changed', member, subnet, status }];
  return [told('down'), told('up')];
}

function switchOf(packageName: string, enable: boolean, members: readonly string[]): TableEvent {
  return { kind: 'package-switch', packages: [packageName], enable, members };
}

function haltOf(packageName: string): TableEvent {
  return { kind: 'package-halt', packages: [packageName], members: [], force: false };
}

function moveOf(packageName: string, issuedOn: string, to: string): HarmAndRepair {
  const packages = [packageName];
  const run: TableEvent = { kind: 'package-run', packages, members: [to], issuedOn, anyMember: false };
  return [[haltOf(packageName), run, switchOf(packageName, true, [])], []];
}

/** null: impossible now, a needed member is missing. */
export function woundOf(
  step: TortureStep,
  table: Table,
  settings: { readonly packageName: string; readonly packageSubnet: string },
): Wound | null {
  const { owner, ready, up } = table;
  const { packageName, packageSubnet: subnet } = settings;
  const standby = ready[step.standby % Math.max(1, ready.length)];
  if (owner === null || standby === undefined) return null;
  const on = (member: string, harm: readonly TableEvent[], repair: readonly TableEvent[]): Wound => ({
    kind: step.kind,
    member,
    moment: step.standby,
    harm,
    repair,
    failsOver: slower[step.kind] ?? (quiet.has(step.kind) ? failoverSeconds : null),
    refuses: refusing.has(step.kind),
    meanwhile: meanwhile[step.kind] ?? 'all',
  });
  const switching = (enable: boolean, members: readonly string[]): TableEvent => switchOf(packageName, enable, members);
  // Otherwise the next step has no target.
  const spare = ready.length > 1 && up.length > 2;
  switch (step.kind) {
    case 'kill-daemon':
    case 'hang-daemon':
      return table.braked ? null : on(owner, ...killOf(owner, packageName));
    case 'crash':
      return on(owner, ...crashOf(owner));
    case 'cut':
      return on(owner, ...cutOf(owner, subnet));
    case 'haltnode':
      return on(owner, ...haltNodeOf(owner));
    case 'haltnode-standby':
      return spare ? on(standby, ...haltNodeOf(standby)) : null;
    case 'crash-standby':
      return spare ? on(standby, ...crashOf(standby)) : null;
    case 'modpkg':
      return spare ? on(standby, [switching(false, [standby])], [switching(true, [standby])]) : null;
    case 'haltpkg':
      return on(owner, [haltOf(packageName)], [switching(true, [])]);
    case 'move':
      return on(standby, ...moveOf(packageName, owner, standby));
    case 'full-disk':
    case 'maintenance':
    case 'hang-monitor':
    case 'hang-front':
    case 'hang-syslog':
    case 'freeze-log':
    case 'freeze-policy':
    // Depends on the present connections.
    case 'overload':
      return on(owner, [], []);
    case 'hang-sshd':
      return on(standby, [], []);
    case 'duplicate-address':
      // Last, so that the package does not move there.
      return spare ? on(ready.at(-1) ?? standby, [], []) : null;
    case 'hung-read':
    case 'hung-start':
      // A failover tries it first and disables it; the third must take over.
      return spare ? on(ready[0] ?? standby, [], [switching(true, [ready[0] ?? standby])]) : null;
    case 'apply':
    case 'killed-apply':
    case 'member':
      return spare ? on(owner, [], []) : null;
  }
}
