/** csync policy commit --from: the policy of a git repository, edits by hand on the master, and the hook of the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const hook = /```sh\n(#!\/bin\/sh\n[\s\S]*?)```/.exec(
  readFileSync(join(repository, 'docs/how-to/operate/policy-from-git.md'), 'utf8'),
)?.[1];
const git = 'git -c user.name=a -c user.email=a@example.com';
const master = '/csync/dsau/masterfiles';

describe.skipIf(whyNoLab !== null)('csync policy commit --from in the lab', { timeout: 300_000 }, () => {
  const used = useLab('policy-git', { deployed: true, watched: false });
  const { sh } = typedIn(used);
  /** A command on m1 that has to succeed. */
  const does = async (command: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await sh('m1', `cd /root && ${command}`);
    expect([command, exitCode, stderr]).toEqual([command, 0, expect.any(String)]);
    return stdout.trim();
  };
  const commit = async (words: string) => {
    const { exitCode, stdout } = await sh('m1', `cd /root && csync policy commit ${words} --json`);
    const said = JSON.parse(stdout) as {
      outcome?: string;
      record?: { revision?: string; files: string[]; removed: string[]; message: string } | null;
      problems?: { code: string }[];
    };
    return { exitCode, ...said, codes: said.problems?.map(({ code }) => code) ?? [] };
  };
  /** A new repository whose policy the master has. */
  const deployed = async (name: string): Promise<string> => {
    await does(
      `rm -rf ${name} && mkdir ${name} && cd ${name} && git init --quiet -b main && cp ${master}/site.cf . && echo '# ${name}' >> site.cf && echo '# ours' > ours.cf && git add . && ${git} commit --quiet -m 'ours: new'`,
    );
    const { digest } = JSON.parse(await does('csync policy show --json')) as { digest: string };
    const first = await commit(`--from /root/${name} --base ${digest}`);
    expect([first.exitCode, first.outcome]).toEqual([0, 'acknowledged']);
    return does(`git -C ${name} rev-parse HEAD`);
  };

  it('first refuses to replace a file whose base is unknown, then has the revision in the record', async () => {
    await does(
      `rm -rf none && mkdir none && cd none && git init --quiet && echo '# other' > site.cf && git add . && ${git} commit --quiet -m x`,
    );
    const refused = await commit('--from none');
    expect(refused.exitCode).toBe(3);
    const revision = await deployed('one');
    const [last] = (
      JSON.parse(await does('csync policy log --json')) as { commits: { revision: string; message: string }[] }
    ).commits.slice(-1);
    expect(last).toMatchObject({ revision, message: 'ours: new' });
    expect(await does(`cat ${master}/csync.commit`)).toContain(revision);
  });

  it('brings the changes of a branch, and removes what it removed', async () => {
    await deployed('two');
    await does(
      `cd two && git checkout --quiet -b next && git rm --quiet ours.cf && echo '# more' >> site.cf && ${git} commit --quiet -a -m 'site: more'`,
    );
    const next = await commit('--from two@next');
    expect([next.exitCode, next.record?.files, next.record?.removed]).toEqual([0, ['site.cf'], ['ours.cf']]);
    expect(await does(`ls ${master}/ours.cf 2>&1; tail -n 1 ${master}/site.cf`)).toMatch(/No such file[^\n]*\n# more$/);
    expect((await commit('--from two@next')).outcome).toBe('acknowledged earlier');
  });

  it('refuses when the master was edited by hand, changes nothing, and accepts with --base', async () => {
    await deployed('three');
    await does(`echo '# by hand' >> ${master}/ours.cf`);
    await does(`cd three && echo '# again' >> site.cf && ${git} commit --quiet -a -m 'site: again'`);
    const refused = await commit('--from three');
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-policy-conflict']]);
    expect(await does(`tail -n 1 ${master}/site.cf`)).not.toBe('# again');
    const { digest } = JSON.parse(await does('csync policy show --json')) as { digest: string };
    expect((await commit(`--from three --base ${digest}`)).exitCode).toBe(0);
    expect(await does(`cat ${master}/ours.cf`)).toBe('# ours');
  });

  it('runs from the hook of the page, at a push', async () => {
    await deployed('four');
    await does(
      `rm -rf four.git && git clone --quiet --bare four four.git && cat > four.git/hooks/post-receive <<'END'\n${hook}END`,
    );
    await does(`chmod +x four.git/hooks/post-receive`);
    await does(
      `cd four && echo '# pushed' >> site.cf && ${git} commit --quiet -a -m pushed && git push --quiet ../four.git main`,
    );
    expect(await does(`tail -n 1 ${master}/site.cf`)).toBe('# pushed');
    expect(await does('csync policy log')).toContain(': pushed');
  });
});
