/** Events: by themselves, faults, commands. Each changes a state, or does not apply. */
import type { Settings } from '../settings/settings.ts';
import { mayLeave, restartsInPlace, rulesOfLeaving } from './braking.ts';
import type { Told } from './package-cluster.ts';
import { endScript } from './script-end.ts';
import type { State } from './state.ts';
import { modes } from './world/script-table.ts';
import {
  booted,
  contestedBit,
  decodeWorld,
  encodeWorld,
  holdsPackage,
  isJudged,
  type MemberWorld,
  serves,
  withoutDaemon,
} from './world/world.ts';

export interface Happening {
  /** inside: by itself. Others are counted. */
  readonly kind: 'inside' | 'fault' | 'repair' | 'command';
  readonly isAct?: boolean;
  /** False: impossible now. Describes the event in `state.said`. */
  apply(state: State): boolean;
}

/** A legacy script starts its service itself (cmrunserv). */
export function noteService(state: State, before: MemberWorld): void {
  const { packageStyle, packageName } = state.settings;
  if (packageStyle !== 'legacy' || before.monitor !== 'no' || state.world(state.runner).monitor === 'no') return;
  const member = state.members[state.runner] ?? '';
  state.tell({ kind: 'service-run', package: packageName, member, service: `${packageName}_monitor`, restarts: 0 });
}

function scriptMoves(mode: (typeof modes)[number]): Happening {
  return {
    kind: mode === 'works' ? 'inside' : 'fault',
    isAct: true,
    apply: (state) => {
      if (state.node < 0) return false;
      const { runner, scripts, view } = state;
      const before = state.world(runner);
      const move = scripts.move(state.node, state.worlds[runner] ?? 0, state.shared, view.down, modes.indexOf(mode));
      if (move === undefined) state.isUnknown = true;
      if (move === undefined || !move.applies) return false;
      const word = scripts.wordOf(state.node);
      state.worlds[runner] = move.world;
      state.shared = move.shared;
      state.said = `${state.members[runner]}: ${word}: ${move.what || 'looks'}`;
      if (mode !== 'works') {
        state.isGivenUp = mode === 'hangs' && !state.isDisturbed;
        state.isDisturbed = true;
      }
      noteService(state, before);
      if (move.node >= 0) state.node = move.node;
      else endScript(state, { kind: 'exit', code: move.exit as 0 | 1 | 2 | 3 });
      return true;
    },
  };
}

const timesOut: Happening = {
  kind: 'fault',
  apply: (state) => {
    if (state.node < 0) return false;
    state.said = `${state.members[state.runner]}: the ${state.scripts.wordOf(state.node)} script times out and is killed`;
    state.disturb(state.runner);
    endScript(state, { kind: 'timeout' });
    return true;
  },
};

function turns(kind: 'fault' | 'repair', text: string, apply: (state: State) => boolean): Happening {
  return {
    kind,
    apply: (state) => {
      state.said = text;
      return apply(state);
    },
  };
}

function setContested(state: State, isContested: boolean): boolean {
  if (((state.shared & contestedBit) !== 0) === isContested) return false;
  state.shared ^= contestedBit;
  return true;
}

function setLoad(state: State, isLoaded: boolean): boolean {
  if (state.isLoaded === isLoaded) return false;
  state.isLoaded = isLoaded;
  return true;
}

const ofAll: readonly Happening[] = [
  turns('fault', 'another host answers for the package address', (state) => setContested(state, true)),
  turns('repair', 'no other host answers for the package address', (state) => setContested(state, false)),
  turns('fault', 'more clients connect than a daemon can serve', (state) => setLoad(state, true)),
  turns('repair', 'the clients disconnect', (state) => setLoad(state, false)),
];

