/**
 * The scripts that look at the policy of the master and put a commit into place, and the readers of what they print. Pure.
 *
 * The new tree is made beside the old one on the policy file system, checked there by cfengine's own parser, synced, and takes
 * its place by one rename that exchanges the two: whatever ends the script, the member or the package, hosts are served the
 * one or the other. Only after the directories are synced, too, the script says `durable`.
 */
import { shellWord } from '../../base/shell-word.ts';
import { sentinelName } from '../../contract/policy-file-system.ts';
import { fileSystemTypeNames, fileSystemTypes, oneOfWords } from '../../settings/file-systems.ts';
import { busyStatus, hostScript, receiveLines } from '../remote/shell-text.ts';
import { type CommitRecord, commitRecordName, type PolicyState, recordText } from './commit.ts';
import { digestFunction, here, type PolicyPlace, policyStatus } from './look.ts';

/** How long another publication is waited for; the toolkit's own take the same lock. */
const lockSeconds = 20;

/**
 * Shell function `exchange ONE OTHER`: two directories take each other's place at once.
 * 1, and 127 without perl: nobody here can; 2: it went wrong, and nothing was exchanged. mv tells the two not apart.
 * [include/uapi/linux/fs.h: RENAME_EXCHANGE is 2; the numbers of renameat2 are those of each machine's unistd.h; EINVAL is 22, ENOSYS 38,
 * EOPNOTSUPP 95 on all of these machines]
 */
export const exchangeFunction = `exchange() {
  if mv --help 2>/dev/null | grep -q -e --exchange; then mv --exchange -T -- "$1" "$2"; return; fi
  perl -e '
    my %number = (x86_64 => 316, aarch64 => 276, riscv64 => 276, ppc64le => 357, s390x => 347, i686 => 353);
    my ($machine, $one, $other) = @ARGV;
    my $number = $number{$machine} // do { print STDERR "the number of renameat2 is not known for $machine\\n"; exit 1 };
    exit 0 if syscall($number, -100, $one, -100, $other, 2) == 0;
    my $error = $! + 0;
    print STDERR "renameat2: $!\\n"; exit((grep { $_ == $error } 22, 38, 95) ? 1 : 2)' "$(uname -m)" "$1" "$2"
}`;

/** Lines that take the lock and end the script unless all is as it was looked at: what is planned holds for that only. */
function unchanged(place: PolicyPlace, state: PolicyState): string[] {
  const sentinel = shellWord(`${place.base}/${sentinelName}`);
  const moved = (what: string): string => `{ echo ${shellWord(what)}; exit ${policyStatus.moved}; }`;
  return [
    `exec 9>> ${shellWord(place.lock)}; flock -w ${lockSeconds} 9 || { echo "another csync publishes at this moment"; exit ${busyStatus}; }`,
    `[ "$(digest ${shellWord(place.tree)})" = ${state.digest} ] || ${moved('the policy of the master was changed in the meantime')}`,
    `[ "$(cat ${sentinel} 2>/dev/null | sha256sum | cut -c 1-64)" = ${state.sentinelDigest} ] || ${moved('the package was started anew in the meantime')}`,
  ];
}

export interface CommitOrder {
  readonly state: PolicyState;
  readonly record: CommitRecord;
  readonly write: readonly { readonly name: string; readonly content: Buffer }[];
  readonly remove: readonly string[];
  /** Only up to the parser's word. */
  readonly dryRun: boolean;
}

const syncTree = (directory: string): string => `find ${directory} \\( -type f -o -type d \\) -exec sync {} +`;

const above = (name: string): string => (name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '.');

/** The next tree, beside the one that is served, and the one of before. */
const nextTree = ({ keep }: PolicyPlace): string => `${keep}/next`;

/** Holds the digests of the trees that are being exchanged: the old one's, the new one's. */
const swapMark = ({ keep }: PolicyPlace): string => shellWord(`${keep}/swapping`);

/**
 * Shell function `keep_aside`: the tree beside the served one holds an edit of somebody's. And lines for what a script that was killed
 * between its exchange and the comparison left there.
 */
