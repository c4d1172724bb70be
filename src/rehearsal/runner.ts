/** Runs a drill, and always its cleanup. A ground provides the cluster. */

import { type Engine, type PackageStatus, unknownStatus } from '../engine/engine.ts';
import type { JournalEntry } from '../lab/emulation/journal.ts';
import type { Act, Drill, Follows, Part } from './drills/drill-model.ts';
import { drillResult, flagsOf, notFit, uncleanFlags } from './judgement.ts';
import type { DrillResult } from './model.ts';
import { commandsOf } from './orders.ts';

/** `missing`: hosts with an incomplete trace, where an absent entry proves nothing. */
export interface Evidence {
  readonly trace: readonly JournalEntry[];
  readonly missing: readonly string[];
}

/** Each action adds a command or fault to the trace. */
export interface DrillGround {
  readonly engine: Engine;
  readonly packageName: string;
  readonly members: readonly string[];
  readonly clients: readonly string[];
  /** Oldest first. Other hosts' entries may arrive late. */
  trace(): Promise<readonly JournalEntry[]>;
  /** Waits, up to a limit, until every host was observed past the call. */
  evidence(): Promise<Evidence>;
  /** Later actions have a later time. */
  mark(): Promise<number>;
  /** null: unknown to every member. */
  status(): Promise<PackageStatus | null>;
  /** Rejects with the output unless it exits with 0. */
  type(member: string, argv: readonly string[]): Promise<void>;
  /** As root; rejects unless it exits with 0. */
  script(member: string, what: string, text: string, script: string): Promise<void>;
  /** null: machines cannot be switched. */
  readonly machine: ((member: string, verb: 'crash' | 'boot' | 'cut' | 'heal') => Promise<void>) | null;
  /** {mount}, {daemon} and so on. */
  readonly words: Readonly<Record<string, string>>;
  /** Violations while the package serves, besides flags. */
  invariants(): Promise<readonly string[]>;
  /** Why the cluster must not be changed. A cleanup always runs. */
  forbidden(): Promise<readonly string[]>;
  pause(milliseconds: number): Promise<void>;
}

class DrillFault extends Error {}

const lookEveryMs = 150;
const settleLimitMs = 40_000;
const followLimitMs = 90_000;
const cleanLimitMs = 60_000;

type Parts = Readonly<Record<Part, string>>;

/** A failure of the cluster is a result. Rejects only as `pause`. */
export async function runDrill(drill: Drill, ground: DrillGround, say: (line: string) => void): Promise<DrillResult> {
  const startedAt = new Date().toISOString();
  const status = await ground.status();
  const before = flagsOf(status ?? unknownStatus);
  const parts = partsOf(ground.members, status?.owner ?? '');
  const hindrance = await hindranceOf(drill, ground, status);
  const begun = await ground.mark();
  const faults: string[] = [];
  if (hindrance.length > 0) {
    const trace = await ground.trace();
    const seen = { trace, mark: trace.length, end: trace.length, clients: ground.clients, moved: null };
    return drillResult({
      ...{ drill, startedAt, before, after: before, unclean: [], missing: [] },
      ...seen,
      faults: [`not started: ${hindrance.join(', ')}`],
    });
  }
  await attempt(faults, async () => {
    for (const act of drill.acts) {
      const forbidden = await ground.forbidden();
      if (forbidden.length > 0) throw new DrillFault(forbidden.join('; '));
      await perform(act, parts, ground, say);
    }
    await follow(drill.follows, parts, ground);
  });
  const then = await ground.status();
  await ground.evidence();
  const ended = await ground.mark();
  for (const act of drill.cleanup) await attempt(faults, () => perform(act, parts, ground, say), 'clean-up: ');
  const unclean = await settle(ground, before, say);
  const after = await ground.status();
  const { trace, missing } = await ground.evidence();
  const countTo = (time: number): number => trace.filter(({ at }) => at <= time).length;
  return drillResult({
    drill,
    startedAt,
    trace,
    mark: countTo(begun),
    end: countTo(ended),
    before,
    after: after === null ? null : flagsOf(after),
    faults,
    unclean,
    missing,
    clients: ground.clients,
    moved: then?.owner == null || then.owner === parts.master ? null : { from: parts.master, to: then.owner },
  });
}

async function attempt(faults: string[], work: () => Promise<void>, where = ''): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DrillFault)) throw error;
    faults.push(`${where}${error.message}`);
  }
}

function partsOf(members: readonly string[], owner: string): Parts {
  const [next = '', third = ''] = members.filter((member) => member !== owner);
  return { master: owner, next, third };
}

