/** The table of the conformance test, and what it concludes from what it saw. */
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import type { RenderedFile } from '../../../src/contract/package-directory.ts';
import { renderPackage } from '../../../src/render/package.ts';
import type { Expectation } from '../../../src/script-tests/cases/case-model.ts';
import { assertionName, cases } from '../../../src/script-tests/cases/cases.ts';
import { type CallSeen, judge, type MemberSeen } from '../../../src/script-tests/judge.ts';
import { packageAssertions } from '../../../src/script-tests/package-assertions.ts';
import { type Assertion, chosen, reportFacts, reportTable } from '../../../src/script-tests/report.ts';
import { assertionNames } from '../../../src/script-tests/run.ts';
import { packageContent } from '../../../src/serviceguard/package-content.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { memberScripts, packageTemplates, settingsFor } from '../../support.ts';

const call: CallSeen = {
  exitCode: 0,
  signal: null,
  timedOut: false,
  reached: true,
  milliseconds: 300,
  stdout: '',
  stderr: '',
  log: 'Nov 23 12:00:00 m1 csync start: ok [script-complete] Start, part 2 of 2. | role=main exit=0 ms=80\n',
  pipesClosed: true,
};
const member: MemberSeen = { daemons: ['43:1234'], mounted: true, address: true, scripts: [] };

function holds(expectation: Expectation, seen: Partial<CallSeen> = {}, after: Partial<MemberSeen> = {}): boolean {
  return judge(expectation, { call: { ...call, ...seen }, before: member, after: { ...member, ...after } }).holds;
}