function keepAside(place: PolicyPlace): string[] {
  const [staged, mark] = [shellWord(nextTree(place)), swapMark(place)];
  return [
    `keep_aside() { aside=${shellWord(`${place.keep}/displaced`)}-$(date -u +%Y%m%dT%H%M%SZ)-$$; mv -T -- ${staged} "$aside"; sync ${shellWord(place.keep)}; echo "an edit by hand that was made at that moment is kept in $aside"; }`,
    `if [ -s ${mark} ] && [ -d ${staged} ] && ! grep -qx -- "$(digest ${staged})" ${mark}; then keep_aside; fi; rm -f -- ${mark}`,
  ];
}

const removeNextAtExit = (place: PolicyPlace): string =>
  `trap ${shellWord(`rm -rf -- ${shellWord(nextTree(place))} ${swapMark(place)}`)} EXIT`;

/** Lines that begin the next tree with what is served now; what is left of it goes when the script ends. */
function beginNext(place: PolicyPlace): string[] {
  const staged = shellWord(nextTree(place));
  return [
    ...keepAside(place),
    `rm -rf -- ${staged}; cp -a -- ${shellWord(place.tree)} ${staged}`,
    removeNextAtExit(place),
    "trap 'exit 143' HUP INT TERM",
  ];
}

/** Lines that write into the next tree and remove from it. */
function changeNext(place: PolicyPlace, write: CommitOrder['write'], remove: CommitOrder['remove']): string[] {
  const next = (name: string): string => shellWord(`${nextTree(place)}/${name}`);
  return [
    ...write.flatMap(({ name, content }) => [`mkdir -p -- ${next(above(name))}`, ...receiveLines(next(name), content)]),
    ...remove.map((name) => `rm -f -- ${next(name)}`),
  ];
}

/**
 * Lines that have the whole next tree looked at by cfengine's own parser: what it does not take would end cfservd, or leave clients that
 * cannot mend themselves [cfengine.md 1.5, 1.9].
 */
const checkNext = ({ checks }: PolicyPlace): string[] =>
  checks.map(
    ({ file, argv }) =>
      `${argv.map(shellWord).join(' ')} < /dev/null 2>&1 || { echo ${shellWord(`${file} was refused`)}; exit ${policyStatus.refused}; }`,
  );

/** What a script prints where directories cannot be exchanged. */
export const noExchangeText = `the two trees cannot be exchanged here: this requires mv of coreutils 9.5 or perl, and a file system of type ${oneOfWords(
  fileSystemTypeNames.filter((type) => fileSystemTypes[type].exchanges),
)}`;

/**
 * Lines that give the next tree its place by one rename, unless what is served is no more what `digest` (a shell word) says. Who writes
 * by hand takes no lock: the tree that was displaced is compared, and takes its place again if it holds an edit that was made between
 * the comparison and the exchange.
 */
function swapNext(place: PolicyPlace, digest: string, cannot: string): string[] {
  const [tree, staged, mark] = [shellWord(place.tree), shellWord(nextTree(place)), swapMark(place)];
  const renamed = `sync ${[above(place.tree), place.keep, place.base].map(shellWord).join(' ')}`;
  return [
    syncTree(staged),
    here(place),
    `new=$(digest ${staged})`,
    `[ "$(digest ${tree})" = ${digest} ] || { echo "somebody wrote to the policy of the master meanwhile"; exit ${policyStatus.moved}; }`,
    `printf '%s\\n' ${digest} "$new" > ${mark}; sync ${mark} ${shellWord(place.keep)}`,
    // From here on it may be the tree that was served, with an edit that nobody has seen.
    'trap - EXIT; echo swapping',
    `exchange ${staged} ${tree} || case $? in`,
    `  1 | 127) ${removeNextAtExit(place)}; ${cannot} ;;`,
    `  2) ${removeNextAtExit(place)}; echo "the two trees could not be exchanged"; exit ${policyStatus.noExchange} ;;`,
    // Killed: it may have come to it or not.
    '  *) exit 140 ;;',
    'esac',
    `if [ -z "\${by_file-}" ] && [ "$(digest ${staged})" != ${digest} ]; then`,
    '  echo "somebody wrote to the policy of the master at the moment of the exchange"',
    `  exchange ${staged} ${tree} || { keep_aside; rm -f -- ${mark}; exit 1; }`,
    // Who wrote once may write again: into what was served for a moment.
    `  ${renamed}; [ "$(digest ${staged})" = "$new" ] || keep_aside`,
    `  rm -f -- ${mark}; exit ${policyStatus.moved}`,
    'fi',
    `rm -f -- ${mark}; ${renamed}`,
  ];
}

