/**
 * Runs a drill: checks whether it may start, carries out its row, waits for the expected result, always cleans up, and verifies the final
 * state. A ground provides the cluster: the lab, or members over ssh.
 */

import { type Engine, type PackageStatus, unknownStatus } from '../engine/engine.ts';
import type { JournalEntry } from '../lab/emulation/journal.ts';
import type { Act, Drill, Follows, Part } from './drills/drill-model.ts';
import { drillResult, flagsOf, notFit, uncleanFlags } from './judgement.ts';
import type { DrillResult } from './model.ts';
import { commandsOf } from './orders.ts';

/** The observations, and the hosts where they are incomplete, with the reason. Missing observations of these hosts prove nothing. */
export interface Evidence {
  readonly trace: readonly JournalEntry[];
  readonly missing: readonly string[];
}

/** Where drills run. Every action adds an entry of kind command or fault to the trace. */
export interface DrillGround {
  readonly engine: Engine;
  readonly packageName: string;
  readonly members: readonly string[];
  readonly clients: readonly string[];
  /** Observations and actions so far, oldest first. Those of other hosts may arrive late, with the time of the observation. */
  trace(): Promise<readonly JournalEntry[]>;
  /** Like trace, after every host was observed past the moment of the call; waits for that, up to a limit. */
  evidence(): Promise<Evidence>;
  /** Now, by the clock of the trace: all later actions have a later time. */
  mark(): Promise<number>;
  /** The package as the engine reports it. null: unknown to every member. */
  status(): Promise<PackageStatus | null>;
  /** A command of the engine; rejects with its output unless it exits with 0. */
  type(member: string, argv: readonly string[]): Promise<void>;
  /** A shell script run as root; rejects unless it exits with 0. */
  script(member: string, what: string, text: string, script: string): Promise<void>;
  /** Power and cable; null where they cannot be switched. */
  readonly machine: ((member: string, verb: 'crash' | 'boot' | 'cut' | 'heal') => Promise<void>) | null;
  /** Placeholders of scripts: {mount}, {daemon} and so on. */
  readonly words: Readonly<Record<string, string>>;
  /** Violated invariants of a serving package, besides its flags. Empty: all were checked and hold. */
  invariants(): Promise<readonly string[]>;
  /** Why the cluster must not be changed now. Empty: it may. The cleanup of a drill always runs. */
  forbidden(): Promise<readonly string[]>;
  /** Rejects when the run is aborted. */
  pause(milliseconds: number): Promise<void>;
}

/** A timeout, or an action that failed; part of the result. */
class DrillFault extends Error {}

const lookEveryMs = 150;
const settleLimitMs = 40_000;
const followLimitMs = 90_000;
const cleanLimitMs = 60_000;

type Parts = Readonly<Record<Part, string>>;

/** Never rejects for a failure of the cluster, which is the result. Rejects only as `pause` does. */
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

/** Members in the order in which the package tries them: the member list without the active one. */
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

/** Checks repeatedly until the condition holds or the time is over. */
async function waitFor(ground: DrillGround, limitMs: number, is: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await is())) {
    if (performance.now() > end) return false;
    await ground.pause(lookEveryMs);
  }
  return true;
}

/** Why some client may not reach the master, by the complete evidence. Empty: every client does. */
async function unserved(ground: DrillGround): Promise<string[]> {
  const { trace, missing } = await ground.evidence();
  if (missing.length > 0) return [`not measured: ${missing.join('; ')}`];
  const isServed = (client: string): boolean =>
    trace.findLast(({ member, what }) => member === client && /^client-(lost|served)$/.test(what))?.what === 'client-served';
  return ground.clients.every(isServed) ? [] : ['not every client reaches the master'];
}

/** Waits for all clients; returns the reason if they are not served. */
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

/**
 * Monitor, start and halt are node scripts: the first word after node's options. A shell with this pattern in its own command line, and the
 * service in front of the monitor, have another word there.
 */
function signalScript(
  { to, signal, ifThere, whenItRuns }: Extract<Act, { do: 'signal' }>,
  fill: (text: string) => string,
): string {
  const ofNode = (name: string): string => `-f "^[^ ]+( -[^ ]+)* {directory}/[^ ]*csync-${name}[.]cjs "`;
  const find = {
    // In a function, because its name is also that of a daemon in a container.
    daemon: '',
    monitor: ofNode('monitor'),
    startScript: ofNode('start'),
    haltScript: ofNode('halt'),
    front: '-f "^[^ ]*perl {directory}/[^ ]*csync-front[.]pl "',
  }[to];
  const send = (name: string): string => (to === 'daemon' ? `kill -${name} $(daemon_pids)` : `pkill -${name} ${fill(find)}`);
  const known = to === 'daemon' ? `${fill('{daemonPids}')}\n` : '';
  // The drill may be killed; no process may stay stopped.
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

/** The expected result, and every client reaches the master again. */
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

/** Waits until the state is as before; otherwise enables the package once, as an administrator would. Returns what still differs. */
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
  // A daemon that just started, or a mount that just disappeared: repeated until it is stable.
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
