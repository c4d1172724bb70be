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
  readonly name: string;
  readonly mode: number;
  readonly digest: string;
}

export interface DirectoryFacts {
  readonly directory: string;
  readonly files: readonly FileFacts[];
  /** By set; version 0.1.0's is flatSet. */
  readonly manifests: ReadonlyMap<string, string>;
  /** null: none, or files of version 0.1.0. */
  readonly running: string | null;
  /** null: no such file. */
  readonly applied: string | null;
  readonly nodeVersion: string | null;
  /** In the package directory. null: none, or it does not run. */
  readonly runtimeVersion: string | null;
  readonly leftovers: readonly string[];
}

/** Directories of arriving runtimes; an apply locks the one it uses. */
export const arrivalPrefix = '.csync-runtime-';

export const arrivalName = (token: string): string => `${arrivalPrefix}${token}`;

/** Sets $running from what the start recorded; needs $directory. */
export const runningLines: readonly string[] = [
  'running=; mark=/run/csync-running$(printf %s "$directory" | tr / -)',
  '[ -O "$mark" ] && [ ! -h "$mark" ] && read -r running _rest < "$mark"',
];

/** Sets $launcher, for the set in force; needs $directory. A modular launcher chooses the set; a legacy one has it in its path. */
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

/** Prints mode and digest of every file, the manifest, versions of Node.js; and `more` lines. */
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
    // Starting processes costs most, and this script runs most often.
    'set --',
    `for file in * .[!.]* history/* ${setsName}/*/* ${runtimeName} ${engineShell.installed.join(' ')}; do [ -f "$file" ] && set -- "$@" "$file"; done`,
    '[ $# -eq 0 ] || { stat -c "mode %a %n" -- "$@"; sha256sum -- "$@" | sed "s/^/digest /"; } 2>/dev/null',
    `for file in ${manifestName} ${setsName}/*/${manifestName}; do [ -f "$file" ] && echo "manifest $file $(base64 -w 0 "$file")"; done`,
    `[ -f ${appliedName} ] && echo "applied $(head -n 1 ${appliedName})"`,
    ...runningLines,
    '[ -n "$running" ] && echo "running $running"',
    'exit 0',
  );
}

/** sha256sum: two blanks, or one and the * of a binary file. null: another line. */
export function namedDigest(line: string): readonly [name: string, digest: string] | null {
  const [, digest = '', name = ''] = /^(\S+) [ *](.+)$/.exec(line) ?? [];
  return name === '' ? null : [name, digest];
}

/** null: another format. */
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

/** null: not a version. */
export function readNodeVersion(text: string): string | null {
  return /^v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? null;
}
