/** Reads the master's policy on a member: place, digest, record, edits by hand. */

import { shellWord } from '../../base/shell-word.ts';
import { layoutOf, type PolicyCheck, policyChecks } from '../../cfengine/layout.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { sentinelEpoch, sentinelName, stageDirectory } from '../../contract/policy-file-system.ts';
import { isOurs } from '../../render/policy.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostScript, mountedTest, rootLine } from '../remote/shell-text.ts';
import { printedFiles, printFiles } from '../remote/whole-files.ts';
import { commitRecordName, type PolicyState, parseRecord } from './commit.ts';
import { parseStage, parseTakenBack, type Stages } from './stage.ts';

export interface PolicyPlace {
  readonly mountPoint: string;
  readonly base: string;
  readonly tree: string;
  /** Not served: log, next and previous tree. */
  readonly keep: string;
  readonly lock: string;
  readonly stage: string;
  /** Run cfengine's parser on the next tree. */
  readonly checks: readonly PolicyCheck[];
}

export const policyKeep = (mountPoint: string): string => `${mountPoint}/.csync-policy`;

export function policyPlace(settings: Settings): PolicyPlace {
  const { mountPoint, policyDirectory: base } = settings;
  const keep = policyKeep(mountPoint);
  const { masterInputs: tree } = layoutOf(settings);
  return {
    mountPoint,
    base,
    tree,
    keep,
    lock: `${mountPoint}/.csync-publish.lock`,
    stage: stageDirectory(settings),
    checks: policyChecks(settings, `${keep}/next`),
  };
}

/** Exit statuses beside busyStatus. Nothing changed with any of them. */
export const policyStatus = {
  notMounted: 69,
  refused: 65,
  moved: 66,
  noExchange: 67,
  tooLarge: 68,
  linked: 70,
  noStage: 71,
} as const;

export const linkRemedy =
  'make it a file or directory of its own in masterfiles, or edit what the link leads to; csync policy show   lists the links';

export const stageFileName = 'stage.json';
/** Beside the log: the last rollout that was taken back, until its hosts have the served policy again; and all of them. */
export const leavingName = 'stage-leaving';
export const takenBackName = 'taken-back';

export const mostContentBytes = 64 * 1024 * 1024;

/** Prints the treeDigest of a directory. */
export const digestFunction = `digest() { ( cd "$1" && find . -type f ! -path ./${commitRecordName} -exec sha256sum {} + | sort | sha256sum | cut -c 1-64 ); }`;

/** Exits unless root, and the policy file system is mounted. */
export function here(place: PolicyPlace): string {
  const gone = `${place.mountPoint} is not mounted there any more: the package has moved`;
  return `${rootLine}; ${mountedTest(place.mountPoint)} || { echo ${shellWord(gone)}; exit ${policyStatus.notMounted}; }`;
}

/** Prints the input of readPolicyState. */
export function policyLookScript(place: PolicyPlace, contents: boolean): string {
  const tree = shellWord(place.tree);
  return hostScript(
    'set -u',
    digestFunction,
    here(place),
    `echo "sentinel $(base64 -w 0 ${shellWord(`${place.base}/${sentinelName}`)} 2>/dev/null)"`,
    ...[
      ['log', `${place.keep}/log`],
      ['stage', `${place.stage}/${stageFileName}`],
      ['leaving', `${place.keep}/${leavingName}`],
      ['taken-back', `${place.keep}/${takenBackName}`],
    ].map(([word, file = '']) => `[ ! -r ${shellWord(file)} ] || echo "${word} $(base64 -w 0 ${shellWord(file)})"`),
    `cd ${tree} 2>/dev/null || { echo "digest $(printf '' | sha256sum | cut -c 1-64)"; echo whole; exit 0; }`,
    ...(contents
      ? [
          'bytes=0; files=0; for size in $(find . -type f -exec stat -c %s {} +); do bytes=$((bytes + size)); files=$((files + 1)); done',
          `[ $bytes -le ${mostContentBytes} ] || { echo "it has $((bytes / 1048576)) MB in $files files, and csync copies at most ${mostContentBytes / 1024 ** 2} MB; scp copies it from ${place.tree}"; exit ${policyStatus.tooLarge}; }`,
        ]
      : []),
    'echo "digest $(digest .)"',
    `find . -type f ${printFiles('sha256sum -z -- "$@"', contents)}`,
    `find . -type l -exec sh -c 'for link; do echo "link $(printf %s "\${link#./}" | base64 -w 0) $(readlink -- "$link" | base64 -w 0)"; done' sh {} +`,
    `[ ! -r ${commitRecordName} ] || echo "record $(base64 -w 0 ${commitRecordName})"`,
    // If this second digest differs, the tree changed meanwhile: read again.
    'echo "digest $(digest .)"',
    'echo whole',
  );
}

export interface PolicyLook {
  readonly state: PolicyState;
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly links: ReadonlyMap<string, string>;
  readonly stages: Stages;
}

const decoded = (word: string | undefined): Buffer => Buffer.from(word ?? '', 'base64');

/** null: cut off, or changed meanwhile. */
export function readPolicyState(output: string): PolicyLook | null {
  const lines = output.split('\n').map((line) => line.split(' '));
  const one = (name: string): string => decoded(lines.find(([word]) => word === name)?.[1]).toString('utf8');
  const digests = new Set(lines.flatMap(([word, digest]) => (word === 'digest' ? [digest] : [])));
  const [digest] = digests;
  if (digest === undefined || digests.size !== 1 || !lines.some(([word]) => word === 'whole')) return null;
  const found = printedFiles(lines);
  if (found === null) return null;
  // sha256sum -z: digest, blank, blank or asterisk, name.
  const files = found
    .map(({ entry, content }) => ({ sum: entry.slice(0, 64), name: entry.slice(66).replace(/^\.\//, ''), content }))
    .filter(({ name }) => name !== commitRecordName);
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
    stages: stagesOf(one),
    contents: new Map(files.map(({ name, content }) => [name, content])),
    links: new Map(
      lines.flatMap(([word, name, to]) =>
        word === 'link' ? [[decoded(name).toString('utf8'), decoded(to).toString('utf8').trimEnd()] as const] : [],
      ),
    ),
  };
}

function stagesOf(one: (name: string) => string): Stages {
  const text = one('stage');
  const open = parseStage(text);
  const takenBack = one('taken-back')
    .split('\n')
    .flatMap((line) => parseTakenBack(line) ?? []);
  // A rerun of a killed one repeats its line.
  const last = new Map(takenBack.map((one) => [one.record.commit, one]));
  return {
    open,
    isDamaged: open === null && text !== '',
    leaving: parseTakenBack(one('leaving')),
    takenBack: [...last.values()],
  };
}
