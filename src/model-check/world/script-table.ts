/**
 * The shipped scripts as a table. A script runs to its next act in one world; its answers are stored as a node, from which a replay
 * continues. So a search only looks up, and may change the world or kill the script between any two acts.
 */
import type { Settings } from '../../settings/settings.ts';
import { failed, spelled } from '../../simulated/commands.ts';
import { type Gate, never } from '../../simulated/gate.ts';
import { runPackageScript, ScriptKilled, type Word } from './package-scripts.ts';
import { decodeShared, decodeWorld, encodeShared, encodeWorld, sharedBits } from './world.ts';
import { type Place, WorldHost } from './world-host.ts';

/** At the next act: normal, its command fails, killed there, or a read before it hangs. */
export const modes = ['works', 'fails', 'killed', 'hangs'] as const;
export type Mode = (typeof modes)[number];

export interface Move {
  /** -1: exited. */
  readonly node: number;
  readonly exit: number;
  readonly world: number;
  readonly shared: number;
  readonly what: string;
  /** False: nothing could fail, or be killed. */
  readonly applies: boolean;
}

/** Two of them end every wait. */
const waitMs = 5001;

export function inBrief([program = '', ...words]: readonly string[]): string {
  return spelled([program, ...words.filter((word) => !word.includes('/'))]);
}

class Suspended extends Error {}
class Thrown {
  readonly error: unknown;
  readonly code: string;
  constructor(error: unknown) {
    this.error = error;
    this.code = error instanceof ScriptKilled ? 'killed' : String((error as NodeJS.ErrnoException).code ?? error);
  }
}

const noAnswer = { hangs: true } as const;

class ReplayGate implements Gate {
  readonly fresh: unknown[] = [];
  what = '';
  applied: boolean;
  readonly #before: readonly unknown[];
  readonly #mode: Mode;
  readonly #suspend: () => void;
  #next = 0;
  #acted = false;
  #clock = 0;

  constructor(before: readonly unknown[], mode: Mode, suspend: () => void) {
    this.#before = before;
    this.#mode = mode;
    this.#suspend = suspend;
    this.applied = mode === 'works';
  }

  /** Stored, or new; null: after the act. */
  #answer(make: () => unknown): { readonly value: unknown } | null {
    if (this.#next < this.#before.length) {
      this.#next += 1;
      return { value: this.#before[this.#next - 1] };
    }
    if (this.#acted) {
      this.#suspend();
      return null;
    }
    let value: unknown;
    try {
      value = make();
    } catch (error) {
      value = new Thrown(error);
    }
    this.fresh.push(value);
    return { value };
  }

