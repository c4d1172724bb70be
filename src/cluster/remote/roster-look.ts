/** Reads the roster from a member. */

import { gunzipSync } from 'node:zlib';
import { attempt } from '../../base/attempt.ts';
import { parseRoster, type Roster, rosterName } from '../../contract/roster.ts';
import type { Look } from './answers.ts';
import { directoryWord } from './shell-text.ts';

/** A line with the compressed roster, which includes the keys of a thousand clients. */
export function rosterLook(packageDirectory: string): Look<Roster | null> {
  const file = directoryWord(`${packageDirectory}/${rosterName}`);
  return {
    lines: [`[ -r ${file} ] && echo "roster $(gzip -c ${file} | base64 -w 0)"`],
    read: ({ text }) => rosterIn(text),
  };
}

/** A thousand clients take 1 MB; a larger result is not a roster. */
const mostUnpacked = 1 << 26;

/** Parses the output of rosterLook. null: missing or damaged. */
export function rosterIn(text: string): Roster | null {
  const packed = /^roster (\S+)$/m.exec(text)?.[1];
  return attempt(
    () =>
      packed === undefined
        ? null
        : parseRoster(gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: mostUnpacked }).toString('utf8')),
    null,
  );
}
