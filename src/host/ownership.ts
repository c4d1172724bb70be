/** Which users can change a file that root runs or reads, directly or through a parent directory. */

import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt } from '../base/attempt.ts';

export interface Trusted {
  readonly users: readonly number[];
  readonly groups: readonly number[];
}

export interface Seen {
  readonly place: string;
  readonly user: number;
  readonly group: number;
  /** Permission bits and the sticky bit. */
  readonly mode: number;
  readonly above: boolean;
}

const bits = { group: 0o020, others: 0o002, sticky: 0o1000 } as const;

/** A line for each user or group that could change it. Pure. */
export function judgeOwnership({ place, user, group, mode, above }: Seen, { users, groups }: Trusted): string[] {
  // /tmp is safe as a parent; a writable file in it is not.
  const settled = above && (mode & bits.sticky) !== 0;
  return [
    ...(users.includes(user) ? [] : [`${place} belongs to user ${user}`]),
    ...(settled || (mode & bits.group) === 0 || groups.includes(group) ? [] : [`${place} can be written by group ${group}`]),
    ...(settled || (mode & bits.others) === 0 ? [] : [`${place} can be written by everybody`]),
  ];
}

/** Users who may change root's files: root and our own user. */
export function ourselves(): Trusted {
  return { users: [0, process.getuid?.() ?? 0], groups: [0, process.getgid?.() ?? 0] };
}

type Stat = Pick<Seen, 'user' | 'group' | 'mode'>;

/** null: missing. Many files share parents. */
type Stats = Map<string, Stat | null>;

/** Of the path, all parents, and a link's target. None if missing. */
export function strangersTo(path: string, trusted: Trusted = ourselves(), stats: Stats = new Map()): string[] {
  const found = new Map<string, string[]>();
  for (const end of new Set([path, leadsTo(path)]))
    for (const place of wayTo(end)) {
      if (found.has(place)) continue;
      const stat = statOf(place, stats);
      if (stat !== null) found.set(place, judgeOwnership({ place, ...stat, above: place !== end }, trusted));
    }
  return [...found.values()].flat();
}

/** For writing: who can create a link could redirect the file; its owner does not matter. */
export function strangersToWriting(path: string, stats: Stats = new Map()): string[] {
  return [...new Set([path, leadsTo(path)].flatMap((end) => strangersTo(dirname(end), ourselves(), stats)))];
}

function leadsTo(path: string): string {
  return attempt(() => realpathSync.native(path), path);
}

function wayTo(path: string): string[] {
  return dirname(path) === path ? [path] : [...wayTo(dirname(path)), path];
}

function statOf(place: string, stats: Stats): Stat | null {
  const known = stats.get(place);
  if (known !== undefined) return known;
  const stat = attempt((): Stat => {
    const { uid, gid, mode } = statSync(place);
    return { user: uid, group: gid, mode };
  }, null);
  stats.set(place, stat);
  return stat;
}
