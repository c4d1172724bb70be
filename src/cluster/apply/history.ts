/** The history of applied sets, on every member (`history/`): a JSON line about each set, and the set. Pure except for the compression. */

import { gunzipSync, gzipSync } from 'node:zlib';
import { attempt } from '../../base/attempt.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { FileToSend } from './package-write.ts';

export interface SetAbout {
  readonly number: number;
  readonly at: string;
  readonly by: string;
  readonly toolkitVersion: string;
  /** Equal sets have equal digests. */
  readonly digest: string;
  readonly note: string;
}

export const keptSets = 10;
const nameOf = (number: number, suffix: string): string => `history/${String(number).padStart(4, '0')}.${suffix}`;

export const setFileName = (number: number): string => nameOf(number, 'set.gz');

/** The digest covers names, modes and texts. */
export function digestOfFiles(files: readonly RenderedFile[]): string {
  return sha256(JSON.stringify(files.map(({ name, mode, text }) => [name, mode, text])));
}

/** The files of a new set, and the names that it pushes out of the history. null: equal to the newest set. */
export function newSet(
  about: Omit<SetAbout, 'number' | 'digest'>,
  files: readonly RenderedFile[],
  known: readonly SetAbout[],
): { about: SetAbout; files: FileToSend[]; removals: string[] } | null {
  if (known.at(-1)?.digest === digestOfFiles(files)) return null;
  const number = Math.max(0, ...known.map((one) => one.number)) + 1;
  const complete: SetAbout = { number, digest: digestOfFiles(files), ...about };
  const old = known.map((one) => one.number).sort((one, other) => other - one);
  const removals = old.slice(keptSets - 1).flatMap((one) => [nameOf(one, 'json'), setFileName(one)]);
  const content = gzipSync(JSON.stringify({ files }));
  return {
    about: complete,
    files: [
      { name: setFileName(number), mode: 0o600, content },
      { name: nameOf(number, 'json'), mode: 0o600, content: Buffer.from(`${JSON.stringify(complete)}\n`) },
    ],
    removals,
  };
}

/** Of 500 members. Each invalid JSON line costs an exception. */
const mostLines = keptSets * 500;

/** The lines of one or more members, ordered, each set once. Damaged lines are skipped. */
export function parseHistory(text: string): SetAbout[] {
  const sets = new Map<number, SetAbout>();
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  for (const line of lines.slice(0, mostLines)) {
    // An empty line, or one that a full disk truncated.
    attempt(() => {
      const about = JSON.parse(line) as SetAbout;
      if (Number.isInteger(about.number) && typeof about.digest === 'string') sets.set(about.number, about);
    });
  }
  return [...sets.values()].sort((one, other) => one.number - other.number);
}

/** Protects the memory from a damaged file. */
const mostUnpacked = 1 << 26;

/** null: they do not match the line about the set. */
export function readSet(content: Buffer, about: SetAbout): RenderedFile[] | null {
  return attempt(() => {
    const { files } = JSON.parse(gunzipSync(content, { maxOutputLength: mostUnpacked }).toString('utf8')) as {
      files: RenderedFile[];
    };
    return digestOfFiles(files) === about.digest ? files : null;
  }, null);
}
