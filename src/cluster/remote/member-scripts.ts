/**
 * The shell scripts that look at and write a package directory on a member, and the readers of what they print. Plain
 * POSIX shell with coreutils and flock, so that a member needs nothing of ours. Pure: text in, text out.
 *
 * Each script is one function that is called in its last line: one that arrives cut short is a syntax error and does
 * nothing.
 */
import { gunzipSync } from 'node:zlib';
import { shellWord } from '../../base/shell-word.ts';
import { type MonitorState, monitorStateFile, parseMonitorState } from '../../contract/monitor-state.ts';
import {
  appliedName,
  flatSet,
  isSetName,
  launcherNames,
  manifestName,
  runtimeName,
  setPartOf,
  setsName,
  sha256,
} from '../../contract/package-directory.ts';
import { parseRoster, type Roster, rosterName } from '../../contract/roster.ts';
import { maintenanceFileName, sentinelName } from '../../member/judgements.ts';
import { type Room, roomBy, spaceLine } from '../../member/space.ts';
import type { Settings } from '../../settings/settings.ts';
import { type AddressView, addressViewLines, readAddressView } from './outside.ts';

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
  /** manifest.json of every set there, by the set's name; that of version 0.1.0 as flatSet. */
  readonly manifests: ReadonlyMap<string, string>;
  /** The set that runs there; null: the package does not, or with the files of version 0.1.0. */
  readonly running: string | null;
  /** Text of the file that names the set applied last; null: there is none. */
  readonly applied: string | null;
  /** What the Node.js binary of the settings says there; null when it cannot be run. */
  readonly nodeVersion: string | null;
  /** The same of the runtime in the package directory; null also where there is none. */
  readonly runtimeVersion: string | null;
  /** Directories that a killed apply brought a runtime to, and nobody works with now. */
  readonly leftovers: readonly string[];
}

/** A file to be written; `content` is what arrives, byte by byte. */
export interface FileToSend {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** Exit status of a script that finds another apply at work in the same directory. */
export const busyStatus = 75;

/** Directories a runtime is brought to, beside its place; whoever brings one holds a lock on its directory. */
const arrivalPrefix = '.csync-runtime-';
export const arrivalName = (token: string): string => `${arrivalPrefix}${token}`;

/** In a script that knows $directory: removes what killed applies brought, but nothing that is on its way now. */
export const sweepLines: readonly string[] = [
  `for left in "$directory"/${arrivalPrefix}*; do`,
  '  if [ -d "$left" ]; then flock -n "$left" rm -rf -- "$left" || :; fi',
  'done',
];

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

/** In a script that knows $directory: $running is the set that runs there, as its start wrote it down. */
export const runningLines: readonly string[] = [
  'running=; mark=/run/csync-running$(printf %s "$directory" | tr / -)',
  '[ -O "$mark" ] && [ ! -h "$mark" ] && read -r running _rest < "$mark"',
];

/**
 * In a script that knows $directory: $launcher is what is called by hand for the set that counts. The launcher of a modular package
 * chooses it; a legacy one has it in its path.
 */
export function launcherLines(style: Settings['packageStyle'], name = launcherNames(style)[0] ?? ''): string[] {
  if (style === 'modular') return [`launcher=$directory/${name}`];
  return [
    ...runningLines,
    `applied=; [ ! -r "$directory/${appliedName}" ] || read -r applied _rest < "$directory/${appliedName}"`,
    'lying=$(sed -n "s,^RUN_SCRIPT .*/sets/\\([0-9a-f]*\\)/.*,\\1,p" "$directory"/*.conf 2>/dev/null)',
    `for launcher in "$directory/${setsName}/$running/${name}" "$directory/${setsName}/$applied/${name}" \\`,
    `  "$directory/${name}" "$directory/${setsName}/$lying/${name}"; do [ ! -x "$launcher" ] || break; done`,
  ];
}

/**
 * Prints every file of the package directory with mode and digest, the manifest, and the versions of Node.js. `more` lines
 * print what else is asked for, in words of their own.
 */
export function lookScript(packageDirectory: string, nodePath: string, more: readonly string[] = []): string {
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    'echo "directory $directory"',
    `echo "node $(${shellWord(nodePath)} --version 2>/dev/null)"`,
    ...more,
    'cd "$directory" 2>/dev/null || exit 0',
    `[ ! -e "./${runtimeName}" ] || echo "runtime $("./${runtimeName}" --version 2>/dev/null)"`,
    `for left in ${arrivalPrefix}*; do`,
    '  [ -d "$left" ] && flock -n "$left" true && echo "leftover $left"',
    'done',
    // One process for all files: looking is what is done most, and starting processes is what it would cost.
    'set --',
    `for file in * .[!.]* history/* ${setsName}/*/* ${runtimeName}; do [ -f "$file" ] && set -- "$@" "$file"; done`,
    '[ $# -eq 0 ] || { stat -c "mode %a %n" -- "$@"; sha256sum -- "$@" | sed "s/^/digest /"; } 2>/dev/null',
    `for file in ${manifestName} ${setsName}/*/${manifestName}; do [ -f "$file" ] && echo "manifest $file $(base64 -w 0 "$file")"; done`,
    `[ -f ${appliedName} ] && echo "applied $(head -n 1 ${appliedName})"`,
    ...runningLines,
    '[ -n "$running" ] && echo "running $running"',
    'exit 0',
  );
}

