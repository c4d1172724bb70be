/**
 * Who could change a file that is run, or believed, as root. The whole way to it counts: who can write to a directory can put
 * another file in the place of any in it.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Users and groups that may change it; 0 belongs to both. */
export interface Trusted {
  readonly users: readonly number[];
  readonly groups: readonly number[];
}

export interface Seen {
  readonly place: string;
  readonly user: number;
  readonly group: number;
  /** Permission bits with the sticky one. */
  readonly mode: number;
  /** A directory on the way to what is looked at. */
  readonly above: boolean;
}

const bits = { group: 0o020, others: 0o002, sticky: 0o1000 } as const;

/** A sentence for each stranger who could change it; none is good. Pure. */
export function judgeOwnership({ place, user, group, mode, above }: Seen, { users, groups }: Trusted): string[] {
  // In a sticky directory nobody moves what belongs to others: /tmp is no way in, but nothing that lies open in it is safe.
  const settled = above && (mode & bits.sticky) !== 0;
  return [
    ...(users.includes(user) ? [] : [`${place} belongs to user ${user}`]),
    ...(settled || (mode & bits.group) === 0 || groups.includes(group) ? [] : [`${place} can be written by group ${group}`]),
    ...(settled || (mode & bits.others) === 0 ? [] : [`${place} can be written by everybody`]),
  ];
}

/** Root, and who runs this. */
export function ourselves(): Trusted {
  return { users: [0, process.getuid?.() ?? 0], groups: [0, process.getgid?.() ?? 0] };
}

/** The same for a file or directory and all above it, and for what it leads to where it is a link. Nothing is there: none. */
export function strangersTo(path: string, trusted: Trusted = ourselves()): string[] {
  const found = new Map<string, string[]>();
  for (const end of new Set([path, leadsTo(path)]))
    for (const place of wayTo(end)) {
      const seen = look(place, place !== end);
      if (seen !== null && !found.has(place)) found.set(place, judgeOwnership(seen, trusted));
    }
  return [...found.values()].flat();
}

/**
 * The same for a file that is written: who can put a link in its place decides where it goes. The file itself may belong to
 * anybody.
 */
export function strangersToWriting(path: string): string[] {
  return [...new Set([path, leadsTo(path)].flatMap((end) => strangersTo(dirname(end))))];
}

function leadsTo(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function wayTo(path: string): string[] {
  return dirname(path) === path ? [path] : [...wayTo(dirname(path)), path];
}

function look(place: string, above: boolean): Seen | null {
  try {
    const { uid, gid, mode } = statSync(place);
    return { place, user: uid, group: gid, mode, above };
  } catch {
    return null;
  }
}