const reforms: Happening = {
  kind: 'inside',
  apply: (state) => {
    if (!state.view.isReforming) return false;
    const lost = Object.values(state.view.state.members).filter((member) => member.state === 'unknown');
    state.said = 'the cluster has re-formed';
    state.tell({ kind: 'cluster-reformed', lost: lost.map(({ name }) => name) });
    return true;
  },
};

type OnMember = (state: State, member: number, name: string) => boolean;

function each(state: readonly string[], kind: Happening['kind'], text: string, apply: OnMember): Happening[] {
  return state.map((name, member) => ({
    kind,
    apply: (on: State) => {
      if (!apply(on, member, name)) return false;
      on.said = `${name}: ${text}`;
      return true;
    },
  }));
}

/** On a machine that is up; null: does not apply. Cached for each world. */
function worldly(change: (world: MemberWorld) => Partial<MemberWorld> | null, disturbs = true): OnMember {
  const changed = new Map<number, number>();
  const codeAfter = (code: number): number => {
    const world = decodeWorld(code);
    const changes = world.machine === 'up' ? change(world) : null;
    return changes === null ? notApplying : encodeWorld({ ...world, ...changes });
  };
  return (state, member) => {
    const code = state.worlds[member] ?? 0;
    const after = changed.get(code) ?? codeAfter(code);
    changed.set(code, after);
    if (after === notApplying) return false;
    state.worlds[member] = after;
    if (disturbs) state.disturb(member);
    return true;
  };
}

const notApplying = -1;

/** One object a member: the package manager's table finds it at once. */
function telling(make: (settings: Settings, name: string) => Told): OnMember {
  const made: Told[] = [];
  return (state, member, name) => {
    made[member] ??= make(state.settings, name);
    state.tell(made[member]);
    return true;
  };
}

function monitorEnding(): OnMember {
  const tell = telling(({ packageName }, member) => ({
    kind: 'service-died',
    package: packageName,
    member,
    service: `${packageName}_monitor`,
  }));
  return (state, member, name) => {
    state.change(member, { monitor: 'no' });
    // During a start; judged after it.
    state.disturb(member);
    return tell(state, member, name);
  };
}

function setLink(link: 'up' | 'down'): OnMember {
  const tell = telling(({ packageSubnet }, member) => ({ kind: 'subnet-changed', member, subnet: packageSubnet, status: link }));
  return (state, member, name) => {
    if (state.world(member).link === link) return false;
    state.change(member, { link });
    state.disturb(member);
    return tell(state, member, name);
  };
}

function crashing(): OnMember {
  const tell = telling((_, member) => ({ kind: 'member-crashed', member }));
  return (state, member, name) => {
    if (state.world(member).machine === 'down') return false;
    state.loseMachine(member);
    return tell(state, member, name);
  };
}

function booting(): OnMember {
  const tell = telling((_, member) => ({ kind: 'member-booted', member, join: true }));
  return (state, member, name) => {
    if (state.world(member).machine === 'up') return false;
    state.worlds[member] = encodeWorld(booted(state.world(member)));
    return tell(state, member, name);
  };
}

/** As src/cluster/procedures/recovery.ts, on a member that does not run the package. */
export function recover(state: State, member: number): boolean {
  const world = state.world(member);
  const { tag } = state.sharedWorld;
  const isLeft = holdsPackage(world) || tag === member;
  if (world.machine === 'down' || world.holder === 'stuck' || world.disk === 'gone') return false;
  if (!isLeft || state.view.owner === member || state.node >= 0) return false;
  const daemon = world.startable === 'yes' ? 'alive' : world.daemon;
  state.change(member, { address: 'no', mounted: 'no', active: 'no', monitor: 'no', holder: 'none', daemon });
  if (tag === member) state.shared = (state.shared & ~7) | 7;
  return true;
}

