/** Staged rollouts: which clients, what counts as success, what is on the master, and that older runs continue. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand, Failure } from '../../../src/base/problem.ts';
import type { CommitRecord } from '../../../src/cluster/policy/commit.ts';
import { policyPlace, readPolicyState } from '../../../src/cluster/policy/look.ts';
import {
  editOf,
  hostsText,
  isBack,
  parseStage,
  parseTakenBack,
  readStageWish,
  type Stage,
  stageAdvice,
  stagedHosts,
  stageReport,
  stageResult,
  stageText,
} from '../../../src/cluster/policy/stage.ts';
import { leavingScript, stageScript, takeBackScript } from '../../../src/cluster/policy/stage-scripts.ts';
import { parseRuns } from '../../../src/cluster/procedures/remote-run.ts';
import type { RosterClient } from '../../../src/contract/roster.ts';
import { readStaging } from '../../../src/verbs/policy/staged.ts';
import { settingsFor } from '../../support.ts';

const record: CommitRecord = {
  commit: 7,
  epoch: 2,
  digest: 'abc',
  at: '2026-11-30T00:00:00.000Z',
  by: 'root@m1',
  member: 'm1',
  message: "it's",
  files: ['site.cf'],
  removed: [],
  stage: ['c1'],
};
const keyOf = (name: string): string => `MD5=${Buffer.from(name).toString('hex').padStart(32, '0')}`;
const stage: Stage = { record, base: 'base', edit: 'edit', hosts: [{ name: 'c1', key: keyOf('c1') }] };
const takenBack = { record, hosts: ['c1', 'c2'], at: record.at, why: 'c2: no' };
const clients = Array.from({ length: 10 }, (_, at): RosterClient => {
  const name = `c${at + 1}`;
  return { name, addresses: [`10.9.0.${at + 21}`], key: { digest: keyOf(name), publicKey: '' }, cluster: null, holds: [] };
});
const codesOf = (act: () => unknown): string[] => {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error.problems.map(({ code }) => code);
    throw error;
  }
  return [];
};

describe('--stage', () => {
  it.each([
    ['c1,c2', { names: ['c1', 'c2'], percent: 0, classes: [] }],
    ['c1, 10%', { names: ['c1'], percent: 10, classes: [] }],
    ['100%', { names: [], percent: 100, classes: [] }],
    ['class:web,class:db', { names: [], percent: 0, classes: ['web', 'db'] }],
  ])('%s', (text, wish) => expect(demand(readStageWish(text))).toEqual(wish));

  it.each(['', 'c1,', '0%', '101%', '1.5%', '10%,20%', 'class:', 'class:a b', '%'])('%j is refused', (text) =>
    expect(codesOf(() => demand(readStageWish(text)))).toEqual(['usage']),
  );

  const chosen = (text: string, ofClasses: readonly string[] = [], files = 5): string[] =>
    demand(stagedHosts(demand(readStageWish(text)), clients, ofClasses, files)).map(({ name }) => name);

  it('names each host once; a share rounds up, and is of the same clients each time', () => {
    expect(chosen('c2,c1,c2')).toEqual(['c2', 'c1']);
    expect(chosen('class:web', ['c3', 'c4'])).toEqual(['c3', 'c4']);
    expect([chosen('11%').length, chosen('100%').length]).toEqual([2, 10]);
    expect(chosen('50%').slice(0, 2)).toEqual(chosen('20%'));
    expect(chosen(`20%,${chosen('10%')}`)).toHaveLength(2);
  });

  it.each([
    ['c1,m1', [], 5],
    ['class:web', [], 5],
    ['c1,c2', [], 100_001],
  ] as const)('%s of classes %j with %i files is refused', (text, ofClasses, files) =>
    expect(codesOf(() => chosen(text, ofClasses, files))).toEqual(['policy-stage-hosts']),
  );

  it('is refused by name with cfengine 2, and where every host may read the whole file system', () => {
    const refused = (changes: Parameters<typeof settingsFor>[0]) => codesOf(() => readStaging(settingsFor(changes), 'c1', '10m'));
    expect(refused({ cfengine_generation: 2 })).toEqual(['policy-stage-generation']);
    expect(refused({ mount_point: '/csync', policy_directory: '/csync' })).toEqual(['policy-stage-rules']);
    expect(codesOf(() => readStaging(settingsFor(), 'c1', '2d'))).toEqual(['usage']);
  });
});

describe('the result of a host', () => {
  const report = `10.9.0.21> -> R: ${stageReport(stage)}`;
  const read = (...lines: readonly string[]) => {
    const text = Buffer.from(`${lines.join('\n')}\n`).toString('base64');
    const [run] = parseRuns(`out 0 ${text}\nend 0 0 5\ndone\n`, settingsFor(), [clients[0] ?? expect.fail()]);
    return run ?? expect.fail();
  };
  const ended = '10.9.0.21> (exit code: 0)';
  const error = '10.9.0.21> ->    error: no such package';

  it.each([
    ['succeeds', [report, ended], 'succeeded'],
    ['has another commit', [`10.9.0.21> -> R: csync stage 6 abc`, ended], 'unproven'],
    ['has the served policy', [ended], 'unproven'],
    ['could not fetch', [error, ended], 'unproven'],
    ['has it, and an error', [report, error, ended], 'failed'],
    ['has it, and its agent fails', [report, '10.9.0.21> (exit code: 1)'], 'failed'],
    ['has it, and does not end', [report], 'failed'],
    ['has it as a failsafe', [report, '10.9.0.21> ->    error: syntax, going to failsafe', ended], 'failed'],
  ] as const)('%s', (_, lines, result) => expect(stageResult(stage, read(...lines)).result).toBe(result));

  it('has the reason, and afterwards it is back only without a report and an error', () => {
    expect(stageResult(stage, read(report, error, ended)).why).toBe('no such package');
    expect([[ended], [report, ended], [error, ended]].map((lines) => isBack(read(...lines)))).toEqual([true, false, false]);
  });

  it('shows the mark on the master as no change', () => {
    const line = "10.9.0.21> ->     info: Deleted file '/var/lib/cfengine3/state/csync_stage'";
    expect(read(line, report, ended)).toMatchObject({ changes: [], reports: [stageReport(stage)] });
  });
});

describe('on the master', () => {
  it('is read as it was written, and damage is nothing', () => {
    expect(parseStage(stageText(stage))).toEqual(stage);
    expect(stageText(parseStage(stageText(stage)) ?? stage)).toBe(stageText(stage));
    expect(parseTakenBack(stageText(takenBack))).toEqual(takenBack);
    const damaged = ['', '{}', '{"record":{}}', stageText({ ...stage, hosts: [{ name: 'c1', key: '../x' }] })];
    expect(damaged.map(parseStage)).toEqual([null, null, null, null]);
    expect(codesOf(() => parseStage('{"version": 2}'))).toEqual(['file-newer']);
    fc.assert(fc.property(fc.string(), (text) => parseStage(text) === null && parseTakenBack(text) === null));
  });

  it('is never taken for absent where it is damaged', () => {
    const look = `digest ${'0'.repeat(64)}\nstage ${Buffer.from('{').toString('base64')}\nwhole\n`;
    expect(readPolicyState(look)?.stages).toMatchObject({ open: null, isDamaged: true });
  });

  it('is the same edit, in any order', () => {
    const [a, b] = ['a', 'b'].map((name) => ({ name, content: Buffer.from(name) }));
    if (a === undefined || b === undefined) throw new Error();
    expect(editOf({ write: [a, b], remove: ['x', 'y'] })).toBe(editOf({ write: [b, a], remove: ['y', 'x'] }));
    expect(editOf({ write: [a], remove: [] })).not.toBe(editOf({ write: [{ ...a, content: Buffer.from('z') }], remove: [] }));
  });

  it('changes by scripts that a POSIX shell takes', () => {
    const place = policyPlace(settingsFor());
    const state = { files: new Map(), digest: '', epoch: 1, sentinelDigest: '', current: null, log: [] };
    const order = { stage, instead: null, state, write: [{ name: 'site.cf', content: Buffer.from('x') }], remove: ["it's"] };
    for (const script of [
      stageScript(place, order),
      stageScript(place, { ...order, instead: stage }),
      takeBackScript(place, stage, takenBack),
      leavingScript(place, null),
    ])
      expect(spawnSync('/bin/sh', ['-n'], { input: script, encoding: 'utf8' }).stderr).toBe('');
  });
});

it('status names the rollout, its hosts and the commands that end it', () => {
  const [open, leaving] = stageAdvice({ staged: stage, leaving: takenBack });
  expect(open?.text).toContain('commit 7 of root@m1 is staged for c1 since');
  expect(leaving?.text).toContain('commit 7 was taken back, and c1 c2 may still have it');
  expect([open?.remedy, leaving?.remedy].every((text) => text?.includes('csync policy take-back'))).toBe(true);
  expect(hostsText(clients.map(({ name }) => name).concat('c11', 'c12'))).toMatch(/ c10 and 2 more$/);
});
