/**
 * The shell scripts that look at and write a package directory on a member, and the readers of what they print. Plain
 * POSIX shell with coreutils and flock, so that a member needs nothing of ours. Pure: text in, text out.
 *
 * Each script is one function that is called in its last line: one that arrives cut short is a syntax error and does
 * nothing.
 */
import { maintenanceFileName } from '../member/judgements.ts';
import { sha256 } from '../render/package.ts';

/** A file of a package directory as it lies on a member. */
export interface FileFacts {
  /** Relative to the package directory. */
  readonly name: string;
  readonly mode: number;
  readonly digest: string;
}

export interface DirectoryFacts {
  /** With $SGCONF expanded. */
  readonly directory: string;
  readonly files: readonly FileFacts[];
  /** manifest.json of the last render that arrived there. */
  readonly manifest: string | null;
  /** What the Node.js binary of the settings says there; null when it cannot be run. */
  readonly nodeVersion: string | null;
}

/** A file to be written; `content` is what arrives, byte by byte. */
export interface FileToSend {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** Exit status of a script that finds another apply at work in the same directory. */
export const busyStatus = 75;

/** A word that the shell takes literally. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** $SGCONF and the like are expanded by the member's own cmcluster.conf [serviceguard.md 1.1]; nothing else is. */
function directoryWord(packageDirectory: string): string {
  return `"${packageDirectory}"`;
}

/** A script for a member: one function, with the variables of Serviceguard. */
export function script(...lines: readonly string[]): string {
  const head = [
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL',
    'configuration=/etc/cmcluster.conf',
    '[ -r "$configuration" ] || { echo "$configuration cannot be read: Serviceguard is not installed here" >&2; exit 69; }',
    '. "$configuration"',
  ];
  return `main() {\n${[...head, ...lines].join('\n')}\n}\nmain\n`;
}

/** Prints every file of the package directory with mode and digest, the manifest, and the version of Node.js. */
export function lookScript(packageDirectory: string, nodePath: string): string {
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    'echo "directory $directory"',
    `echo "node $(${shellWord(nodePath)} --version 2>/dev/null)"`,
    'cd "$directory" 2>/dev/null || exit 0',
    'for file in * .[!.]* history/*; do',
    '  [ -f "$file" ] || continue',
    '  echo "file $(stat -c %a -- "$file") $(sha256sum < "$file" | cut -c 1-64) $file"',
    'done',
    '[ -f manifest.json ] && echo "manifest $(base64 -w 0 manifest.json)"',
    'exit 0',
  );
}

/** Reads what lookScript printed; null when it is not that. */
export function parseLook(output: string): DirectoryFacts | null {
  const found = { directory: '', files: [] as FileFacts[], manifest: null as string | null, nodeVersion: null as string | null };
  for (const line of output.split('\n')) {
    const [, word = '', rest = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (word === 'directory') found.directory = rest;
    if (word === 'manifest') found.manifest = Buffer.from(rest, 'base64').toString('utf8');
    if (word === 'node') found.nodeVersion = /^v(\d+\.\d+\.\d+)/.exec(rest)?.[1] ?? null;
    const [, mode, digest, name] = /^file ([0-7]+) ([0-9a-f]{64}) (.+)$/.exec(line) ?? [];
    if (mode !== undefined && digest !== undefined && name !== undefined)
      found.files.push({ name, mode: Number.parseInt(mode, 8), digest });
  }
  return found.directory === '' ? null : found;
}

/**
 * Writes all files or none: each is staged on the same file system, its digest compared on arrival, synced, and only then
 * are they renamed into place, in the order given, and `removals` removed. One at a time in a directory (flock).
 */
export function distributeScript(packageDirectory: string, files: readonly FileToSend[], removals: readonly string[]): string {
  const staged = (index: number): string => `"$arrival/${index}"`;
  const receive = files.flatMap(({ content }, index) => [
    `base64 -d > ${staged(index)} <<'END-OF-FILE'`,
    content
      .toString('base64')
      .replace(/.{1,76}/g, '$&\n')
      .trimEnd(),
    'END-OF-FILE',
  ]);
  const digests = files.map(({ content }, index) => `${sha256(content)}  $arrival/${index}`);
  const settle = files.map(({ name }, index) => `mv -f -- ${staged(index)} "$directory"/${shellWord(name)}`);
  const subdirectories = [
    ...new Set(files.flatMap(({ name }) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : []))),
  ];
  return script(
    'set -eu',
    `directory=${directoryWord(packageDirectory)}`,
    'mkdir -p -m 755 -- "$directory"',
    ...subdirectories.map((name) => `mkdir -p -m 700 -- "$directory"/${shellWord(name)}`),
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply writes to $directory at this moment" >&2; exit ${busyStatus}; }`,
    // Nobody else is here: what lies there is left over from one that was killed.
    'rm -rf -- "$directory"/.csync-arrival-*',
    'arrival="$directory/.csync-arrival-$$"',
    'mkdir -m 700 -- "$arrival"',
    'trap \'rm -rf -- "$arrival"\' EXIT',
    "trap 'exit 143' HUP INT TERM",
    'umask 077',
    ...receive,
    'sha256sum -c --quiet - >&2 <<END-OF-DIGESTS',
    ...digests,
    'END-OF-DIGESTS',
    ...files.map(({ mode }, index) => `chmod ${mode.toString(8)} ${staged(index)}`),
    'sync "$arrival"/*',
    ...settle,
    ...removals.map((name) => `rm -f -- "$directory"/${shellWord(name)}`),
    'sync "$directory"',
  );
}

