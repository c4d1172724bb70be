/**
 * Breadth first: every state that so many faults, repairs and commands can reach, in every order, with all events inside. Fewest events
 * first, then least depth; so the first counterexample is shortest.
 */
import type { Settings } from '../settings/settings.ts';
import { keptHere } from './braking.ts';
import { type Happening, happenings } from './happenings.ts';
import { PackageCluster } from './package-cluster.ts';
import { ReturnToService } from './return-to-service.ts';
import { RowSet } from './row-set.ts';
import { rowLength, State } from './state.ts';
import { isServed, twoMounts } from './way-back.ts';
import { ScriptTable } from './world/script-table.ts';
import { nothingShared } from './world/world.ts';

export interface SearchBounds {
  readonly events: number;
  /** False: without I7, which takes most of the time. */
  readonly leadsBack?: boolean;
  /** Stops early; the result shows it. */
  readonly states?: number;
  /** ms of processor time. */
  readonly time?: number;
}

export interface Counterexample {
  readonly broken: string;
  readonly story: readonly string[];
}

export interface SearchResult {
  readonly members: number;
  readonly style: Settings['packageStyle'];
  readonly bounds: SearchBounds;
  readonly states: number;
  readonly transitions: number;
  /** The longest of the shortest histories. */
  readonly depth: number;
  readonly isComplete: boolean;
  readonly processorMilliseconds: number;
  readonly scriptPositions: number;
  readonly commandsTyped: Readonly<Record<string, number>>;
  readonly counterexample: Counterexample | null;
}

const progressEveryMs = 2000;
/** Most lines after a counterexample of I7. */
const mostTrail = 40;

export class Search {
  readonly #settings: Settings;
  readonly #bounds: SearchBounds;
  readonly #state: State<ScriptTable>;
  readonly #returnToService: ReturnToService;
  readonly #all: readonly Happening[];
  readonly #firstOutside: number;
  readonly #set = new RowSet(1 << 16);
  readonly #row = new Int32Array(rowLength);
  #parent = new Int32Array(1 << 16);
  #how = new Uint8Array(1 << 16);
  #events = new Uint8Array(1 << 16);
  #depth = new Uint16Array(1 << 16);
  readonly #buckets: number[][][];
  #transitions = 0;
  #deepest = 0;
  #visited = 0;

  constructor(settings: Settings, bounds: SearchBounds) {
    this.#settings = settings;
    this.#bounds = bounds;
    const scripts = new ScriptTable(settings, settings.members);
    const cluster = new PackageCluster(settings);
    this.#state = new State(settings, scripts, cluster);
    this.#returnToService = new ReturnToService(new State(settings, scripts, cluster));
    this.#all = happenings(settings.members, settings.packageName);
    this.#firstOutside = this.#all.findIndex(({ kind }) => kind !== 'inside');
    this.#buckets = Array.from({ length: bounds.events + 1 }, () => []);
  }

  async run(progress: (text: string) => void = () => {}): Promise<SearchResult> {
    const began = processorMs();
    let told = performance.now();
    this.#begin();
    let found: Counterexample | null = null;
    let isComplete = true;
    for (let events = 0; events <= this.#bounds.events && found === null && isComplete; events += 1) {
      const levels = this.#buckets[events] ?? [];
      for (let depth = 0; depth < levels.length && found === null && isComplete; depth += 1) {
        found = await this.#visitLevel(levels[depth] ?? [], events, depth);
        levels[depth] = [];
        const now = performance.now();
        isComplete =
          this.#set.size < (this.#bounds.states ?? Infinity) && processorMs() - began < (this.#bounds.time ?? Infinity);
        if (now - told < progressEveryMs) continue;
        told = now;
        progress(`${this.#set.size} states, ${this.#transitions} transitions, ${events} events, depth ${depth}`);
      }
    }
    const processorMilliseconds = processorMs() - began;
    return { ...this.#result(found, isComplete && found === null), processorMilliseconds };
  }

  #begin(): void {
    const state = this.#state;
    state.clusterState = state.cluster.initial();
    state.shared = nothingShared;
    state.tell({ kind: 'cluster-run', members: [] });
    this.#keep(-1, 0, 0, 0);
  }