/**
 * Lines that give each file of the next tree its place by a rename of its own, and remove others. What is displaced has another name
 * by then, and is compared with what it was when the whole tree was: an edit by hand that was made since is kept aside.
 */
function fileByFile(place: PolicyPlace, write: readonly string[], remove: readonly string[]): string[] {
  const old = shellWord(`${place.keep}/replaced`);
  const served = (name: string): string => shellWord(`${place.tree}/${name}`);
  const names = [...write, ...remove];
  const sumOf = (name: string): string => `"$sum${names.indexOf(name)}"`;
  const compared = (name: string): string => `kept_edit ${shellWord(name)} ${sumOf(name)}`;
  return [
    'sum_of() { if [ -f "$1" ]; then sha256sum < "$1" | cut -c 1-64; else echo none; fi; }',
    `kept_edit() { if [ -e ${old} ] && [ "$(sum_of ${old})" != "$2" ]; then aside=${shellWord(`${place.keep}/displaced`)}-$(date -u +%Y%m%dT%H%M%SZ)-$$/$1; mkdir -p -- "\${aside%/*}"; mv -T -- ${old} "$aside"; sync "$aside"; echo "an edit by hand that was made at that moment is kept in $aside"; fi; rm -f -- ${old}; }`,
    // Of a run that was killed in between: whether that is an edit nobody knows.
    'kept_edit replaced none',
    ...names.map((name, index) => `sum${index}=$(sum_of ${served(name)})`),
    `[ "$(digest ${shellWord(place.tree)})" = "$served" ] || { echo "somebody wrote to the policy of the master meanwhile"; exit ${policyStatus.moved}; }`,
    ...write.flatMap((name) => [
      `mkdir -p -- ${shellWord(above(`${place.tree}/${name}`))}`,
      `[ ! -e ${served(name)} ] || ln -- ${served(name)} ${old} 2>/dev/null || cp -p -- ${served(name)} ${old}`,
      `mv -f -- ${shellWord(`${nextTree(place)}/${name}`)} ${served(name)}`,
      compared(name),
    ]),
    ...remove.flatMap((name) => [`[ ! -e ${served(name)} ] || mv -f -- ${served(name)} ${old}`, compared(name)]),
  ];
}

/** A line for who had a file of the old tree open at the moment of the exchange, and goes on writing to it. */
function keepOld(place: PolicyPlace): string {
  const before = shellWord(`${place.keep}/before`);
  return `rm -rf -- ${before}; mv -T -- ${shellWord(nextTree(place))} ${before}`;
}

/** Prints `swapping` before the one step that changes what is served, and `durable` when all of it is on the disk. */
export function commitScript(place: PolicyPlace, { state, record, write, remove, dryRun }: CommitOrder): string {
  const { tree, keep } = place;
  const [log, staged] = [shellWord(`${keep}/log`), nextTree(place)];
  const earlier =
    state.current === null || state.log.some(({ commit }) => commit === state.current?.commit) ? [] : [state.current];
  return hostScript(
    'set -eu; umask 077',
    digestFunction,
    exchangeFunction,
    here(place),
    `mkdir -p -- ${shellWord(keep)} ${shellWord(tree)}`,
    ...unchanged(place, state),
    ...beginNext(place),
    ...changeNext(place, write, remove),
    `[ "$(digest ${shellWord(staged)})" = ${record.digest} ] || { echo "what arrived is not what was sent"; exit 1; }`,
    `printf %s ${shellWord(recordText(record))} > ${shellWord(`${staged}/${commitRecordName}`)}`,
    ...checkNext(place),
    ...(dryRun ? ['exit 0'] : []),
    // The record that is about to be replaced; one that is there already was put there by a commit that then did not come about.
    ...earlier.map((one) => `printf %s ${shellWord(recordText(one))} >> ${log}; sync ${log} ${shellWord(keep)}`),
    ...swapNext(place, state.digest, `echo ${shellWord(noExchangeText)}; exit ${policyStatus.noExchange}`),
    'echo durable',
    keepOld(place),
  );
}

