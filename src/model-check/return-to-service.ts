/**
 * I7: from every state, once faults stop, the package is served again, by itself or by commands that somebody is told. What is
 * broken is mended, what goes on by itself goes on to its end; then the commands are typed that the log of the package
 * manager names, and those of the failure table (csync apply, csync recover).
 */
import { type Happening, inside } from './happenings.ts';
import { RowSet } from './row-set.ts';
import { rowLength, type State } from './state.ts';
import { cleanUp, isServed, mend, namedCommands } from './way-back.ts';

/** Rounds of commands; a switch may have to be put back for each member. */
const rounds = 6;
/** Steps in which whatever goes on by itself has come to rest. */
const mostSteps = 2000;

export class ReturnToService {
  /** The one it walks with: load it, then ask. */
  readonly state: State;
  /** What went on since faults stopped, a line a step. */
  trail: string[] = [];
  readonly #inside: readonly Happening[];
  readonly #row = new Int32Array(rowLength);
  /**
   * Mended states with a good end: whoever comes upon one need not walk on, since what follows is a function of the state. Those of
   * the walk that is on are among them already; should it not end well, nothing is asked any more.
   */
  readonly #good = new RowSet();
  /** How many of them are of walks before this one. */
  #before = 0;
  /** Of the states that were asked for: served by themselves, and by commands. */
  readonly commandsTyped = new Map<string, number>();

  constructor(state: State) {
    this.state = state;
    this.#inside = inside(state.members);
  }

  /** Mended states that lead back. */
  get walked(): number {
    return this.#good.size;
  }

  /** null: it is served in the end. Otherwise what was tried in vain. Changes the state it was made with. */
  async fromHere(): Promise<string | null> {
    const { state } = this;
    this.trail = [];
    mend(state);
    this.#before = this.#good.size;
    if (this.#isGood()) return null;
    const typed: string[] = [];
    let way = await this.#settle();
    if (way === 'endless') return 'what goes on by itself never comes to rest';
    for (let round = 0; round < rounds && way === 'rests' && !isServed(state); round += 1) way = await this.#followAdvice(typed);
    if (way === 'endless') return `after ${typed.join('; ') || 'no command'} it never comes to rest`;
    if (way === 'rests' && !isServed(state)) return `not served after ${typed.join('; ') || 'no command at all'}`;
    for (const command of new Set(typed)) this.commandsTyped.set(command, (this.commandsTyped.get(command) ?? 0) + 1);
    return null;
  }

  /** Whether a walk before this one came by here. Notes the state. */
  #isGood(): boolean {
    this.state.store(this.#row, 0);
    return this.#good.add(this.#row) < this.#before;
  }

  /** What goes on by itself goes on. */
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
