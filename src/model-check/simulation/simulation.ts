/**
 * One life in virtual time, by seed: shipped scripts run live, acts take time, commands fail, scripts are killed, faults and commands come
 * at any moment. Then faults stop, and the package must be served.
 */

import { random } from '../../base/random.ts';
import type { Settings } from '../../settings/settings.ts';
import { failed } from '../../simulated/commands.ts';
import { type Gate, never } from '../../simulated/gate.ts';
import { type Happening, happenings, noteService } from '../happenings.ts';
import { PackageCluster } from '../package-cluster.ts';
import { endScript } from '../script-end.ts';
import { type Scripts, State } from '../state.ts';
import { cleanUp, isServed, mend, namedCommands, twoMounts } from '../way-back.ts';
import { runPackageScript, ScriptKilled, type Word } from '../world/package-scripts.ts';
import { inBrief } from '../world/script-table.ts';
import { encodeShared, encodeWorld, nothingShared } from '../world/world.ts';
import { type Place, WorldHost } from '../world/world-host.ts';

export interface Life {
  readonly seed: number;
  /** null: none. */
  readonly broken: string | null;
  readonly story: readonly string[];
  /** Faults, repairs, commands. */
  readonly events: number;
}

/** ms of virtual time. */
const faultsUntil = 300_000;
const calmFor = 120_000;
const mostEvents = 8;
const rounds = 8;
const commandFails = 0.02;
const scriptIsKilled = 0.004;
const scriptHangs = 0.001;

class LiveScripts implements Scripts {
  begun = 0;
  #word: Word = 'start';

  root(word: Word): number {
    this.begun += 1;
    this.#word = word;
    return this.begun;
  }

  wordOf(): Word {
    return this.#word;
  }

  move(): never {
    throw new Error('live scripts have no table');
  }

  fill(): Promise<void> {
    return Promise.resolve();
  }
}

/** Tables that only grow, for lives with the same settings. */
interface Ground {
  readonly cluster: PackageCluster;
  readonly inside: readonly Happening[];
  readonly outside: readonly Happening[];
}

const grounds = new WeakMap<Settings, Ground>();

function groundOf(settings: Settings): Ground {
  const known = grounds.get(settings);
  if (known !== undefined) return known;
  const all = happenings(settings.members, settings.packageName).filter(({ isAct }) => isAct !== true);
  const made: Ground = {
    cluster: new PackageCluster(settings),
    inside: all.filter(({ kind }) => kind === 'inside'),
    outside: all.filter(({ kind }) => kind !== 'inside'),
  };
  grounds.set(settings, made);
  return made;
}

class Simulation {
  readonly story: string[] = [];
  readonly #settings: Settings;
  readonly #next: () => number;
  readonly #scripts = new LiveScripts();
  readonly #state: State<LiveScripts>;
  readonly #inside: readonly Happening[];
  readonly #outside: readonly Happening[];
  readonly #queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;
  #now = 0;
  #started = 0;
  #isCalm = false;
  events = 0;

  constructor(seed: number, settings: Settings) {
    this.#settings = settings;
    this.#next = random(seed);
    const { cluster, inside, outside } = groundOf(settings);
    this.#state = new State(settings, this.#scripts, cluster);
    this.#inside = inside;
    this.#outside = outside;
  }

  async run(): Promise<string | null> {
    const state = this.#state;
    state.clusterState = state.cluster.initial();
    state.shared = nothingShared;
    this.#tell('the cluster starts', () => state.tell({ kind: 'cluster-run', members: [] }));
    this.#tick();
    const count = 1 + Math.floor(this.#next() * mostEvents);
    for (let event = 0; event < count; event += 1) this.#at(this.#next() * faultsUntil, () => this.#strike());
    const broken = (await this.#until(faultsUntil)) ?? (await this.#calmDown());
    return broken;
  }

  async #calmDown(): Promise<string | null> {
    const state = this.#state;
    this.#isCalm = true;
    this.#tell('faults stop', () => mend(state));
    for (let round = 0; ; round += 1) {
      const broken = await this.#until(this.#now + calmFor);
      if (broken !== null || isServed(state)) return broken;
      if (round >= rounds) return 'I7: the package is not served again';
      for (const text of cleanUp(state)) this.#say(text);
      for (const { command, told } of namedCommands(state)) {
        this.#tell(command, () => state.tell(told));
        const wrong = await this.#until(this.#now + calmFor);
        if (wrong !== null || isServed(state)) return wrong;
      }
    }
  }

  #say(text: string): void {
    this.story.push(`${(this.#now / 1000).toFixed(1)} s  ${text}`);
  }

