/**
 * csync itself on the members: facts, judgement, scripts of `csync toolkit`. Each version has a directory, named by version and digest;
 * `toolkit_program` is a link into one, so one rename switches a member. Pure.
 */
import { gzipSync } from 'node:zlib';
import { errorProblem, type Problem } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Look, lastOf, type Said, saidIn } from '../remote/answers.ts';
import { busyStatus, directoryWord, receiveLines, script } from '../remote/shell-text.ts';
import type { FileToSend } from './package-write.ts';

/** Only csync toolkit writes there. /opt/csync is for installations by hand. */
export const versionsDirectory = '/usr/local/lib/csync';

const programName = 'csync.mjs';
const proofLimitSeconds = 30;

export interface ToolkitBuild {
  readonly version: string;
  /** Of names and contents of all files. */
  readonly digest: string;
}

export type ToolkitPlace = Pick<Settings, 'toolkitProgram' | 'nodePath' | 'packageDirectory'>;

/** As the shell function `tree` computes it, without hidden files. */
export function digestOfBuild(files: readonly { readonly name: string; readonly content: Buffer }[]): string {
  const lines = files.map(({ name, content }) => [name, `${sha256(content)}  ./${name}\n`] as const);
  const sorted = lines.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return sha256(sorted.map(([, line]) => line).join(''));
}

const nameOf = ({ version, digest }: ToolkitBuild): string => `${version}-${digest.slice(0, 12)}`;

const treeFunction =
  'tree() { (cd -- "$1" && find . -type f ! -path \'*/.*\' -exec sha256sum {} + | LC_ALL=C sort -k 2 | sha256sum | cut -c 1-64); }';

/** Shell function: prints the version of a csync program, which needs a Node.js in PATH, as at a package start. */
function versionFunction({ nodePath, packageDirectory }: ToolkitPlace): string {
  const runtime = directoryWord(`${packageDirectory}/runtime`);
  const node = shellWord(nodePath.slice(0, nodePath.lastIndexOf('/')));
  return `version_of() { PATH=/usr/local/bin:$PATH:${node}:${runtime} HOME=/ timeout ${proofLimitSeconds} "$1" --version < /dev/null; }`;
}

const programLines = ({ toolkitProgram }: ToolkitPlace): string[] => [
  `program=${shellWord(toolkitProgram)} versions=${shellWord(versionsDirectory)}`,
];

export interface ToolkitFacts {
  /** Behind toolkit_program. null: missing, or a dangling link. */
  readonly target: string | null;
  readonly isLink: boolean;
  /** Of the package manager. null: none, or unknown. */
  readonly package: string | null;
  readonly isPackageKnown: boolean;
  /** null: not laid out as a build. */
  readonly digest: string | null;
  /** null: it cannot be run. */
  readonly version: string | null;
  /** Before the last switch. null: none. */
  readonly previous: string | null;
  /** By csync toolkit. */
  readonly isManaged: boolean;
}

/** Shell function: prints the package of a file, or nothing. Fails if the package manager does not answer. */
const ownerFunction = [
  'owner_of() {',
  '  if command -v dpkg-query > /dev/null; then',
  '    owner=$(timeout 10 dpkg-query -S "$1" 2> /dev/null) && { echo "$owner" | sed \'s/: .*//;q\'; return 0; }',
  '    [ $? = 1 ] || return 1',
  '  fi',
  '  command -v rpm > /dev/null || return 0',
  '  owner=$(timeout 10 rpm -qf "$1" 2> /dev/null) && { echo "$owner"; return 0; }',
  "  case $owner in *'not owned by any package'*) ;; *) return 1 ;; esac",
  '}',
];

/** Prints lines `toolkit-...` about toolkit_program. */
export function toolkitLook(place: ToolkitPlace): Look<ToolkitFacts | null> {
  const lines = [
    ...programLines(place),
    treeFunction,
    versionFunction(place),
    ...ownerFunction,
    'target=$(readlink -f -- "$program") || target=; [ -f "$target" ] || target=',
    '[ ! -h "$program" ] || echo "toolkit-link $(readlink -- "$program")"',
    'if [ -n "$target" ]; then',
    '  echo "toolkit-target $target"',
    '  if owned=$(owner_of "$target"); then echo "toolkit-package $owned"; else echo toolkit-package-unknown; fi',
    `  [ ! -f "\${target%/*}/${programName}" ] || echo "toolkit-digest $(tree "\${target%/*}")"`,
    '  echo "toolkit-version $(version_of "$program" 2>/dev/null | head -n 1)"',
    'fi',
    '[ ! -h "$versions/previous" ] || echo "toolkit-previous $(readlink -- "$versions/previous")"',
    '[ ! -d "$versions" ] || echo "toolkit-managed"',
    'echo toolkit-looked',
  ];
  return { lines, read: ({ text }) => toolkitFrom(saidIn(text)) };
}

