/** Commits an edit of the master copy: changes, permission, record. Not of csync's own files. Pure. */

import { attempt } from '../../base/attempt.ts';
import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { refuseNewer } from '../../contract/formats.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { augmentsLines, frameworkFiles, isAugments, joinAugments } from '../../render/mpf.ts';
import { isOurs } from '../../render/policy.ts';

/** A one-line file in the master copy; shows each host its commit. */
export const commitRecordName = 'csync.commit';

export interface CommitRecord {
  /** From 1; never reused on a policy file system. */
  readonly commit: number;
  readonly epoch: number;
  readonly digest: string;
  readonly at: string;
  readonly by: string;
  readonly member: string;
  readonly message: string;
  readonly files: readonly string[];
  readonly removed: readonly string[];
  readonly revision?: string;
  readonly stage?: readonly string[];
}

export interface PolicyState {
  /** By relative name, without the record. */
  readonly files: ReadonlyMap<string, { readonly digest: string; readonly ours: boolean }>;
  /** As the member computed it, before it read the rest. */
  readonly digest: string;
  /** 0: never promoted. */
  readonly epoch: number;
  readonly sentinelDigest: string;
  readonly current: CommitRecord | null;
  /** Oldest first. */
  readonly log: readonly CommitRecord[];
}

export interface LocalFile {
  readonly name: string;
  /** null: removed. */
  readonly content: Buffer | null;
  /** Digest of the file that the edit is based on; null: no file. Several after a commit without an answer. undefined: unknown. */
  readonly base?: readonly (string | null)[] | undefined;
}

export interface CommitPlan {
  readonly write: readonly { readonly name: string; readonly content: Buffer }[];
  readonly remove: readonly string[];
  readonly digest: string;
}

/** SHA-256 over sha256sum lines `digest  ./name`, sorted by bytes, as the shell on a member computes it. */
export function treeDigest(files: ReadonlyMap<string, string>): string {
  const lines = [...files].map(([name, digest]) => Buffer.from(`${digest}  ./${name}\n`)).sort(Buffer.compare);
  return sha256(Buffer.concat(lines));
}

/** `base`: digest of the whole master copy, for files without a base. */
export function planCommit(state: PolicyState, files: readonly LocalFile[], base: string | null): Checked<CommitPlan> {
  const edits = files.filter((file) => isEdit(state, file));
  const problems = [
    ...unreadableNames(state),
    ...(base !== null && base !== state.digest && edits.some((edit) => edit.base === undefined)
      ? [movedProblem(state, base)]
      : []),
    ...edits.flatMap((edit) => editProblems(state, edit, base)),
    ...augmentsProblems(state, edits),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const write = edits.flatMap(({ name, content }) => (content === null ? [] : [{ name, content }]));
  const remove = edits.flatMap(({ name, content }) => (content === null ? [name] : []));
  const after = new Map([...state.files].map(([name, { digest }]) => [name, digest]));
  for (const name of remove) after.delete(name);
  for (const { name, content } of write) after.set(name, sha256(content));
  return { ok: true, value: { write, remove, digest: treeDigest(after) }, problems: [] };
}

/**
 * The difference between two revisions. `before`: the master's; null: unknown. An edit by hand on the master is a problem, even if the
 * repository did not change the file.
 */
export function repositoryEdit(
  state: PolicyState,
  now: ReadonlyMap<string, Buffer>,
  before: ReadonlyMap<string, Buffer> | null,
): Checked<readonly LocalFile[]> {
  if (before === null) return { ok: true, value: [...now].map(([name, content]) => ({ name, content })), problems: [] };
  const names = new Set([...now.keys(), ...before.keys()]);
  const files = [...names].map((name): LocalFile => {
    const old = before.get(name);
    return { name, content: now.get(name) ?? null, base: [old === undefined ? null : sha256(old)] };
  });
  const byHand = files.filter((file) => {
    const there = digestThere(state, file.name);
    return there !== digestOf(file) && file.base?.at(0) === digestOf(file);
  });
  const problems = byHand.map(({ name }) => conflict(state, name));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: files, problems: [] };
}

const digestOf = ({ content }: LocalFile): string | null => (content === null ? null : sha256(content));
const digestThere = (state: PolicyState, name: string): string | null => state.files.get(name)?.digest ?? null;

function isEdit(state: PolicyState, file: LocalFile): boolean {
  const mine = digestOf(file);
  return mine !== digestThere(state, file.name) && file.base?.at(0) !== mine;
}

/** sha256sum escapes some of them; the last stands for a byte that is not UTF-8. */
const unreadable = /[\p{Cc}\\\uFFFD]/u;
/** Safe for cfengine and shell patterns. */
const plainName = /^(?!.*(^|\/)\.)[^/]+(\/[^/]+)*$/;

/** Names on the master with which no digest of the tree can be computed here. */
export function unreadableNames({ files }: Pick<PolicyState, 'files'>): Problem[] {
  const names = [...files.keys()].filter((name) => unreadable.test(name));
  if (names.length === 0) return [];
  return [
    errorProblem(
      'policy-name',
      `the policy on the master has files whose names are not UTF-8, or have control characters or backslashes: ${names.map((name) => JSON.stringify(name)).join(', ')}`,
      'rename them on the master, with letters, digits, dots, dashes and underscores; then repeat this command',
    ),
  ];
}