  #tell(text: string, act: () => void): void {
    this.#say(text);
    act();
    this.#startScript();
  }

  #at(at: number, run: () => void): void {
    this.#order += 1;
    const entry = { at, order: this.#order, run };
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.at ?? 0) > at) place -= 1;
    this.#queue.splice(place, 0, entry);
  }

  async #until(end: number): Promise<string | null> {
    while ((this.#queue[0]?.at ?? Number.POSITIVE_INFINITY) <= end) {
      const entry = this.#queue.shift();
      this.#now = entry?.at ?? this.#now;
      entry?.run();
      // Runs what does not wait for the clock.
      await new Promise(setImmediate);
      this.#startScript();
      const broken = this.#state.broken[0] ?? twoMounts(this.#state);
      if (broken !== null) return broken;
    }
    this.#now = end;
    return null;
  }

  #tick(): void {
    const from = Math.floor(this.#next() * this.#inside.length);
    for (let step = 0; step < this.#inside.length; step += 1) {
      if (this.#inside[(from + step) % this.#inside.length]?.apply(this.#state) !== true) continue;
      this.#say(this.#state.said);
      break;
    }
    this.#at(this.#now + 200 + this.#next() * 4000, () => this.#tick());
  }

  #strike(): void {
    for (let attempt = 0; attempt < 30; attempt += 1) {
      const one = this.#outside[Math.floor(this.#next() * this.#outside.length)];
      if (one?.apply(this.#state) !== true) continue;
      this.events += 1;
      this.#say(this.#state.said);
      return;
    }
  }

  #startScript(): void {
    if (this.#started === this.#scripts.begun || this.#state.node < 0) return;
    const serial = this.#scripts.begun;
    this.#started = serial;
    const isCurrent = (): boolean => this.#state.node === serial;
    const { runner } = this.#state;
    const word = this.#scripts.wordOf();
    const { runScriptTimeoutSeconds, haltScriptTimeoutSeconds } = this.#settings;
    const limit = (word === 'start' ? runScriptTimeoutSeconds : haltScriptTimeoutSeconds) * 1000;
    this.#at(this.#now + limit, () => {
      if (!isCurrent()) return;
      this.#state.isDisturbed = true;
      this.#say(`${this.#state.members[runner]}: the ${word} script times out`);
      endScript(this.#state, { kind: 'timeout' });
    });
    const place = this.#placeOf(runner);
    const behind = (gate: Gate) => new WorldHost(place, gate, this.#settings);
    void runPackageScript(word, behind, this.#gate(runner, word, isCurrent)).then(
      (code) => {
        if (!isCurrent()) return;
        this.#say(`${this.#state.members[runner]}: the ${word} exits with ${code}`);
        endScript(this.#state, { kind: 'exit', code: code as 0 | 1 | 2 | 3 });
      },
      (error: unknown) => this.#state.broken.push(`a script threw ${error instanceof Error ? error.stack : String(error)}`),
    );
  }

  #placeOf(index: number): Place {
    const state = this.#state;
    return {
      index,
      members: state.members,
      get world() {
        return state.world(index);
      },
      set world(world) {
        state.worlds[index] = encodeWorld(world);
      },
      get shared() {
        return state.sharedWorld;
      },
      set shared(shared) {
        state.shared = encodeShared(shared);
      },
      down: (other) => (state.view.down & (1 << other)) !== 0,
    };
  }

  #gate(runner: number, word: Word, isCurrent: () => boolean): Gate {
    const state = this.#state;
    const passes = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => {
        this.#at(this.#now + milliseconds, () => {
          if (isCurrent()) resolve();
        });
      });
    const done = <Answer>(what: string, change: () => Answer): Answer => {
      this.#say(`${state.members[runner]}: ${word}: ${what}`);
      if (!this.#isCalm && this.#next() < scriptIsKilled) {
        state.isDisturbed = true;
        this.#say('... and is killed there');
        throw new ScriptKilled();
      }
      const before = state.world(runner);
      const answer = change();
      noteService(state, before);
      return answer;
    };
    const later = async <Answer>(what: string, change: () => Answer): Promise<Answer> => {
      await passes(5 + this.#next() * 400);
      return isCurrent() ? done(what, change) : never();
    };
    return {
      look: (read) => read(),
      lookLater: async (read) => {
        await passes(1 + this.#next() * 20);
        return read();
      },
      act: done,
      actLater: later,
      command: (argv, change) => {
        const what = inBrief(argv);
        if (this.#isCalm || this.#next() >= commandFails) return later(what, change);
        return later(`${what} fails`, () => {
          state.isDisturbed = true;
          return failed;
        });
      },
      wait: (milliseconds) => passes(Math.max(milliseconds, 250)),
      elapsed: () => this.#now,
      hangs: () => {
        if (this.#isCalm || this.#next() >= scriptHangs) return false;
        state.disturb(runner);
        this.#say(`${state.members[runner]}: ${word}: a read hangs, and the launcher stops the script`);
        return true;
      },
    };
  }
}

export async function simulate(seed: number, settings: Settings): Promise<Life> {
  const simulation = new Simulation(seed, settings);
  const broken = await simulation.run();
  return { seed, broken, story: simulation.story, events: simulation.events };
}
