/** Random histories of the emulated package manager: for all events, in any order, its promises hold. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refuseOnlineChange } from '../../../src/lab/manager/configuration/online-change.ts';
import { withMembers } from '../../../src/lab/manager/member-change.ts';
import type { ClusterState, Effect, LabEvent, ScriptEnd, Transition } from '../../../src/lab/manager/model.ts';
import { initialState, invariants, reduce } from '../../../src/lab/manager/package-manager.ts';
import type { PackageFile } from '../../../src/serviceguard/package-file.ts';
import { addresses, members, packageOf, spares, subnet } from './lab-cluster.ts';

/** Members and a spare machine, which may become one. */
const machines = [...members, 'delta'] as const;
const member = fc.constantFrom(...machines);
const someMembers = fc.subarray([...machines]);
const pkg = fc.constantFrom('csync', 'web', 'nopkg');
const packages = fc.subarray(['csync', 'web', 'nopkg'], { minLength: 1 });
const end: fc.Arbitrary<ScriptEnd> = fc.oneof(
  fc.record({ kind: fc.constant('exit' as const), code: fc.constantFrom(0, 0, 0, 1, 2, 3) as fc.Arbitrary<0 | 1 | 2 | 3> }),
  fc.constant({ kind: 'timeout' } as const),
);
const on = fc.boolean();

function reconfigured(name: string, on: readonly string[]): PackageFile {
  return packageOf(name, { ip_address: addresses[name === 'csync' ? 0 : 1] }, on);
}

/** What the outside does. Ends of scripts are drawn separately, for scripts that run. */
const outside: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({ kind: fc.constant('cluster-run'), members: someMembers }),
  fc.record({ kind: fc.constant('cluster-halt'), force: on }),
  fc.record({ kind: fc.constant('member-run'), members: fc.subarray([...machines], { minLength: 1 }) }),
  fc.record({ kind: fc.constant('member-halt'), members: fc.subarray([...machines], { minLength: 1 }), force: on }),
  fc.record({
    kind: fc.constant('package-run'),
    packages,
    members: fc.subarray([...machines], { maxLength: 1 }),
    issuedOn: member,
    anyMember: on,
  }),
  fc.record({ kind: fc.constant('package-halt'), packages, members: fc.constant([]), force: on }),
  fc.record({ kind: fc.constant('package-switch'), packages, enable: on, members: someMembers }),
  fc.record({ kind: fc.constant('package-maintenance'), packages, on, members: fc.subarray([...machines], { maxLength: 1 }) }),
  fc.record({
    kind: fc.constant('service-died'),
    package: pkg,
    member,
    service: fc.constantFrom('csync_monitor', 'web_monitor'),
  }),
  fc.record({ kind: fc.constant('member-crashed'), member }),
  fc.record({ kind: fc.constant('cluster-reformed'), lost: someMembers }),
  fc.record({ kind: fc.constant('member-booted'), member, join: on }),
  fc.record({ kind: fc.constant('subnet-changed'), member, subnet: fc.constant(subnet), status: fc.constantFrom('up', 'down') }),
  // A change of the members, alone or with packages whose lists follow; some are refused.
  fc.record({ wanted: someMembers, list: fc.constantFrom('none', 'those', 'all') }).map(({ wanted, list }) => ({
    kind: 'configuration-applied',
    members: wanted,
    packages: list === 'none' ? [] : ['csync', 'web'].map((name) => reconfigured(name, list === 'all' ? ['*'] : wanted)),
  })),
  // An end that no process waits for.
  fc.record({ kind: fc.constantFrom('start-ended', 'halt-ended'), package: pkg, member, end }),
);

type Step = { readonly event: Record<string, unknown> } | { readonly scriptEnds: ScriptEnd; readonly which: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ event: outside }) },
  { weight: 2, arbitrary: fc.record({ scriptEnds: end, which: fc.nat(3) }) },
);
const options = fc.record({ timeoutDisablesMember: on, onlineAddEnablesAutoRun: on, rejoinEnablesMember: on });
const configuration = fc.record({
  node_fail_fast_enabled: fc.constantFrom('yes', 'no'),
  service_fail_fast_enabled: fc.constantFrom('yes', 'no'),
  service_restart: fc.constantFrom('none', '2', 'unlimited'),
  failback_policy: fc.constantFrom('manual', 'automatic'),
  failover_policy: fc.constantFrom('configured_node', 'min_package_node'),
});

const commands = new Set<string>([
  ...['cluster-run', 'cluster-halt', 'member-run', 'member-halt', 'package-run', 'package-halt'],
  ...['package-switch', 'package-maintenance', 'configuration-applied'],
]);

