/** Reads trees of a git repository, and changes nothing in it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '../host.ts';
import { readTree, type TreeFile } from './file-tree.ts';
import { runCommand } from './own-files.ts';

const limitMs = 120_000;

/** Drops the environment of a git hook, which names its own repository. */
function git(argv: readonly string[], variables: readonly string[] = []): Promise<CommandResult> {
  const quiet = [`HOME=${homedir()}`, 'GIT_TERMINAL_PROMPT=0', 'GIT_SSH_COMMAND=ssh -o BatchMode=yes'];
  return runCommand(['env', ...quiet, ...variables, 'git', ...argv], limitMs);
}

/** Splits `REPOSITORY[@REF]`; an `@` in a URL or in `user@host:path` begins no REF. */
export function repositoryAndRef(text: string): { readonly repository: string; readonly ref: string } {
  const from = text.includes('://')
    ? text.indexOf('/', text.indexOf('://') + 3)
    : /^[^/@]+@[^/:]+:/.test(text)
      ? text.indexOf(':')
      : 0;
  const at = text.lastIndexOf('@');
  return at > from && at > 0 ? { repository: text.slice(0, at), ref: text.slice(at + 1) } : { repository: text, ref: 'HEAD' };
}

/** `commit`: full hash; `subject`: first line of the message. */
export interface Revision {
  readonly gitDirectory: string;
  readonly commit: string;
  readonly subject: string;
}

export class GitFailure extends Error {}

function printed({ exitCode, stdout, stderr, timedOut, errorCode }: CommandResult, doing: string): string {
  if (exitCode === 0) return stdout;
  if (timedOut) throw new GitFailure(`git did not finish in ${limitMs / 1000} s: ${doing}`);
  if (errorCode === 'ENOENT' || exitCode === 127) throw new GitFailure('git is not installed on this host');
  throw new GitFailure(`${doing}: ${stderr.trim() || `git exited with ${exitCode}`}`);
}

/** Clones the repository below `scratch` unless it is a directory here. Throws a GitFailure. */
export async function findRevision(repository: string, ref: string, isHere: boolean, scratch: string): Promise<Revision> {
  const directory = isHere ? repository : join(scratch, 'clone');
  if (!isHere) printed(await git(['clone', '--quiet', '--bare', '--', repository, directory]), `git clone ${repository}`);
  const shown = await git(['-C', directory, 'log', '-1', '--format=%H%n%s', '--end-of-options', ref, '--']);
  const [commit = '', subject = ''] = printed(shown, `${ref} of ${repository}`).split('\n');
  const found = await git(['-C', directory, 'rev-parse', '--absolute-git-dir']);
  return { gitDirectory: printed(found, repository).trim(), commit, subject };
}

/** The files below `subdirectory`, without hidden ones. Throws a GitFailure. */
export async function filesOfCommit(
  { gitDirectory }: Pick<Revision, 'gitDirectory'>,
  commit: string,
  subdirectory: string,
  scratch: string,
): Promise<readonly TreeFile[]> {
  const tree = `${commit}:${subdirectory}`;
  const target = `tree-${commit}`;
  // The repository's own index stays unchanged.
  const index = [`GIT_INDEX_FILE=${join(scratch, `index-${commit}`)}`];
  const own = ['-C', scratch, `--git-dir=${gitDirectory}`, `--work-tree=${scratch}`];
  const within = async (...argv: string[]): Promise<string> => printed(await git([...own, ...argv], index), tree);
  await within('read-tree', tree);
  await within('checkout-index', '--force', '--all', `--prefix=${target}/`);
  return readTree(join(scratch, target));
}
