/** Steps look, do and look again; a failure has a consequence for the cluster and names the fix. */
import { describe, expect, it } from 'vitest';
import type { LogResult } from '../../../src/base/log-line.ts';
import { type FailureCode, type Finding, failureMessage, failureTable } from '../../../src/member/failures.ts';
import { runSteps, type Step, startExit } from '../../../src/member/steps/step.ts';
import { planLog } from '../member/simulated-member.ts';

const codes = Object.keys(failureTable) as FailureCode[];
const bad: Finding = { code: 'no-address', text: 'it is missing' };

/** A step of a story: what its looks find, one after the other (the last one goes on), and what its action may be. */
function stepOf(
  calls: string[],
  name: string,
  looks: readonly (Finding | null)[],
  rest: Partial<Step> & { acts?: boolean } = {},
) {
  const { acts = false, ...more } = rest;
  let next = 0;
  return {
    name,
    look: () => {
      calls.push(`${name}.look`);
      const found = looks[Math.min(next, looks.length - 1)] ?? null;
      next += 1;
      return found;
    },
    good: () => ({ code: 'good', text: `${name} is good` }),
    ...(acts
      ? { action: { what: `mend ${name}`, run: (finding: Finding) => void calls.push(`${name} run for ${finding.code}`) } }
      : {}),
    ...more,
  } satisfies Step;
}

interface Story {
  readonly looks: readonly (Finding | null)[];
  readonly acts?: boolean;
  readonly optional?: boolean;
  readonly dryRun?: boolean;
}

async function runOne({ looks, acts = false, optional = false, dryRun = false }: Story) {
  const calls: string[] = [];
  const { log, lines } = planLog();
  const failed = await runSteps([stepOf(calls, 'a', looks, { acts, optional })], {
    member: 'm1',
    packageName: 'csync',
    log,
    dryRun,
  });
  return {
    calls: calls.map((call) => call.slice(2)).join(', '),
    outcome: lines.map((line) => line.outcome).join(),
    failed: failed?.code,
  };
}

describe('a step', () => {
  const mended = 'look, run for no-address, look';
  it.each<[string, Story, string, LogResult, FailureCode | undefined]>([
    ['that holds and has no action is ok', { looks: [null] }, 'look', 'ok', undefined],
    ['that is true already is left alone', { looks: [null], acts: true }, 'look', 'ok', undefined],
    ['that acts looks again and is done', { looks: [bad, null], acts: true }, mended, 'done', undefined],
    ['that acts without success fails', { looks: [bad, bad], acts: true }, mended, 'failed', 'no-address'],
    ['that cannot act fails at its only look', { looks: [bad, null] }, 'look', 'failed', 'no-address'],
    ['that is optional only warns', { looks: [bad], optional: true }, 'look', 'warning', undefined],
    [
      'that is optional acts, and warns when it fails',
      { looks: [bad], acts: true, optional: true },
      mended,
      'warning',
      undefined,
    ],
    ['that is optional and mended is done', { looks: [bad, null], acts: true, optional: true }, mended, 'done', undefined],
    [
      'of a dry run says what it would do and does nothing',
      { looks: [bad], acts: true, dryRun: true },
      'look',
      'would',
      undefined,
    ],
    ['of a dry run that cannot act is reported', { looks: [bad], dryRun: true }, 'look', 'failed', undefined],
    ['of a dry run that holds is left alone', { looks: [null], acts: true, dryRun: true }, 'look', 'ok', undefined],
  ])('%s', async (_title, story, calls, outcome, failed) => {
    expect(await runOne(story)).toEqual({ calls, outcome, failed });
  });

  it('fails with what the second look found, not with what made it act', async () => {
    const other: Finding = { code: 'port-occupied', text: 'something else by now' };
    expect((await runOne({ looks: [bad, other], acts: true })).failed).toBe('port-occupied');
  });
});

