/** Carries a Node.js to the members: the checks before, the scripts that copy and prove it, the parsers of their output. Pure. */

import type { CodeBehind } from '../../base/codes/problem-codes.ts';
import { parseLogLine } from '../../base/log-line.ts';
import { errorProblem, type Problem } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import { type Runtime, readManifest, runtimeName, setPartOf, settingsName } from '../../contract/package-directory.ts';
import type { CommandResult } from '../../host/host.ts';
import { lastOf, saidIn } from '../remote/answers.ts';
import type { ClusterObservation } from '../remote/observation.ts';
import { arrivalName, readNodeVersion } from '../remote/package-look.ts';
import { directoryWord, receiveLines, script } from '../remote/shell-text.ts';
import { sweepLines } from './package-write.ts';
import { identityOf, machineName, type ProgramFile } from './program-file.ts';

export interface RuntimeSource extends Runtime {
  readonly file: string;
  readonly program: ProgramFile;
  /** Makes the arrival names of this apply unique. */
  readonly token: string;
}

export interface RuntimeLook {
  readonly directory: string;
  readonly freeKilobytes: number;
  readonly mountOptions: readonly string[];
  /** See ProgramFile. null: unknown. */
  readonly identity: string | null;
  readonly hasInterpreter: boolean;
}

/** For the package, its sets and other users of the file system. */
const reserveBytes = 50_000_000;
const proofLimitSeconds = 30;
export function sizeText(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Named by most manifests of the applied set; on a tie, the first. null: none. */
export function runtimeInUse({ members, applied }: Pick<ClusterObservation, 'members' | 'applied'>): Runtime | null {
  const set = applied?.set ?? null;
  const named = members.flatMap((one) => {
    if (!one.reached) return [];
    const texts = set === null ? [...one.manifests.values()] : [one.manifests.get(set) ?? null];
    return texts.flatMap((text) => readManifest(text).runtime ?? []);
  });
  const votes = (digest: string): number => named.filter((one) => one.digest === digest).length;
  return named.reduce<Runtime | null>(
    (best, one) => (best === null || votes(one.digest) > votes(best.digest) ? one : best),
    null,
  );
}

/** Prints the input of parseRuntimeLook. */
export function runtimeLookScript(packageDirectory: string, { program }: RuntimeSource): string {
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    'echo "directory $directory"',
    'place=$directory',
    'until [ -d "$place" ]; do place=$(dirname -- "$place"); done',
    'set -- $(df -Pk -- "$place" | tail -n 1)',
    'echo "free $4"',
    'shift 5',
    'while read -r _source target _type options _rest; do [ "$target" = "$*" ] && found=$options; done < /proc/self/mounts',
    'echo "options $found"',
    'echo "program $(od -A n -t x1 -j 4 -N 16 /proc/self/exe | tr -d " \\n")"',
    program.interpreter === null ? 'echo "interpreter"' : `[ -e ${shellWord(program.interpreter)} ] && echo "interpreter"`,
    'exit 0',
  );
}

export function parseRuntimeLook(output: string): RuntimeLook | null {
  const said = saidIn(output);
  const last = (word: string): string => lastOf(said, word) ?? '';
  const free = last('free');
  if (!/^\d+$/.test(free)) return null;
  return {
    directory: last('directory'),
    freeKilobytes: Number(free),
    mountOptions: last('options').split(','),
    identity: identityOf(last('program')),
    hasInterpreter: said.has('interpreter'),
  };
}

const another = 'csync apply --with-runtime=FILE, with a file that fits every member';

/** What can be known before it is sent. */
export function judgeRuntimeLook(member: string, look: RuntimeLook, source: RuntimeSource): Problem[] {
  const { directory, freeKilobytes, mountOptions, identity, hasInterpreter } = look;
  const { program, size, file } = source;
  const problems: Problem[] = [];
  const add = (code: CodeBehind<'change-runtime-'>, text: string, remedy: string): void =>
    void problems.push(errorProblem(`change-runtime-${code}`, text, remedy, member));
  if (identity !== null && identity !== program.identity)
    add(
      'machine',
      `${file} is a program for ${machineName(program.identity)}, but this is ${machineName(identity)}`,
      `${another}; members of different machine types each need their own Node.js (node_path)`,
    );
  else if (!hasInterpreter)
    add(
      'loader',
      `${file} needs the loader ${program.interpreter}, which is missing here: it was built for another C library (glibc, musl)`,
      `${another}; or install Node.js there`,
    );
  const needed = size * 1.1 + reserveBytes;
  if (freeKilobytes * 1024 < needed)
    add(
      'space',
      `${directory} has ${sizeText(freeKilobytes * 1024)} free; the runtime of ${sizeText(size)} needs ${sizeText(needed)}`,
      `free space below ${directory}, then run the same command again`,
    );
  if (mountOptions.includes('noexec'))
    add(
      'noexec',
      `${directory} is mounted noexec: no program can run there`,
      'mount it without noexec, set another package_directory, or install Node.js there (node_path)',
    );
  return problems;
}

/** A word of a script that has $directory. */
function arrivalWord({ token }: RuntimeSource): string {
  return `"$directory"/${shellWord(arrivalName(token))}`;
}

