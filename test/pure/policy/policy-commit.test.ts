import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/base/problem.ts';
import { toolkitVersion } from '../../../src/base/version.ts';
import {
  type CommitRecord,
  type LocalFile,
  nextRecord,
  type PolicyState,
  parseRecord,
  planCommit,
  recordsOf,
  recordText,
  repositoryEdit,
  treeDigest,
} from '../../../src/cluster/policy/commit.ts';
import { becameOf } from '../../../src/cluster/policy/scripts.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';

const record = (commit: number, more: Partial<CommitRecord> = {}): CommitRecord => ({
  commit,
  epoch: 1,
  digest: '',
  at: '2026-11-28T00:00:00.000Z',
  by: 'root@m1',
  member: 'm1',
  message: '',
  files: [],
  removed: [],
  ...more,
});

/** A master with these texts; `ours` are the toolkit's. */
function stateOf(
  texts: Readonly<Record<string, string>>,
  ours: readonly string[] = [],
  more: Partial<PolicyState> = {},
): PolicyState {
  const files = new Map(Object.entries(texts).map(([name, text]) => [name, { digest: sha256(text), ours: ours.includes(name) }]));
  const digest = treeDigest(new Map([...files].map(([name, file]) => [name, file.digest])));
  return { files, digest, epoch: 5, sentinelDigest: '', current: null, log: [], ...more };
}

const local = (name: string, text: string | null, base?: readonly (string | null)[]): LocalFile => ({
  name,
  content: text === null ? null : Buffer.from(text),
  ...(base === undefined ? {} : { base: base.map((one) => (one === null ? null : sha256(one))) }),
});

const master = stateOf({ 'site.cf': 'old', 'promises.cf': 'ours', 'gone.txt': 'x' }, ['promises.cf']);
const ownHeader = `# Written by the csync toolkit ${toolkitVersion}, which writes it again: edits here are lost.\n`;

