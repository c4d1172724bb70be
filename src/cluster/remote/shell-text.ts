/** The shell texts that verbs run on members are made of these parts. */
import { shellWord } from '../../base/shell-word.ts';

/** Exit status of a script that finds another apply at work in the same directory. */
export const busyStatus = 75;

/** $SGCONF and the like are expanded by the member's own cmcluster.conf [serviceguard.md 1.1]; nothing else is. */
export function directoryWord(packageDirectory: string): string {
  return `"${packageDirectory}"`;
}

const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL; umask 022';

/** Lines as one function that is called at the end: half of it is a syntax error. */
export function wholeOrNothing(...lines: readonly string[]): string {
  return `main() {\n${lines.join('\n')}\n}\nmain\n`;
}

/** A script for any host, member or client. */
export function hostScript(...lines: readonly string[]): string {
  return wholeOrNothing(path, ...lines);
}

/** Lines that write what arrives in them to a file (a word of the shell). Nothing secret: a shell may put it into a temporary file. */
export function receiveLines(file: string, content: Buffer): string[] {
  const lines = content.toString('base64').replace(/.{1,76}/g, '$&\n');
  return [`base64 -d > ${file} <<'END-OF-FILE'`, lines.trimEnd(), 'END-OF-FILE'];
}

/** A script for a member: as hostScript, with the variables of Serviceguard. */
export function script(...lines: readonly string[]): string {
  return hostScript(
    'configuration=/etc/cmcluster.conf',
    '[ -r "$configuration" ] || { echo "$configuration cannot be read: Serviceguard is not installed here" >&2; exit 69; }',
    // It is run as root; who can write to it is root.
    'open=$(find -H "$configuration" -maxdepth 0 \\( ! -uid 0 -o -perm -002 -o -perm -020 ! -gid 0 \\)) || exit 69',
    '[ -z "$open" ] || [ "$(id -u)" != 0 ] || { echo "others than root could change $configuration: it is not read; chown root and chmod go-w" >&2; exit 69; }',
    '. "$configuration"',
    ...lines,
  );
}

/** A command of Serviceguard's, with its directories in front of the path. */
export function commandScript(argv: readonly string[], packageDirectory: string): string {
  return script('PATH="$SGSBIN:$PATH"; export PATH', `${commandWords(argv, packageDirectory)} < /dev/null`);
}

/** The package directory is the one word in which $SGCONF has to be expanded. */
export function commandWords(argv: Argv, packageDirectory: string): string {
  return argv.map((text) => (text.startsWith(packageDirectory) ? `"${text}"` : shellWord(text))).join(' ');
}

export type Argv = readonly string[];

/** Prints a file of the package directory in base64. */
export function readFileScript(packageDirectory: string, name: string): string {
  return script(`base64 -w 0 ${directoryWord(packageDirectory)}/${shellWord(name)}`);
}

/** Shell tests that say by their status whether something is mounted there, and whether the address is on the host. */
export const mountedTest = (mountPoint: string): string => `grep -q -F ${shellWord(` ${mountPoint} `)} /proc/self/mounts`;

export const addressTest = (address: string): string => `ip -o -4 addr show | grep -q -F ${shellWord(` ${address}/`)}`;
