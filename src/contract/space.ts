/** Room on a file system by stat(1). Pure, except for a command. */
import { shellWord } from '../base/shell-word.ts';

/** Blocks for users other than root, all blocks, bytes of one; the same for inodes, which some file systems do not count. */
const format = '%a %b %S %d %c';

export const spaceCommand = (directory: string): string[] => ['stat', '-f', '-c', format, '--', directory];

/** Prints a line `space ...` for each directory. */
export const spaceLine = (directory: string): string =>
  `echo "space $(${spaceCommand(directory).map(shellWord).join(' ')} 2>/dev/null) "${shellWord(directory)}`;

/** Short below both: a tenth, and an amount that is always enough. */
const shareLeft = 0.1;
const bytesLeft = 1024 ** 3;
const inodesLeft = 10_000;

export type Room = 'enough' | 'unknown' | { readonly short: string };

/** A failed command prints nothing. */
export function roomBy(said: string): Room {
  const [free, all, bytes, freeInodes, inodes] = (/^(\d+) (\d+) (\d+) (\d+) (\d+)\b/.exec(said) ?? []).slice(1).map(Number);
  if (free === undefined || all === undefined || bytes === undefined || freeInodes === undefined || inodes === undefined)
    return 'unknown';
  const percent = (part: number, whole: number): string => `${Math.floor((100 * part) / whole)} %`;
  const short: string[] = [];
  if (free < all * shareLeft && free * bytes < bytesLeft)
    short.push(`${Math.floor((free * bytes) / 1024 ** 2)} MB (${percent(free, all)}) are free`);
  if (freeInodes < inodes * shareLeft && freeInodes < inodesLeft)
    short.push(`${freeInodes} inodes (${percent(freeInodes, inodes)}) are free`);
  return short.length === 0 ? 'enough' : { short: short.join(', ') };
}

/** For the policy file system; null: enough. */
export function roomText(room: Room): string | null {
  if (room === 'enough') return null;
  return room === 'unknown'
    ? 'the free space of the policy file system is unknown: stat -f does not answer'
    : `policy file system: ${room.short}`;
}