/** Name and digest of a line as sha256sum prints it: two blanks between, or one and the * of a binary file; null for another. */
export function namedDigest(line: string): readonly [name: string, digest: string] | null {
  const [, digest = '', name = ''] = /^(\S+) [ *](.+)$/.exec(line) ?? [];
  return name === '' ? null : [name, digest];
}

/** Reads what lookScript printed; null when it is not that. */
export function parseLook(output: string): DirectoryFacts | null {
  const found = {
    directory: '',
    files: [] as FileFacts[],
    manifests: new Map<string, string>(),
    running: null as string | null,
    applied: null as string | null,
    nodeVersion: null as string | null,
    runtimeVersion: null as string | null,
    leftovers: [] as string[],
  };
  const modes = new Map<string, number>();
  for (const line of output.split('\n')) {
    const [, word = '', rest = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (word === 'directory') found.directory = rest;
    if (word === 'manifest') readManifestLine(rest, found.manifests);
    if (word === 'applied') found.applied = rest;
    if (word === 'running' && isSetName(rest)) found.running = rest;
    if (word === 'node') found.nodeVersion = readNodeVersion(rest);
    if (word === 'runtime') found.runtimeVersion = readNodeVersion(rest);
    if (word === 'leftover') found.leftovers.push(rest);
    const [, octal = '', called = ''] = (word === 'mode' && /^([0-7]+) (.+)$/.exec(rest)) || [];
    if (called !== '') modes.set(called, Number.parseInt(octal, 8));
    const [name = '', digest = ''] = (word === 'digest' && namedDigest(rest)) || [];
    const mode = modes.get(name);
    if (mode !== undefined && /^[0-9a-f]{64}$/.test(digest)) found.files.push({ name, mode, digest });
  }
  return found.directory === '' ? null : found;
}

function readManifestLine(line: string, manifests: Map<string, string>): void {
  const [file = '', text = ''] = line.split(' ');
  const set = file === manifestName ? flatSet : setPartOf(file)?.set;
  if (set !== undefined) manifests.set(set, Buffer.from(text, 'base64').toString('utf8'));
}

/** What node --version printed; null when it is not that. */
export function readNodeVersion(text: string): string | null {
  return /^v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? null;
}

/**
 * Around the lines that put files into place, in a script that knows $directory, and $arrival on the same file system: `names` are as they
 * were if it ends in between. What is there before stays at hand by a second name.
 */
function settlingLines(names: readonly string[]): {
  readonly onLeave: readonly string[];
  readonly begin: readonly string[];
  readonly end: string;
} {
  const all = names.map(shellWord).join(' ');
  return {
    onLeave: [
      // Also a link that leads nowhere.
      'here() { [ -e "$1" ] || [ -L "$1" ]; }',
      'settling=',
      'leave() {',
      '  status=$?; set +e',
      `  set -- ${all}`,
      '  [ -n "$settling" ] || set --',
      '  for name; do',
      '    [ ! "$arrival/was/$name" -ef "$directory/$name" ] || continue',
      '    if here "$arrival/was/$name"; then mv -f -- "$arrival/was/$name" "$directory/$name"; else rm -f -- "$directory/$name"; fi',
      '  done',
      '  rm -rf -- "$arrival"',
      '  exit "$status"',
      '}',
      'trap leave EXIT',
      "trap 'exit 143' HUP INT TERM",
    ],
    begin: [
      `cd -- "$directory"; mkdir -- "$arrival/was"; set -- ${all}`,
      'for name; do shift; ! here "$name" || set -- "$@" "$name"; done',
      '[ $# -eq 0 ] || cp -l -P -p --parents -- "$@" "$arrival/was"',
      'settling=1',
    ],
    end: 'settling=',
  };
}

/** Everybody may read a set, as the rest of the package; the history is root's. */
function madeDirectory(name: string): string {
  const parts = name.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'));
  const mode = name.startsWith(`${setsName}/`) ? '755' : '700';
  return `mkdir -p -m ${mode} -- ${parts.map((part) => `"$directory"/${shellWord(part)}`).join(' ')}`;
}

/**
 * Writes all files or none: each is staged on the same file system, its digest compared on arrival, synced, and only then
 * are they renamed into place, in the order given, and `removals` removed. One at a time in a directory (flock). A runtime
 * that was brought and proved before (`arrival`, its directory) goes into place with them. What fails among the renames is
 * taken back; a kill there leaves the first ones new, which the manifest, renamed as the last one, does not match.
 */
export function distributeScript(
  packageDirectory: string,
  files: readonly FileToSend[],
  removals: readonly string[],
  arrival: string | null = null,
): string {
  const staged = (index: number): string => `"$arrival/${index}"`;
  const receive = files.flatMap(({ content }, index) => receiveLines(staged(index), content));
  const digests = files.map(({ content }, index) => `${sha256(content)}  $arrival/${index}`);
  const settle = files.map(({ name }, index) => `mv -f -- ${staged(index)} "$directory"/${shellWord(name)}`);
  const above = (names: readonly string[]): string[] => [
    ...new Set(names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : []))),
  ];
  const settling = settlingLines([...(arrival === null ? [] : [runtimeName]), ...files.map(({ name }) => name), ...removals]);
  const runtime = shellWord(runtimeName);
  const brought = arrival === null ? '' : `"$directory"/${shellWord(arrival)}`;
  return script(
    'set -eu',
    `directory=${directoryWord(packageDirectory)}`,
    'mkdir -p -m 755 -- "$directory"',
    ...above(files.map(({ name }) => name)).map((name) => madeDirectory(name)),
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply writes to $directory at this moment" >&2; exit ${busyStatus}; }`,
    ...(arrival === null
      ? []
      : [
          `[ -x ${brought}/node ] || { echo "the runtime that was brought here is gone: another apply swept it up" >&2; exit 1; }`,
          `mkdir -p -m 755 -- "$directory/$(dirname ${runtime})"`,
        ]),
    // Nobody else is here: what lies there is left over from one that was killed.
    'rm -rf -- "$directory"/.csync-arrival-*',
    'arrival="$directory/.csync-arrival-$$"',
    'mkdir -m 700 -- "$arrival"',
    ...settling.onLeave,
    'umask 077',
    ...receive,
    ...(files.length === 0 ? [] : ['sha256sum -c --quiet - >&2 <<END-OF-DIGESTS', ...digests, 'END-OF-DIGESTS']),
    ...[...new Set(files.map(({ mode }) => mode))].map((wanted) => {
      const these = files.flatMap(({ mode }, index) => (mode === wanted ? [staged(index)] : []));
      return `chmod ${wanted.toString(8)} ${these.join(' ')}`;
    }),
    ...(files.length === 0 ? [] : ['sync "$arrival"/*']),
    ...settling.begin,
    // Renamed over, so that what runs with the old one goes on with it.
    ...(arrival === null ? [] : [`mv -f -- ${brought}/node "$directory"/${runtime}`, `rm -rf -- ${brought}`]),
    ...settle,
    ...removals.map((name) => `rm -f -- "$directory"/${shellWord(name)}`),
    settling.end,
    ...above(removals).map((name) => `rmdir -- "$directory"/${shellWord(name)} 2>/dev/null || :`),
    ...sweepLines,
    `sync "$directory" ${above(files.map(({ name }) => name))
      .map((name) => `"$directory"/${shellWord(name)}`)
      .join(' ')}`.trimEnd(),
  );
}