function editProblems(state: PolicyState, edit: LocalFile, base: string | null): Problem[] {
  const { name, content } = edit;
  const there = state.files.get(name);
  if (!plainName.test(name) || unreadable.test(name) || name === commitRecordName)
    return [
      errorProblem(
        'policy-name',
        `${JSON.stringify(name)} is not a valid name for a policy file`,
        'choose another name, without hidden parts',
      ),
    ];
  if (there?.ours === true || (content !== null && isOurs(content.toString('latin1'))))
    return [
      errorProblem(
        'policy-toolkit-file',
        `${name} belongs to the toolkit, which would overwrite the edit`,
        "edit site.cf (site.main) and files that you add; csync templates export DIR changes the toolkit's files",
      ),
    ];
  if (edit.base !== undefined) return edit.base.includes(there?.digest ?? null) ? [] : [conflict(state, name)];
  if (base !== null || there === undefined) return [];
  return [
    errorProblem(
      'policy-no-base',
      `${name} exists on the master, and the base of your edit is unknown: a commit could undo another administrator's edit`,
      `csync policy show --copy DIR   (makes a working copy to edit and commit); or --base ${state.digest.slice(0, 12)}... as csync policy show prints it now`,
    ),
  ];
}

/** Augments of the Masterfiles Policy Framework must keep referring to csync's files. */
function augmentsProblems({ files }: PolicyState, edits: readonly LocalFile[]): Problem[] {
  if (files.get(frameworkFiles.update)?.ours !== true) return [];
  const ofAugments = edits.filter(({ name }) => isAugments(name));
  const removed = new Set(ofAugments.flatMap(({ name, content }) => (content === null ? [name] : [])));
  const isOneLeft = [...files.keys()].some((name) => isAugments(name) && !removed.has(name));
  const isJoined = (text: string): boolean => {
    const joined = joinAugments(text);
    return joined.ok && joined.text === text;
  };
  return ofAugments
    .filter(({ content }) => (content === null ? !isOneLeft : !isJoined(content.toString('utf8'))))
    .map(({ name }) =>
      errorProblem(
        'policy-toolkit-file',
        `${name} lacks lines of csync: without them hosts no longer fetch policy and keys from the master, and it does not admit them`,
        `add these to it, and keep its other keys:\n${augmentsLines()}`,
      ),
    );
}

function conflict(state: PolicyState, name: string): Problem {
  const last = recordsOf(state).findLast(({ files, removed }) => files.includes(name) || removed.includes(name));
  const who =
    last === undefined ? '' : `, last by commit ${last.commit} of ${last.by}${last.message === '' ? '' : ` (${last.message})`}`;
  return errorProblem(
    'change-policy-conflict',
    `${name} was changed on the master since your edit began${who}; nothing was committed`,
    'csync policy show --copy ANOTHER-DIR, repeat your edit there, and commit it',
  );
}

function movedProblem(state: PolicyState, base: string): Problem {
  return errorProblem(
    'change-policy-conflict',
    `the policy of the master has changed from ${base} to ${state.digest}; nothing was committed`,
    'csync policy log   (lists the commits in between); then commit with --base and the present digest',
  );
}

/** Oldest first, current last. */
export function recordsOf({ log, current }: PolicyState): CommitRecord[] {
  return [...log.filter(({ commit }) => current === null || commit < current.commit), ...(current === null ? [] : [current])];
}

export interface CommitWords {
  readonly at: string;
  readonly by: string;
  readonly member: string;
  readonly message: string;
  readonly revision?: string;
  readonly stage?: readonly string[];
}

/** For exactly that state. */
export function nextRecord(state: PolicyState, { write, remove, digest }: CommitPlan, words: CommitWords): CommitRecord {
  const commit = Math.max(0, ...[...state.log, ...recordsOf(state)].map((one) => one.commit)) + 1;
  const { at, by, member, message, revision, stage } = words;
  const files = write.map(({ name }) => name);
  return {
    commit,
    epoch: state.epoch,
    digest,
    at,
    by,
    member,
    message,
    files,
    removed: remove,
    ...(revision === undefined ? {} : { revision }),
    ...(stage === undefined ? {} : { stage }),
  };
}

export function recordText(record: CommitRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** null: invalid. Throws a Failure for a record of a newer csync, whose number must not be used again. */
export function parseRecord(text: string): CommitRecord | null {
  refuseNewer(text, 'the commit record of the policy');
  return attempt(() => {
    const found = JSON.parse(text) as Partial<Record<keyof CommitRecord, unknown>>;
    const count = (value: unknown): number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : -1;
    const word = (value: unknown): string => (typeof value === 'string' ? value : '');
    const words = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
    const [commit, epoch] = [count(found.commit), count(found.epoch)];
    if (commit < 1 || epoch < 0) return null;
    return {
      commit,
      epoch,
      digest: word(found.digest),
      at: word(found.at),
      by: word(found.by),
      member: word(found.member),
      message: word(found.message),
      files: words(found.files),
      removed: words(found.removed),
      ...(word(found.revision) === '' ? {} : { revision: word(found.revision) }),
      ...(words(found.stage).length === 0 ? {} : { stage: words(found.stage) }),
    };
  }, null);
}
