/** For what may fail without harm: `otherwise` if `work` throws. */
export function attempt<Result>(work: () => Result): Result | undefined;
export function attempt<Result, Otherwise>(work: () => Result, otherwise: Otherwise): Result | Otherwise;
export function attempt(work: () => unknown, otherwise?: unknown): unknown {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