  #now<Answer>(make: () => Answer): Answer {
    const answer = this.#answer(make);
    if (answer === null) throw new Suspended();
    if (answer.value instanceof Thrown) throw answer.value.error;
    return answer.value as Answer;
  }

  async #later<Answer>(make: () => Answer): Promise<Answer> {
    const answer = this.#answer(make);
    if (answer === null) return never();
    if (answer.value instanceof Thrown) throw answer.value.error;
    return answer.value as Answer;
  }

  #acting<Answer>(what: string, change: () => Answer): () => Answer {
    return () => {
      this.#acted = true;
      this.what = what;
      if (this.#mode !== 'killed') return change();
      this.applied = true;
      this.what = `the script is killed at this act: ${what}`;
      throw new ScriptKilled();
    };
  }

  look<Answer>(read: () => Answer): Answer {
    return this.#now(read);
  }

  lookLater<Answer>(read: () => Answer): Promise<Answer> {
    return this.#later(read);
  }

  act<Answer>(what: string, change: () => Answer): Answer {
    return this.#now(this.#acting(what, change));
  }

  actLater<Answer>(what: string, change: () => Answer): Promise<Answer> {
    return this.#later(this.#acting(what, change));
  }

  command(argv: readonly string[], change: () => number): Promise<number> {
    const what = inBrief(argv);
    return this.#later(
      this.#acting(what, () => {
        if (this.#mode !== 'fails') return change();
        this.applied = true;
        this.what = `${what} fails`;
        return failed;
      }),
    );
  }

  async wait(): Promise<void> {
    this.#clock += waitMs;
    await this.#later(this.#acting('waits', () => null));
  }

  elapsed(): number {
    return this.#clock;
  }

  hangs(): boolean {
    if (this.#next < this.#before.length) {
      if (this.#before[this.#next] !== noAnswer) return false;
      this.#next += 1;
      return true;
    }
    if (this.#mode !== 'hangs' || this.#acted) return false;
    this.#acted = true;
    this.applied = true;
    this.what = 'a read hangs, and the launcher stops the script';
    this.fresh.push(noAnswer);
    return true;
  }
}

interface Node {
  readonly word: Word;
  readonly member: number;
  readonly answers: readonly unknown[];
}

const keyOf = (world: number, shared: number, down: number, mode: number): number =>
  ((((world << sharedBits) | shared) << 4) | down) * modes.length + mode;

export class ScriptTable {
  readonly #settings: Settings;
  readonly #members: readonly string[];
  /** By position, then by the rest. */
  readonly #moves: (Map<number, Move> | undefined)[] = [];
  readonly #missing = new Map<string, readonly [node: number, world: number, shared: number, down: number, mode: number]>();
  readonly #nodes: Node[] = [];
  readonly #byHistory = new Map<string, number>();

  constructor(settings: Settings, members: readonly string[]) {
    this.#settings = settings;
    this.#members = members;
    for (const word of ['start', 'halt'] as const)
      for (let member = 0; member < members.length; member += 1) this.#nodes.push({ word, member, answers: [] });
  }

  root(word: Word, member: number): number {
    return (word === 'start' ? 0 : this.#members.length) + member;
  }

  wordOf(node: number): Word {
    return this.#nodes[node]?.word ?? 'start';
  }

  get nodes(): number {
    return this.#nodes.length;
  }

  /** undefined: unknown until `fill`. `down`: a bit for each member that cmviewcl reports as down. */
  move(node: number, world: number, shared: number, down: number, mode: number): Move | undefined {
    const key = keyOf(world, shared, down, mode);
    const known = this.#moves[node]?.get(key);
    if (known === undefined) this.#missing.set(`${node} ${key}`, [node, world, shared, down, mode]);
    return known;
  }

  async fill(): Promise<void> {
    const { stackTraceLimit } = Error;
    // A stack at each act would take longer than the script.
    Error.stackTraceLimit = 0;
    try {
      for (const wanted of this.#missing.values()) {
        const [node, ...rest] = wanted;
        this.#moves[node] ??= new Map();
        this.#moves[node].set(keyOf(...rest), await this.#play(...wanted));
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    this.#missing.clear();
  }

  async #play(node: number, world: number, shared: number, down: number, mode: number): Promise<Move> {
    const { word, member, answers } = this.#nodes[node] as Node;
    const place: Place = {
      index: member,
      members: this.#members,
      world: decodeWorld(world),
      shared: decodeShared(shared),
      down: (index) => (down & (1 << index)) !== 0,
    };
    const { gate, exit } = await new Promise<{ gate: ReplayGate; exit: number | null }>((resolve, reject) => {
      const gate: ReplayGate = new ReplayGate(answers, modes[mode] ?? 'works', () => resolve({ gate, exit: null }));
      runPackageScript(word, (own) => new WorldHost(place, own, this.#settings), gate).then(
        (status) => resolve({ gate, exit: status }),
        // After a suspension: too late to matter.
        (error: unknown) => reject(error as Error),
      );
    });
    const after = { world: encodeWorld(place.world), shared: encodeShared(place.shared), what: gate.what, applies: gate.applied };
    if (exit !== null) return { ...after, node: -1, exit };
    return { ...after, node: this.#nodeAfter(node, gate.fresh), exit: 0 };
  }

  #nodeAfter(node: number, fresh: readonly unknown[]): number {
    const key = `${node} ${JSON.stringify(fresh, (_, value) => (value instanceof Thrown ? { thrown: value.code } : value))}`;
    const known = this.#byHistory.get(key);
    if (known !== undefined) return known;
    const { word, member, answers } = this.#nodes[node] as Node;
    this.#nodes.push({ word, member, answers: [...answers, ...fresh] });
    this.#byHistory.set(key, this.#nodes.length - 1);
    return this.#nodes.length - 1;
  }
}
