/**
 * Publishes a commit: makes the new tree beside the old one, has cfengine's parser check it, syncs it, and exchanges the two by one rename,
 * so hosts get either, even after a kill. Prints `durable` once the directories are synced. Pure.
 */

import { shellWord } from '../../base/shell-word.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { sentinelName } from '../../contract/policy-file-system.ts';
import { fileSystemTypeNames, fileSystemTypes, oneOfWords } from '../../settings/file-systems.ts';
import { busyStatus, hostScript, receiveLines } from '../remote/shell-text.ts';
import { type CommitRecord, commitRecordName, type PolicyState, recordText } from './commit.ts';
import exchangeText from './exchange.sh';
import { digestFunction, here, type PolicyPlace, policyStatus, stageFileName } from './look.ts';
import { type Stage, stageText } from './stage.ts';

const lockSeconds = 20;

export const exchangeFunction = exchangeText.replace(/^#.*\n/gm, '').trimEnd();

const moved = (what: string): string => `{ echo ${shellWord(what)}; exit ${policyStatus.moved}; }`;

export const takeLock = ({ lock }: PolicyPlace): string =>
  `exec 9>> ${shellWord(lock)}; flock -w ${lockSeconds} 9 || { echo "another csync is publishing"; exit ${busyStatus}; }`;

/** Exits unless this staged rollout (null: none) is still the one on the master. */
export function sameStage({ stage: directory }: PolicyPlace, stage: Stage | null): string {
  const file = shellWord(`${directory}/${stageFileName}`);
  return stage === null
    ? `[ ! -e ${file} ] || ${moved('a staged rollout began meanwhile')}`
    : `[ "$(cat ${file} 2>/dev/null | sha256sum | cut -c 1-64)" = ${sha256(stageText(stage))} ] || ${moved('the staged rollout was changed meanwhile')}`;
}

/** One rename, so hosts find all of a rollout or nothing. */
export function removeStage({ stage, keep, mountPoint }: PolicyPlace): string[] {
  const old = shellWord(`${keep}/stage-old`);
  return [
    `rm -rf -- ${old}; mv -T -- ${shellWord(stage)} ${old}; sync ${shellWord(mountPoint)} ${shellWord(keep)}`,
    `rm -rf -- ${old}`,
  ];
}

/** Takes the lock, and exits if the planned state changed. */
export function unchanged(place: PolicyPlace, state: PolicyState): string[] {
  const sentinel = shellWord(`${place.base}/${sentinelName}`);
  return [
    takeLock(place),
    `[ "$(digest ${servedTree})" = ${state.digest} ] || ${moved('the policy of the master has changed meanwhile')}`,
    `[ "$(cat ${sentinel} 2>/dev/null | sha256sum | cut -c 1-64)" = ${state.sentinelDigest} ] || ${moved('the package was restarted meanwhile')}`,
  ];
}

export interface CommitOrder {
  readonly state: PolicyState;
  readonly record: CommitRecord;
  readonly write: readonly { readonly name: string; readonly content: Buffer }[];
  readonly remove: readonly string[];
  readonly dryRun: boolean;
  readonly stage: Stage | null;
}

/** All at once, then one by one: only that reports each error, and there is little left to write. */
export const syncTree = (directory: string): string =>
  `sync -f ${directory}; find ${directory} \\( -type f -o -type d \\) -exec sync {} +`;

const above = (name: string): string => (name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '.');

/** Set by findTree, with links resolved. */
const servedTree = '"$tree"';

/** Sites make the master copy a link to a release. The link stays; its target, on this file system, is exchanged. */
function findTree({ tree, mountPoint, keep }: PolicyPlace): string[] {
  const elsewhere = `{ echo ${shellWord(`${tree} leads to`)} "$tree," 'which is not on the policy file system: nothing was changed'; exit ${policyStatus.linked}; }`;
  return [
    `tree=$(realpath -e -- ${shellWord(tree)}) && root=$(realpath -e -- ${shellWord(mountPoint)}) || exit 1`,
    `case $tree in "$root"/*) [ "$(stat -c %d -- "$tree")" = "$(stat -c %d -- ${shellWord(keep)})" ] || ${elsewhere} ;; *) ${elsewhere} ;; esac`,
  ];
}

/** Exits if a name passes through a link, because a write would follow it, perhaps to served files. */
function noLinks(place: PolicyPlace, names: readonly string[]): string[] {
  return [
    `no_links() { at=${shellWord(nextTree(place))} rest=$1; while [ -n "$rest" ]; do at=$at/\${rest%%/*}; case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac; if [ -h "$at" ]; then echo "$1 is, or is below, a symbolic link to $(readlink -- "$at"): nothing was changed"; exit ${policyStatus.linked}; fi; done; }`,
    ...names.map((name) => `no_links ${shellWord(name)}`),
  ];
}

/** The next tree, and after the exchange the previous one. */
export const nextTree = ({ keep }: PolicyPlace): string => `${keep}/next`;

/** Digests of the trees in an exchange: old, new. */
const swapMark = ({ keep }: PolicyPlace): string => shellWord(`${keep}/swapping`);

/** `keep_aside` keeps a replaced tree that has an edit by hand, also after a kill between exchange and comparison. */
function keepAside(place: PolicyPlace): string[] {
  const [staged, mark] = [shellWord(nextTree(place)), swapMark(place)];
  return [
    `keep_aside() { aside=${shellWord(`${place.keep}/displaced`)}-$(date -u +%Y%m%dT%H%M%SZ)-$$; mv -T -- ${staged} "$aside"; sync ${shellWord(place.keep)}; echo "an edit made by hand at that moment is kept in $aside"; }`,
    `if [ -s ${mark} ] && [ -d ${staged} ] && ! grep -qx -- "$(digest ${staged})" ${mark}; then keep_aside; fi; rm -f -- ${mark}`,
  ];
}

const removeNextAtExit = (place: PolicyPlace): string =>
  `trap ${shellWord(`rm -rf -- ${shellWord(nextTree(place))} ${swapMark(place)}`)} EXIT`;

function beginNext(place: PolicyPlace): string[] {
  const staged = shellWord(nextTree(place));
  return [
    ...keepAside(place),
    `rm -rf -- ${staged}; cp -a -- ${servedTree} ${staged}`,
    removeNextAtExit(place),
    "trap 'exit 143' HUP INT TERM",
  ];
}

function changeNext(place: PolicyPlace, write: CommitOrder['write'], remove: CommitOrder['remove']): string[] {
  const next = (name: string): string => shellWord(`${nextTree(place)}/${name}`);
  return [
    ...noLinks(place, [...write.map(({ name }) => name), ...remove, commitRecordName]),
    ...write.flatMap(({ name, content }) => [`mkdir -p -- ${next(above(name))}`, ...receiveLines(next(name), content)]),
    ...remove.map((name) => `rm -f -- ${next(name)}`),
  ];
}

/** A policy that the parser rejects would terminate cfservd, or leave clients that cannot repair themselves [cfengine.md 1.5, 1.9]. */
const checkNext = ({ checks }: PolicyPlace): string[] =>
  checks.map(
    ({ file, argv }) =>
      `${argv.map(shellWord).join(' ')} < /dev/null 2>&1 || { echo ${shellWord(`${file} was refused`)}; exit ${policyStatus.refused}; }`,
  );

export const noExchangeText = `the two trees cannot be exchanged here: this requires mv of coreutils 9.5 or perl, and a file system of type ${oneOfWords(
  fileSystemTypeNames.filter((type) => fileSystemTypes[type].exchanges),
)}`;

/**
 * Exchanges the trees if the served one still has `digest` (a shell word). An edit by hand takes no lock: the replaced tree is compared,
 * and restored if it was edited before the exchange.
 */
function swapNext(place: PolicyPlace, digest: string, cannot: string): string[] {
  const [tree, staged, mark] = [servedTree, shellWord(nextTree(place)), swapMark(place)];
  const renamed = `sync "\${tree%/*}" ${[place.keep, place.base].map(shellWord).join(' ')}`;
  return [
    syncTree(staged),
    here(place),
    `new=$(digest ${staged})`,
    `[ "$(digest ${tree})" = ${digest} ] || { echo "another process wrote to the policy of the master meanwhile"; exit ${policyStatus.moved}; }`,
    `printf '%s\\n' ${digest} "$new" > ${mark}; sync ${mark} ${shellWord(place.keep)}`,
    // From here on it may be the served tree, with an unknown edit.
    'trap - EXIT; echo swapping',
    `exchange ${staged} ${tree} || case $? in`,
    `  1 | 127) ${removeNextAtExit(place)}; ${cannot} ;;`,
    `  2) ${removeNextAtExit(place)}; echo "the two trees could not be exchanged"; exit ${policyStatus.noExchange} ;;`,
    // Killed: exchanged or not.
    '  *) exit 140 ;;',
    'esac',
    `if [ -z "\${by_file-}" ] && [ "$(digest ${staged})" != ${digest} ]; then`,
    '  echo "another process wrote to the policy of the master at the moment of the exchange"',
    `  exchange ${staged} ${tree} || { keep_aside; rm -f -- ${mark}; exit 1; }`,
    // The same process may write again.
    `  ${renamed}; [ "$(digest ${staged})" = "$new" ] || keep_aside`,
    `  rm -f -- ${mark}; exit ${policyStatus.moved}`,
    'fi',
    `rm -f -- ${mark}; ${renamed}`,
  ];
}

/** Renames each file into place, removes others, and keeps an edit of a replaced file aside. */
function fileByFile(place: PolicyPlace, write: readonly string[], remove: readonly string[]): string[] {
  const old = shellWord(`${place.keep}/replaced`);
  const served = (name: string): string => `${servedTree}/${shellWord(name)}`;
  const names = [...write, ...remove];
  const sumOf = (name: string): string => `"$sum${names.indexOf(name)}"`;
  const compared = (name: string): string => `kept_edit ${shellWord(name)} ${sumOf(name)}`;
  return [
    'sum_of() { if [ -f "$1" ]; then sha256sum < "$1" | cut -c 1-64; else echo none; fi; }',
    `kept_edit() { if [ -e ${old} ] && [ "$(sum_of ${old})" != "$2" ]; then aside=${shellWord(`${place.keep}/displaced`)}-$(date -u +%Y%m%dT%H%M%SZ)-$$/$1; mkdir -p -- "\${aside%/*}"; mv -T -- ${old} "$aside"; sync "$aside"; echo "an edit made by hand at that moment is kept in $aside"; fi; rm -f -- ${old}; }`,
    // Of a killed run; perhaps an edit.
    'kept_edit replaced none',
    ...names.map((name, index) => `sum${index}=$(sum_of ${served(name)})`),
    `[ "$(digest ${servedTree})" = "$served" ] || { echo "another process wrote to the policy of the master meanwhile"; exit ${policyStatus.moved}; }`,
    ...write.flatMap((name) => [
      `mkdir -p -- ${servedTree}/${shellWord(above(name))}`,
      `[ ! -e ${served(name)} ] || ln -- ${served(name)} ${old} 2>/dev/null || cp -p -- ${served(name)} ${old}`,
      `mv -f -- ${shellWord(`${nextTree(place)}/${name}`)} ${served(name)}`,
      compared(name),
    ]),
    ...remove.flatMap((name) => [`[ ! -e ${served(name)} ] || mv -f -- ${served(name)} ${old}`, compared(name)]),
  ];
}

/** Kept for processes that still write to an open file of the old tree. */
function keepOld(place: PolicyPlace): string {
  const before = shellWord(`${place.keep}/before`);
  return `rm -rf -- ${before}; mv -T -- ${shellWord(nextTree(place))} ${before}`;
}

/** Takes the lock, makes the next tree with its record, and checks it. */
export function prepareNext(place: PolicyPlace, { state, record, write, remove, stage }: Omit<CommitOrder, 'dryRun'>): string[] {
  const staged = nextTree(place);
  return [
    `mkdir -p -- ${shellWord(place.keep)} ${shellWord(place.tree)}`,
    ...findTree(place),
    ...unchanged(place, state),
    sameStage(place, stage),
    ...beginNext(place),
    ...changeNext(place, write, remove),
    `[ "$(digest ${shellWord(staged)})" = ${record.digest} ] || { echo "the received files differ from the sent ones"; exit 1; }`,
    `printf %s ${shellWord(recordText(record))} > ${shellWord(`${staged}/${commitRecordName}`)}`,
    ...checkNext(place),
  ];
}

/** Prints `swapping` before the only step that changes what is served, `durable` at the end. */
export function commitScript(place: PolicyPlace, order: CommitOrder): string {
  const { state, dryRun, stage } = order;
  const log = shellWord(`${place.keep}/log`);
  const earlier =
    state.current === null || state.log.some(({ commit }) => commit === state.current?.commit) ? [] : [state.current];
  return hostScript(
    'set -eu; umask 077',
    digestFunction,
    exchangeFunction,
    here(place),
    ...prepareNext(place, order),
    ...(dryRun ? ['exit 0'] : []),
    // The record to be replaced. A logged one belongs to a commit that did not take place.
    ...earlier.map((one) => `printf %s ${shellWord(recordText(one))} >> ${log}; sync ${log} ${shellWord(place.keep)}`),
    ...swapNext(place, state.digest, `echo ${shellWord(noExchangeText)}; exit ${policyStatus.noExchange}`),
    'echo durable',
    ...(stage === null ? [] : removeStage(place)),
    keepOld(place),
  );
}

export interface PublicationOrder {
  readonly directories: readonly string[];
  readonly write: readonly { readonly name: string; readonly text: string }[];
  readonly remove: readonly string[];
}

/**
 * Publishes csync's part of the policy at once, because half of it has rules without names. Writes new keys before, removes old ones after.
 * Members that cannot exchange directories publish file by file, since a cluster without policy cannot be set up; a rerun completes it.
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
    `exec 9>> ${shellWord(lock)}; flock -n 9 || { echo "another csync is publishing"; exit ${busyStatus}; }`,
    ...(isTreeChanged
      ? [
          ...findTree(place),
          `served=$(digest ${servedTree})`,
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

/** What a killed run may have left unsynced. */
export function confirmScript(place: PolicyPlace, state: PolicyState, stage: Stage | null): string {
  return hostScript(
    'set -eu; umask 077',
    digestFunction,
    here(place),
    ...findTree(place),
    ...unchanged(place, state),
    syncTree(servedTree),
    `sync "\${tree%/*}" ${shellWord(place.base)}`,
    'echo durable',
    ...(stage === null ? [] : [sameStage(place, stage), ...removeStage(place)]),
  );
}

export type Became = 'durable' | 'not there' | 'unknown';

export function becameOf({ stdout, exitCode, timedOut }: { stdout: string; exitCode: number | null; timedOut: boolean }): Became {
  const said = new Set(stdout.split('\n'));
  if (said.has('durable')) return 'durable';
  // ssh's own status is 255. A killed shell has none, or one above 128.
  const ended = exitCode !== null && exitCode > 0 && exitCode < 128 && !timedOut;
  const isTakenBack = exitCode === policyStatus.noExchange || exitCode === policyStatus.moved;
  return ended && (!said.has('swapping') || isTakenBack) ? 'not there' : 'unknown';
}