/** Removes sets that nobody needs any more, and the files of version 0.1.0. What the package names or runs there stays, whatever was thought. */
export function sweepSetsScript(
  { packageDirectory, packageName, mountPoint }: SweepPlace,
  sets: readonly string[],
  flat: readonly string[],
): string {
  const words = (names: readonly string[]): string => names.map((name) => `"$directory"/${shellWord(name)}`).join(' ');
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    ...runningLines,
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply writes to $directory at this moment" >&2; exit ${busyStatus}; }`,
    `applied=$(PATH="$SGSBIN:$PATH" cmgetconf -p ${shellWord(packageName)} 2>/dev/null) || exit 0`,
    `for set in ${sets.map(shellWord).join(' ')}; do`,
    '  [ "$set" != "$running" ] || continue',
    '  case $applied in *"$set"*) ;; *) rm -rf -- "$directory/sets/$set" ;; esac',
    'done',
    // Without a word of its start what is mounted there is a package of version 0.1.0.
    ...(flat.length === 0
      ? []
      : [
          `if [ -n "$running" ] || ! ${mountedTest(mountPoint)}; then`,
          `  case $applied in *csync_set_digest*|*/sets/*) rm -f -- ${words(flat)} ;; esac`,
          'fi',
        ]),
    'exit 0',
  );
}