function scriptsIn(state: ClusterState): { package: string; member: string; kind: 'start-ended' | 'halt-ended' }[] {
  return Object.values(state.packages).flatMap((one) =>
    one.pending === null || one.owner === null
      ? []
      : [
          {
            package: one.name,
            member: one.owner,
            kind: one.pending.script === 'start' ? ('start-ended' as const) : ('halt-ended' as const),
          },
        ],
  );
}

/** Follows one history and checks every single transition. */
class History {
  state: ClusterState;
  readonly effects: Effect[] = [];
  /** Packages with a script, by what the effects asked for; kept apart from the reducer's own books. */
  readonly #running = new Map<string, string>();
  readonly #asked = new Set<string>();
  #requests = 0;

  constructor(start: ClusterState) {
    this.state = start;
  }

  feed(told: Record<string, unknown>): void {
    const raw = told.kind === 'configuration-applied' ? this.#checked(told) : told;
    if (raw === null) return;
    this.#requests += 1;
    const event = { request: `r${this.#requests}`, ...raw } as unknown as LabEvent;
    const frozen = JSON.stringify(this.state);
    const one = reduce(this.state, event);
    expect(JSON.stringify(this.state)).toBe(frozen);
    expect(reduce(this.state, event)).toEqual(one);
    if (commands.has(event.kind)) this.#asked.add(`r${this.#requests}`);
    this.#ended(event);
    this.#check(one);
    this.state = one.state;
    this.effects.push(...one.effects);
  }

  /** null: cmapplyconf refuses it before it reaches the package manager. Values of a package stay as they were applied first. */
  #checked(told: Record<string, unknown>): Record<string, unknown> | null {
    const after = withMembers(this.state, (told.members as string[] | undefined) ?? this.state.memberOrder);
    const packages = (told.packages as PackageFile[]).map((file) => {
      const before = this.state.packages[file.name]?.config.lines ?? file.lines;
      const list = file.lines.filter((line) => line.keyword === 'node_name');
      return { ...file, lines: [...list, ...before.filter((line) => line.keyword !== 'node_name')] };
    });
    const refused = packages.flatMap((file) => refuseOnlineChange(this.state.packages[file.name]?.config ?? null, file, after));
    return refused.length === 0 ? { ...told, packages } : null;
  }

  #ended(event: LabEvent): void {
    if (event.kind === 'start-ended' || event.kind === 'halt-ended') {
      const word = event.kind === 'start-ended' ? 'start' : 'halt';
      if (this.#running.get(event.package) === `${word} ${event.member}`) this.#running.delete(event.package);
    }
    const lost = event.kind === 'member-crashed' || event.kind === 'member-booted' ? event.member : null;
    if (lost !== null) this.#lose(lost);
  }

  #lose(lost: string): void {
    for (const [name, script] of this.#running) if (script.endsWith(` ${lost}`)) this.#running.delete(name);
  }

  #check({ state, effects }: Transition): void {
    expect(invariants(state)).toEqual([]);
    for (const effect of effects) {
      if (effect.kind === 'reset-member') this.#lose(effect.member);
      if (effect.kind === 'run-start') this.#mayStart(state, effect);
      if (effect.kind === 'run-start' || effect.kind === 'run-halt') {
        expect(this.#running.get(effect.package), `a script of ${effect.package} runs already`).toBeUndefined();
        this.#running.set(effect.package, `${effect.kind === 'run-start' ? 'start' : 'halt'} ${effect.member}`);
      }
      if (effect.kind === 'reply') expect(this.#asked.delete(effect.request), `${effect.request} is answered once`).toBe(true);
    }
  }

  /** A package starts only in a cluster that knows who is in it, on a member that is switched on for it. */
  #mayStart(state: ClusterState, { package: name, member: place }: Extract<Effect, { kind: 'run-start' }>): void {
    const unsettled = Object.values(state.members).filter((one) => one.state === 'unknown');
    expect(unsettled, 'nothing starts before the cluster has re-formed').toEqual([]);
    expect(state.packages[name]?.nodeSwitch[place], `${name} is switched on for ${place}`).toBe(true);
    expect(state.members[place]).toMatchObject({ status: 'up', machine: 'up', subnets: { [subnet]: 'up' } });
  }

  play(steps: readonly Step[]): void {
    for (const one of steps) {
      if ('event' in one) this.feed(one.event);
      else this.endScript(one.scriptEnds, one.which);
    }
  }

  endScript(how: ScriptEnd, which: number): void {
    const running = scriptsIn(this.state);
    const chosen = running[which % Math.max(1, running.length)];
    if (chosen !== undefined) this.feed({ ...chosen, end: how });
  }

  /** Everything that was broken works again: scripts succeed, machines are up, cables are in. */
  calmDown(): void {
    for (let round = 0; round < 3; round += 1) {
      this.scriptsSucceed();
      this.feed({ kind: 'cluster-reformed', lost: machines });
      for (const name of machines) {
        this.feed({ kind: 'subnet-changed', member: name, subnet, status: 'up' });
        if ((this.state.members[name] ?? this.state.spares[name])?.machine === 'down')
          this.feed({ kind: 'member-booted', member: name, join: true });
      }
    }
    this.scriptsSucceed();
  }

  scriptsSucceed(): void {
    for (let guard = 0; scriptsIn(this.state).length > 0; guard += 1) {
      expect(guard, 'scripts that succeed come to an end').toBeLessThan(100);
      this.endScript({ kind: 'exit', code: 0 }, 0);
    }
  }

  unanswered(): number {
    return this.#asked.size;
  }
}

