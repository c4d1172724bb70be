/** Jepsen's set test: at the end every acknowledged edit exists, no failed one does, and no client went back. Pure. */
import { attempt } from '../../base/attempt.ts';

export type EditOutcome = 'acknowledged' | 'failed' | 'unknown';

export interface Edit {
  readonly number: number;
  readonly outcome: EditOutcome;
  /** Codes of problems. */
  readonly why?: string;
}

export interface SeenPolicy {
  readonly epoch: number;
  readonly commit: number;
  readonly numbers: readonly number[];
}

export interface SetVerdict {
  /** false: the final set is unreadable, so losses are unknown. */
  readonly read: boolean;
  readonly acknowledged: number;
  readonly failed: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly unknown: number;
  readonly recovered: number;
  readonly lost: readonly number[];
  /** Exist, although failed, never written, or twice. */
  readonly unexpected: readonly number[];
}

/** `final` null: unreadable. */
export function judgeSet(edits: readonly Edit[], final: readonly number[] | null): SetVerdict {
  const there = new Set(final ?? []);
  const of = (outcome: EditOutcome): number[] => edits.filter((edit) => edit.outcome === outcome).map(({ number }) => number);
  const possible = new Set([...of('acknowledged'), ...of('unknown')]);
  const found = final ?? [];
  const twice = found.filter((number, at) => found.indexOf(number) !== at);
  const reasons: Record<string, number> = {};
  for (const { outcome, why = '' } of edits) if (outcome === 'failed') reasons[why] = (reasons[why] ?? 0) + 1;
  return {
    read: final !== null,
    acknowledged: of('acknowledged').length,
    failed: of('failed').length,
    reasons,
    unknown: of('unknown').length,
    recovered: of('unknown').filter((number) => there.has(number)).length,
    lost: final === null ? [] : of('acknowledged').filter((number) => !there.has(number)),
    unexpected: [...new Set([...found.filter((number) => !possible.has(number)), ...twice])],
  };
}

/** null: not older. */
export function wentBack(before: SeenPolicy, now: SeenPolicy): string | null {
  if (now.epoch < before.epoch) return `from epoch ${before.epoch} to ${now.epoch}`;
  if (now.epoch === before.epoch && now.commit < before.commit) return `from commit ${before.commit} to ${now.commit}`;
  const gone = before.numbers.filter((number) => !now.numbers.includes(number));
  return gone.length === 0 ? null : `edits ${gone.join(' ')} existed earlier and are missing`;
}

/** `ended`: false if the host failed. */
export function editOutcome(ended: boolean, exitCode: number, stdout: string): EditOutcome {
  if (!ended) return 'unknown';
  if (exitCode === 0) return 'acknowledged';
  const codes = problemCodes(stdout);
  if (codes === null) return 'unknown';
  return codes.includes('change-policy-unacknowledged') ? 'unknown' : 'failed';
}

export function codesIn(stdout: string): string {
  return [...new Set(problemCodes(stdout))].sort().join(' ');
}

function problemCodes(stdout: string): string[] | null {
  return attempt(() => {
    const { problems } = JSON.parse(stdout) as { problems: readonly { code: string }[] };
    return problems.map(({ code }) => code);
  }, null);
}

/** One a line. null: torn. */
export function numbersIn(text: string): number[] | null {
  if (text === '') return [];
  const lines = text.split('\n');
  return lines.pop() === '' && lines.every((line) => /^\d+$/.test(line)) ? lines.map(Number) : null;
}
