import { describe, expect, it } from 'vitest';
import { logLine } from '../../../src/base/log-line.ts';
import type { JournalEntry } from '../../../src/lab/emulation/journal.ts';
import { clientOutages, failoverAfter, isGoodStart, median, outagesIn, unmeasured } from '../../../src/lab/trials/timeline.ts';
import { message } from '../../../src/member/messages.ts';
import { readWatch } from '../../../src/rehearsal/watch-scripts.ts';

const entry = (at: number, what: string, member?: string, text = what): JournalEntry => ({
  at,
  kind: 'event',
  what,
  member,
  text,
});

const story: JournalEntry[] = [
  entry(1000, 'kill-daemon', 'm1'),
  { ...entry(1050, 'client-lost', 'c1'), sinceMs: 30 },
  entry(1200, 'service-died', 'm1'),
  entry(1210, 'halting', 'm1'),
  entry(1500, 'mounted-off', 'm1'),
  entry(1600, 'halt-ended', 'm1', 'halt of csync finished (exit status 0)'),
  entry(1700, 'start-ended', 'm3', 'start of csync finished (exit status 2)'),
  entry(1800, 'mounted-on', 'm2'),
  entry(1900, 'address-on', 'm2'),
  entry(2000, 'client-served', 'c1'),
  entry(2100, 'start-ended', 'm2', 'start of csync finished (exit status 0)'),
];

describe('the timeline', () => {
  it('takes the parts of a failover from the journal, a failed start in between included', () => {
    expect(failoverAfter(story, 0)).toEqual({
      fault: 'kill-daemon',
      from: 'm1',
      to: 'm2',
      detected: 200,
      halted: 600,
      mounted: 800,
      address: 900,
      started: 1100,
      outages: { c1: 980 },
    });
  });

  it('says nothing of parts that the journal does not show', () => {
    expect(failoverAfter(story.slice(0, 3), 0)).toMatchObject({ to: null, halted: null, started: null, outages: {} });
  });

  it('returns the longest outage of each client, and none for one that never came back', () => {
    const lost = [
      entry(0, 'client-lost', 'c1'),
      entry(5, 'client-served', 'c1'),
      entry(10, 'client-lost', 'c1'),
      entry(30, 'client-served', 'c1'),
    ];
    expect(outagesIn([...lost, entry(40, 'client-lost', 'c2')])).toEqual({ c1: 20 });
  });

  it('counts an answer that came late as an outage: the address was away for less than the time limit of a question', () => {
    const waited = { ...entry(500, 'client-waited', 'c1'), sinceMs: 240 };
    expect(outagesIn([waited])).toEqual({ c1: 240 });
    expect(clientOutages([waited])).toEqual([{ client: 'c1', from: 260, to: 500 }]);
  });

  it('of which a part is missing was not measured', () => {
    const whole = failoverAfter(story, 0);
    expect(unmeasured(whole, ['c1'])).toEqual([]);
    expect(unmeasured({ ...whole, halted: null }, ['c1'])).toEqual([]);
    for (const part of ['from', 'to', 'detected', 'mounted', 'address', 'started'] as const)
      expect(unmeasured({ ...whole, [part]: null }, ['c1'])).toEqual([`not measured: ${part}`]);
    expect(unmeasured(whole, ['c1', 'c2'])).toEqual(['not measured: c2 noticed nothing of a failover']);
  });

  it('has the usual median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

it('a start is a good one by the log of a cluster as by the journal of a lab', () => {
  const ended = (exit: number): boolean[] => {
    const code = exit === 0 ? 'script-complete' : 'script-failed';
    const told = message(code, { part: 'Start, part 2 of 2', ms: 900, next: 'the monitor', role: 'main', exit });
    const line = logLine({ member: 'm2', packageName: 'csync', script: 'start' }, exit === 0 ? 'ok' : 'failed', told);
    return readWatch(`1764485430.5 log Nov 30 06:50:30 ${line}\n`, 'm2', 0).map(isGoodStart);
  };
  expect([ended(0), ended(2)]).toEqual([[true], [false]]);
});