describe('the cases', () => {
  it('have names that are not said twice', () => {
    const names = assertionNames();
    expect(names).not.toEqual([]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('each expect something of their last call', () => {
    expect(cases.filter((one) => one.calls.at(-1)?.expect.length === 0).map(({ name }) => name)).toEqual([]);
  });

  it('never take a call for good that did not end, or ended too early to be what the case is about', () => {
    const never = cases.flatMap((one) =>
      one.calls.flatMap(({ expect: wanted }) =>
        wanted
          .filter(({ kind }) => ['ends', 'fails', 'is over', 'within', 'stays'].includes(kind))
          .filter((each) => holds(each, { timedOut: true, exitCode: null, signal: 'SIGKILL' }) || holds(each, { reached: false }))
          .map((each) => assertionName(one, each)),
      ),
    );
    expect(never).toEqual([]);
  });
});

describe('a judgement', () => {
  const same: Expectation = { says: 'x', kind: 'daemon', is: 'same' };
  it.each<[string, Expectation, Partial<CallSeen>, Partial<MemberSeen>, boolean]>([
    ['a wanted status', { says: 'x', kind: 'ends', with: [0] }, {}, {}, true],
    ['another status', { says: 'x', kind: 'ends', with: [0] }, { exitCode: 3 }, {}, false],
    ['a failure of its own', { says: 'x', kind: 'fails' }, { exitCode: 1 }, {}, true],
    ['a signal is no failure of its own', { says: 'x', kind: 'fails' }, { exitCode: null, signal: 'SIGSEGV' }, {}, false],
    ['too late', { says: 'x', kind: 'within', seconds: 2 }, { milliseconds: 2001 }, {}, false],
    ['a word beside the log', { says: 'x', kind: 'silent' }, { stderr: 'oops' }, {}, false],
    ['a pipe that is kept', { says: 'x', kind: 'pipes closed' }, { pipesClosed: false }, {}, false],
    ['the same daemon', same, {}, {}, true],
    ['a pid that came again is another daemon', same, {}, { daemons: ['43:9999'] }, false],
    ['no daemon before and none behind is not the same one', same, {}, { daemons: [] }, false],
    ['two daemons are not one', { says: 'x', kind: 'daemon', is: 'one' }, {}, { daemons: ['43:1', '44:2'] }, false],
    ['another daemon', { says: 'x', kind: 'daemon', is: 'another' }, {}, { daemons: ['44:2'] }, true],
    ['a line of the log', { says: 'x', kind: 'log', has: /exit=0/ }, {}, {}, true],
    ['a line that is missing', { says: 'x', kind: 'log', has: /exit=1/ }, {}, {}, false],
    ['a process that is left', { says: 'x', kind: 'nothing left' }, {}, { scripts: ['node csync-start.cjs'] }, false],
  ])('%s', (_, expectation, seen, after, expected) => {
    expect(holds(expectation, seen, after)).toBe(expected);
  });
});

describe('what is chosen', () => {
  const names = ['start: exits with 0', 'first step of a start: exits with 0', 'halt: exits with 0'];
  it.each([
    [[], names],
    [['START'], names.slice(0, 2)],
    [['start: exits with 0'], names.slice(0, 1)],
    [['halt*0'], ['halt: exits with 0']],
    [['st*0', '('], names.slice(0, 2)],
    [['.'], []],
  ])('%j', (patterns, expected) => {
    expect(names.filter(chosen(patterns, names))).toEqual(expected);
  });
});

describe('the report', () => {
  const assertions: readonly Assertion[] = [
    { name: 'a: x', result: 'ok', seen: 'so it is' },
    { name: 'a: longer', result: 'failed', seen: 'ended with 3' },
    { name: 'b', result: 'skipped', seen: 'no sandbox' },
  ];
  const report = { tested: 'mine', assertions, seconds: 2.34 };

  it('is a table for people', () => {
    expect(reportTable(report).split('\n')).toEqual([
      'ok       a: x       so it is',
      'FAILED   a: longer  ended with 3',
      'skipped  b          no sandbox',
      '',
      'mine: 1 passed, 1 failed, 1 skipped (2 s)',
      '',
    ]);
  });

  it('is JSON for programs', () => {
    expect(reportFacts(report)).toEqual({ tested: 'mine', ok: 1, failed: 1, leftOut: 1, seconds: 2.3, assertions });
  });
});

describe('a package directory', () => {
  const settings = settingsFor();
  const bundles = memberScripts(() => '');
  const rendered = demand(renderPackage({ settings, templates: packageTemplates(), bundles }));
  const content = packageContent(demand(parsePackageFile(rendered[0]?.text ?? '', 'csync.conf')));
  const failed = (files: readonly RenderedFile[]): string[] =>
    packageAssertions({ settings, content, files }, new Map())
      .filter(({ result }) => result !== 'ok')
      .map(({ name, seen }) => `${name}: ${seen}`);

  it('is sound as it is rendered', () => {
    expect(failed(rendered)).toEqual([]);
  });

  it.each<[string, (file: RenderedFile) => RenderedFile[], string]>([
    ['a file that is missing', (file) => (file.name.endsWith('/csync-halt.cjs') ? [] : [file]), 'csync-halt.cjs is missing'],
    ['a manifest that is missing', (file) => (file.name.endsWith('/manifest.json') ? [] : [file]), 'manifest.json is missing'],
    ['a file that others may write', (file) => [{ ...file, mode: file.mode | 0o020 }], 'settings.json has mode 664'],
    [
      'a script that drifted',
      (file) => [{ ...file, text: file.name.endsWith('/csync.sh') ? `${file.text}#` : file.text }],
      'csync.sh differs',
    ],
    [
      'an interpreter that is looked for',
      (file) => [{ ...file, text: file.text.replace('#!/bin/sh', '#!sh') }],
      'csync.sh begins with #!sh',
    ],
    [
      'files of another set',
      (file) => [{ ...file, name: file.name.replace(/^sets\/[0-9a-f]+/, 'sets/0123456789abcdef') }],
      'the files are those of',
    ],
  ])('%s', (_, change, said) => {
    expect(failed(rendered.flatMap(change)).join('; ')).toContain(said);
  });
});