  #keep(parent: number, how: number, events: number, depth: number): void {
    this.#state.store(this.#row);
    const before = this.#set.size;
    const index = this.#set.add(this.#row);
    const isNew = this.#set.size > before;
    if (!isNew && (this.#events[index] ?? 0) <= events) return;
    if (index >= this.#parent.length) this.#grow();
    this.#parent[index] = parent;
    this.#how[index] = how;
    this.#events[index] = events;
    this.#depth[index] = depth;
    const levels = this.#buckets[events] as number[][];
    while (levels.length <= depth) levels.push([]);
    levels[depth]?.push(index);
  }

  #grow(): void {
    const length = this.#parent.length * 2;
    const larger = <A extends Int32Array | Uint8Array | Uint16Array>(old: A, made: A): A => {
      made.set(old);
      return made;
    };
    this.#parent = larger(this.#parent, new Int32Array(length));
    this.#how = larger(this.#how, new Uint8Array(length));
    this.#events = larger(this.#events, new Uint8Array(length));
    this.#depth = larger(this.#depth, new Uint16Array(length));
  }

  async #visitLevel(level: readonly number[], events: number, depth: number): Promise<Counterexample | null> {
    let left = level.filter((index) => this.#events[index] === events && this.#depth[index] === depth);
    this.#visited += left.length;
    if (left.length > 0) this.#deepest = Math.max(this.#deepest, depth);
    const here = left;
    while (left.length > 0) {
      const unknown: number[] = [];
      for (const index of left) {
        const broken = this.#visit(index, events, depth);
        if (broken === 'unknown') unknown.push(index);
        else if (broken !== null) return broken;
      }
      if (unknown.length > 0) await this.#state.scripts.fill();
      left = unknown;
    }
    return this.#bounds.leadsBack === false ? null : this.#leadsBack(here);
  }

  async #leadsBack(level: readonly number[]): Promise<Counterexample | null> {
    for (const index of level) {
      const state = this.#returnToService.state;
      state.load(this.#set.rows, index * rowLength);
      const why = await this.#returnToService.fromHere();
      const broken = state.broken[0] ?? (why === null ? undefined : `I7: ${why}`);
      if (broken === undefined) continue;
      const trail = this.#returnToService.trail.slice(0, mostTrail);
      return { broken, story: [...this.#storyTo(index), 'faults stop', ...trail] };
    }
    return null;
  }

  /** `unknown`: scripts must run before the state can be visited. */
  #visit(index: number, events: number, depth: number): Counterexample | 'unknown' | null {
    const state = this.#state;
    const last = events < this.#bounds.events ? this.#all.length : this.#firstOutside;
    const before = this.#transitions;
    let isQuiet = true;
    let isUnknown = false;
    for (let how = 0; how < last; how += 1) {
      state.load(this.#set.rows, index * rowLength);
      const isInside = how < this.#firstOutside;
      if (!(this.#all[how] as Happening).apply(state)) {
        isUnknown ||= state.isUnknown;
        continue;
      }
      this.#transitions += 1;
      // A machine that boots changes nothing for clients.
      if (isInside && !state.said.endsWith('up again')) isQuiet = false;
      const broken = state.broken[0] ?? twoMounts(state);
      // storyTo replays the path in the same state, which overwrites `said`.
      const { said } = state;
      if (broken !== null) return { broken, story: [...this.#storyTo(index), said] };
      if (!isUnknown) this.#keep(index, how, isInside ? events : events + 1, depth + 1);
    }
    if (isUnknown) this.#transitions = before;
    if (isUnknown) return 'unknown';
    state.load(this.#set.rows, index * rowLength);
    if (isQuiet && isUnserved(state))
      return {
        broken: 'I2: the package is reported as running, nothing happens, and it is not served',
        story: this.#storyTo(index),
      };
    return null;
  }

  #storyTo(index: number): string[] {
    const path: number[] = [];
    for (let at = index; at !== -1; at = this.#parent[at] ?? -1) path.unshift(at);
    const lines = path.slice(1).map((child, position) => {
      this.#state.load(this.#set.rows, (path[position] ?? 0) * rowLength);
      this.#all[this.#how[child] ?? 0]?.apply(this.#state);
      return this.#state.said;
    });
    return ['the cluster starts', ...lines];
  }

  #result(counterexample: Counterexample | null, isComplete: boolean) {
    return {
      members: this.#settings.members.length,
      style: this.#settings.packageStyle,
      bounds: this.#bounds,
      states: this.#visited,
      transitions: this.#transitions,
      depth: this.#deepest,
      isComplete,
      scriptPositions: this.#state.scripts.nodes,
      commandsTyped: Object.fromEntries(this.#returnToService.commandsTyped),
      counterexample,
    };
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Reported as running, not in maintenance, not kept by the brake. */
function isUnserved(state: State): boolean {
  const { pkg } = state.view;
  return pkg?.status === 'up' && !pkg.maintenance.on && !isServed(state) && keptHere(state) === null;
}