describe('a plan', () => {
  const run = async (dryRun: boolean) => {
    const calls: string[] = [];
    const { log, lines } = planLog();
    const steps = [
      stepOf(calls, 'a', [bad, null], { acts: true }),
      stepOf(calls, 'b', [bad], { optional: true }),
      stepOf(calls, 'c', [bad]),
      stepOf(calls, 'd', [bad], { acts: true }),
    ];
    const failed = await runSteps(steps, { member: 'm7', packageName: 'pkg7', log, dryRun });
    return { calls, failed, told: lines.map(({ step, outcome }) => `${step} ${outcome}`), lines };
  };

  it('goes in order, over what is optional, to the first failure and no further', async () => {
    const { calls, failed, told, lines } = await run(false);
    expect(calls).toEqual(['a.look', 'a run for no-address', 'a.look', 'b.look', 'c.look']);
    expect(told).toEqual(['a done', 'b warning', 'c failed']);
    expect(failed).toBe(bad);
    expect(lines[2]?.text).toBe(`[no-address] ${failureMessage(bad, 'm7', 'pkg7').text}`);
  });

  it('shows every step in a dry run, touches nothing, and fails for nothing', async () => {
    const { calls, failed, told, lines } = await run(true);
    expect(calls).toEqual(['a.look', 'b.look', 'c.look', 'd.look']);
    expect(told).toEqual(['a would', 'b warning', 'c failed', 'd would']);
    expect(lines[3]?.text).toBe('[would] Would run: mend d. Reason: it is missing.');
    expect(failed).toBeNull();
  });

  it('without steps holds', async () => {
    expect(await runSteps([], { member: 'm1', packageName: 'csync', log: planLog().log, dryRun: false })).toBeNull();
  });

  it('hands on what a step throws', async () => {
    const broken = stepOf([], 'a', [bad], { action: { what: 'break', run: () => Promise.reject(new Error('broken')) } });
    const running = runSteps([broken], { member: 'm1', packageName: 'csync', log: planLog().log, dryRun: false });
    await expect(running).rejects.toThrow('broken');
  });
});

describe('a failure', () => {
  it('of a start is status 1 only where no other member can cure it, and none is 0', () => {
    expect(startExit(null)).toBe(0);
    const status = (wanted: number) => codes.filter((code) => startExit({ code, text: '' }) === wanted);
    // What Serviceguard's own modules do counts as 1 there as well, in any part [serviceguard.md 4.3, 6.4].
    const storage = ['group-not-activated', 'group-not-deactivated', 'fsck-failed', 'mount-failed'];
    const others = ['address-not-added', 'address-not-removed', 'customer-failed', 'service-not-started'];
    expect(status(1)).toEqual([...storage, ...others, 'policy-missing']);
    expect(status(2).length).toBe(codes.length - 9);
  });

  it.each(codes)('%s reports what was found, what it means and the fix, with names and without a brace', (code) => {
    const { text: sentence } = failureMessage({ code, text: 'THE FINDING' }, 'm7', 'pkg7');
    expect(sentence).toMatch(/^THE FINDING\. [A-Z][^{}]{20,}[^.{}]\. Fix: [^{}]{20,}$/);
    const { remedy } = failureTable[code];
    expect([remedy.includes('{member}'), remedy.includes('{package}')]).toEqual([
      sentence.includes('m7'),
      sentence.includes('pkg7'),
    ]);
  });

  it('that switches the package or the member off names the command that switches it on again', () => {
    // What is only warned of switches nothing off.
    const onlyWarned: FailureCode[] = [
      'sentinel-unwritable',
      'address-conflict',
      'clients-connected',
      'mount-copied',
      'name-unresolved',
      'others-may-change',
      'policy-invalid',
      'service-not-halted',
    ];
    for (const code of codes.filter((each) => !onlyWarned.includes(each))) {
      const wanted = failureTable[code].start === 2 && code !== 'still-held' ? 'cmmodpkg -e -n m7 pkg7' : 'cmmodpkg -e pkg7';
      expect(failureMessage({ code, text: '' }, 'm7', 'pkg7').text, code).toContain(wanted);
    }
  });
});