/** Receives the program on standard input under a temporary name. A failure leaves nothing. */
export function receiveScript(packageDirectory: string, source: RuntimeSource, limitMs: number): string {
  return script(
    'set -eu',
    'umask 077',
    `directory=${directoryWord(packageDirectory)}`,
    'mkdir -p -m 755 -- "$directory"',
    ...sweepLines,
    `arrival=${arrivalWord(source)}`,
    'mkdir -m 700 -- "$arrival"',
    ...cleaningUp,
    'exec 8< "$arrival"',
    'flock 8',
    `timeout ${Math.ceil(limitMs / 1000)} cat > "$arrival/node"`,
    `if [ "$(sha256sum < "$arrival/node" | cut -c 1-64)" != ${source.digest} ]; then`,
    `  echo "only $(stat -c %s "$arrival/node") of ${source.size} bytes arrived, or different ones" >&2; exit 1`,
    'fi',
    'chmod 755 "$arrival/node"',
    'sync "$arrival/node"',
    'trap - EXIT',
  );
}

/** For a script with $directory and $arrival. */
const cleaningUp: readonly string[] = [
  'trap \'rm -rf -- "$arrival"; rmdir -- "$directory" 2>/dev/null || :\' EXIT',
  "trap 'exit 143' HUP INT TERM",
];

/** validate was loaded, read the settings, and had nothing to check. */
function isProof(output: string): boolean {
  return output.split('\n').some((line) => {
    const parsed = parseLogLine(line);
    return parsed?.script === 'validate' && parsed.code === 'script-complete' && parsed.keys.role === 'pre';
  });
}

/**
 * Prints the version of the runtime where it arrived, then runs a package script with the settings, in the launcher's environment, in the
 * phase that checks nothing. Read by readProof.
 */
export function proveScript(packageDirectory: string, source: RuntimeSource, files: ReadonlyMap<string, Buffer>): string {
  const run = `timeout ${proofLimitSeconds} env -i PATH="$PATH" LC_ALL=C HOME=/ "$arrival/node"`;
  return script(
    'set -eu',
    'umask 077',
    `directory=${directoryWord(packageDirectory)}`,
    `arrival=${arrivalWord(source)}`,
    ...cleaningUp,
    'mkdir "$arrival/proof"',
    ...[...files].flatMap(([name, content]) => receiveLines(`"$arrival/proof"/${shellWord(name)}`, content)),
    `${run} --version`,
    `${run} "$arrival/proof/${proofScriptName}" "$arrival/proof" pre`,
    'rm -rf -- "$arrival/proof"',
    'trap - EXIT',
  );
}

export const proofScriptName = 'csync-validate.cjs';
const proofFiles: readonly string[] = [proofScriptName, settingsName];

/** By their names in the wanted set. */
export function filesForProof(
  files: readonly { readonly name: string; readonly content: Buffer }[],
): ReadonlyMap<string, Buffer> {
  return new Map(
    files.flatMap(({ name, content }): [string, Buffer][] => {
      const part = setPartOf(name)?.name ?? name;
      return proofFiles.includes(part) ? [[part, content]] : [];
    }),
  );
}

export function readProof({
  stdout,
  stderr,
  exitCode,
  timedOut,
}: CommandResult): { version: string } | { why: string; remedy: string } {
  const version = readNodeVersion(stdout);
  if (exitCode === 0 && version !== null && isProof(stdout)) {
    if (isNodeNewEnough(version)) return { version };
    return { why: `it is Node.js ${version}, older than ${oldestNode}`, remedy: another };
  }
  const said = `${stderr}${stdout}`.trim();
  const limit = timedOut || exitCode === 124 ? `no answer within ${proofLimitSeconds} s` : '';
  const why = [limit, said].filter(Boolean).join('; ') || `exit status ${exitCode}, and the output is not that of Node.js`;
  const [, library] = /shared libraries: (\S+):/.exec(said) ?? [];
  if (/version `GLIBC/.test(said))
    return { why, remedy: `its C or C++ library is older than this Node.js requires: ${another} (a build for older systems)` };
  if (library !== undefined) return { why, remedy: `install ${library} there, or ${another}` };
  if (/Permission denied/.test(said))
    return { why, remedy: 'the system forbids running programs from that directory: noexec or SELinux' };
  return { why, remedy: `${another}; or install Node.js there (node_path)` };
}

/** Of a carried runtime that is not wanted. */
export function discardScript(packageDirectory: string, source: RuntimeSource): string {
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    `rm -rf -- ${arrivalWord(source)}`,
    'rmdir -- "$directory" 2>/dev/null',
    'exit 0',
  );
}

/** Removes the leftovers of killed applies. */
export function sweepScript(packageDirectory: string): string {
  return script(`directory=${directoryWord(packageDirectory)}`, ...sweepLines);
}

/** Launchers of older exported templates do not use the runtime. */
export function launchersWithout(files: readonly { readonly name: string; readonly content: Buffer }[]): string[] {
  const launchers = files.filter(({ name }) => setPartOf(name)?.name.endsWith('.sh'));
  return launchers.filter(({ content }) => !content.includes(runtimeName)).map(({ name }) => name);
}