describe('what an edit changes', () => {
  const rows: readonly (readonly [what: string, files: readonly LocalFile[], base: string | null, is: string])[] = [
    ['a file that does not exist yet', [local('new.cf', 'n')], null, '+new.cf'],
    ['what the master has already is no edit', [local('site.cf', 'old')], null, ''],
    ['a file of the master, and nothing says what it began with', [local('site.cf', 'mine')], null, 'policy-no-base'],
    ['the whole policy is what it began with', [local('site.cf', 'mine')], master.digest, '+site.cf'],
    ['the whole policy is another one by now', [local('site.cf', 'mine')], 'f00', 'change-policy-conflict'],
    ['a working copy that began with the present content', [local('site.cf', 'mine', ['old'])], null, '+site.cf'],
    ['one that began with something else', [local('site.cf', 'mine', ['older'])], null, 'change-policy-conflict'],
    ['another user changed a file this copy did not', [local('site.cf', 'older', ['older'])], null, ''],
    ['both made the same edit', [local('site.cf', 'old', ['older'])], null, ''],
    ['a commit was not answered, and did not come about', [local('site.cf', 'mine', ['old', 'mine'])], null, '+site.cf'],
    [
      'a commit was not answered, came about, and is edited again',
      [local('site.cf', 'again', ['older', 'old'])],
      null,
      '+site.cf',
    ],
    ['removed', [local('gone.txt', null, ['x'])], null, '-gone.txt'],
    ['removed here, changed there', [local('gone.txt', null, ['y'])], null, 'change-policy-conflict'],
    ['removed on both sides', [local('away.txt', null, ['y'])], null, ''],
    ['new on both sides, not the same', [local('site.cf', 'mine', [null])], null, 'change-policy-conflict'],
    ["the toolkit's, unchanged in a working copy", [local('promises.cf', 'ours', ['ours'])], null, ''],
    ["the toolkit's, edited", [local('promises.cf', 'mine', ['ours'])], null, 'policy-toolkit-file'],
    ["the toolkit's, removed", [local('promises.cf', null, ['ours'])], null, 'policy-toolkit-file'],
    ["an own file with the toolkit's header", [local('a.cf', `${ownHeader}x`)], null, 'policy-toolkit-file'],
    ['the record', [local('csync.commit', 'x')], null, 'policy-name'],
    ['out of the tree', [local('../x', 'x')], null, 'policy-name'],
    ['hidden', [local('a/.x', 'x')], null, 'policy-name'],
    ['a name of two lines', [local('a\nb', 'x')], null, 'policy-name'],
    ['a name that was read from bytes that are not UTF-8', [local('caf\uFFFD.cf', 'x')], null, 'policy-name'],
    ['all that is wrong at once', [local('../x', 'x'), local('site.cf', 'a', ['b'])], null, 'policy-name change-policy-conflict'],
  ];
  it.each(rows)('%s', (_what, files, base, is) => {
    const planned = planCommit(master, files, base);
    const said = planned.ok
      ? [...planned.value.write.map(({ name }) => `+${name}`), ...planned.value.remove.map((name) => `-${name}`)]
      : planned.problems.map(({ code }) => code);
    expect(said.join(' ')).toBe(is);
  });

  it.each(['caf\uFFFD.txt', 'a\nb', 'a\\b'])('is refused while the master has a file of the name %j', (name) => {
    const planned = planCommit(stateOf({ [name]: 'x' }), [local('n', 'n')], null);
    expect(planned.problems.map(formatProblem).join()).toContain(JSON.stringify(name));
  });

  it('a conflict names who was first', () => {
    const state = { ...master, current: record(7, { files: ['site.cf'], by: 'anna@m2', message: 'motd' }) };
    const planned = planCommit(state, [local('site.cf', 'mine', ['older'])], null);
    expect(planned.problems.map(formatProblem).join()).toContain('last by commit 7 of anna@m2 (motd)');
  });

  it('for all edits of two administrators in their copies, nothing of the first is undone by the second', () => {
    const names = ['a', 'b', 'c'];
    const edit = fc.record({ name: fc.constantFrom(...names), text: fc.option(fc.constantFrom('1', '2', '3')) });
    const property = fc.property(fc.array(edit), fc.array(edit), (first, second) => {
      const begun: Record<string, string> = { a: '0', b: '0' };
      const copy = (edits: readonly { name: string; text: string | null }[]): LocalFile[] => {
        const now = new Map<string, string | null>(Object.entries(begun));
        for (const { name, text } of edits) now.set(name, text);
        return [...now].map(([name, text]) => local(name, text, [begun[name] ?? null]));
      };
      const applied = (texts: Readonly<Record<string, string>>, files: readonly LocalFile[]): Record<string, string> => {
        const planned = planCommit(stateOf(texts), files, null);
        if (!planned.ok) return texts;
        const after = new Map(Object.entries(texts));
        for (const { name, content } of planned.value.write) after.set(name, content.toString());
        for (const name of planned.value.remove) after.delete(name);
        expect(planned.value.digest).toBe(stateOf(Object.fromEntries(after)).digest);
        return Object.fromEntries(after);
      };
      const one = applied(begun, copy(first));
      const both = applied(one, copy(second));
      for (const name of names) if (one[name] !== begun[name]) expect(both[name]).toBe(one[name]);
    });
    fc.assert(property, { numRuns: 100 });
  });
});

describe('the record of a commit', () => {
  it('counts on from the highest that is known, and takes the epoch of the promotion', () => {
    const state = { ...master, current: record(4), log: [record(3), record(9)] };
    const plan = planCommit(state, [local('n', 'n')], null);
    if (!plan.ok) throw new Error('refused');
    const made = nextRecord(state, plan.value, { at: 'now', by: 'a@b', member: 'm2', message: 'why' });
    expect([made.commit, made.epoch, made.digest, made.files]).toEqual([10, 5, plan.value.digest, ['n']]);
  });

  it('of a commit that did not come about is not told', () => {
    expect(
      recordsOf({ ...master, current: record(2), log: [record(1), record(2), record(3)] }).map(({ commit }) => commit),
    ).toEqual([1, 2]);
  });

  it('is read back, and what is none is none', () => {
    const one = record(3, { message: 'with "quotes"\nand lines', files: ['ä'] });
    expect(parseRecord(recordText(one))).toEqual(one);
    for (const text of ['', '{}', 'null', '[]', '{"commit":0,"epoch":1}', '{"commit":1.5,"epoch":1}'])
      expect(parseRecord(text)).toBeNull();
  });
});