/** null: truncated. */
export function toolkitFrom(said: Said): ToolkitFacts | null {
  if (!said.has('toolkit-looked')) return null;
  const last = (word: string): string | null => lastOf(said, `toolkit-${word}`)?.trim() || null;
  const digest = last('digest');
  const version = last('version');
  return {
    target: last('target'),
    isLink: said.has('toolkit-link'),
    package: last('package'),
    isPackageKnown: !said.has('toolkit-package-unknown'),
    digest: digest !== null && /^[0-9a-f]{64}$/.test(digest) ? digest : null,
    version: version !== null && /^\d+\.\d+\.\d+[\w.-]*$/.test(version) ? version : null,
    previous: last('previous'),
    isManaged: said.has('toolkit-managed'),
  };
}

export type ToolkitState = 'same' | 'different' | 'missing' | 'broken';

/** Without comparable files the version counts. */
export function toolkitState({ target, digest, version }: ToolkitFacts, wanted: ToolkitBuild): ToolkitState {
  if (target === null) return 'missing';
  if (version === null) return 'broken';
  const isSame = digest === null ? version === wanted.version : digest === wanted.digest;
  return isSame ? 'same' : 'different';
}

/** Who put it there, for csync toolkit status. */
export function toolkitOrigin({ target, isLink, package: owner, isPackageKnown }: ToolkitFacts): string {
  if (target === null) return '-';
  if (!isPackageKnown) return 'unknown';
  if (owner !== null) return `package ${owner}`;
  if (target.startsWith(`${versionsDirectory}/`)) return 'csync toolkit';
  return isLink ? 'by hand' : 'a file of its own';
}

/** null: csync toolkit may switch it. */
export function whyLeftAlone(member: string, facts: ToolkitFacts, { toolkitProgram }: ToolkitPlace): Problem | null {
  const { target, isLink, package: owner, isPackageKnown, version } = facts;
  if (!isPackageKnown)
    return errorProblem(
      'change-toolkit',
      `the package manager did not answer whether ${toolkitProgram} is of a package, so it is left alone`,
      `dpkg-query -S ${target}   or   rpm -qf ${target}   (on that member), then run the same command again`,
      member,
    );
  if (owner !== null)
    return errorProblem(
      'change-toolkit',
      `${toolkitProgram} is csync ${version ?? 'of an unknown version'} of the package ${owner}, so it is left alone`,
      `install the other version there with the package manager; or set another toolkit_program in csync.yaml`,
      member,
    );
  if (target !== null && !isLink)
    return errorProblem(
      'change-toolkit',
      `${toolkitProgram} is a file that csync toolkit did not put there, so it is left alone`,
      `mv ${toolkitProgram} ${toolkitProgram}.old   (on that member), then run the same command again`,
      member,
    );
  return null;
}

/** Of csync check and csync toolkit status. null: the same build as here. */
export function toolkitRemark(
  facts: ToolkitFacts,
  wanted: ToolkitBuild,
  { toolkitProgram }: Pick<ToolkitPlace, 'toolkitProgram'>,
): Pick<Problem, 'text' | 'remedy'> | null {
  const remedy =
    facts.package === null
      ? 'csync toolkit install   (puts this version on every member)'
      : 'install the same version on every member with the package manager';
  switch (toolkitState(facts, wanted)) {
    case 'same':
      return null;
    case 'missing':
      return { text: `csync is missing at ${toolkitProgram}: a package start there cannot complete pending work`, remedy };
    case 'broken':
      return { text: `${toolkitProgram} cannot be run: a package start there cannot complete pending work`, remedy };
    case 'different': {
      const build = facts.version === wanted.version ? 'another build of it' : `version ${facts.version}`;
      return { text: `${toolkitProgram} is ${build}, and this csync is version ${wanted.version}`, remedy };
    }
  }
}

const lockLines: readonly string[] = [
  'mkdir -p -m 755 -- "$versions"',
  'exec 9> "$versions/.lock"',
  `flock -n 9 || { echo "another csync toolkit is writing to $versions" >&2; exit ${busyStatus}; }`,
];

