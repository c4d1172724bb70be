/**
 * What a torture does and what must follow: a schedule that is a function of its seed, and the place the package has after each
 * step by the lab's own table, the reducer, with every script that it asks for succeeding. Pure.
 */

import { random } from '../../base/random.ts';
import type { PackageFile } from '../../serviceguard/package-file.ts';
import type { ClusterState, LabEvent } from '../manager/model.ts';
import { initialState, reduce } from '../manager/package-manager.ts';

export const tortureKinds = [
  'kill-daemon',
  'hang-daemon',
  'crash',
  'cut',
  'haltnode',
  'haltnode-standby',
  'crash-standby',
  'full-disk',
  'haltpkg',
  'move',
  'modpkg',
  'maintenance',
  'apply',
  'member',
  'hang-monitor',
  'hang-front',
  'hang-syslog',
  'hang-sshd',
  'hung-read',
  'killed-apply',
  'freeze-log',
  'freeze-policy',
  'overload',
  'duplicate-address',
  'hung-start',
] as const;
export type TortureKind = (typeof tortureKinds)[number];

export interface TortureStep {
  readonly kind: TortureKind;
  /** Which of the members that do not run the package, where the step concerns one: an index, taken modulo their number. */
  readonly standby: number;
  /** The repair waits until the next step has been done, so that members are missing when it comes. */
  readonly lingers: boolean;
}

/** Steps whose harm may outlast the next step; the others leave nothing to repair, or need all members. */
const mayLinger: ReadonlySet<TortureKind> = new Set([
  'kill-daemon',
  'hang-daemon',
  'crash',
  'cut',
  'haltnode',
  'haltnode-standby',
  'crash-standby',
  'modpkg',
]);

/** Every kind comes up once before any comes up again, in another order each time: also a short run has them all. */
export function scheduleFor(seed: number, iterations: number): TortureStep[] {
  const next = random(seed);
  const steps: TortureStep[] = [];
  let bag: TortureKind[] = [];
  while (steps.length < iterations) {
    if (bag.length === 0) bag = [...tortureKinds];
    const [kind = 'kill-daemon'] = bag.splice(Math.floor(next() * bag.length), 1);
    const [standby, lot] = [Math.floor(next() * 6), next()];
    steps.push({ kind, standby, lingers: mayLinger.has(kind) && lot < 0.3 });
  }
  return steps;
}

/** How a run that failed is done again, up to the step it failed in. */
export function replayCommand(seed: number, iteration: number): string {
  return `csync lab torture --seed ${seed} --iterations ${iteration}`;
}

/** What is told to the table; requests are numbered by it. */
type WithoutRequest<E> = E extends { readonly request: string } ? Omit<E, 'request'> : E;
export type TableEvent = WithoutRequest<LabEvent>;

/** The lab's table beside the lab: fed with the same events, it says where the package has to be. */
export class Table {
  #state: ClusterState;
  readonly #package: string;

  /** Where the package ran before; null: it has always been where it is. */
  #before: string | null = null;
  #latest: string | null;

  /** Members on which a start gives up. */
  readonly #refusing = new Set<string>();

  /** `deployed`: the configuration as it was applied; the package runs on the first member, as PackageDrills.deploy leaves it. */
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

  /** From now on a start on that member ends with "try another one", until it is repaired. */
  refuse(member: string, is: boolean): void {
    if (is) this.#refusing.add(member);
    else this.#refusing.delete(member);
  }

  /** The events one after the other; each script they lead to ends well, but on members that refuse. */
  feed(...events: readonly TableEvent[]): void {
    const queue = events.map((event) => ({ request: 'torture', ...event }) as LabEvent);
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      const { state, effects } = reduce(this.#state, event);
      this.#state = state;
      const { owner } = this;
      // A member whose start gave up never had it: the note that the next one reads is of the member before.
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

  /** The member the package has to run on; null: nowhere. */
  get owner(): string | null {
    return this.#state.packages[this.#package]?.owner ?? null;
  }

  /**
   * A daemon that dies now may be restarted in place (the brake of the monitor): the member the package came from is switched off, so that
   * another failover would be the second in quick succession. Whether the monitor knows that already is a matter of seconds.
   */
  get braked(): boolean {
    return this.#before !== null && this.#state.packages[this.#package]?.nodeSwitch[this.#before] === false;
  }

  /** Members whose Serviceguard has to be up, in the order of the configuration. */
  get up(): string[] {
    return this.#state.memberOrder.filter((member) => this.#state.members[member]?.status === 'up');
  }

  /** Members the package may go to at a failure: up, switched on, on the subnet. */
  get ready(): string[] {
    const pkg = this.#state.packages[this.#package];
    const isReady = (member: string): boolean =>
      pkg?.nodeSwitch[member] === true &&
      Object.values(this.#state.members[member]?.subnets ?? {}).every((status) => status === 'up');
    return this.up.filter((member) => member !== this.owner && isReady(member));
  }
}

/** What a step comes to in the cluster as it is: whom it concerns, what the table is told of it, and of its repair. */
export interface Wound {
  readonly kind: TortureKind;
  readonly member: string;
  /** 0 to 5, by the schedule: at which moment something is ended that is done in steps. */
  readonly moment: number;
  readonly harm: readonly TableEvent[];
  readonly repair: readonly TableEvent[];
  /**
   * Seconds within which another member has to serve when the daemon is killed now, while the harm lasts; null: that is not asked, since the
   * step moves the package itself or means that it does not move.
   */
  readonly failsOver: number | null;
  /** A start on the member gives up while the harm lasts. */
  readonly refuses: boolean;
  /** What has to hold while the harm lasts. */
  readonly meanwhile: Meanwhile;
}

/**
 * place: the package is where the table has it. Clients may follow the other host that announces its address.
 * others: all of it, but for the first client, which has all the connections it may have.
 */
export type Meanwhile = 'all' | 'others' | 'place';

/** What a failover may take that nothing disturbs, and one that has to give up a member first. */
const failoverSeconds = 10;
const nextMemberSeconds = 60;
/** The monitor knows after some ten seconds that nothing will notify it, and looks itself then. */
const frontSeconds = 15;

const slower: Partial<Readonly<Record<TortureKind, number>>> = {
  'hung-read': nextMemberSeconds,
  'hung-start': nextMemberSeconds,
  'hang-front': frontSeconds,
};

/** Harm that makes a start on the next member give up. */
const refusing: ReadonlySet<TortureKind> = new Set(['hung-read', 'hung-start']);

const meanwhile: Partial<Readonly<Record<TortureKind, Meanwhile>>> = { overload: 'others', 'duplicate-address': 'place' };

/** Harm under which the package stays where it is, and has to be able to leave all the same. */
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

/** When the daemon of that member is killed now, and when the harm of that is repaired. */
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

/** null: it cannot be done now, since a member it needs is missing; what lingers has to be repaired first. */
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
  // Of the last two, none is taken: the package would have nowhere to go at the next step.
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
    // Whether a daemon that is killed under load moves or is restarted in place depends on how many connections it has right then.
    case 'overload':
      return on(owner, [], []);
    case 'hang-sshd':
      return on(standby, [], []);
    case 'duplicate-address':
      // The last one, so that the package does not go there.
      return spare ? on(ready.at(-1) ?? standby, [], []) : null;
    case 'hung-read':
    case 'hung-start':
      // The next one, which a failover tries first; it is switched off there, and the third has to take it.
      return spare ? on(ready[0] ?? standby, [], [switching(true, [ready[0] ?? standby])]) : null;
    case 'apply':
    case 'killed-apply':
    case 'member':
      return spare ? on(owner, [], []) : null;
  }
}