describe('what became of the script', () => {
  const ended = (stdout: string, exitCode: number | null, timedOut = false) => becameOf({ stdout, exitCode, timedOut });
  const rows: readonly (readonly [stdout: string, exitCode: number | null, timedOut: boolean, is: string])[] = [
    ['swapping\ndurable\n', 0, false, 'durable'],
    ['swapping\ndurable\n', 1, false, 'durable'],
    ['swapping\ndurable\n', 255, false, 'durable'],
    ['swapping\n', 1, false, 'unknown'],
    ['swapping\nno perl\n', 67, false, 'not there'],
    ['swapping\n', 140, false, 'unknown'],
    ['', 66, false, 'not there'],
    ['', 255, false, 'unknown'],
    ['', 137, false, 'unknown'],
    ['', null, false, 'unknown'],
    ['', 66, true, 'unknown'],
    ['', 0, false, 'unknown'],
  ];
  it.each(rows)('%j with status %s, timed out %s: %s', (stdout, exitCode, timedOut, is) => {
    expect(ended(stdout, exitCode, timedOut)).toBe(is);
  });
});

describe('an edit from a repository', () => {
  const tree = (texts: Readonly<Record<string, string>>) =>
    new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
  const before = { 'site.cf': 'one', 'old.cf': 'old', 'same.cf': 'same' };
  const now = { 'site.cf': 'two', 'same.cf': 'same', 'new.cf': 'new' };

  it('writes what changed, removes what is gone, and leaves other files of the master alone', () => {
    const state = stateOf({ ...before, 'by-hand.cf': 'theirs' });
    const edit = repositoryEdit(state, tree(now), tree(before));
    const plan = planCommit(state, edit.ok ? edit.value : [], null);
    expect(plan.ok && plan.value.write.map(({ name }) => name).sort()).toEqual(['new.cf', 'site.cf']);
    expect(plan.ok && plan.value.remove).toEqual(['old.cf']);
  });

  it.each([
    ['that the repository changed', { ...before, 'site.cf': 'by hand' }, 'site.cf'],
    ['that the repository did not change', { ...before, 'same.cf': 'by hand' }, 'same.cf'],
    ['that the repository removed', { ...before, 'old.cf': 'by hand' }, 'old.cf'],
    ['that the repository brings', { ...before, 'new.cf': 'by hand' }, 'new.cf'],
    ['that is gone from the master', { 'site.cf': 'one', 'old.cf': 'old' }, 'same.cf'],
  ])('refuses a file %s when it was edited on the master', (_, texts, name) => {
    const state = stateOf(texts);
    const edit = repositoryEdit(state, tree(now), tree(before));
    const problems = edit.ok ? planCommit(state, edit.value, null) : edit;
    expect(problems.ok ? [] : problems.problems.map(({ code }) => code)).toEqual(['change-policy-conflict']);
    expect(problems.ok ? '' : problems.problems[0]?.text).toContain(name);
  });

  it('says nothing of a file that was edited on the master as the repository has it now', () => {
    const state = stateOf({ ...before, 'site.cf': 'two' });
    const edit = repositoryEdit(state, tree(now), tree(before));
    expect(edit.ok && planCommit(state, edit.value, null).ok).toBe(true);
  });

  it('has no base while the master has no revision: an existing file that differs needs --base', () => {
    const state = stateOf({ 'site.cf': 'shipped' });
    const edit = repositoryEdit(state, tree(now), null);
    const files = edit.ok ? edit.value : [];
    expect(planCommit(state, files, null).ok).toBe(false);
    expect(planCommit(state, files, state.digest).ok).toBe(true);
  });

  it('is in the record with its revision', () => {
    const state = stateOf(before);
    const plan = planCommit(state, [{ name: 'new.cf', content: Buffer.from('new') }], null);
    const words = { at: '', by: '', member: 'm1', message: 'motd', revision: 'f00d' };
    const made = plan.ok ? nextRecord(state, plan.value, words) : record(1);
    expect(parseRecord(recordText(made))?.revision).toBe('f00d');
    expect(Object.keys(parseRecord(recordText(record(1))) ?? {})).not.toContain('revision');
  });
});