/** Beside the others, proved; no program uses it yet. */
export function copyScript(place: ToolkitPlace, build: ToolkitBuild, files: readonly FileToSend[]): string {
  const directories = [
    ...new Set(files.flatMap(({ name }) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : []))),
  ];
  const staged = (name: string): string => `"$arrival"/${shellWord(name)}`;
  return script(
    'set -eu',
    ...programLines(place),
    treeFunction,
    versionFunction(place),
    ...lockLines,
    // We have the lock: a killed copy left it.
    'rm -rf -- "$versions"/.arrival-*',
    'arrival=$versions/.arrival-$$',
    'mkdir -m 755 -- "$arrival"',
    'trap \'rm -rf -- "$arrival"\' EXIT',
    "trap 'exit 143' HUP INT TERM",
    ...(directories.length === 0 ? [] : [`mkdir -p -- ${directories.map(staged).join(' ')}`]),
    ...files.flatMap(({ name, mode, content }) => [
      ...receiveLines(`"$arrival/.packed"`, gzipSync(content)),
      `gzip -d -c < "$arrival/.packed" > ${staged(name)}`,
      ...((mode & 0o111) === 0 ? [] : [`chmod 755 ${staged(name)}`]),
    ]),
    'rm -f -- "$arrival/.packed"',
    `[ "$(tree "$arrival")" = ${build.digest} ] || { echo "other files arrived than were sent" >&2; exit 1; }`,
    `said=$(version_of "$arrival/${programName}" 2>&1) || { echo "it arrived, but cannot be run there: $said" >&2; exit 1; }`,
    `[ "$said" = ${shellWord(build.version)} ] || { echo "it arrived, but prints another version: $said" >&2; exit 1; }`,
    'find "$arrival" -type f -exec sync {} +',
    `version=$versions/${nameOf(build)}`,
    // A damaged copy may be in use: it stays.
    '[ ! -e "$version" ] || version=$version.$$',
    'mv -T -- "$arrival" "$version"',
    'sync "$versions"',
    'trap - EXIT',
  );
}

/** With $program: in one rename. */
const relinkLines = (target: string): string[] => [
  'rm -f -- "$program".csync-*',
  `ln -s -- ${target} "$program.csync-$$"`,
  'mv -f -T -- "$program.csync-$$" "$program"',
  `sync "\${program%/*}"`,
];

/** The program before a switch. */
const rememberLine = 'ln -s -- "$old" "$versions/.previous.$$" && mv -f -T -- "$versions/.previous.$$" "$versions/previous"';

const refuseFileLines: readonly string[] = [
  '[ -h "$program" ] || [ ! -e "$program" ] || { echo "$program is a file that csync toolkit did not put there" >&2; exit 1; }',
  'old=$(readlink -- "$program") || old=',
  `case $old in '' | /*) ;; *) old=\${program%/*}/$old ;; esac`,
];

/** A copied build becomes the program; the previous one is kept, others are removed a day later. */
export function switchToolkitScript(place: ToolkitPlace, build: ToolkitBuild): string {
  return script(
    'set -eu',
    ...programLines(place),
    treeFunction,
    ...lockLines,
    ...refuseFileLines,
    `for version in "$versions/${nameOf(build)}" "$versions/${nameOf(build)}".*; do`,
    `  if [ -d "$version" ] && [ "$(tree "$version")" = ${build.digest} ]; then break; fi`,
    '  version=',
    'done',
    '[ -n "$version" ] || { echo "the copied files are missing or changed" >&2; exit 1; }',
    `[ "$old" != "$version/${programName}" ] || exit 0`,
    `mkdir -p -- "\${program%/*}"`,
    'if [ -n "$old" ]; then',
    // What csync toolkit remove restores.
    `  case $old in "$versions"/*) touch -c -- "\${old%/*}" ;; *) [ -h "$versions/found" ] || ln -s -- "$old" "$versions/found" ;; esac`,
    `  ${rememberLine}`,
    'fi',
    ...relinkLines(`"$version/${programName}"`),
    'for left in "$versions"/[0-9]*; do',
    `  case "$left/${programName}" in "$version/${programName}" | "$old") continue ;; esac`,
    '  [ -z "$(find "$left" -maxdepth 0 -type d -mtime +0)" ] || rm -rf -- "$left"',
    'done',
  );
}

/** With the previous one. */
export function switchBackScript(place: ToolkitPlace): string {
  return script(
    'set -eu',
    ...programLines(place),
    versionFunction(place),
    ...lockLines,
    ...refuseFileLines,
    'wanted=$(readlink -- "$versions/previous") || { echo "no previous version is known here" >&2; exit 1; }',
    '[ "$wanted" != "$old" ] || exit 0',
    'said=$(version_of "$wanted" 2>&1) || { echo "the previous version, $wanted, cannot be run: $said" >&2; exit 1; }',
    ...relinkLines('"$wanted"'),
    `[ -z "$old" ] || { ${rememberLine}; }`,
  );
}

/** The program found at the first installation comes back. */
export function removeToolkitScript(place: ToolkitPlace): string {
  return script(
    'set -eu',
    ...programLines(place),
    '[ -d "$versions" ] || exit 0',
    ...lockLines.slice(1),
    'old=$(readlink -- "$program") || old=',
    'case $old in',
    '  "$versions"/*)',
    '    if [ -h "$versions/found" ]; then',
    ...relinkLines('"$(readlink -- "$versions/found")"').map((line) => `      ${line}`),
    '    else rm -f -- "$program"; fi ;;',
    'esac',
    'rm -rf -- "$versions"/[0-9]*-* "$versions"/.arrival-* "$versions"/.previous.* "$versions/previous" "$versions/found" "$versions/.lock"',
    // Files of others stay.
    'rmdir -- "$versions" 2>/dev/null || :',
  );
}
