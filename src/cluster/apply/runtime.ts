/**
 * A Node.js that is carried to the members along with the package: what is looked at before, the scripts that bring it and
 * prove that it runs, and what their answers mean. Pure: text in, text out.
 */

import { parseLogLine } from '../../base/log-line.ts';
import type { Problem } from '../../base/problem.ts';
import type { CodeBehind } from '../../base/problem-codes.ts';
import { shellWord } from '../../base/shell-word.ts';
import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import { type Runtime, readManifest, runtimeName, setPartOf, settingsName } from '../../contract/package-directory.ts';
import type { CommandResult } from '../../host/host.ts';
import type { ClusterObservation } from '../remote/observation.ts';
import { arrivalName, readNodeVersion } from '../remote/package-look.ts';
import { directoryWord, receiveLines, script } from '../remote/shell-text.ts';
import { sweepLines } from './package-write.ts';
import { identityOf, machineName, type ProgramFile } from './program-file.ts';

/** A Node.js binary that can be carried. */
export interface RuntimeSource extends Runtime {
  /** Where it lies on the host csync runs on. */
  readonly file: string;
  readonly program: ProgramFile;
  /** Makes the names it arrives under this apply's own. */
  readonly token: string;
}

/** What a member said when it was asked whether it could take one. */
export interface RuntimeLook {
  readonly directory: string;
  readonly freeKilobytes: number;
  /** Options of the mount its place is on. */
  readonly mountOptions: readonly string[];
  /** See ProgramFile; of a program of the member's own. null: it could not tell. */
  readonly identity: string | null;
  readonly hasInterpreter: boolean;
}

/** What else has to find room there: the package's files, the sets, and work of others. */
const reserveBytes = 50_000_000;
const proofLimitSeconds = 30;
export function sizeText(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The one the package was last applied with: what most manifests of that set name, the first of them if that is undecided. null: none. */
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

/** Prints what parseRuntimeLook reads; changes nothing. */
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

/** null when it is not what the script prints. */
export function parseRuntimeLook(output: string): RuntimeLook | null {
  const said = new Map(output.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]));
  const free = said.get('free') ?? '';
  if (!/^\d+$/.test(free)) return null;
  return {
    directory: said.get('directory') ?? '',
    freeKilobytes: Number(free),
    mountOptions: (said.get('options') ?? '').split(','),
    identity: identityOf(said.get('program') ?? ''),
    hasInterpreter: said.has('interpreter'),
  };
}

const another = 'csync apply --with-runtime=FILE, with one that fits every member';

/** Why a member could not take it; all that can be known before anything is sent. */
export function judgeRuntimeLook(member: string, look: RuntimeLook, source: RuntimeSource): Problem[] {
  const { directory, freeKilobytes, mountOptions, identity, hasInterpreter } = look;
  const { program, size, file } = source;
  const problems: Problem[] = [];
  const add = (code: CodeBehind<'change-runtime-'>, text: string, remedy: string): void =>
    void problems.push({ code: `change-runtime-${code}`, severity: 'error', text, remedy, member });
  if (identity !== null && identity !== program.identity)
    add(
      'machine',
      `${file} is a program for ${machineName(program.identity)}, and this is ${machineName(identity)}`,
      `${another}; members of different machines need a Node.js of their own each (node_path)`,
    );
  else if (!hasInterpreter)
    add(
      'loader',
      `${file} wants the loader ${program.interpreter}, which is not here: another C library (glibc, musl)`,
      `${another}; or install Node.js there`,
    );
  const needed = size * 1.1 + reserveBytes;
  if (freeKilobytes * 1024 < needed)
    add(
      'space',
      `${directory} has ${sizeText(freeKilobytes * 1024)} left; the runtime of ${sizeText(size)} wants ${sizeText(needed)}`,
      `make room below ${directory}, then the same command again`,
    );
  if (mountOptions.includes('noexec'))
    add(
      'noexec',
      `${directory} is mounted noexec: no program can be run from there`,
      'mount it without noexec, choose another package_directory, or install Node.js there (node_path)',
    );
  return problems;
}

/** The directory a runtime arrives in, as a word of a script that knows $directory. */
function arrivalWord({ token }: RuntimeSource): string {
  return `"$directory"/${shellWord(arrivalName(token))}`;
}

/** Takes the program from its standard input to a private name beside its place; whatever goes wrong leaves nothing there. */
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
    // A connection that is lost is not always noticed here; nobody waits for the rest for ever.
    `timeout ${Math.ceil(limitMs / 1000)} cat > "$arrival/node"`,
    `if [ "$(sha256sum < "$arrival/node" | cut -c 1-64)" != ${source.digest} ]; then`,
    `  echo "only $(stat -c %s "$arrival/node") of ${source.size} bytes arrived, or others" >&2; exit 1`,
    'fi',
    'chmod 755 "$arrival/node"',
    'sync "$arrival/node"',
    'trap - EXIT',
  );
}

/** For a script that knows $directory and $arrival: nothing of them stays when it ends early. */
const cleaningUp: readonly string[] = [
  'trap \'rm -rf -- "$arrival"; rmdir -- "$directory" 2>/dev/null || :\' EXIT',
  "trap 'exit 143' HUP INT TERM",
];

/** Whether validate was loaded, read the settings, and had nothing to check. */
function isProof(output: string): boolean {
  return output.split('\n').some((line) => {
    const parsed = parseLogLine(line);
    return parsed?.script === 'validate' && parsed.code === 'script-complete' && parsed.keys.role === 'pre';
  });
}

/**
 * Runs it where it arrived, in the launcher's environment: its version, and then a script of the package itself, with the
 * settings, in the part that looks at nothing. Prints what readProof reads.
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

/** The script of the package that is run for it, and the files it needs beside it. */
export const proofScriptName = 'csync-validate.cjs';
const proofFiles: readonly string[] = [proofScriptName, settingsName];

/** Those of the set that is wanted, by their names in it. */
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

/** The version that was proved to run; else why not, and the fix. */
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
  const why = [limit, said].filter(Boolean).join('; ') || `it ended with ${exitCode} and said nothing a Node.js says`;
  const [, library] = /shared libraries: (\S+):/.exec(said) ?? [];
  if (/version `GLIBC/.test(said))
    return { why, remedy: `its C or C++ library is older than this Node.js wants: ${another} (a build for older systems)` };
  if (library !== undefined) return { why, remedy: `install ${library} there, or ${another}` };
  if (/Permission denied/.test(said)) return { why, remedy: 'something there forbids to run programs from it: noexec, SELinux' };
  return { why, remedy: `${another}; or install Node.js there (node_path)` };
}

/** Removes what was brought and is not wanted after all. */
export function discardScript(packageDirectory: string, source: RuntimeSource): string {
  return script(
    `directory=${directoryWord(packageDirectory)}`,
    `rm -rf -- ${arrivalWord(source)}`,
    'rmdir -- "$directory" 2>/dev/null',
    'exit 0',
  );
}

/** Removes what killed applies brought. */
export function sweepScript(packageDirectory: string): string {
  return script(`directory=${directoryWord(packageDirectory)}`, ...sweepLines);
}

/** Launchers that would not find it, such as those of templates that were exported before. */
export function launchersWithout(files: readonly { readonly name: string; readonly content: Buffer }[]): string[] {
  const launchers = files.filter(({ name }) => setPartOf(name)?.name.endsWith('.sh'));
  return launchers.filter(({ content }) => !content.includes(runtimeName)).map(({ name }) => name);
}