/** A command of Serviceguard's, with its directories in front of the path. */
export function commandScript(argv: readonly string[], packageDirectory: string): string {
  // The package directory is the one word in which $SGCONF has to be expanded.
  const word = (text: string): string => (text.startsWith(packageDirectory) ? `"${text}"` : shellWord(text));
  return script('PATH="$SGSBIN:$PATH"; export PATH', `exec ${argv.map(word).join(' ')} < /dev/null`);
}

/** Prints the lines about all sets of the history. */
export function historyScript(packageDirectory: string): string {
  return script(`cat ${directoryWord(packageDirectory)}/history/*.json 2>/dev/null`, 'exit 0');
}

/** Prints a file of the package directory in base64. */
export function readFileScript(packageDirectory: string, name: string): string {
  return script(`base64 -w 0 ${directoryWord(packageDirectory)}/${shellWord(name)}`);
}

/** What of a member is looked at for its status. */
export interface MemberCondition {
  /** Processes of the cfengine daemon. */
  readonly daemons: number;
  readonly mounted: boolean;
  readonly address: boolean;
  /** Seconds its clock is ahead of the one here, as far as the time for asking lets tell; see `clockDoubt`. */
  readonly clockAhead: number;
  /** Half the seconds the question was under way. */
  readonly clockDoubt: number;
  /** Text of the sentinel on the policy file system; null where it is not mounted or may not be read. */
  readonly sentinel: string | null;
  /** SHA-256 over the served files; null where the policy file system is not mounted or may not be read. */
  readonly policyDigest: string | null;
  /** Text of the file that pauses the monitor; empty: no more than touched. null: it is not there. */
  readonly maintenance: string | null;
}

export interface ConditionPlace {
  readonly daemonName: string;
  readonly mountPoint: string;
  readonly packageAddress: string;
  readonly policyDirectory: string;
  readonly packageDirectory: string;
}

/** Prints what parseCondition reads. Nothing in it needs root. */
export function conditionScript(place: ConditionPlace): string {
  const { daemonName, mountPoint, packageAddress, policyDirectory, packageDirectory } = place;
  const maintenance = directoryWord(`${packageDirectory}/${maintenanceFileName}`);
  const sentinel = shellWord(`${policyDirectory}/csync.sentinel`);
  return script(
    `echo "daemons $(pgrep -c -x ${shellWord(daemonName)})"`,
    `echo "mounted $(grep -c -F ${shellWord(` ${mountPoint} `)} /proc/self/mounts)"`,
    `echo "address $(ip -o -4 addr show | grep -c -F ${shellWord(` ${packageAddress}/`)})"`,
    `[ -r ${sentinel} ] && echo "sentinel $(cat ${sentinel})"`,
    `[ -e ${maintenance} ] && echo "maintenance $(head -n 1 ${maintenance})"`,
    // The sentinel is new at each start; the policy is what clients get.
    `if grep -q -F ${shellWord(` ${mountPoint} `)} /proc/self/mounts && cd ${shellWord(policyDirectory)} 2>/dev/null; then`,
    '  echo "policy $(find . -type f ! -name csync.sentinel -exec sha256sum {} + 2>/dev/null | sort | sha256sum | cut -c 1-64)"',
    'fi',
    'echo "clock $(date +%s.%N)"',
  );
}

/** Reads what conditionScript printed between two moments of this host's clock, in seconds; null when it is not that. */
export function parseCondition(output: string, asked: number, answered: number): MemberCondition | null {
  const said = new Map(output.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]));
  const clock = Number(said.get('clock') ?? Number.NaN);
  if (Number.isNaN(clock)) return null;
  return {
    daemons: Number(said.get('daemons')),
    mounted: Number(said.get('mounted')) > 0,
    address: Number(said.get('address')) > 0,
    clockAhead: clock - (asked + answered) / 2,
    clockDoubt: (answered - asked) / 2,
    sentinel: said.get('sentinel') ?? null,
    policyDigest: said.get('policy') ?? null,
    maintenance: said.get('maintenance') ?? null,
  };
}
