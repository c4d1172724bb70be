/**
 * The history of applied sets, kept on every member (`history/`): one JSON line about each set, and the set. Any member can roll back. Pure
 * except for the compression.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { attempt } from '../../base/attempt.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { FileToSend } from './package-write.ts';

export interface SetAbout {
  readonly number: number;
  readonly at: string;
  /** User and host of the apply. */
  readonly by: string;
  readonly toolkitVersion: string;
  /** Of the rendered files. Equal sets have equal digests. */
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

/** The two files of a new set, and the names of the old files that it pushes out of the history. null: equal to the newest set. */
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

/** The sets of 500 members. Each invalid JSON line costs an exception. */
const mostLines = keptSets * 500;

/** Parses the JSON lines of one or more members. Damaged lines are skipped; the result is ordered and has each set once. */
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

/** The files of a set are a few MB. The limit protects the memory from a damaged file. */
const mostUnpacked = 1 << 26;

/** The files of a set. null: they do not match the line about the set. */
export function readSet(content: Buffer, about: SetAbout): RenderedFile[] | null {
  return attempt(() => {
    const { files } = JSON.parse(gunzipSync(content, { maxOutputLength: mostUnpacked }).toString('utf8')) as {
      files: RenderedFile[];
    };
    return digestOfFiles(files) === about.digest ? files : null;
  }, null);
}
