import { describe, expect, it } from 'vitest';
import type { MemberLog } from '../../src/host/member-log.ts';
import { explain, type FailureCode, type Finding, failureTable } from '../../src/member/failures.ts';
import { runPlan, type Step, startExit } from '../../src/member/plan.ts';

const finding: Finding = { code: 'daemon-dead', text: 'seen' };

/** A step that is mended by its action after so many tries (0: holds already, Infinity: never). */
function step(name: string, tries: number, change: Partial<Step> = {}): Step & { readonly acted: number } {
  let acted = 0;
  const run = (): void => {
    acted += 1;
  };
  return {
    name,
    look: () => (acted >= tries ? null : finding),
    action: { what: `mend ${name}`, run },
    good: () => `${name} holds`,
    ...change,
    get acted() {
      return acted;
    },
  };
}

async function run(steps: readonly Step[], dryRun = false): Promise<{ failed: Finding | null; said: string[] }> {
  const said: string[] = [];
  const log: MemberLog = { line: (name, outcome) => void said.push(`${name}: ${outcome}`), flush: () => {}, alarm: () => {} };
  return { failed: await runPlan(steps, { member: 'm1', packageName: 'csync', log, dryRun }), said };
}

describe('a plan', () => {
  it('leaves alone what holds, does what does not, and looks again', async () => {
    const steps = [step('a', 0), step('b', 1)];
    expect(await run(steps)).toEqual({ failed: null, said: ['a: already', 'b: done'] });
    expect(steps.map((one) => one.acted)).toEqual([0, 1]);
  });

  it('ends at the first step that does not hold after its action', async () => {
    const steps = [step('a', 1), step('b', 2), step('c', 0)];
    expect(await run(steps)).toEqual({ failed: finding, said: ['a: done', 'b: failed'] });
  });

  it('only looks where there is nothing to do for it', async () => {
    const seen = { look: () => null, good: () => 'good' };
    expect(
      await run([
        { name: 'a', ...seen },
        { name: 'b', ...seen, look: () => finding },
      ]),
    ).toEqual({
      failed: finding,
      said: ['a: ok', 'b: failed'],
    });
  });

  it('goes on after an optional step, with a warning', async () => {
    expect(await run([step('a', 9, { optional: true }), step('b', 0)])).toEqual({
      failed: null,
      said: ['a: warning', 'b: already'],
    });
  });

  it('a dry run says what it would do, all of it, and does nothing', async () => {
    const steps = [step('a', 1), { name: 'b', look: () => finding, good: () => '' }, step('c', 1), step('d', 0)];
    expect(await run(steps, true)).toEqual({ failed: null, said: ['a: would', 'b: failed', 'c: would', 'd: already'] });
    expect(steps.map((one) => ('acted' in one ? one.acted : 0))).toEqual([0, 0, 0, 0]);
  });
});

describe('every failure', () => {
  const codes = Object.keys(failureTable) as FailureCode[];

  it.each(codes)('%s says what was seen, what it means and what helps', (code) => {
    const sentence = explain({ code, text: 'what was seen' }, 'm1', 'csync');
    expect(sentence).toMatch(/^\[[a-z-]+\] what was seen; .+\. What helps: .+/);
    expect(sentence).not.toMatch(/[{}]|undefined/);
  });

  it('has the exit status of its consequence: 1 when no other member can cure it, else 2', () => {
    const everywhere = codes.filter((code) => startExit({ code, text: '' }) === 1);
    expect(everywhere).toEqual(['policy-missing', 'sentinel-unwritable']);
    expect(codes.filter((code) => ![1, 2].includes(startExit({ code, text: '' })))).toEqual([]);
    expect(startExit(null)).toBe(0);
  });
});