export interface SweepPlace {
  readonly packageName: string;
  readonly packageDirectory: string;
  readonly mountPoint: string;
}

/** A command of Serviceguard's, with its directories in front of the path. */
export function commandScript(argv: readonly string[], packageDirectory: string): string {
  return script('PATH="$SGSBIN:$PATH"; export PATH', `${commandWords(argv, packageDirectory)} < /dev/null`);
}

/** The package directory is the one word in which $SGCONF has to be expanded. */
function commandWords(argv: Argv, packageDirectory: string): string {
  return argv.map((text) => (text.startsWith(packageDirectory) ? `"${text}"` : shellWord(text))).join(' ');
}

/**
 * Halts, changes and runs the package in one go, in a session of its own: it is down as short as possible, and whatever becomes of who
 * asked for it, it does not stay down in the middle. `back` comes in any case once it was halted: also with the configuration it had.
 */
export function switchScript(
  packageDirectory: string,
  halt: readonly Argv[],
  between: readonly Argv[],
  back: readonly Argv[],
): string {
  const step = (argv: Argv, at: number, otherwise = ':'): string =>
    `${commandWords(argv, packageDirectory)} < /dev/null 9>&- || { failed="$failed ${at}"; ${otherwise}; }`;
  const change = script(
    'PATH="$SGSBIN:$PATH"; export PATH',
    `directory=${directoryWord(packageDirectory)}`,
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply writes to $directory at this moment"; exit ${busyStatus}; }`,
    'failed=',
    'change() {',
    ...halt.map((argv, at) => step(argv, at, 'return')),
    ...between.map((argv, at) => `[ -n "$failed" ] || ${step(argv, halt.length + at)}`),
    ...back.map((argv, at) => step(argv, halt.length + between.length + at)),
    '}',
    'change; echo "failed:$failed"',
    '[ -z "$failed" ]',
  );
  return script(
    `directory=${directoryWord(packageDirectory)}; umask 077; rm -f -- "$directory"/.csync-switch.*`,
    // What it prints goes to a file: nobody may be there any more to take it.
    'said=$(mktemp "$directory/.csync-switch.XXXXXX") || exit 1',
    `cat > "$said.sh" <<'END-OF-CHANGE'`,
    `${change}END-OF-CHANGE`,
    'setsid /bin/sh "$said.sh" > "$said" 2>&1 < /dev/null &',
    'wait $!; status=$?',
    'cat "$said"; rm -f -- "$said" "$said.sh"',
    'exit "$status"',
  );
}

