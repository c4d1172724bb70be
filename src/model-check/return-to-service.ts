/**
 * I7: from every state, once faults stop, the package is served again, by itself or by commands that csync prints. Faults are repaired, and
 * events inside continue until nothing happens; then the commands in the log of the package manager and in the failure table (csync apply,
 * csync recover) are run.
 */
import { type Happening, inside } from './happenings.ts';
import { RowSet } from './row-set.ts';
import { rowLength, type State } from './state.ts';
import { cleanUp, isServed, mend, namedCommands } from './way-back.ts';

/** Rounds of commands; each member may need its own cmmodpkg. */
const rounds = 6;
/** Steps after which events inside must have stopped. */
const mostSteps = 2000;

export class ReturnToService {
  /** The state of the walk: load it, then call. */
  readonly state: State;
  /** Events since faults stopped, one line each. */
  trail: string[] = [];
  readonly #inside: readonly Happening[];
  readonly #row = new Int32Array(rowLength);
  /**
   * Repaired states that lead to a served package: a walk that reaches one can stop, because the rest is a function of the state. The
   * states of the current walk are among them; if it fails, the check stops anyway.
   */
  readonly #good = new RowSet();
  /** How many of them are from earlier walks. */
  #before = 0;
  /** Of the checked states: served by themselves, and by commands. */
  readonly commandsTyped = new Map<string, number>();

  constructor(state: State) {
    this.state = state;
    this.#inside = inside(state.members);
  }

  /** Repaired states that lead to a served package. */
  get walked(): number {
    return this.#good.size;
  }

  /** null: it is served in the end. Otherwise what did not help. Changes the state of the walk. */
  async fromHere(): Promise<string | null> {
    const { state } = this;
    this.trail = [];
    mend(state);
    this.#before = this.#good.size;
    if (this.#isGood()) return null;
    const typed: string[] = [];
    let way = await this.#settle();
    if (way === 'endless') return 'events inside never stop';
    for (let round = 0; round < rounds && way === 'rests' && !isServed(state); round += 1) way = await this.#followAdvice(typed);
    if (way === 'endless') return `after ${typed.join('; ') || 'no command'} events inside never stop`;
    if (way === 'rests' && !isServed(state)) return `not served after ${typed.join('; ') || 'any command'}`;
    for (const command of new Set(typed)) this.commandsTyped.set(command, (this.commandsTyped.get(command) ?? 0) + 1);
    return null;
  }

  /** Whether an earlier walk reached this state. Records the state. */
  #isGood(): boolean {
    this.state.store(this.#row, 0);
    return this.#good.add(this.#row) < this.#before;
  }

  /** Takes all events inside. */
  async #settle(): Promise<'rests' | 'endless' | 'good'> {
    const { state } = this;
    for (let step = 0; step < mostSteps; step += 1) {
      let moved = false;
      for (const one of this.#inside) {
        state.isUnknown = false;
        moved = one.apply(state);
        if (state.isUnknown) {
          await state.scripts.fill();
          moved = one.apply(state);
        }
        if (moved) break;
      }
      if (!moved) return 'rests';
      this.trail.push(state.said);
      if (this.#isGood()) return 'good';
    }
    return 'endless';
  }

  async #followAdvice(typed: string[]): Promise<'rests' | 'endless' | 'good'> {
    const { state } = this;
    const cleaned = cleanUp(state);
    typed.push(...cleaned);
    this.trail.push(...cleaned);
    let way = await this.#settle();
    if (way !== 'rests' || isServed(state)) return way;
    for (const { command, told } of namedCommands(state)) {
      typed.push(command);
      this.trail.push(command);
      state.tell(told);
      way = await this.#settle();
      if (way !== 'rests') return way;
    }
    return 'rests';
  }
}
