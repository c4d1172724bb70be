/**
 * I7: once faults stop, every state leads to a served package. Runs events inside until nothing happens, then the commands of the package
 * manager's log and of the failure table.
 */
import { type Happening, inside } from './happenings.ts';
import { RowSet } from './row-set.ts';
import { rowLength, type State } from './state.ts';
import { cleanUp, isServed, mend, namedCommands } from './way-back.ts';

/** Each member may need its own cmmodpkg. */
const rounds = 6;
/** Events inside must have stopped by then. */
const mostSteps = 2000;

export class ReturnToService {
  readonly state: State;
  trail: string[] = [];
  readonly #inside: readonly Happening[];
  readonly #row = new Int32Array(rowLength);
  /** With those of the current walk (if it fails, the check stops). A walk that reaches one can stop. */
  readonly #good = new RowSet();
  #before = 0;
  readonly commandsTyped = new Map<string, number>();

  constructor(state: State) {
    this.state = state;
    this.#inside = inside(state.members);
  }

  /** null: served in the end; otherwise what did not help. Changes the state. */
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

  /** Of an earlier walk. Records the state. */
  #isGood(): boolean {
    this.state.store(this.#row);
    return this.#good.add(this.#row) < this.#before;
  }

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
