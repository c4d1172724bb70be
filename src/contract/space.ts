/** How much room a file system has, as stat(1) prints it, and when that is told. Pure, but for the text of a command. */
import { shellWord } from '../base/shell-word.ts';

/** Blocks for whoever is not root, all blocks, bytes of one; the same of inodes, of which some file systems count none. */
const format = '%a %b %S %d %c';

export const spaceCommand = (directory: string): string[] => ['stat', '-f', '-c', format, '--', directory];

/** A line `space ...` for each directory, where it is mounted or not. */
export const spaceLine = (directory: string): string =>
  `echo "space $(${spaceCommand(directory).map(shellWord).join(' ')} 2>/dev/null) "${shellWord(directory)}`;

/** Below both a file system is short: a tenth of it, and so much that nobody needs more. */
const shareLeft = 0.1;
const bytesLeft = 1024 ** 3;
const inodesLeft = 10_000;

/** What a file system has: room enough, too little of something, or nobody can tell. */
export type Room = 'enough' | 'unknown' | { readonly short: string };

/** By what the command printed; one that failed printed nothing. */
export function roomBy(said: string): Room {
  const [free, all, bytes, freeInodes, inodes] = (/^(\d+) (\d+) (\d+) (\d+) (\d+)\b/.exec(said) ?? []).slice(1).map(Number);
  if (free === undefined || all === undefined || bytes === undefined || freeInodes === undefined || inodes === undefined)
    return 'unknown';
  const percent = (part: number, whole: number): string => `${Math.floor((100 * part) / whole)} %`;
  const short: string[] = [];
  if (free < all * shareLeft && free * bytes < bytesLeft)
    short.push(`${Math.floor((free * bytes) / 1024 ** 2)} MB (${percent(free, all)}) are left`);
  if (freeInodes < inodes * shareLeft && freeInodes < inodesLeft)
    short.push(`${freeInodes} inodes (${percent(freeInodes, inodes)}) are left`);
  return short.length === 0 ? 'enough' : { short: short.join(', ') };
}

/** What is worth a line of the policy file system; null: it has room enough. */
export function roomText(room: Room): string | null {
  if (room === 'enough') return null;
  return room === 'unknown'
    ? 'how much room the policy file system has is not known: stat -f does not answer'
    : `on the policy file system ${room.short}`;
}
