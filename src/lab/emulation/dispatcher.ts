/**
 * Calls each executable of the events directory once for each change, on the command's member, with two words, `MEMBER_ADDED: m4`. The
 * words are DSAU's [serviceguard.md 8.3]; the rest is ours (serviceguard.md gap 9).
 */
import * as files from '../../host/lab/lab-files.ts';
import { eventsDirectory } from '../machines/lab-spec.ts';
import type { World } from '../machines/world.ts';
import type { MemberChange } from '../manager/member-change.ts';
import type { Journal } from './journal.ts';

/** A daemon's: no profile, no variables of Serviceguard. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' };
const limitMs = 10 * 60_000;

export class Dispatcher {
  readonly #world: World;
  readonly #journal: Journal;
  #before: Promise<void> = Promise.resolve();

  constructor(world: World, journal: Journal) {
    this.#world = world;
    this.#journal = journal;
  }

  /** One after the other. Never rejects. */
  tell(member: string, change: MemberChange): Promise<void> {
    this.#before = this.#before.then(() => this.#tell(member, change));
    return this.#before;
  }

  async #tell(member: string, { added, removed }: MemberChange): Promise<void> {
    const events = [
      ...removed.map((name) => ['MEMBER_DELETED:', name] as const),
      ...added.map((name) => ['MEMBER_ADDED:', name] as const),
    ];
    for (const event of events) {
      for (const program of this.#programs(member)) await this.#call(member, program, event);
    }
  }

  #programs(member: string): string[] {
    if (!this.#world.isUp(member)) return [];
    const names = files.listDirectory(this.#world.pathOn(member, eventsDirectory)).sort();
    return names.map((name) => `${eventsDirectory}/${name}`);
  }

  async #call(member: string, program: string, event: readonly [string, string]): Promise<void> {
    const words = event.join(' ');
    const note = (what: string, text: string): void =>
      this.#journal.add({ kind: 'event', what, member, text: `${program} ${words} ${text}` });
    try {
      // The member resolves links: from here one would lead to this machine.
      if ((await this.#world.run(member, ['test', '-f', program, '-a', '-x', program])).exitCode !== 0) return;
      const result = await this.#world.run(member, [program, ...event], { env: environment, bare: true, timeoutMs: limitMs });
      const how = result.timedOut
        ? `was killed after ${limitMs / 60_000} minutes`
        : `exited with ${result.exitCode ?? result.signal}`;
      const said = `${result.stdout}${result.stderr}`.trim();
      note('dispatched', said === '' ? how : `${how}:\n${said}`);
    } catch (error) {
      note('dispatched', `could not be called: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
