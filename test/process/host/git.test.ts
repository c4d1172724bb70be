/** Trees of real git repositories. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesOfCommit, findRevision, GitFailure, repositoryAndRef } from '../../../src/host/admin/git.ts';
import { scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const repository = join(scratch, 'site.git@work');

function git(...argv: string[]): string {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  const { status, stdout, stderr } = spawnSync('git', ['-C', repository, ...identity, ...argv], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  return stdout.trim();
}

describe('REPOSITORY[@REF]', () => {
  it.each([
    ['/srv/policy.git', '/srv/policy.git', 'HEAD'],
    ['/srv/policy.git@main', '/srv/policy.git', 'main'],
    ['policy@feature/x', 'policy', 'feature/x'],
    ['git@host:policy.git', 'git@host:policy.git', 'HEAD'],
    ['git@host:policy.git@v1', 'git@host:policy.git', 'v1'],
    ['ssh://git@host/policy.git', 'ssh://git@host/policy.git', 'HEAD'],
    ['ssh://git@host:22/policy.git@v1', 'ssh://git@host:22/policy.git', 'v1'],
    ['https://host/policy.git@0123abc', 'https://host/policy.git', '0123abc'],
  ])('%s', (text, name, ref) => {
    expect(repositoryAndRef(text)).toEqual({ repository: name, ref });
  });
});

describe('a commit of a repository', () => {
  let first = '';
  beforeAll(() => {
    mkdirSync(join(repository, 'policy/lib'), { recursive: true });
    git('init', '--quiet');
    writeFileSync(join(repository, 'policy/site.cf'), 'one');
    writeFileSync(join(repository, 'policy/lib/x.cf'), 'x');
    writeFileSync(join(repository, 'README'), 'no policy');
    git('add', '.');
    git('commit', '--quiet', '-m', 'first: one\n\nmore');
    first = git('rev-parse', 'HEAD');
    writeFileSync(join(repository, 'policy/site.cf'), 'two');
    git('commit', '--quiet', '-a', '-m', 'second');
    writeFileSync(join(repository, 'policy/site.cf'), 'not committed');
  });
  const here = { gitDirectory: join(repository, '.git') };
  const files = async (commit: string, revision = here) =>
    (await filesOfCommit(revision, commit, 'policy', scratch)).map(({ name, content }) => `${name} ${content}`);

  it('has its files, with anything in the work tree, and leaves that and the index alone', async () => {
    const before = git('status', '--porcelain');
    const found = await findRevision(repository, 'HEAD~1', true, scratch);
    expect([found.commit, found.subject]).toEqual([first, 'first: one']);
    expect(await files(first)).toEqual(['lib/x.cf x', 'site.cf one']);
    expect(await files(git('rev-parse', 'HEAD'))).toEqual(['lib/x.cf x', 'site.cf two']);
    expect(git('status', '--porcelain')).toBe(before);
  });

  it('of a repository elsewhere is read from a clone, with older commits', async () => {
    const found = await findRevision(`file://${repository}`, 'HEAD', false, scratch);
    expect(await files(found.commit, found)).toEqual(['lib/x.cf x', 'site.cf two']);
    expect(await files(first, found)).toEqual(['lib/x.cf x', 'site.cf one']);
  });

  it('has a link as something that is no plain file', async () => {
    symlinkSync('/etc/passwd', join(repository, 'policy/link.cf'));
    git('add', 'policy/link.cf');
    git('commit', '--quiet', '-m', 'link');
    const found = await filesOfCommit(here, git('rev-parse', 'HEAD'), 'policy', scratch);
    expect(found.find(({ name }) => name === 'link.cf')?.content).toBeNull();
  });

  it.each([
    ['no such branch', () => findRevision(repository, 'nothing', true, scratch)],
    ['an option in the place of a branch', () => findRevision(repository, '--all', true, scratch)],
    ['no repository', () => findRevision(scratch, 'HEAD', true, scratch)],
    ['no such clone', () => findRevision('file:///nowhere', 'HEAD', false, join(scratch, 'other'))],
    ['no such directory in it', () => filesOfCommit(here, first, 'nothing', scratch)],
  ])("%s: git's own words", async (_, ask) => {
    const failed = await ask().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(GitFailure);
    expect((failed as Error).message).toMatch(/fatal: /);
  });
});
