import type { ProblemCode } from '../../base/codes/problem-codes.ts';
import { type Checked, demand, failure } from '../../base/problem.ts';
import { type LocalFile, type PolicyState, recordsOf, repositoryEdit } from '../../cluster/policy/commit.ts';
import { kindOf, type TreeFile, whyNotPlain } from '../../host/admin/file-tree.ts';
import { filesOfCommit, findRevision, GitFailure, type Revision, repositoryAndRef } from '../../host/admin/git.ts';
import { privateDirectory, realPath } from '../../host/admin/own-files.ts';

export interface RepositorySource {
  readonly revision: Revision;
  /** `accepts`: overwrites edits by hand. Throws a Failure. */
  edit(state: PolicyState, accepts: boolean): Promise<readonly LocalFile[]>;
  close(): void;
}

const refuse = (code: ProblemCode, text: string, remedy: string): never => {
  throw failure(code, text, remedy);
};

/** Throws a Failure if git cannot read it, or a file is not plain. */
export async function openRepository(from: string, subdirectory: string): Promise<RepositorySource> {
  const isDirectory = kindOf(from) === 'directory';
  const { repository, ref } = isDirectory ? { repository: from, ref: 'HEAD' } : repositoryAndRef(from);
  const isHere = kindOf(repository) === 'directory';
  const scratch = privateDirectory('csync-git');
  if (scratch === null) return refuse('change-policy', 'no temporary directory can be made', 'free space in /tmp');
  // Retries of a commit need them again.
  const trees = new Map<string, ReadonlyMap<string, Buffer>>();
  const read = async (revision: Revision, commit: string): Promise<ReadonlyMap<string, Buffer>> => {
    const tree = trees.get(commit) ?? plain(await filesOfCommit(revision, commit, subdirectory, scratch.path), repository);
    trees.set(commit, tree);
    return tree;
  };
  try {
    const revision = await findRevision(isHere ? realPath(repository) : repository, ref, isHere, scratch.path);
    const now = await read(revision, revision.commit);
    return {
      revision,
      edit: async (state, accepts) => {
        const last = recordsOf(state).findLast((record) => record.revision !== undefined)?.revision;
        const before = last === undefined || accepts ? null : await previous(read, revision, last, repository);
        const edit: Checked<readonly LocalFile[]> = repositoryEdit(state, now, before);
        return demand(edit);
      },
      close: () => scratch.remove(),
    };
  } catch (error) {
    scratch.remove();
    if (error instanceof GitFailure)
      return refuse('usage', error.message, 'name a repository and a commit, branch or tag that git can read');
    throw error;
  }
}

async function previous(
  read: (revision: Revision, commit: string) => Promise<ReadonlyMap<string, Buffer>>,
  revision: Revision,
  commit: string,
  repository: string,
): Promise<ReadonlyMap<string, Buffer>> {
  try {
    return await read(revision, commit);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return refuse(
      'policy-no-base',
      `the master has commit ${commit.slice(0, 12)}, which ${repository} does not have: edits by hand could be overwritten (${error.message})`,
      'git fetch --unshallow in the repository; or compare by csync policy show --copy DIR, then add --base with the digest it prints',
    );
  }
}

function plain(files: readonly TreeFile[], repository: string): ReadonlyMap<string, Buffer> {
  const others = files.filter(({ content }) => content === null).map((file) => `${file.name} ${whyNotPlain(file)}`);
  if (others.length > 0)
    refuse(
      'policy-name',
      `${repository}: ${others.join(', ')}`,
      'replace links by files, and rename the others; hosts get copies of regular files whose names are UTF-8',
    );
  return new Map(files.flatMap(({ name, content }) => (content === null ? [] : [[name, content] as const])));
}
