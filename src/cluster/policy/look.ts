/** The policy on the master as a member tells it: place, digest, record, and whether somebody edited it by hand. */
import { shellWord } from '../../base/shell-word.ts';
import { layoutOf, type PolicyCheck, policyChecks } from '../../cfengine/layout.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { sentinelEpoch, sentinelName } from '../../contract/policy-file-system.ts';
import { isOurs } from '../../render/policy.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostScript, mountedTest } from '../remote/shell-text.ts';
import { commitRecordName, type PolicyState, parseRecord } from './commit.ts';

export interface PolicyPlace {
  readonly mountPoint: string;
  /** Directory that is served; the sentinel lies there. */
  readonly base: string;
  /** The master copy, below it. */
  readonly tree: string;
  /** Log, next tree, and the tree of before the last exchange; not served. */
  readonly keep: string;
  /** Held by whoever publishes or commits. */
  readonly lock: string;
  /** Of cfengine's parser, for the next tree. */
  readonly checks: readonly PolicyCheck[];
}

export function policyPlace(settings: Settings): PolicyPlace {
  const { mountPoint, policyDirectory: base } = settings;
  const keep = `${mountPoint}/.csync-policy`;
  const { masterInputs: tree } = layoutOf(settings);
  return {
    mountPoint,
    base,
    tree,
    keep,
    lock: `${mountPoint}/.csync-publish.lock`,
    checks: policyChecks(settings, `${keep}/next`),
  };
}

/** Exit statuses of these scripts, beside busyStatus. What ends with one of them has changed nothing. */
export const policyStatus = { notMounted: 69, refused: 65, moved: 66, noExchange: 67 } as const;

/** Shell function `digest DIRECTORY`: treeDigest of it. */
export const digestFunction = `digest() { ( cd "$1" && find . -type f ! -path ./${commitRecordName} -exec sha256sum {} + | sort | sha256sum | cut -c 1-64 ); }`;

export function here(place: PolicyPlace): string {
  const gone = `${place.mountPoint} is not mounted there any more: the package has left`;
  return `${mountedTest(place.mountPoint)} || { echo ${shellWord(gone)}; exit ${policyStatus.notMounted}; }`;
}

/** Prints what readPolicyState reads; with `contents`, all of the master copy. */
export function policyLookScript(place: PolicyPlace, contents: boolean): string {
  const tree = shellWord(place.tree);
  const head = contents ? 'base64 -w 0 < "$file"' : 'head -c 300 "$file" | base64 -w 0';
  return hostScript(
    'set -u',
    digestFunction,
    here(place),
    `echo "sentinel $(base64 -w 0 ${shellWord(`${place.base}/${sentinelName}`)} 2>/dev/null)"`,
    `[ ! -r ${shellWord(`${place.keep}/log`)} ] || echo "log $(base64 -w 0 ${shellWord(`${place.keep}/log`)})"`,
    `cd ${tree} 2>/dev/null || { echo "digest $(printf '' | sha256sum | cut -c 1-64)"; echo whole; exit 0; }`,
    'echo "digest $(digest .)"',
    // Digests and names of all at once, then a process or two for each: what is started is what a look costs.
    `find . -type f -exec sh -c 'echo "names $(sha256sum -z -- "$@" | base64 -w 0)"; for file; do printf "file "; ${head}; echo; done' sh {} +`,
    `[ ! -r ${commitRecordName} ] || echo "record $(base64 -w 0 ${commitRecordName})"`,
    // Somebody wrote between the two: look again.
    'echo "digest $(digest .)"',
    'echo whole',
  );
}

export interface PolicyLook {
  readonly state: PolicyState;
  /** By name; whole only where they were asked for. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

const decoded = (word: string | undefined): Buffer => Buffer.from(word ?? '', 'base64');

/** null: it was cut short, or changed meanwhile. */
export function readPolicyState(output: string): PolicyLook | null {
  const lines = output.split('\n').map((line) => line.split(' '));
  const one = (name: string): string => decoded(lines.find(([word]) => word === name)?.[1]).toString('utf8');
  const digests = new Set(lines.flatMap(([word, digest]) => (word === 'digest' ? [digest] : [])));
  const [digest] = digests;
  if (digest === undefined || digests.size !== 1 || !lines.some(([word]) => word === 'whole')) return null;
  const found = foundFiles(lines);
  if (found === null) return null;
  const files = found.filter(({ name }) => name !== commitRecordName);
  const sentinel = one('sentinel');
  return {
    state: {
      files: new Map(files.map(({ name, sum, content }) => [name, { digest: sum, ours: isOurs(content.toString('latin1')) }])),
      digest,
      epoch: sentinelEpoch(sentinel),
      sentinelDigest: sha256(sentinel),
      current: parseRecord(one('record')),
      log: one('log')
        .split('\n')
        .flatMap((line) => parseRecord(line) ?? []),
    },
    contents: new Map(files.map(({ name, content }) => [name, content])),
  };
}

interface FoundFile {
  readonly name: string;
  readonly sum: string;
  readonly content: Buffer;
}

/** Lines of names, each with the lines of its files behind it, in that order; null: some are missing. */
function foundFiles(lines: readonly (readonly string[])[]): FoundFile[] | null {
  const found: FoundFile[] = [];
  let named: string[] = [];
  for (const [word, text] of lines) {
    if (word === 'file') {
      const line = named.shift();
      if (line === undefined) return null;
      // As sha256sum -z writes it: digest, blank, blank or asterisk, name.
      found.push({ sum: line.slice(0, 64), name: line.slice(66).replace(/^\.\//, ''), content: decoded(text) });
    }
    if (word === 'names') {
      if (named.length > 0) return null;
      named = decoded(text)
        .toString('utf8')
        .split('\0')
        .filter((line) => line !== '');
    }
  }
  return named.length === 0 ? found : null;
}
