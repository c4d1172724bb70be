import { gunzipSync } from 'node:zlib';
import { attempt } from '../../base/attempt.ts';
import { parseRoster, type Roster, rosterName } from '../../contract/roster.ts';
import { directoryWord } from './shell-text.ts';

/** One compressed line: a thousand clients have many keys. */
export function rosterLines(packageDirectory: string): string[] {
  const file = directoryWord(`${packageDirectory}/${rosterName}`);
  return [`[ -r ${file} ] && echo "roster $(gzip -c ${file} | base64 -w 0)"`];
}

/** A thousand clients take 1 MB. */
const mostUnpacked = 1 << 26;

/** null: missing or damaged. Throws a Failure for a roster of a newer csync. */
export function rosterIn(text: string, member?: string): Roster | null {
  const unpacked = unpackedIn(text);
  return unpacked === null ? null : parseRoster(unpacked, member);
}

function unpackedIn(text: string): string | null {
  const packed = /^roster (\S+)$/m.exec(text)?.[1];
  return attempt(
    () =>
      packed === undefined ? null : gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: mostUnpacked }).toString('utf8'),
    null,
  );
}