async function hindranceOf(drill: Drill, ground: DrillGround, status: PackageStatus | null): Promise<string[]> {
  if (status === null) return [`${ground.engine.words.viewer} reports nothing about the package`];
  const few = ground.members.length < drill.members ? [`it requires ${drill.members} members`] : [];
  const machine = drill.where === 'lab' && ground.machine === null ? ['it runs in the lab only'] : [];
  const { missing } = await ground.evidence();
  const blind = [...missing, ...(ground.clients.length === 0 ? ['no client can be watched'] : [])];
  const unserved = blind.length > 0 ? blind : await waitServed(ground);
  return [...(await ground.forbidden()), ...few, ...machine, ...notFit(flagsOf(status)), ...unserved];
}

async function waitFor(ground: DrillGround, limitMs: number, is: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await is())) {
    if (performance.now() > end) return false;
    await ground.pause(lookEveryMs);
  }
  return true;
}

/** By complete evidence. Empty: every client reaches the master. */
async function unserved(ground: DrillGround): Promise<string[]> {
  const { trace, missing } = await ground.evidence();
  if (missing.length > 0) return [`not measured: ${missing.join('; ')}`];
  const isServed = (client: string): boolean =>
    trace.findLast(({ member, what }) => member === client && /^client-(lost|served)$/.test(what))?.what === 'client-served';
  return ground.clients.every(isServed) ? [] : ['not every client reaches the master'];
}

async function waitServed(ground: DrillGround): Promise<string[]> {
  let left: string[] = [];
  await waitFor(ground, settleLimitMs, async () => {
    left = await unserved(ground);
    return left.length === 0;
  });
  return left;
}

function isServing(status: PackageStatus | null): boolean {
  return status?.status === 'up' && status.state === 'running' && status.owner !== null;
}

