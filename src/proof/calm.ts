/**
 * I7: from every state, once faults stop, the package is served again, by itself or by commands that somebody is told. What is
 * broken is mended, what goes on by itself goes on to its end; then the commands are typed that the log of the package
 * manager names, and those of the failure table (csync apply, csync recover).
 */
import { wayBack } from '../lab/manager/placement.ts';
import { applyEnds, type Happening, inside, recover } from './happenings.ts';
import type { Told } from './package-cluster.ts';
import { RowSet } from './row-set.ts';
import { rowLength, type State } from './state.ts';
import { decodeWorld, encodeWorld, serves } from './world.ts';

/** Rounds of commands; a switch may have to be put back for each member. */
const rounds = 6;
/** Steps in which whatever goes on by itself has come to rest. */
const mostSteps = 2000;

export function isServed(state: State): boolean {
  const { pkg, owner } = state.view;
  return pkg?.status === 'up' && owner >= 0 && serves(state.world(owner)) && state.world(owner).monitor === 'yes';
}

export class Calm {
  /** The one it walks with: load it, then ask. */
  readonly state: State;
  readonly #inside: readonly Happening[];
  readonly #row = new Int32Array(rowLength);
  readonly #mended = new Map<number, number>();
  /** Mended states from which the way was walked to its good end. */
  readonly #good = new RowSet();
  /** Of the states that were asked for: served by themselves, and by commands. */
  readonly commandsTyped = new Map<string, number>();

  constructor(state: State) {
    this.state = state;
    this.#inside = inside(state.members);
  }

  /** Mended states that were walked from. */
  get walked(): number {
    return this.#good.size;
  }

  /** null: it is served in the end. Otherwise what was tried in vain. Changes the state it was made with. */
  async fromHere(): Promise<string | null> {
    const { state } = this;
    this.#mend();
    state.store(this.#row, 0);
    const before = this.#good.size;
    this.#good.add(this.#row);
    if (this.#good.size === before) return null;
    if (!(await this.#settles())) return 'what goes on by itself never comes to rest';
    const typed: string[] = [];
    for (let round = 0; round < rounds && !isServed(state); round += 1)
      if (!(await this.#followAdvice(typed))) return `after ${typed.join('; ') || 'no command'} it never comes to rest`;
    if (!isServed(state)) return `not served after ${typed.join('; ') || 'no command at all'}`;
    for (const command of new Set(typed)) this.commandsTyped.set(command, (this.commandsTyped.get(command) ?? 0) + 1);
    return null;
  }

  /** Faults stop: cables, disks, programs and whoever hangs. Nothing of the package is touched. */
  #mend(): void {
    const { state } = this;
    state.members.forEach((name, member) => {
      const code = state.worlds[member] ?? 0;
      const whole = this.#mended.get(code) ?? mended(code);
      this.#mended.set(code, whole);
      const wasDown = state.world(member).link === 'down';
      if (whole !== code) state.disturb(member);
      state.worlds[member] = whole;
      if (wasDown) state.tell({ kind: 'subnet-changed', member: name, subnet: state.settings.packageSubnet, status: 'up' });
    });
  }

  /** False: it does not come to rest. */
  async #settles(): Promise<boolean> {
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
      if (!moved) return true;
    }
    return false;
  }

  async #followAdvice(typed: string[]): Promise<boolean> {
    const { state } = this;
    if (applyEnds(state)) typed.push('csync apply');
    state.members.forEach((_, member) => {
      if (recover(state, member)) typed.push('csync recover');
    });
    if (!(await this.#settles())) return false;
    const { pkg, state: cluster } = state.view;
    if (pkg === undefined || isServed(state)) return true;
    // What the refusal to leave maintenance says: halt it first.
    const leave =
      pkg.status === 'up' ? [`cmhaltpkg ${pkg.name}`, `cmmodpkg -m off ${pkg.name}`] : [`cmmodpkg -m off ${pkg.name}`];
    const commands = [...(pkg.maintenance.on ? leave : []), ...wayBack(cluster, pkg)];
    for (const command of commands) {
      const told = eventOf(command.split(' '));
      if (told === null) continue;
      typed.push(command);
      state.tell(told);
      if (!(await this.#settles())) return false;
    }
    return true;
  }
}

function mended(code: number): number {
  const world = decodeWorld(code);
  const holder = world.holder === 'stuck' || world.holder === 'somebody' ? 'nobody' : world.holder;
  return encodeWorld({ ...world, link: 'up', disk: 'there', startable: 'yes', holder });
}

function eventOf([command, ...words]: readonly string[]): Told | null {
  const packages = [words.at(-1) ?? ''];
  const named = words.includes('-n') ? [words[words.indexOf('-n') + 1] ?? ''] : [];
  if (command === 'cmruncl') return { kind: 'cluster-run', members: [] };
  if (command === 'cmrunnode') return { kind: 'member-run', members: packages };
  if (command === 'cmhaltpkg') return { kind: 'package-halt', packages, members: [], force: words.includes('-f') };
  if (command !== 'cmmodpkg') return null;
  if (words[0] === '-m') return { kind: 'package-maintenance', packages, on: false, members: [] };
  return { kind: 'package-switch', packages, enable: true, members: named };
}