/** Numbers of the commands that failed, in their order; none where it did not come to its end. */
export function readSwitch(output: string): number[] {
  const said = /^failed:((?: \d+)*)$/m.exec(output)?.[1] ?? '';
  return said.split(' ').filter(Boolean).map(Number);
}

type Argv = readonly string[];

/** Prints the lines about all sets of the history. */
export function historyScript(packageDirectory: string): string {
  return script(`cat ${directoryWord(packageDirectory)}/history/*.json 2>/dev/null`, 'exit 0');
}

/** Prints files of the package directory, for printedFiles. */
export function printFilesScript(packageDirectory: string, names: readonly string[]): string {
  return script(
    `cd ${directoryWord(packageDirectory)} || exit 1`,
    ...names.map((name) => `echo "file $(base64 -w 0 ${shellWord(name)}) "${shellWord(name)}`),
  );
}

/** Texts by name of what printFilesScript printed. */
export function printedFiles(output: string): Map<string, string> {
  const found = [...output.matchAll(/^file (\S*) (.+)$/gm)];
  return new Map(found.map(([, content = '', name = '']) => [name, Buffer.from(content, 'base64').toString('utf8')]));
}

/** Prints a file of the package directory in base64. */
export function readFileScript(packageDirectory: string, name: string): string {
  return script(`base64 -w 0 ${directoryWord(packageDirectory)}/${shellWord(name)}`);
}

/** What a member printed, and between which moments of the clock here it did; in seconds. */
export interface Answer {
  readonly text: string;
  readonly asked: number;
  readonly answered: number;
}

/** A member's clock against the one here. */
export interface Clock {
  /** Seconds it is ahead, as far as the time for asking lets tell. */
  readonly ahead: number;
  /** Half the seconds the question was under way. */
  readonly doubt: number;
}