async function perform(act: Act, parts: Parts, ground: DrillGround, say: (line: string) => void): Promise<void> {
  const fill = (text: string): string =>
    text.replaceAll(
      /\{(\w+)\}/g,
      (whole, word: string) => ({ ...ground.words, ...parts, package: ground.packageName })[word] ?? whole,
    );
  const failing = async (what: string, work: Promise<void>): Promise<void> => {
    await work.catch((error: unknown) => {
      throw new DrillFault(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    });
  };
  if (act.do === 'watch') return ground.pause(act.seconds * 1000);
  if (act.do === 'wait') return awaitState(act, parts, ground);
  const member = parts[act.on];
  if (act.do === 'type') {
    for (const argv of commandsOf(act, ground.engine.orders, ground.packageName, (part) => parts[part])) {
      say(`on ${member}: ${argv.join(' ')}`);
      await failing(argv.join(' '), ground.type(member, argv));
    }
    return;
  }
  if (act.do === 'machine') {
    say(`${member}: ${act.verb}`);
    return failing(
      `${act.verb} of ${member}`,
      ground.machine?.(member, act.verb) ?? Promise.reject(new Error('it cannot be switched')),
    );
  }
  const [what, text, script] =
    act.do === 'signal'
      ? [
          `signal-${act.to}`,
          `${fill(`{${act.to}}`)} gets SIG${act.signal}${act.whenItRuns ? ' as soon as it runs' : ''}`,
          signalScript(act, fill),
        ]
      : ['script', fill(act.text), fill(act.script)];
  say(`on ${member}: ${text}`);
  return failing(text, ground.script(member, what, text, script));
}

/** Node scripts: the first word after node's options. Matches no shell with this pattern, nor the service in front of the monitor. */
function signalScript(
  { to, signal, ifThere, whenItRuns }: Extract<Act, { do: 'signal' }>,
  fill: (text: string) => string,
): string {
  const ofNode = (name: string): string => `-f "^[^ ]+( -[^ ]+)* {directory}/[^ ]*csync-${name}[.]cjs "`;
  const find = {
    // A container's daemon may have the same name.
    daemon: '',
    monitor: ofNode('monitor'),
    startScript: ofNode('start'),
    haltScript: ofNode('halt'),
    front: '-f "^[^ ]*perl {directory}/[^ ]*csync-front[.]pl "',
  }[to];
  const send = (name: string): string => (to === 'daemon' ? `kill -${name} $(daemon_pids)` : `pkill -${name} ${fill(find)}`);
  const known = to === 'daemon' ? `${fill('{daemonPids}')}\n` : '';
  // Even if the drill is killed.
  const undo = signal === 'STOP' ? `( sleep 120; ${send('CONT')} ) </dev/null >/dev/null 2>&1 &\n` : '';
  if (whenItRuns === true)
    return `${known}${undo}( n=0; until ${send(signal)} || [ $n = 6000 ]; do n=$((n + 1)); sleep 0.01; done ) </dev/null >/dev/null 2>&1 &`;
  return `${known}${undo}${send(signal)}${ifThere === true ? ' || true' : ''}`;
}

type Wait = Extract<Act, { do: 'wait' }>;

async function awaitState({ until, from = 'master' }: Omit<Wait, 'do'>, parts: Parts, ground: DrillGround): Promise<void> {
  const tests: Readonly<Record<typeof until, readonly [string, () => Promise<boolean>]>> = {
    served: ['the package to run', async () => isServing(await ground.status())],
    down: ['the package to be down', async () => (await ground.status())?.status === 'down'],
    moved: [
      `the package to run elsewhere than on ${parts[from]}`,
      async () => {
        const status = await ground.status();
        return isServing(status) && status?.owner !== parts[from];
      },
    ],
    starting: [
      'a start elsewhere',
      async () => {
        const trace = await ground.trace();
        const deed = trace.findLastIndex(({ kind }) => kind === 'fault');
        return trace.slice(deed).some(({ what, member }) => what === 'starting' && member !== parts.master);
      },
    ],
    ...onPart('master', parts, ground),
    ...onPart('next', parts, ground),
    ...onPart('third', parts, ground),
  };
  const [what, is] = tests[until];
  if (!(await waitFor(ground, followLimitMs, is)))
    throw new DrillFault(`timed out after ${followLimitMs / 1000} s waiting for ${what}`);
}

function onPart<P extends Part>(part: P, parts: Parts, ground: DrillGround) {
  const is = async (): Promise<boolean> => {
    const status = await ground.status();
    return isServing(status) && status?.owner === parts[part];
  };
  return { [part]: [`the package to run on ${parts[part]}`, is] } as unknown as Record<
    P,
    readonly [string, () => Promise<boolean>]
  >;
}

async function follow(follows: Follows, parts: Parts, ground: DrillGround): Promise<void> {
  if (follows === 'stays') {
    const status = await ground.status();
    if (!isServing(status) || status?.owner !== parts.master)
      throw new DrillFault(
        `the package did not stay on ${parts.master}: it is ${status?.state ?? 'unknown'} on ${status?.owner ?? 'no member'}`,
      );
  } else {
    const until = follows === 'moves' ? 'moved' : follows === 'recovers' ? 'served' : follows;
    await awaitState({ until }, parts, ground);
  }
  const left = await waitServed(ground);
  if (left.length > 0) throw new DrillFault(left.join('; '));
}

/** Enables the package once if necessary, as an administrator would. Returns what still differs. */
async function settle(ground: DrillGround, before: ReturnType<typeof flagsOf>, say: (line: string) => void): Promise<string[]> {
  let left: readonly string[] = [];
  const isClean = async (): Promise<boolean> => {
    const status = await ground.status();
    left =
      status === null
        ? [`${ground.engine.words.viewer} reports nothing about the package`]
        : uncleanFlags(before, flagsOf(status));
    if (left.length > 0) return false;
    left = await unserved(ground);
    return left.length === 0;
  };
  if (!(await waitFor(ground, cleanLimitMs, isClean))) {
    await mend(ground, before, say);
    const told = left.map((one) => `${one} (and csync had to repair it)`);
    if (!(await waitFor(ground, cleanLimitMs, isClean))) return [...left];
    return told;
  }
  let broken: readonly string[] = [];
  const holds = async (): Promise<boolean> => {
    broken = await ground.invariants();
    return broken.length === 0;
  };
  await waitFor(ground, settleLimitMs, holds);
  return [...broken];
}

async function mend(ground: DrillGround, before: ReturnType<typeof flagsOf>, say: (line: string) => void): Promise<void> {
  const status = await ground.status();
  const { members, packageName } = ground;
  const { orders } = ground.engine;
  const off = members.filter((member) => before.switching[member] === true && status?.switching.get(member) === false);
  const commands = [
    ...off.flatMap((member) => orders.switchMembersOn(packageName, [member])),
    ...(before.autoRun && status?.autoRun === false ? orders.switchOn(packageName) : []),
  ];
  for (const argv of commands)
    for (const member of members) {
      say(`on ${member}: ${argv.join(' ')}`);
      const done = await ground.type(member, argv).then(
        () => true,
        () => false,
      );
      if (done) break;
    }
}