/** cmapplyconf accepted it. */
export function applyEnds(state: State): boolean {
  const { members, packageName } = state.settings;
  const files = state.view.state.packages[packageName]?.config;
  if (files === undefined || members.every((_, member) => state.world(member).files === 'sound')) return false;
  for (const member of members.keys()) {
    // A start that found other files fails later for it.
    if (state.world(member).files !== 'sound') state.disturb(member);
    state.change(member, { files: 'sound' });
  }
  state.said = 'csync apply is complete';
  state.tell({ kind: 'configuration-applied', packages: [files] });
  return true;
}

type Change = (world: MemberWorld) => Partial<MemberWorld> | null;
const when = (holds: boolean, changes: Partial<MemberWorld>): Partial<MemberWorld> | null => (holds ? changes : null);
const isFree = ({ mounted, holder }: MemberWorld): boolean => mounted === 'yes' && holder === 'none';

/** Faults that nothing reports, and their repairs. */
const ofWorlds: readonly (readonly ['fault' | 'repair', string, Change])[] = [
  ['fault', 'the daemon is killed', (world) => when(world.daemon !== 'dead', withoutDaemon(world))],
  ['fault', 'the daemon hangs', ({ daemon }) => when(daemon === 'alive', { daemon: 'hung' })],
  ['fault', 'the daemon cannot start', ({ startable }) => when(startable === 'yes', { startable: 'no' })],
  ['repair', 'the daemon can start again', ({ startable }) => when(startable === 'no', { startable: 'yes' })],
  ['fault', 'the monitor is stopped', ({ monitor }) => when(monitor === 'yes', { monitor: 'stopped' })],
  ['fault', 'csync-front.pl is stopped', ({ monitor }) => when(monitor === 'yes', { monitor: 'unheard' })],
  ['repair', 'csync-front.pl is continued', ({ monitor }) => when(monitor === 'unheard', { monitor: 'yes' })],
  ['fault', 'the disk of the log hangs', ({ log }) => when(log === 'writes', { log: 'hangs' })],
  ['repair', 'the disk of the log answers again', ({ log }) => when(log === 'hangs', { log: 'writes' })],
  ['fault', 'the disk fails', ({ disk }) => when(disk === 'there', { disk: 'gone' })],
  ['repair', 'the disk is repaired', ({ disk }) => when(disk === 'gone', { disk: 'there' })],
  ['fault', 'the package address is removed', ({ address }) => when(address === 'yes', { address: 'no' })],
  ['fault', 'a client starts a long transfer', (world) => when(isFree(world) && serves(world), { holder: 'transfer' })],
  ['fault', 'a user works on the policy file system', (world) => when(isFree(world), { holder: 'user' })],
  ['fault', 'a process hangs on the policy file system', (world) => when(isFree(world), { holder: 'stuck' })],
  [
    'repair',
    'the users of the policy file system leave',
    ({ holder }) => when(holder === 'stuck' || holder === 'user', { holder: 'none' }),
  ],
  ['fault', 'an apply is cut off between two files', ({ files }) => when(files === 'sound', { files: 'mixed' })],
];

function faults(members: readonly string[]): Happening[] {
  const on = (kind: Happening['kind'], text: string, apply: OnMember) => each(members, kind, text, apply);
  const monitorEnds = monitorEnding();
  return [
    ...on('fault', 'the machine crashes', crashing()),
    ...on('fault', 'the cable is cut', setLink('down')),
    ...on('repair', 'the cable is repaired', setLink('up')),
    ...on(
      'fault',
      'the monitor is killed',
      (state, member, name) => state.world(member).monitor !== 'no' && monitorEnds(state, member, name),
    ),
    ...on(
      'fault',
      'the monitor exits with its verdict, because cmviewcl does not answer',
      (state, member, name) =>
        isJudged(state.world(member)) &&
        !mayLeave(state, member) &&
        mayLeave(state, member, null) &&
        monitorEnds(state, member, name),
    ),
    ...ofWorlds.flatMap(([kind, text, change]) => on(kind, text, worldly(change))),
    ...ofAll,
  ];
}

