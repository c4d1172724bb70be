/** Building blocks of the shell texts that verbs run on members. */
import { familyOption } from '../../base/network.ts';
import { shellWord } from '../../base/shell-word.ts';
import { engineShell } from '../../engine/choice/engine-for.ts';
import type { Argv } from '../../engine/engine.ts';
import { notRootStatus } from '../../host/admin/no-answer.ts';

/** Exit status of a script that finds another apply in the same directory. */
export const busyStatus = 75;

/** Only the variables of the engine are expanded on the member. */
export function directoryWord(packageDirectory: string): string {
  return `"${packageDirectory}"`;
}

const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL; umask 022';

/** The lines as one function that is called at the end, so that a truncated script is a syntax error. */
export function wholeOrNothing(...lines: readonly string[]): string {
  return `main() {\n${lines.join('\n')}\n}\nmain\n`;
}

/** A line that exits where the login is another user's: files of root look as if they were missing there. */
export const rootLine = `[ "$(id -u)" = 0 ] || { echo "the login there is user $(id -un), not root" >&2; exit ${notRootStatus}; }`;

/** A script for any host, member or client. */
export function hostScript(...lines: readonly string[]): string {
  return wholeOrNothing(path, ...lines);
}

/** Lines that write data from the script to a file (a word of the shell). No secrets: a shell may put the data into a temporary file. */
export function receiveLines(file: string, content: Buffer): string[] {
  const lines = content.toString('base64').replace(/.{1,76}/g, '$&\n');
  return [`base64 -d > ${file} <<'END-OF-FILE'`, lines.trimEnd(), 'END-OF-FILE'];
}

/** A script for a member: like hostScript, with the variables of its engine. */
export function script(...lines: readonly string[]): string {
  return hostScript(...engineShell.begin, ...lines);
}

/** A script that calls commands of the engine. */
export function engineScript(...lines: readonly string[]): string {
  return script(engineShell.path, ...lines);
}

/** A command of the engine. null: no word of it is in the package directory. */
export function commandScript(argv: Argv, packageDirectory: string | null): string {
  return engineScript(`${commandWords(argv, packageDirectory)} < /dev/null`);
}

/** Only in the package directory, variables are expanded. */
export function commandWords(argv: Argv, packageDirectory: string | null): string {
  return argv
    .map((text) => (packageDirectory !== null && text.startsWith(packageDirectory) ? `"${text}"` : shellWord(text)))
    .join(' ');
}

export function readFileScript(packageDirectory: string, name: string): string {
  return script(`base64 -w 0 ${directoryWord(packageDirectory)}/${shellWord(name)}`);
}

/** Shell tests: a file system is mounted there; the address is on this host. */
export const mountedTest = (mountPoint: string): string => `grep -q -F ${shellWord(` ${mountPoint} `)} /proc/self/mounts`;

export const addressTest = (address: string): string =>
  `ip -o ${familyOption(address)} addr show | grep -q -F ${shellWord(` ${address}/`)}`;
