/** The checked system. Events change it in place; four numbers store it. `broken`: rules that a step breaks. */
import type { Effect } from '../lab/manager/model.ts';
import type { Verdict } from '../member/monitor/judge.ts';
import type { Settings } from '../settings/settings.ts';
import type { ClusterView, PackageCluster, Told } from './package-cluster.ts';
import type { Word } from './world/package-scripts.ts';
import type { Move } from './world/script-table.ts';
import { leaves, verdictOn } from './world/verdicts.ts';
import {
  contestedBit,
  crashed,
  decodeShared,
  decodeWorld,
  encodeWorld,
  holdsPackage,
  idle,
  isJudged,
  type MemberWorld,
  type SharedWorld,
  sharedBits,
  worldBits,
} from './world/world.ts';

export const rowLength = 4;
const worldMask = (1 << worldBits) - 1;
const sharedMask = (1 << sharedBits) - 1;
const [givenUpBit, loadBit] = [1 << 29, 1 << 30];

/** Tables, or live for the simulation. */
export interface Scripts {
  /** The first node of a script on a member. */
  root(word: Word, member: number): number;
  wordOf(node: number): Word;
  move(node: number, world: number, shared: number, down: number, mode: number): Move | undefined;
  fill(): Promise<void>;
}

export class State<Kind extends Scripts = Scripts> {
  readonly settings: Settings;
  readonly scripts: Kind;
  readonly cluster: PackageCluster;
  readonly broken: string[] = [];
  said = '';
  /** A script must run first. */
  isUnknown = false;
  clusterState = 0;
  readonly worlds: number[];
  shared = 0;
  /** Of the package's script; -1: none. */
  node = -1;
  runner = 0;
  /** A fault meanwhile: its exit proves nothing. */
  isDisturbed = false;
  /** Stopped in a hung read, without another fault. */
  isGivenUp = false;
  /** Of the package, before it began. */
  hadLeftovers = false;
  /** More clients than a daemon can serve. */
  isLoaded = false;
  readonly #verdicts = new Map<number, Verdict | null>();

  constructor(settings: Settings, scripts: Kind, cluster: PackageCluster) {
    this.settings = settings;
    this.scripts = scripts;
    this.cluster = cluster;
    this.worlds = settings.members.map(() => encodeWorld(idle));
  }

  get members(): readonly string[] {
    return this.settings.members;
  }

  get view(): ClusterView {
    return this.cluster.view(this.clusterState);
  }

  world(member: number): MemberWorld {
    return decodeWorld(this.worlds[member] ?? 0);
  }

  change(member: number, changes: Partial<MemberWorld>): void {
    this.worlds[member] = encodeWorld({ ...this.world(member), ...changes });
  }

  get sharedWorld(): SharedWorld {
    return decodeShared(this.shared);
  }

  load(rows: Int32Array, at: number): void {
    const first = rows[at] ?? 0;
    const third = rows[at + 2] ?? 0;
    const fourth = rows[at + 3] ?? 0;
    this.clusterState = first & 0xfffff;
    this.runner = (first >>> 20) & 3;
    this.isDisturbed = ((first >>> 22) & 1) === 1;
    this.hadLeftovers = ((first >>> 23) & 1) === 1;
    const second = rows[at + 1] ?? 0;
    this.node = (second & (givenUpBit - 1)) - 1;
    this.isGivenUp = (second & givenUpBit) !== 0;
    this.isLoaded = (second & loadBit) !== 0;
    this.shared = (first >>> 24) & sharedMask;
    const { worlds } = this;
    worlds[0] = third & worldMask;
    if (worlds.length > 1) worlds[1] = (third >>> worldBits) & worldMask;
    if (worlds.length > 2) worlds[2] = fourth & worldMask;
    if (worlds.length > 3) worlds[3] = (fourth >>> worldBits) & worldMask;
    if (this.broken.length > 0) this.broken.length = 0;
    this.isUnknown = false;
  }

  store(rows: Int32Array): void {
    const { worlds } = this;
    const runs = this.node >= 0;
    const signs = (this.isDisturbed ? 1 << 22 : 0) | (this.hadLeftovers ? 1 << 23 : 0);
    rows[0] = this.clusterState | (this.shared << 24) | (runs ? (this.runner << 20) | signs : 0);
    rows[1] = (this.node + 1) | (runs && this.isGivenUp ? givenUpBit : 0) | (this.isLoaded ? loadBit : 0);
    rows[2] = (worlds[0] ?? 0) | ((worlds[1] ?? 0) << worldBits);
    rows[3] = (worlds[2] ?? 0) | ((worlds[3] ?? 0) << worldBits);
  }

  tell(told: Told): void {
    const step = this.cluster.step(this.clusterState, this.cluster.event(told));
    this.clusterState = step.cluster;
    this.broken.push(...step.broken);
    for (const effect of step.effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    if (effect.kind === 'log' || effect.kind === 'reply') return;
    const member = this.members.indexOf(effect.member);
    if (effect.kind === 'run-start' || effect.kind === 'run-halt') {
      if (this.node >= 0) this.broken.push(`a script of the package already runs on ${this.members[this.runner]}`);
      this.node = this.scripts.root(effect.kind === 'run-start' ? 'start' : 'halt', member);
      this.runner = member;
      this.isDisturbed = false;
      this.isGivenUp = false;
      this.hadLeftovers = effect.kind === 'run-start' && holdsPackage(this.world(member));
    } else if (effect.kind === 'restart-service') this.change(member, { monitor: 'yes' });
    else if (effect.kind === 'kill-services') this.change(member, { monitor: 'no' });
    else this.loseMachine(member);
  }

  loseMachine(member: number): void {
    this.worlds[member] = encodeWorld(crashed(this.world(member)));
    if (this.node >= 0 && this.runner === member) this.node = -1;
  }

  disturb(member: number): void {
    if (this.node < 0 || this.runner !== member) return;
    this.isDisturbed = true;
    this.isGivenUp = false;
  }

  /** If the monitor can act on it. */
  verdictOf(member: number): Verdict | null {
    const contested = this.shared & contestedBit;
    const code = ((this.worlds[member] ?? 0) << sharedBits) | contested;
    const known = this.#verdicts.get(code);
    if (known !== undefined) return known;
    const world = this.world(member);
    const verdict = isJudged(world) && leaves(world) ? verdictOn(world, contested !== 0, this.settings) : null;
    this.#verdicts.set(code, verdict);
    return verdict;
  }
}