function asked(text: string, told: Told): Happening {
  return {
    kind: 'command',
    apply: (state) => {
      const before = state.clusterState;
      state.said = text;
      state.tell(told);
      // False: refused, or without effect.
      return state.clusterState !== before || state.broken.length > 0;
    },
  };
}

function commands(members: readonly string[], name: string): Happening[] {
  const packages = [name];
  const forMember = (member: string): Happening[] => [
    asked(`cmrunpkg -n ${member} ${name}`, {
      kind: 'package-run',
      packages,
      members: [member],
      issuedOn: member,
      anyMember: false,
    }),
    asked(`cmmodpkg -e -n ${member} ${name}`, { kind: 'package-switch', packages, enable: true, members: [member] }),
    asked(`cmmodpkg -d -n ${member} ${name}`, { kind: 'package-switch', packages, enable: false, members: [member] }),
    asked(`cmhaltnode -f ${member}`, { kind: 'member-halt', members: [member], force: true }),
    asked(`cmrunnode ${member}`, { kind: 'member-run', members: [member] }),
  ];
  return [
    asked(`cmhaltpkg ${name}`, { kind: 'package-halt', packages, members: [], force: false }),
    asked(`cmhaltpkg -f ${name}`, { kind: 'package-halt', packages, members: [], force: true }),
    asked(`cmmodpkg -e ${name}`, { kind: 'package-switch', packages, enable: true, members: [] }),
    asked(`cmmodpkg -d ${name}`, { kind: 'package-switch', packages, enable: false, members: [] }),
    asked(`cmmodpkg -m on ${name}`, { kind: 'package-maintenance', packages, on: true, members: [] }),
    asked(`cmmodpkg -m off ${name}`, { kind: 'package-maintenance', packages, on: false, members: [] }),
    asked('cmhaltcl -f', { kind: 'cluster-halt', force: true }),
    asked('cmruncl -v', { kind: 'cluster-run', members: [] }),
    ...members.flatMap(forMember),
    ...each(members, 'command', 'csync recover', recover),
    { kind: 'command', apply: applyEnds },
  ];
}

/** In the order of a calm phase. */
export function inside(members: readonly string[]): Happening[] {
  const monitorEnds = monitorEnding();
  return [
    scriptMoves('works'),
    reforms,
    // Before the verdict: a calm phase takes the first event, and a restart that helps avoids a failover.
    ...each(members, 'inside', 'the brake keeps the package, and the daemon is restarted in place', restartsInPlace),
    ...each(members, 'inside', 'the monitor exits with its verdict', (state, member, name) => {
      if (!mayLeave(state, member)) return false;
      state.broken.push(...rulesOfLeaving(state, member));
      return monitorEnds(state, member, name);
    }),
    ...each(members, 'inside', 'the daemon exits because of too many connections', (state, member) => {
      const world = state.world(member);
      const isReached = state.isLoaded && world.address === 'yes' && world.link === 'up' && world.daemon === 'alive';
      if (!isReached || world.machine === 'down') return false;
      state.worlds[member] = encodeWorld(withoutDaemon(world));
      state.disturb(member);
      return true;
    }),
    ...each(
      members,
      'inside',
      'a new monitor replaces the one that does not answer',
      worldly(({ monitor }) => (monitor === 'stopped' ? { monitor: 'yes' } : null), false),
    ),
    ...each(
      members,
      'inside',
      'the transfer is complete',
      worldly(({ holder, daemon }) => (holder === 'transfer' && daemon !== 'hung' ? { holder: 'none' } : null), false),
    ),
    ...each(members, 'inside', 'the machine is up again', booting()),
  ];
}

export function happenings(members: readonly string[], packageName: string): Happening[] {
  return [
    ...inside(members),
    scriptMoves('fails'),
    scriptMoves('killed'),
    scriptMoves('hangs'),
    timesOut,
    ...faults(members),
    ...commands(members, packageName),
  ];
}
