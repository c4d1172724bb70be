/** The shipped brake (src/member/monitor/brake.ts) and the emulated cmviewcl. No time: a failover is less than ten minutes ago, or more. */
import { type ViewRequest, viewCluster } from '../lab/commands/view.ts';
import { loadConnections, type Others, othersFrom, settledMs, whyStay } from '../member/monitor/brake.ts';
import { conclusions } from '../member/monitor/judge.ts';
import type { State } from './state.ts';
import { encodeWorld, isJudged, serves, withoutDaemon } from './world/world.ts';

/** More than the limit of restarts. */
const manyTries = 9;
const asked = { command: 'cmviewcl', verbose: true, format: 'line', level: null } as const;
const everything: ViewRequest = { ...asked, members: [], packages: [], configuration: false };
const known = new WeakMap<object, Map<string, Others | null>>();

function othersOf(state: State, member: number): Others | null {
  const { state: cluster } = state.view;
  const name = state.members[member] ?? '';
  const ofCluster = known.get(cluster) ?? new Map<string, Others | null>();
  known.set(cluster, ofCluster);
  const found = ofCluster.get(name);
  if (found !== undefined) return found;
  const others = othersFrom(viewCluster(cluster, everything).lines.join('\n'), state.settings.packageName, name);
  ofCluster.set(name, others);
  return others;
}

interface Asked {
  readonly hereMs: number;
  readonly failedRestarts: number;
  readonly others: Others | null;
}

function staysWith(state: State, member: number, { hereMs, failedRestarts, others }: Asked): boolean {
  const verdict = state.verdictOf(member);
  if (verdict === null) return true;
  const isBusy = state.isLoaded && state.world(member).address === 'yes';
  const connections = { total: isBusy ? loadConnections : 0, most: null };
  const cameFrom = others?.switchedOff[0] ?? null;
  return (
    whyStay({ ofDaemon: conclusions[verdict.reason].ofDaemon, hereMs, cameFrom, others, connections, failedRestarts }) !== null
  );
}

/** A daemon that can start does so at the first try. */
const failedRestarts = (state: State, member: number): number => (state.world(member).startable === 'yes' ? 0 : manyTries);

/** Ten minutes after the last failover, or without one. */
export function mayLeave(state: State, member: number, others = othersOf(state, member)): boolean {
  if (state.verdictOf(member) === null) return false;
  return !staysWith(state, member, { hereMs: settledMs, failedRestarts: failedRestarts(state, member), others });
}

/** As if each failover had just happened. */
export function restartsInPlace(state: State, member: number): boolean {
  const world = state.world(member);
  const verdict = state.verdictOf(member);
  if (verdict === null || !conclusions[verdict.reason].ofDaemon || world.daemon === 'alive' || world.startable === 'no')
    return false;
  if (!staysWith(state, member, { hereMs: 0, failedRestarts: 0, others: othersOf(state, member) })) return false;
  state.worlds[member] = encodeWorld({ ...withoutDaemon(world), daemon: 'alive' });
  return true;
}

function hasSuccessor(state: State, member: number): boolean {
  const { pkg, state: cluster } = state.view;
  const isAble = (name: string): boolean => cluster.members[name]?.status === 'up' && pkg?.nodeSwitch[name] === true;
  return pkg?.autoRun === true && state.members.some((name, other) => other !== member && isAble(name));
}

/** For a monitor that knows the other members. */
export function rulesOfLeaving(state: State, member: number): readonly string[] {
  const name = state.members[member] ?? '';
  const { daemon, ...rest } = state.world(member);
  const onlyLoad = state.isLoaded && daemon !== 'hung' && rest.startable === 'yes' && serves({ ...rest, daemon: 'alive' });
  return [
    ...(serves(state.world(member)) ? [`the monitor exits although ${name} serves the policy`] : []),
    ...(onlyLoad ? [`the package leaves ${name} because of a load that follows it`] : []),
    ...(hasSuccessor(state, member) ? [] : [`the package leaves ${name} although no other member can run it`]),
  ];
}

/** No other member can run the package: the commands that would move it. null: another can. */
export function keptHere(state: State): readonly string[] | null {
  const { owner, pkg } = state.view;
  if (owner < 0 || pkg?.status !== 'up' || !isJudged(state.world(owner)) || hasSuccessor(state, owner)) return null;
  return state.verdictOf(owner) === null ? null : (othersOf(state, owner)?.remedies ?? []);
}
