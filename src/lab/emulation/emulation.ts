import type { World } from '../machines/world.ts';
import type { ClusterState, Effect, LabEvent } from '../manager/model.ts';
import { invariants, reduce } from '../manager/package-manager.ts';
import { Effects } from './effects.ts';
import type { Journal } from './journal.ts';
import type { Services } from './scripts/services.ts';

export type Reply = Extract<Effect, { kind: 'reply' }>;
type RequestEvent = Extract<LabEvent, { request: string }>;
export type Ask = RequestEvent extends infer E ? (E extends RequestEvent ? Omit<E, 'request'> : never) : never;

export interface ClusterInput {
  readonly world: World;
  readonly journal: Journal;
  readonly initial: ClusterState;
  readonly bootMachine: (member: string) => Promise<void>;
}

export class Cluster {
  readonly #input: ClusterInput;
  readonly #effects: Effects;
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  readonly #queue: LabEvent[] = [];
  #state: ClusterState;
  #reducing = false;
  #requests = 0;

  constructor(input: ClusterInput) {
    this.#input = input;
    this.#state = input.initial;
    this.#effects = new Effects({
      world: input.world,
      journal: input.journal,
      state: () => this.#state,
      post: (event) => this.post(event),
      reply: (effect) => this.#answer(effect),
      resetMember: (member, why) => void this.#reset(member, why),
    });
  }

  get state(): ClusterState {
    return this.#state;
  }

  get services(): Services {
    return this.#effects.services;
  }

  /** A run or halt resolves when the script has finished. */
  ask(event: Ask): Promise<Reply> {
    this.#requests += 1;
    const request = `r${this.#requests}`;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.post({ ...event, request } as LabEvent);
    });
  }

  /** Effects may post more, which are queued. */
  post(event: LabEvent): void {
    this.#queue.push(event);
    if (this.#reducing) return;
    this.#reducing = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const { state, effects } = reduce(this.#state, next);
        this.#state = state;
        for (const text of invariants(state)) this.#input.journal.add({ kind: 'violation', what: 'package-manager', text });
        for (const effect of effects) this.#effects.perform(effect);
      }
    } finally {
      this.#reducing = false;
    }
  }

  #answer(reply: Reply): void {
    this.#waiting.get(reply.request)?.(reply);
    this.#waiting.delete(reply.request);
  }

  /** The others detect it after MEMBER_TIMEOUT [serviceguard.md 6.9]. */
  memberLost(member: string): void {
    this.post({ kind: 'member-crashed', member });
    setTimeout(() => this.post({ kind: 'cluster-reformed', lost: [member] }), this.#input.world.spec.memberTimeoutMs);
  }

  async bootMember(member: string): Promise<void> {
    await this.#input.world.boot(member);
    await this.#input.bootMachine(member);
    this.post({ kind: 'member-booted', member, join: true });
    if (!this.#input.world.hasCable(member)) this.#tellOfCable(member);
  }

  async #reset(member: string, why: string): Promise<void> {
    this.#input.journal.add({ kind: 'event', what: 'member-reset', member, text: `is reset: ${why}` });
    await this.#input.world.crash(member);
    // A real reboot takes longer than MEMBER_TIMEOUT.
    await new Promise((resolve) => setTimeout(resolve, this.#input.world.spec.memberTimeoutMs * 1.5));
    await this.bootMember(member);
  }

  async setLink(member: string, up: boolean): Promise<void> {
    await this.#input.world.setLink(member, up);
    // A host without power gets the notice when it boots.
    if (this.#input.world.isUp(member)) this.#tellOfCable(member);
  }

  #tellOfCable(member: string): void {
    const { world } = this.#input;
    const status = world.hasCable(member) ? 'up' : 'down';
    this.post({ kind: 'subnet-changed', member, subnet: world.spec.settings.packageSubnet, status });
  }
}
