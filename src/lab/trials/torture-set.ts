/**
 * The set test (Jepsen's): numbered edits of the policy, committed all the while; afterwards every edit that was acknowledged has to
 * be there, none that failed may be, and no client may ever have gone back. What is seen goes in, the verdict comes out. Pure.
 */
export type EditOutcome = 'acknowledged' | 'failed' | 'unknown';

export interface Edit {
  readonly number: number;
  readonly outcome: EditOutcome;
  /** Why it was not acknowledged: codes of problems. */
  readonly why?: string;
}

/** The commit and epoch of a policy, as csync.commit tells, and the numbers in its set. */
export interface SeenPolicy {
  readonly epoch: number;
  readonly commit: number;
  readonly numbers: readonly number[];
}

export interface SetVerdict {
  /** false: what is there could not be read at the end, so nothing is known of lost and unexpected. */
  readonly read: boolean;
  readonly acknowledged: number;
  readonly failed: number;
  /** Of those that failed, how many for which reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly unknown: number;
  /** Of the unknown ones, how many are there. */
  readonly recovered: number;
  /** Acknowledged, and not there. */
  readonly lost: readonly number[];
  /** There, although they failed, were never written, or are there twice. */
  readonly unexpected: readonly number[];
}

/** `final`: the numbers that are there; null: they could not be read. */
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

/** How a policy that a client has now is older than the one it had before; null: it is not. */
export function wentBack(before: SeenPolicy, now: SeenPolicy): string | null {
  if (now.epoch < before.epoch) return `from epoch ${before.epoch} to ${now.epoch}`;
  if (now.epoch === before.epoch && now.commit < before.commit) return `from commit ${before.commit} to ${now.commit}`;
  const gone = before.numbers.filter((number) => !now.numbers.includes(number));
  return gone.length === 0 ? null : `edits ${gone.join(' ')} were there and are not`;
}

/** What became of `csync policy commit --json`, by its exit status and output; `ended` is false where its host went away. */
export function editOutcome(ended: boolean, exitCode: number, stdout: string): EditOutcome {
  if (!ended) return 'unknown';
  if (exitCode === 0) return 'acknowledged';
  const codes = problemCodes(stdout);
  if (codes === null) return 'unknown';
  return codes.includes('change-policy-unacknowledged') ? 'unknown' : 'failed';
}

/** The codes of the problems that a verb printed with --json, each once. */
export function codesIn(stdout: string): string {
  return [...new Set(problemCodes(stdout))].sort().join(' ');
}

/** null: it printed no problems. */
function problemCodes(stdout: string): string[] | null {
  try {
    const { problems } = JSON.parse(stdout) as { problems: readonly { code: string }[] };
    return problems.map(({ code }) => code);
  } catch {
    return null;
  }
}

/** Numbers of a set file, one a line; null where it is torn. */
export function numbersIn(text: string): number[] | null {
  if (text === '') return [];
  const lines = text.split('\n');
  return lines.pop() === '' && lines.every((line) => /^\d+$/.test(line)) ? lines.map(Number) : null;
}
