import { wayBack } from '../lab/manager/placement.ts';
import { keptHere } from './braking.ts';
import { applyEnds, recover } from './happenings.ts';
import type { Told } from './package-cluster.ts';
import type { State } from './state.ts';
import { decodeWorld, encodeWorld, isJudged, mountedBit, serves } from './world/world.ts';

export function isServed(state: State): boolean {
  const { pkg, owner } = state.view;
  return pkg?.status === 'up' && owner >= 0 && serves(state.world(owner)) && isJudged(state.world(owner));
}

const mendedWorlds = new Map<number, number>();

function mended(code: number): number {
  const known = mendedWorlds.get(code);
  if (known !== undefined) return known;
  const world = decodeWorld(code);
  const holder = world.holder === 'stuck' || world.holder === 'user' ? 'none' : world.holder;
  const whole = encodeWorld({ ...world, link: 'up', disk: 'there', log: 'writes', startable: 'yes', holder });
  mendedWorlds.set(code, whole);
  return whole;
}

/** Faults stop; nothing of the package changes. */
export function mend(state: State): void {
  state.isLoaded = false;
  state.members.forEach((name, member) => {
    const code = state.worlds[member] ?? 0;
    const whole = mended(code);
    const wasDown = state.world(member).link === 'down';
    if (whole !== code) state.disturb(member);
    state.worlds[member] = whole;
    if (wasDown) state.tell({ kind: 'subnet-changed', member: name, subnet: state.settings.packageSubnet, status: 'up' });
  });
}

/** At once: csync apply for mixed files, csync recover for leftovers. */
export function cleanUp(state: State): string[] {
  const applied = applyEnds(state) ? ['csync apply'] : [];
  return [...applied, ...[...state.members.keys()].filter((member) => recover(state, member)).map(() => 'csync recover')];
}

export interface NamedCommand {
  readonly command: string;
  readonly told: Told;
}

/** From the package manager's log, for maintenance, from the brake. */
export function namedCommands(state: State): NamedCommand[] {
  const { pkg, state: cluster } = state.view;
  if (pkg === undefined) return [];
  const leave = `cmmodpkg -m off ${pkg.name}`;
  // Halt first, as the refusal says.
  const out = pkg.status === 'up' ? [`cmhaltpkg ${pkg.name}`, leave] : [leave];
  // The package manager names nothing for a running package.
  const back = pkg.status === 'up' && !pkg.maintenance.on ? (keptHere(state) ?? []) : wayBack(cluster, pkg);
  return [...(pkg.maintenance.on ? out : []), ...back].flatMap((command) => {
    const told = eventOf(command.split(' '));
    return told === null ? [] : [{ command, told }];
  });
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

/** Invariant I1. */
export function twoMounts(state: State): string | null {
  let count = 0;
  for (const code of state.worlds) if ((code & mountedBit) !== 0) count += 1;
  if (count < 2) return null;
  const mounted = state.members.filter((_, member) => state.world(member).mounted === 'yes');
  return `I1: the policy file system is mounted on ${mounted.join(' and ')} at once`;
}
