/** The rows of the verbs: complete, and what follows from them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withReference } from '../../../scripts/generate/pages/verbs-page.ts';
import { exitCodes, exitTable } from '../../../src/base/problem.ts';
import { helpText, meantVerbs, partsText } from '../../../src/cli/help.ts';
import { parse } from '../../../src/cli/parser.ts';
import { exitLines } from '../../../src/cli/reference.ts';
import { type Verb, verbTasks } from '../../../src/cli/verb.ts';
import { changingVerbs, verbGroups, verbs } from '../../../src/cli/verbs.ts';
import { statusExit } from '../../../src/cluster/condition/status.ts';
import { readPage } from '../../markdown.ts';
import { repository, serviceguardWords } from '../../support.ts';

const named = (words: string): Verb => {
  const found = verbs.find((verb) => verb.words === words);
  if (found === undefined) throw new Error(`there is no verb ${words}`);
  return found;
};

describe('a verb', () => {
  it.each(verbs.map((verb) => [verb.words, verb] as const))('%s has a complete row', (words, verb) => {
    expect(verb.does).toMatch(/^\S.*[^.]$/);
    expect(words.length + verb.does.length).toBeLessThan(78);
    expect(verb.examples).not.toEqual([]);
    for (const [command, why] of verb.examples) expect([command.startsWith(words), why !== '']).toEqual([true, true]);
    for (const option of Object.values(verb.options)) expect(option.describe).toMatch(/^\S.*[^.]$/);
    const takesJson = verb.effect !== 'prints';
    expect(Object.hasOwn(verb.options, 'json')).toBe(takesJson);
    expect(verb.changes !== undefined).toBe(verb.effect === 'changes');
    // What changes a cluster, agents or files can be tried first.
    expect(Object.hasOwn(verb.options, 'dry-run')).toBe(['changes', 'agents', 'writes here'].includes(verb.effect));
    if (Object.hasOwn(verb.options, 'wait')) expect(verb.effect).toBe('changes');
  });

  it('names no engine, since its help is the same with both; what only Serviceguard has says so', () => {
    const foreign = verbs
      .filter(({ task }) => task !== 'Lab')
      .flatMap(({ words, does, details = '', examples, options, positionals }) => [
        ...[does, details, ...examples.flat()].map((text) => [words, text] as const),
        ...Object.entries({ ...options, ...positionals }).map(
          ([name, { describe }]) => [`${words} --${name}`, describe] as const,
        ),
      ])
      .filter(([, text]) => serviceguardWords.test(text ?? '') || /Pacemaker|\bcrm_/.test(text ?? ''));
    expect([...new Set(foreign.map(([where]) => where.replace(/^.* --/, '--')))].sort()).toEqual(['--base', '--serviceguard']);
  });

  it('has words of its own, and a group if it has two', () => {
    expect(new Set(verbs.map(({ words }) => words)).size).toBe(verbs.length);
    const heads = verbs.flatMap(({ words }) => (words.includes(' ') ? [words.split(' ')[0]] : []));
    expect([...new Set(heads)].sort()).toEqual(Object.keys(verbGroups).sort());
  });

  it('prints exit statuses from the one table', () => {
    expect(exitLines(named('diff'))).toEqual([
      [0, exitTable.ok.means],
      [1, 'any file or keyword differs'],
      [2, exitTable.usage.means],
      [3, exitTable.badInput.means],
      [4, exitTable.cannotRunHere.means],
      [70, exitTable.internal.means],
      [130, exitTable.interrupted.means],
    ]);
  });

  it('status has the statuses of the condition', () => {
    expect(Object.keys(named('status').ownExits ?? {}).map(Number)).toEqual(Object.values(statusExit));
  });

  it('that changes a cluster names itself in the lock as its row does', () => {
    const below = join(repository, 'src/verbs');
    const sources = readdirSync(below, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const texts = sources.map((name) => readFileSync(join(below, name), 'utf8'));
    const said = texts.flatMap((text) => [...text.matchAll(/(?:\bchange\(|\{ verb: |\? )'([a-z -]+)'(?: : '([a-z -]+)')?/g)]);
    const names = said.flatMap(([, one, other]) => [one, other]).filter((name) => changingVerbs.includes(name ?? ''));
    // Commits have a lock of their own, on the master.
    expect([...new Set(names), 'policy commit', 'policy take-back'].sort()).toEqual([...changingVerbs].sort());
  });
});

describe('docs/reference/verbs.md', () => {
  it('has a section for each verb', () => {
    const page = readPage('docs/reference/verbs.md');
    expect(page).toBe(withReference(page));
    const sections = [...page.matchAll(/^## csync (.+)$/gm)].map(([, words]) => words);
    expect(sections).toEqual(verbs.map(({ words }) => words));
  });

  it('has each exit status', () => {
    const page = readPage('docs/reference/verbs.md');
    for (const status of Object.values(exitCodes)) expect(page).toContain(`| ${status} |`);
  });
});

describe('the first page of help', () => {
  it('has each verb once, below its task, in lines of at most 80 columns', () => {
    const lines = helpText().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const named = lines.filter((line) => line.startsWith('  ') && !line.startsWith('  -'));
    expect(
      named.filter((line) => verbs.some(({ words, does }) => line.includes(`  ${words} `) && line.endsWith(` ${does}`))),
    ).toHaveLength(verbs.length);
    for (const task of Object.keys(verbTasks)) expect(lines.filter((line) => line.startsWith(`${task} (`))).toHaveLength(1);
  });

  it.each([[['--help']], [['-h']], [['help']]])('is what %j prints', async (words) => {
    const { run, text } = await parse(words);
    expect([run, `${text}\n`]).toEqual([null, helpText()]);
  });

  it.each([[[]], [['member']]])('is no success where a verb is missing: %j', async (words: string[]) => {
    expect(typeof (await parse(words)).run).toBe('function');
  });

  it('begins a new cluster in the order of the README', () => {
    const order = ['init', 'check', 'members sync', 'apply --run', 'client add'];
    const install = readPage('README.md');
    const help = helpText().split('To try it')[0] ?? '';
    for (const text of [help, install]) {
      const places = order.map((words) => text.indexOf(`csync ${words}`));
      expect(places).toEqual(places.filter((at) => at >= 0).toSorted((one, other) => one - other));
    }
  });

  it('names the verbs of a word', () => {
    expect(partsText('member')).toMatch(/ {2}csync member add +set up a member\n {2}csync member remove /);
  });

  it.each([
    [['add', 'member', 'm4'], ['member add']],
    [['list', 'member'], ['members list']],
    [['commit', 'site.cf'], ['policy commit']],
    [
      ['check', '--offline'],
      ['settings check', 'templates check'],
    ],
    [['apply'], []],
  ])('knows which verb %j means', (words, meant) => {
    expect(meantVerbs(words)).toEqual(meant);
  });
});

describe('the parser', () => {
  it.each(verbs.map(({ words }) => [words]))('prints help for %s, with examples and exit statuses', async (words) => {
    const { run, text } = await parse([...words.split(' '), '--help']);
    expect(run).toBeNull();
    expect(text).toContain(`csync ${words}`);
    expect(text).toMatch(/Examples:\n {2}csync /);
    expect(text).toMatch(/Exit status:\n {2}0 {4}\S/);
    const lists = [...text.matchAll(/\[choices: ([^\]]*)\]/g)].map(([, list = '']) => list.split(/,\s*/));
    for (const list of lists) expect(list).toEqual([...new Set(list)]);
  });

  it.each([
    [['statsu'], 'did you mean status?'],
    [['member', 'ad', 'm4'], 'did you mean add?'],
    [['add', 'member', 'm4'], 'there is no such verb'],
    [['status', '--settings'], 'a value is missing behind --settings'],
    [['render', '--outptu', 'x'], 'outptu'],
    [['render', '--take-mine', '--take-rendered'], 'take-mine'],
    [['member', 'add'], 'a name is missing behind the verb'],
    [['maintenance', 'of'], 'switch'],
  ])('refuses %j', async (words, said) => {
    await expect(parse(words)).rejects.toThrow(said);
  });

  it('completes verbs, parts of verbs and options', async () => {
    const completions = async (...words: string[]) =>
      (await parse(['--get-yargs-completions', 'csync', ...words])).text.split('\n');
    expect(await completions('')).toEqual(expect.arrayContaining(['apply', 'member', 'policy', 'lab']));
    expect(await completions('member', '')).toEqual(expect.arrayContaining(['add', 'remove']));
    expect(await completions('apply', '--')).toEqual(expect.arrayContaining(['--halt', '--dry-run']));
  });

  it('prints a completion script', async () => {
    expect((await parse(['completion'])).text).toContain('--get-yargs-completions');
  });
});
