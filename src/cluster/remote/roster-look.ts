/** The roster as a member has it. */
import { gunzipSync } from 'node:zlib';
import { parseRoster, type Roster, rosterName } from '../../contract/roster.ts';
import { directoryWord } from './shell-text.ts';

/** A line with the roster, which has the keys of a thousand clients, compressed. */
export function rosterLines(packageDirectory: string): string[] {
  const file = directoryWord(`${packageDirectory}/${rosterName}`);
  return [`[ -r ${file} ] && echo "roster $(gzip -c ${file} | base64 -w 0)"`];
}

/** A thousand clients take one MB; what unpacks to so much more is no roster. */
const mostUnpacked = 1 << 26;

/** Reads what rosterLines printed; null when there is none, or no whole one. */
export function rosterIn(text: string): Roster | null {
  const packed = /^roster (\S+)$/m.exec(text)?.[1];
  try {
    return packed === undefined
      ? null
      : parseRoster(gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: mostUnpacked }).toString('utf8'));
  } catch {
    return null;
  }
}
