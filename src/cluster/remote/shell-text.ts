/** Building blocks of shell texts for members. */
import { familyOption } from '../../base/network.ts';
import { shellWord } from '../../base/shell-word.ts';
import { engineShell } from '../../engine/choice/engine-for.ts';
import type { Argv } from '../../engine/engine.ts';
import { notRootStatus } from '../../host/admin/no-answer.ts';

/** Exit status: another apply uses the same directory. */
export const busyStatus = 75;

/** The member expands only the engine's variables. */
export function directoryWord(packageDirectory: string): string {
  return `"${packageDirectory}"`;
}

const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL; umask 022';

/** One function that is called at the end, so that a truncated script is a syntax error. */
export function wholeOrNothing(...lines: readonly string[]): string {
  return `main() {\n${lines.join('\n')}\n}\nmain\n`;
}

/** Exits unless root: files of root look as if they were missing to other users. */
export const rootLine = `[ "$(id -u)" = 0 ] || { echo "the login there is user $(id -un), not root" >&2; exit ${notRootStatus}; }`;

/** For members and clients. */
export function hostScript(...lines: readonly string[]): string {
  return wholeOrNothing(path, ...lines);
}

/** Writes data from the script to a file (a shell word). No secrets: a shell may use a temporary file. */
export function receiveLines(file: string, content: Buffer): string[] {
  const lines = content.toString('base64').replace(/.{1,76}/g, '$&\n');
  return [`base64 -d > ${file} <<'END-OF-FILE'`, lines.trimEnd(), 'END-OF-FILE'];
}

/** As hostScript, for a member: with the engine's variables. */
export function script(...lines: readonly string[]): string {
  return hostScript(...engineShell.begin, ...lines);
}

/** For commands of the engine. */
export function engineScript(...lines: readonly string[]): string {
  return script(engineShell.path, ...lines);
}

/** null: no word of it is in the package directory. */
export function commandScript(argv: Argv, packageDirectory: string | null): string {
  return engineScript(`${commandWords(argv, packageDirectory)} < /dev/null`);
}

/** Expands variables only in the package directory. */
export function commandWords(argv: Argv, packageDirectory: string | null): string {
  return argv
    .map((text) => (packageDirectory !== null && text.startsWith(packageDirectory) ? `"${text}"` : shellWord(text)))
    .join(' ');
}

export function readFileScript(packageDirectory: string, name: string): string {
  return script(`base64 -w 0 ${directoryWord(packageDirectory)}/${shellWord(name)}`);
}

/** Shell tests, on that host. */
export const mountedTest = (mountPoint: string): string => `grep -q -F ${shellWord(` ${mountPoint} `)} /proc/self/mounts`;

export const addressTest = (address: string): string =>
  `ip -o ${familyOption(address)} addr show | grep -q -F ${shellWord(` ${address}/`)}`;
