/**
 * Numbered sets of what was applied, kept in the package directory of every member (`history/`), so that any member can
 * go back: a line of JSON about the set, and the set itself. Pure but for the compression.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { RenderedFile } from '../../contract/package-directory.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { FileToSend } from './package-write.ts';

export interface SetAbout {
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** User and host that applied it. */
  readonly by: string;
  readonly toolkitVersion: string;
  /** Of the rendered files; equal sets have equal digests. */
  readonly digest: string;
  readonly note: string;
}

export const keptSets = 10;
const nameOf = (number: number, suffix: string): string => `history/${String(number).padStart(4, '0')}.${suffix}`;

export const setFileName = (number: number): string => nameOf(number, 'set.gz');

/** What tells sets apart: names, modes and texts. */
export function digestOfFiles(files: readonly RenderedFile[]): string {
  return sha256(JSON.stringify(files.map(({ name, mode, text }) => [name, mode, text])));
}

/** The two files of a new set, and the names of those that fall out of the history by it; null: the newest says the same. */
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

/** The sets of five hundred members; what is no JSON costs an exception each. */
const mostLines = keptSets * 500;

/** Reads lines about sets, one a line, from one or more members; a damaged line is left out. Ordered, each set once. */
export function parseHistory(text: string): SetAbout[] {
  const sets = new Map<number, SetAbout>();
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  for (const line of lines.slice(0, mostLines)) {
    try {
      const about = JSON.parse(line) as SetAbout;
      if (Number.isInteger(about.number) && typeof about.digest === 'string') sets.set(about.number, about);
    } catch {
      // An empty line, or one that a full disk cut short.
    }
  }
  return [...sets.values()].sort((one, other) => one.number - other.number);
}

/** The files of a set are some MB; what unpacks to more is none, and must not take all memory. */
const mostUnpacked = 1 << 26;

/** The files of a set; null when they are not those the line about it speaks of. */
export function readSet(content: Buffer, about: SetAbout): RenderedFile[] | null {
  try {
    const { files } = JSON.parse(gunzipSync(content, { maxOutputLength: mostUnpacked }).toString('utf8')) as {
      files: RenderedFile[];
    };
    return digestOfFiles(files) === about.digest ? files : null;
  } catch {
    return null;
  }
}