/** A number as date and pgrep print it. NaN for what else Number() takes for one: Infinity, 0x10, 1e9, nothing. */
export function decimal(text = ''): number {
  return /^\d{1,12}(\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
}

/** What pgrep -c printed. A host without it prints nothing, and shows no daemon. */
export function countOf(said: string | undefined): number {
  return said === '' ? 0 : decimal(said);
}

/** `said`: seconds since the epoch, printed there meanwhile. What is none makes it NaN. */
export function clockBetween(said: string | undefined, { asked, answered }: Pick<Answer, 'asked' | 'answered'>): Clock {
  return { ahead: decimal(said) - (asked + answered) / 2, doubt: (answered - asked) / 2 };
}

/** More than this, beyond doubt, and logs cannot be put side by side; cfengine's own limits are far above. */
const clockLimitSeconds = 2;

export function isClockOff({ ahead, doubt }: Clock): boolean {
  return Math.abs(ahead) - doubt > clockLimitSeconds;
}

/** Such as `3.2 s ahead`. */
export function clockText({ ahead }: Clock): string {
  return `${Math.abs(ahead).toFixed(1)} s ${ahead > 0 ? 'ahead' : 'behind'}`;
}

/** What of a member is looked at for its status. */
export interface MemberCondition {
  /** Processes of the cfengine daemon. */
  readonly daemons: number;
  readonly mounted: boolean;
  readonly address: boolean;
  /** Where this member finds the package address. */
  readonly view: AddressView;
  readonly clock: Clock;
  /** Text of the sentinel on the policy file system; null where it is not mounted or may not be read. */
  readonly sentinel: string | null;
  /** Of the policy file system; null: it is not mounted there. */
  readonly room: Room | null;
  /** SHA-256 over the served files; null where the policy file system is not mounted or may not be read. */
  readonly policyDigest: string | null;
  /** Text of the file that pauses the monitor; empty: no more than touched. null: it is not there. */
  readonly maintenance: string | null;
  /** What the monitor told last; null: none has told anything since the boot. */
  readonly monitor: MonitorState | null;
}

export interface ConditionPlace {
  readonly packageName: string;
  readonly daemonName: string;
  readonly mountPoint: string;
  readonly packageAddress: string;
  readonly policyDirectory: string;
  readonly packageDirectory: string;
}

/** Shell tests that say by their status whether something is mounted there, and whether the address is on the host. */
export const mountedTest = (mountPoint: string): string => `grep -q -F ${shellWord(` ${mountPoint} `)} /proc/self/mounts`;
export const addressTest = (address: string): string => `ip -o -4 addr show | grep -q -F ${shellWord(` ${address}/`)}`;

/** Lines that print what parseCondition reads; nobody has to be root for them. */
export function conditionLines(place: ConditionPlace): string[] {
  const { daemonName, mountPoint, packageAddress, policyDirectory, packageDirectory, packageName } = place;
  const monitor = shellWord(monitorStateFile(packageName));
  const maintenance = directoryWord(`${packageDirectory}/${maintenanceFileName}`);
  const sentinel = shellWord(`${policyDirectory}/${sentinelName}`);
  return [
    `echo "daemons $(pgrep -c -U 0 -x ${shellWord(daemonName)})"`,
    `${mountedTest(mountPoint)} && echo 'mounted 1'`,
    ...addressViewLines(packageAddress, addressTest(packageAddress)),
    `${mountedTest(mountPoint)} && ${spaceLine(mountPoint)}`,
    `[ -r ${sentinel} ] && echo "sentinel $(cat ${sentinel})"`,
    `[ -e ${maintenance} ] && echo "maintenance $(head -n 1 ${maintenance})"`,
    `[ -r ${monitor} ] && echo "monitor $(cat ${monitor})"`,
    // The sentinel is new at each start; the policy is what clients get.
    // Of what this user cannot read all, there is no digest.
    `if ${mountedTest(mountPoint)} && cd ${shellWord(policyDirectory)} 2>/dev/null &&`,
    `  sums=$(find . -type f ! -name ${sentinelName} -exec sha256sum {} + 2>/dev/null); then`,
    `  echo "policy $(printf '%s\\n' "$sums" | sort | sha256sum | cut -c 1-64)"`,
    'fi',
    'echo "clock $(date +%s.%N)"',
  ];
}

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

/** Reads what conditionLines printed; null when it is not that. */
export function parseCondition({ text, asked, answered }: Answer): MemberCondition | null {
  const said = new Map(text.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]));
  const clock = clockBetween(said.get('clock'), { asked, answered });
  const daemons = countOf(said.get('daemons'));
  if (Number.isNaN(clock.ahead) || Number.isNaN(daemons)) return null;
  return {
    daemons,
    mounted: said.has('mounted'),
    address: said.has('address'),
    clock,
    sentinel: said.get('sentinel') ?? null,
    room: said.has('mounted') ? roomBy(said.get('space') ?? '') : null,
    view: readAddressView(said.get('cards'), said.get('behind')),
    policyDigest: said.get('policy') ?? null,
    maintenance: said.get('maintenance') ?? null,
    monitor: parseMonitorState(said.get('monitor') ?? ''),
  };
}
