/** Carries out the reducer's effects and reports the results. */
import { type PackageContent, packageContent } from '../../serviceguard/package-content.ts';
import type { World } from '../machines/world.ts';
import type { ClusterState, Effect, LabEvent, ScriptEnd } from '../manager/model.ts';
import type { Journal } from './journal.ts';
import { ControlScript, type Phase, phases } from './scripts/control-script.ts';
import { LegacyScript } from './scripts/legacy-script.ts';
import { Services } from './scripts/services.ts';

export interface EffectContext {
  readonly world: World;
  readonly journal: Journal;
  readonly state: () => ClusterState;
  readonly post: (event: LabEvent) => void;
  readonly reply: (effect: Extract<Effect, { kind: 'reply' }>) => void;
  /** As with AUTOSTART_CMCLD=1 [serviceguard.md 6.9]. */
  readonly resetMember: (member: string, why: string) => void;
}

type Performers = { readonly [Kind in Effect['kind']]: (effect: Extract<Effect, { kind: Kind }>) => void };

export class Effects {
  readonly #context: EffectContext;
  readonly services: Services;
  readonly #performers: Performers;

  constructor(context: EffectContext) {
    this.#context = context;
    this.services = new Services(context.world, (died) => {
      const text = `service ${died.service} of ${died.package} exited (${died.how})`;
      context.journal.add({ kind: 'event', what: 'service-died', member: died.member, text });
      context.post({ kind: 'service-died', package: died.package, member: died.member, service: died.service });
    });
    this.#performers = {
      'run-start': (effect) => this.#runStart(effect),
      'run-halt': (effect) => this.#runHalt(effect),
      'restart-service': (effect) => this.#restartService(effect),
      'kill-services': (effect) => void this.services.killAll(effect.member, effect.package),
      'reset-member': (effect) => context.resetMember(effect.member, effect.why),
      reply: (effect) => context.reply(effect),
      log: (effect) =>
        context.journal.add({ kind: 'log', what: 'package-manager', member: effect.member ?? undefined, text: effect.text }),
    };
  }

  perform(effect: Effect): void {
    const performer = this.#performers[effect.kind] as (effect: Effect) => void;
    performer(effect);
  }

  #content(packageName: string): PackageContent {
    const state = this.#context.state().packages[packageName];
    if (state === undefined) throw new Error(`effect for the unknown package ${packageName}`);
    return packageContent(state.config);
  }

  #script(member: string, packageName: string, chosen: readonly string[]): ControlScript | LegacyScript {
    const { world, state } = this.#context;
    const content = this.#content(packageName);
    if (content.legacy !== null) return new LegacyScript(world, member, content);
    return new ControlScript({
      world,
      member,
      content,
      services: this.services,
      phases: phases.filter((phase) => chosen.includes(phase)),
      membersDown: () => state().memberOrder.filter((name) => name !== member && state().members[name]?.state === 'failed'),
    });
  }

  #runStart(effect: Extract<Effect, { kind: 'run-start' }>): void {
    const { package: name, member, upToModule, exceptModule, timeoutSeconds } = effect;
    const last = upToModule === undefined ? phases.length - 1 : phases.indexOf(upToModule as Phase);
    const chosen = phases.filter((phase, index) => index <= last && phase !== exceptModule);
    this.#note(member, 'starting', `start of ${name} begins`);
    const script = this.#script(member, name, chosen);
    void script.start(timeoutSeconds).then((end) => this.#ended('start-ended', script, effect, end));
  }

  #runHalt(effect: Extract<Effect, { kind: 'run-halt' }>): void {
    const { package: name, member, reason, timeoutSeconds } = effect;
    this.#note(member, 'halting', `halt of ${name} begins (${reason})`);
    const script = this.#script(member, name, phases);
    void script.halt(reason, timeoutSeconds).then(async (end) => {
      // What a legacy script did not halt is killed with its package (INFERRED, 4.3).
      if (script instanceof LegacyScript && end.kind === 'exit') await this.services.killAll(member, name);
      this.#ended('halt-ended', script, effect, end);
    });
  }

  #ended(
    kind: 'start-ended' | 'halt-ended',
    script: ControlScript | LegacyScript,
    { package: packageName, member }: { readonly package: string; readonly member: string },
    end: ScriptEnd,
  ): void {
    // Its crash is already reported, with its scripts.
    if (!script.memberIsThere) return;
    const how = end.kind === 'exit' ? `exit status ${end.code}` : 'time-out';
    this.#note(member, kind, `${kind === 'start-ended' ? 'start' : 'halt'} of ${packageName} finished (${how})`);
    this.#context.post({ kind, package: packageName, member, end });
  }

  #restartService(effect: Extract<Effect, { kind: 'restart-service' }>): void {
    const content = this.#content(effect.package);
    const service = content.services.find((candidate) => candidate.name === effect.service);
    if (service !== undefined) void this.services.start(effect.member, content, service, effect.restarts);
  }

  #note(member: string, what: string, text: string): void {
    this.#context.journal.add({ kind: 'event', what, member, text });
  }
}
