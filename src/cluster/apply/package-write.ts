/** Scripts that write a member's package directory, completely or not at all, and read it. */

import { shellWord } from '../../base/shell-word.ts';
import { isElsewhere, type RenderedFile, runtimeName, setsName, sha256 } from '../../contract/package-directory.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { Argv, Commands, EngineChoice } from '../../engine/engine.ts';
import { arrivalPrefix, runningLines } from '../remote/package-look.ts';
import {
  busyStatus,
  commandWords,
  directoryWord,
  engineScript,
  mountedTest,
  receiveLines,
  script,
} from '../remote/shell-text.ts';

/** `content` is sent byte by byte. */
export interface FileToSend {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** With $directory: removes the arrivals of killed applies, not one in use. */
export const sweepLines: readonly string[] = [
  `for left in "$directory"/${arrivalPrefix}*; do`,
  '  if [ -d "$left" ]; then flock -n "$left" rm -rf -- "$left" || :; fi',
  'done',
];

/** With $directory, and $arrival on the same file system. If the script exits in between, the files `names` are restored from hard links. */
function settlingLines(names: readonly string[]): {
  readonly onLeave: readonly string[];
  readonly begin: readonly string[];
  readonly end: string;
} {
  const all = names.map(shellWord).join(' ');
  return {
    onLeave: [
      // Also a dangling link.
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

/** Only root may read the history; every user the rest. */
function madeDirectory(name: string): string {
  const parts = name.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'));
  const mode = name.startsWith(`${setsName}/`) ? '755' : '700';
  return `mkdir -p -m ${mode} -- ${parts.map((part) => `"$directory"/${shellWord(part)}`).join(' ')}`;
}

/** Complete or not at all, also on another file system. An older file of that name still works for what is applied. */
function installLines(staged: string, path: string): string[] {
  const [there, arriving] = [shellWord(path), shellWord(`${path}.csync-new`)];
  return [
    `mkdir -p -m 755 -- ${shellWord(path.slice(0, path.lastIndexOf('/')))}`,
    `cp -p -- ${staged} ${arriving}`,
    `sync ${arriving}`,
    `mv -f -- ${arriving} ${there}`,
  ];
}

/**
 * All files or none: staged on the same file system, checked by digest, synced, renamed in order, then `removals`. A flock allows one writer.
 * A proved runtime (`arrival`, its directory) is renamed with them. A failed rename is rolled back. A kill between renames leaves some new
 * files; the manifest is last and then does not match.
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
  const isHere = ({ name }: { readonly name: string }): boolean => !isElsewhere(name);
  const settle = files.flatMap((file, index) =>
    isHere(file) ? [`mv -f -- ${staged(index)} "$directory"/${shellWord(file.name)}`] : [],
  );
  const install = files.flatMap((file, index) => (isHere(file) ? [] : installLines(staged(index), file.name)));
  const above = (names: readonly string[]): string[] => [
    ...new Set(names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : []))),
  ];
  const own = files.filter(isHere).map(({ name }) => name);
  const settling = settlingLines([...(arrival === null ? [] : [runtimeName]), ...own, ...removals]);
  const runtime = shellWord(runtimeName);
  const brought = arrival === null ? '' : `"$directory"/${shellWord(arrival)}`;
  return script(
    'set -eu',
    `directory=${directoryWord(packageDirectory)}`,
    'mkdir -p -m 755 -- "$directory"',
    ...above(own).map((name) => madeDirectory(name)),
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply is writing to $directory" >&2; exit ${busyStatus}; }`,
    ...(arrival === null
      ? []
      : [
          `[ -x ${brought}/node ] || { echo "the carried runtime is missing: another apply removed it" >&2; exit 1; }`,
          `mkdir -p -m 755 -- "$directory/$(dirname ${runtime})"`,
        ]),
    // We have the lock: a killed apply left it.
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
    ...install,
    ...settling.begin,
    // Processes that run the old file keep it.
    ...(arrival === null ? [] : [`mv -f -- ${brought}/node "$directory"/${runtime}`, `rm -rf -- ${brought}`]),
    ...settle,
    ...removals.map((name) => `rm -f -- "$directory"/${shellWord(name)}`),
    settling.end,
    ...above(removals).map((name) => `rmdir -- "$directory"/${shellWord(name)} 2>/dev/null || :`),
    ...sweepLines,
    `sync "$directory" ${above(own)
      .map((name) => `"$directory"/${shellWord(name)}`)
      .join(' ')}`.trimEnd(),
  );
}

/** Of a running set where no monitor of it runs: a start of version 0.1.0 left it unchanged. */
export function forgetScript(packageDirectory: string): string {
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    ...runningLines,
    '[ -n "$running" ] || exit 0',
    `pgrep -f -- "/${setsName}/$running/csync-monitor[.]cjs" > /dev/null || rm -f -- "$mark"`,
  );
}

/** And the files of version 0.1.0. Never a set that the package names or runs. */
export function sweepSetsScript(place: SweepPlace, sets: readonly string[], flat: readonly string[]): string {
  const { packageDirectory, mountPoint } = place;
  const words = (names: readonly string[]): string => names.map((name) => `"$directory"/${shellWord(name)}`).join(' ');
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    ...runningLines,
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply writes to $directory at this moment" >&2; exit ${busyStatus}; }`,
    `applied=$(${engineFor(place).definition.showLine(place.packageName)}) || exit 0`,
    `for set in ${sets.map(shellWord).join(' ')}; do`,
    '  [ "$set" != "$running" ] || continue',
    '  case $applied in *"$set"*) ;; *) rm -rf -- "$directory/sets/$set" ;; esac',
    'done',
    // No start mark: the mounted package is of version 0.1.0.
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

export interface SweepPlace extends EngineChoice {
  readonly packageName: string;
  readonly packageDirectory: string;
  readonly mountPoint: string;
}

/**
 * Halt, change and run in one script with its own session: a short downtime, and a lost connection leaves nothing halted. `back` always runs
 * after the halt, also with the old configuration.
 */
export function switchScript(packageDirectory: string, halt: Commands, between: Commands, back: Commands): string {
  const step = (argv: Argv, at: number, otherwise = ':'): string =>
    `${commandWords(argv, packageDirectory)} < /dev/null 9>&- || { failed="$failed ${at}"; ${otherwise}; }`;
  const change = engineScript(
    `directory=${directoryWord(packageDirectory)}`,
    'exec 9> "$directory/.csync-lock"',
    `flock -n 9 || { echo "another apply is writing to $directory"; exit ${busyStatus}; }`,
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
    // The connection may be lost.
    'said=$(mktemp "$directory/.csync-switch.XXXXXX") || exit 1',
    `cat > "$said.sh" <<'END-OF-CHANGE'`,
    `${change}END-OF-CHANGE`,
    'setsid /bin/sh "$said.sh" > "$said" 2>&1 < /dev/null &',
    'wait $!; status=$?',
    'cat "$said"; rm -f -- "$said" "$said.sh"',
    'exit "$status"',
  );
}

/** Of the failed commands. null: the script did not finish. */
export function readSwitch(output: string): number[] {
  const said = /^failed:((?: \d+)*)$/m.exec(output)?.[1] ?? '';
  return said.split(' ').filter(Boolean).map(Number);
}

/** JSON lines about all sets. */
export function historyScript(packageDirectory: string): string {
  return script(`cat ${directoryWord(packageDirectory)}/history/*.json 2>/dev/null`, 'exit 0');
}

/** In the format of printedFiles. */
export function printFilesScript(packageDirectory: string, names: readonly string[]): string {
  return script(
    `cd ${directoryWord(packageDirectory)} || exit 1`,
    ...names.map((name) => `echo "file $(base64 -w 0 ${shellWord(name)}) "${shellWord(name)}`),
  );
}

/** By name, from printFilesScript. */
export function printedFiles(output: string): Map<string, string> {
  const found = [...output.matchAll(/^file (\S*) (.+)$/gm)];
  return new Map(found.map(([, content = '', name = '']) => [name, Buffer.from(content, 'base64').toString('utf8')]));
}

/** As sent to a member, with those that the engine needs in another place. */
export function asSent(files: readonly RenderedFile[], choice: EngineChoice): FileToSend[] {
  const { installs } = engineFor(choice).definition;
  const elsewhere = files.flatMap((file) => {
    const path = installs.get(file.name);
    return path === undefined ? [] : [{ ...file, name: path }];
  });
  return [...files, ...elsewhere].map(({ name, mode, text }) => ({ name, mode, content: Buffer.from(text) }));
}
