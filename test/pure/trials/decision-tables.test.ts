/** The decision tables: what they say of the scripts, the monitor and the package manager is what these do. */
import { describe, expect, it } from 'vitest';
import { decisionTables } from '../../../src/decision-tables/tables.ts';
import { decisionsText } from '../../../src/decision-tables/text.ts';
import type { Cause } from '../../../src/lab/manager/event-table.ts';
import { type FailureCode, failureTable } from '../../../src/member/failures.ts';
import { judge, type Sample, type Verdict, verdictSentence, watchFrom } from '../../../src/member/monitor/judge.ts';
import { eachLayer, layerNames } from '../../../src/member/monitor/layers.ts';
import { exitOf } from '../../../src/member/steps/start-and-halt.ts';
import { startExit } from '../../../src/member/steps/step.ts';
import { settingsFor } from '../../support.ts';
import { type Drive, haltEnds, served, serviceFails, startEnds, subnetLost } from '../lab/lab-cluster.ts';

const tables = decisionTables();
const findings = Object.keys(failureTable).map((code) => ({ code: code as FailureCode, text: '' }));

/** What brings each cause about on alpha, where csync runs. */
const causes: Record<Cause, (drive: Drive) => Drive> = {
  'service-failed': serviceFails,
  'start-exit-1': startEnds(1),
  'start-exit-2': startEnds(2),
  'start-timeout': startEnds('timeout'),
  'halt-exit-1': haltEnds(1),
  'halt-exit-2': haltEnds(2),
  'halt-exit-3': haltEnds(3),
  'halt-timeout': haltEnds('timeout'),
  'subnet-lost': subnetLost,
};

/** What a monitor concludes from samples 4 s apart: two bad ones of a layer are a verdict, and so are 3 s without a result. */
function verdictOf(...samples: readonly Readonly<Record<string, unknown>>[]): Verdict | null {
  const limits = { layers: eachLayer(() => ({ failures: 2, weight: 'fail' as const })), unknownLimitMs: 3000 };
  const timed = samples.map((sample, index) => ({ detail: '', ...sample, at: (index + 1) * 4000 }) as unknown as Sample);
  return timed.reduce((watch, sample) => judge(watch, sample, limits), watchFrom(0)).verdict;
}

describe('the decision tables', () => {
  it('have each exit status that a start and a halt end with, and no other', () => {
    const statuses = (script: string) => tables.exits.filter((row) => row.script === script).map(({ status }) => status);
    expect(statuses('start')).toEqual([...new Set([null, ...findings].map(startExit))].sort());
    expect(statuses('halt')).toEqual([...new Set([null, ...findings].map(exitOf))].sort());
  });

  it('have each verdict that the monitor comes to, in its words', () => {
    const stopped = { kind: 'process', seen: 'stopped', mark: '1' };
    const verdicts = [
      verdictOf({ kind: 'process', seen: 'gone' }),
      verdictOf({ kind: 'process', seen: 'zombie' }),
      verdictOf(stopped, stopped),
      verdictOf({ kind: 'replaced' }),
      ...layerNames.map((layer) => verdictOf(...[1, 2].map(() => ({ kind: 'layer', layer, result: 'bad' })))),
      verdictOf({ kind: 'layer', layer: 'port', result: 'unknown' }),
    ];
    expect(tables.verdicts.map(({ reason }) => reason).sort()).toEqual(verdicts.map((verdict) => verdict?.reason).sort());
    for (const verdict of verdicts) {
      const row = tables.verdicts.find(({ reason }) => reason === verdict?.reason);
      expect(verdict && verdictSentence(verdict, settingsFor(), 'm1', 0)).toMatch(new RegExp(`^${row?.sentence}:`, 'i'));
    }
  });

  it.each(tables.consequences)('have what the cluster does: $cause, fail fast $failFast', (row) => {
    const attribute = row.cause === 'service-failed' ? 'service_fail_fast_enabled' : 'node_fail_fast_enabled';
    const drive = causes[row.cause](served({ [attribute]: row.failFast ? 'yes' : 'no' }));
    const { nodeSwitch, autoRun } = drive.of('csync');
    const isReset = drive.wanted('reset-member').length > 0;
    expect(isReset ? 'reset' : 'stays').toBe(row.member);
    expect(drive.wanted('run-halt').length > 0).toBe(row.haltScript);
    // A member that boots gets its switch back, and switching is what it was.
    if (!isReset) expect([!nodeSwitch.alpha, !autoRun]).toEqual([row.memberSwitchOff, row.autoRunOff]);
  });

  it('are in the text row by row', () => {
    const lines = decisionsText(tables).split('\n');
    const below = (head: string, count: number): string[] => {
      const at = lines.findIndex((line) => line === head || line.startsWith(`${head}: `));
      return lines.slice(at + 1, at + 1 + count).map((line) => line.trim());
    };
    for (const { finding, start, means, remedy } of tables.findings)
      expect(below(`  ${finding} (start: ${start})`, 2)).toEqual([means, `Fix: ${remedy}`]);
    for (const { reason, sentence, evidence } of tables.verdicts) expect(below(`  ${reason}`, 2)).toEqual([sentence, evidence]);
    for (const { cause, failFast, sentence, source } of tables.consequences)
      expect(below(`  ${cause}${failFast ? ', fail fast' : ''}`, 1)).toEqual([`${sentence} [${source}]`]);
  });
});