export interface PublicationOrder {
  /** Directories that have to be there; these and all names are below `base`. */
  readonly directories: readonly string[];
  readonly write: readonly { readonly name: string; readonly text: string }[];
  readonly remove: readonly string[];
}

/**
 * The toolkit's part of the policy: all of it or none, as a commit, since hosts that are served half would have rules without the names
 * these are about. Keys lie beside the tree and are of use one by one: new ones are there before the policy that speaks of them, old
 * ones go after it.
 *
 * Members that cannot exchange two directories publish all the same, file by file: without policy no cluster could be set up, and
 * what a kill leaves half done the same verb finishes.
 */
export function publishScript(place: PolicyPlace, { directories, write, remove }: PublicationOrder): string {
  const { base, tree, keep, lock } = place;
  const arriving = shellWord(`${keep}/arriving`);
  const at = (name: string): string => shellWord(`${base}/${name}`);
  const inTree = (name: string): boolean => `${base}/${name}`.startsWith(`${tree}/`);
  const treeName = (name: string): string => `${base}/${name}`.slice(tree.length + 1);
  const treeFiles = write.filter(({ name }) => inTree(name));
  const treeRemovals = remove.filter(inTree);
  const isTreeChanged = treeFiles.length + treeRemovals.length > 0;
  const byFile = [
    `by_file=1; echo ${shellWord(noExchangeText)}`,
    ...fileByFile(
      place,
      treeFiles.map(({ name }) => treeName(name)),
      treeRemovals.map(treeName),
    ),
  ];
  const files = treeFiles.map(({ name, text }) => ({ name: treeName(name), content: Buffer.from(text) }));
  return hostScript(
    'set -eu; umask 077',
    digestFunction,
    exchangeFunction,
    here(place),
    `mkdir -p -- ${shellWord(keep)} ${shellWord(tree)} ${directories.map(at).join(' ')}`,
    `exec 9>> ${shellWord(lock)}; flock -n 9 || { echo "another csync publishes at this moment"; exit ${busyStatus}; }`,
    ...(isTreeChanged
      ? [
          `served=$(digest ${shellWord(tree)})`,
          ...beginNext(place),
          ...changeNext(place, files, treeRemovals.map(treeName)),
          ...checkNext(place),
        ]
      : []),
    ...write
      .filter(({ name }) => !inTree(name))
      .flatMap(({ name, text }) => [
        ...receiveLines(arriving, Buffer.from(text)),
        `sync ${arriving}; mv -f -- ${arriving} ${at(name)}`,
      ]),
    ...(isTreeChanged
      ? [...swapNext(place, '"$served"', byFile.join('; ')), `[ -n "\${by_file-}" ] || { ${keepOld(place)}; }`]
      : []),
    ...remove.filter((name) => !inTree(name)).map((name) => `rm -f -- ${at(name)}`),
    `sync ${[base, ...directories.map((name) => `${base}/${name}`)].map(shellWord).join(' ')}`,
  );
}

/** For what is there already: a run that was killed may not have come to its sync. */
export function confirmScript(place: PolicyPlace, state: PolicyState): string {
  return hostScript(
    'set -eu; umask 077',
    digestFunction,
    here(place),
    ...unchanged(place, state),
    syncTree(shellWord(place.tree)),
    `sync ${shellWord(above(place.tree))} ${shellWord(place.base)}`,
    'echo durable',
  );
}

/** What became of a script of the two: there for good, certainly not there, or nobody can say. */
export type Became = 'durable' | 'not there' | 'unknown';

export function becameOf({ stdout, exitCode, timedOut }: { stdout: string; exitCode: number | null; timedOut: boolean }): Became {
  const said = new Set(stdout.split('\n'));
  if (said.has('durable')) return 'durable';
  // ssh's own status is 255; a shell that was killed has none, or one above 128.
  const ended = exitCode !== null && exitCode > 0 && exitCode < 128 && !timedOut;
  const isTakenBack = exitCode === policyStatus.noExchange || exitCode === policyStatus.moved;
  return ended && (!said.has('swapping') || isTakenBack) ? 'not there' : 'unknown';
}
