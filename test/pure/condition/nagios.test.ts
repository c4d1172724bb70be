/** The form of a plugin for Nagios: state, one line, performance data. */
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/base/problem.ts';
import type { StatusVerdict } from '../../../src/cluster/condition/status.ts';
import { judgeForNagios } from '../../../src/verbs/cluster/status.ts';
import { inOneLine, nagiosLine } from '../../../src/verbs/outputs/nagios.ts';
import { checkForNagios } from '../../../src/verbs/package/check.ts';

const advice = { text: 'm2 is disabled', remedy: 'cmmodpkg -e -n m2 csync' };
const seen = { members: [{ seen: null }, { seen: {} }] as never, clients: null };
const statusOf = (condition: StatusVerdict['condition'], more: StatusVerdict['advice'] = []) =>
  judgeForNagios({ condition, sentence: 'csync serves from m1', advice: more }, seen);

describe('--nagios of status', () => {
  it.each<[StatusVerdict['condition'], StatusVerdict['advice'], string]>([
    ['serving', [], 'OK'],
    ['serving', [advice], 'WARNING'],
    ['failed', [], 'CRITICAL'],
    ['halted', [], 'CRITICAL'],
    ['unknown', [advice], 'UNKNOWN'],
  ])('%s with %j is %s', (condition, more, state) => {
    expect(statusOf(condition, more).state).toBe(state);
  });

  it('is one line with the first problem, its fix, and the figures that are known', () => {
    expect(nagiosLine(statusOf('serving', [advice, advice, advice]))).toBe(
      'CSYNC WARNING - csync serves from m1; m2 is disabled. Fix: cmmodpkg -e -n m2 csync (and 2 more) | members=2 reachable=1 problems=3',
    );
    expect(
      nagiosLine(judgeForNagios({ condition: 'serving', sentence: 'csync serves', advice: [] }, { ...seen, clients: [] })),
    ).toBe('CSYNC OK - csync serves | members=2 reachable=1 problems=0 clients=0');
  });

  it('has no second line, and one bar', () => {
    expect(nagiosLine({ state: 'UNKNOWN', text: 'a | b\n  c', figures: {} })).toBe('CSYNC UNKNOWN - a / b; c');
    expect(inOneLine([])).toBe('');
  });
});

describe('--nagios of check', () => {
  const problem = (severity: Problem['severity'], member?: string): Problem => ({
    code: 'check-clock',
    severity,
    text: `${severity} of the clock`,
    remedy: 'run chronyd',
    ...(member === undefined ? {} : { member }),
  });
  const of = (...problems: Problem[]) =>
    checkForNagios({ problems, notes: [], nodes: [], looks: 43, leftOut: [{ name: 'mtu', member: 'm1', why: 'no perl' }] });

  it('is critical with an error, which comes first; a warning with warnings; what was skipped is a figure', () => {
    expect(nagiosLine(of())).toBe('CSYNC OK - no problem found | checks=43 errors=0 warnings=0 skipped=1');
    expect(of(problem('warning'))).toMatchObject({ state: 'WARNING', text: 'warning of the clock. Fix: run chronyd' });
    expect(nagiosLine(of(problem('warning'), problem('error', 'm2')))).toBe(
      'CSYNC CRITICAL - m2: error of the clock. Fix: run chronyd (and 1 more) | checks=43 errors=1 warnings=1 skipped=1',
    );
  });
});