const history = fc.record({ options, configuration, steps: fc.array(step, { maxLength: 40 }), formed: fc.boolean() });

function play({
  options: chosen,
  configuration: lines,
  steps,
  formed,
}: typeof history extends fc.Arbitrary<infer T> ? T : never): History {
  const run = new History(initialState({ name: 'lab', members, spares, subnets: [subnet], options: chosen }));
  const files = [packageOf('csync', { ...lines, ip_address: addresses[0] }), packageOf('web', { ip_address: addresses[1] })];
  run.feed({ kind: 'configuration-applied', packages: files });
  if (formed) run.feed({ kind: 'cluster-run', members: [] });
  run.play(steps);
  return run;
}

describe('any history of events', () => {
  const runs = Number(process.env.FC_RUNS ?? 400);

  test('keeps the invariants, is deterministic, never runs two scripts of a package, answers a command once', () => {
    fc.assert(
      fc.property(history, (one) => void play(one)),
      { numRuns: runs },
    );
  });

  test('answers every command once scripts exit and members are back', () => {
    fc.assert(
      fc.property(history, (one) => {
        const run = play(one);
        run.calmDown();
        expect(run.unanswered()).toBe(0);
        expect(run.state.operations).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  test('leads back to a served package by the commands the log names, once faults stop', () => {
    fc.assert(
      fc.property(history, (one) => {
        const run = play(one);
        run.calmDown();
        for (let round = 0; round < 4 && run.state.packages.csync?.status !== 'up'; round += 1) followAdvice(run);
        expect(run.state.packages.csync?.status).toBe('up');
      }),
      { numRuns: runs },
    );
  });
});

/** Types what the last log line about the package says; where it was the administrator's own doing, what undoes it. */
function followAdvice(run: History): void {
  const before = run.state.packages.csync;
  const line = run.effects.findLast((effect) => effect.kind === 'log' && concernsCsync(effect));
  const told = line?.kind === 'log' ? (line.text.split(/To start it again: |To start (?:it|one): /)[1] ?? '') : '';
  // Who started the cluster on some members only starts the others as well.
  const join = members.map((name) => `cmrunnode ${name}`).join('; ');
  const own = before?.maintenance.on ? 'cmmodpkg -m off csync; cmmodpkg -e csync' : `cmruncl -v; ${join}; cmmodpkg -e csync`;
  for (const command of `${told}; ${own}`.split('; ')) typeCommand(run, command.split(' '));
  run.calmDown();
}

function concernsCsync({ text, package: about }: Extract<Effect, { kind: 'log' }>): boolean {
  return (about === 'csync' && text.includes('To start it again: ')) || /To start (?:it|one): /.test(text);
}

function typeCommand(run: History, [command, ...words]: string[]): void {
  const packageName = words.at(-1) ?? '';
  const named = words.includes('-n') ? [words[words.indexOf('-n') + 1] ?? ''] : [];
  if (command === 'cmruncl') run.feed({ kind: 'cluster-run', members: [] });
  if (command === 'cmrunnode') run.feed({ kind: 'member-run', members: [packageName] });
  if (command === 'cmhaltpkg')
    run.feed({ kind: 'package-halt', packages: [packageName], members: [], force: words.includes('-f') });
  if (command === 'cmmodpkg' && words[0] === '-m')
    run.feed({ kind: 'package-maintenance', packages: [packageName], on: false, members: [] });
  if (command === 'cmmodpkg' && words[0] === '-e')
    run.feed({ kind: 'package-switch', packages: [packageName], enable: true, members: named });
  run.scriptsSucceed();
}
