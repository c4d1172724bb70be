/** Content of the package directory of a member: the script that reads it, and its parser. */

import { shellWord } from '../../base/shell-word.ts';
import {
  appliedName,
  flatSet,
  isSetName,
  launcherNames,
  manifestName,
  runtimeName,
  setPartOf,
  setsName,
} from '../../contract/package-directory.ts';
import { engineShell } from '../../engine/choice/engine-for.ts';
import type { Settings } from '../../settings/settings.ts';
import { lastOf, saidIn } from './answers.ts';
import { directoryWord, script } from './shell-text.ts';

export interface FileFacts {
  /** Relative to the package directory. */
  readonly name: string;
  readonly mode: number;
  readonly digest: string;
}

export interface DirectoryFacts {
  /** With the engine's variables expanded. */
  readonly directory: string;
  readonly files: readonly FileFacts[];
  /** manifest.json of every set, by the set's name; that of version 0.1.0 as flatSet. */
  readonly manifests: ReadonlyMap<string, string>;
  /** The running set. null: the package does not run there, or runs with files of version 0.1.0. */
  readonly running: string | null;
  /** Text of the file that names the applied set. null: no such file. */
  readonly applied: string | null;
  /** Version of the Node.js binary in the settings. null: it cannot be run. */
  readonly nodeVersion: string | null;
  /** The same for the runtime in the package directory; null also if there is none. */
  readonly runtimeVersion: string | null;
  /** Arrival directories of killed applies, not in use. */
  readonly leftovers: readonly string[];
}

/** Arrival directories of runtimes, beside the final place; an apply holds a lock on the one it uses. */
export const arrivalPrefix = '.csync-runtime-';

export const arrivalName = (token: string): string => `${arrivalPrefix}${token}`;

/** For a script that has $directory: $running is the running set, as its start recorded it. */
export const runningLines: readonly string[] = [
  'running=; mark=/run/csync-running$(printf %s "$directory" | tr / -)',
  '[ -O "$mark" ] && [ ! -h "$mark" ] && read -r running _rest < "$mark"',
];

/**
 * For a script that has $directory: $launcher is the launcher to call by hand for the set in force. The launcher of a modular package
 * chooses it; a legacy one has it in its path.
 */
export function launcherLines(style: Settings['packageStyle'], name = launcherNames(style)[0] ?? ''): string[] {
  if (style === 'modular') return [`launcher=$directory/${name}`];
  return [
    ...runningLines,
    `applied=; [ ! -r "$directory/${appliedName}" ] || read -r applied _rest < "$directory/${appliedName}"`,
    engineShell.namedSet,
    `for launcher in "$directory/${setsName}/$running/${name}" "$directory/${setsName}/$applied/${name}" \\`,
    `  "$directory/${name}" "$directory/${setsName}/$named/${name}"; do [ ! -x "$launcher" ] || break; done`,
  ];
}

/**
 * Prints every file of the package directory with mode and digest, the manifest, and the versions of Node.js. `more`: further lines to
 * print.
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
    // One process for all files, because starting processes costs most and this script runs most often.
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

/** Name and digest of a line from sha256sum: two blanks between, or one and the * of a binary file. null: another line. */
export function namedDigest(line: string): readonly [name: string, digest: string] | null {
  const [, digest = '', name = ''] = /^(\S+) [ *](.+)$/.exec(line) ?? [];
  return name === '' ? null : [name, digest];
}

/** Parses the output of lookScript. null: not that format. */
export function parseLook(output: string): DirectoryFacts | null {
  const said = saidIn(output);
  const rests = (word: string): readonly string[] => said.get(word) ?? [];
  const directory = lastOf(said, 'directory') ?? '';
  if (directory === '') return null;
  const modes = new Map(rests('mode').map((rest) => [rest.slice(rest.indexOf(' ') + 1), /^([0-7]+) /.exec(rest)?.[1]]));
  const files = rests('digest').flatMap((rest): FileFacts[] => {
    const [name = '', digest = ''] = namedDigest(rest) ?? [];
    const mode = modes.get(name);
    return mode === undefined || !/^[0-9a-f]{64}$/.test(digest) ? [] : [{ name, mode: Number.parseInt(mode, 8), digest }];
  });
  return {
    directory,
    files,
    manifests: new Map(rests('manifest').flatMap(manifestIn)),
    running: rests('running').findLast(isSetName) ?? null,
    applied: lastOf(said, 'applied') ?? null,
    nodeVersion: readNodeVersion(lastOf(said, 'node') ?? ''),
    runtimeVersion: readNodeVersion(lastOf(said, 'runtime') ?? ''),
    leftovers: rests('leftover'),
  };
}

function manifestIn(line: string): [set: string, text: string][] {
  const [file = '', text = ''] = line.split(' ');
  const set = file === manifestName ? flatSet : setPartOf(file)?.set;
  return set === undefined ? [] : [[set, Buffer.from(text, 'base64').toString('utf8')]];
}

/** Output of node --version. null: not a version. */
export function readNodeVersion(text: string): string | null {
  return /^v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? null;
}
