/**
 * Each call of a member script to its host passes a gate: a read, or an act. The model check stops a script there, the simulation lets time
 * pass, tests note acts.
 */
export interface Gate {
  look<Answer>(read: () => Answer): Answer;
  lookLater<Answer>(read: () => Answer): Promise<Answer>;
  /** `what`: the operator's word. */
  act<Answer>(what: string, change: () => Answer): Answer;
  actLater<Answer>(what: string, change: () => Answer): Promise<Answer>;
  /** Until it exits; only these can fail. */
  command(argv: readonly string[], change: () => number): Promise<number | null>;
  wait(milliseconds: number): Promise<void>;
  elapsed(): number;
  /** Asked of a supervised script. */
  hangs(): boolean;
}

/** New each time: reactions of a shared promise would never be freed. */
export const never = (): Promise<never> => new Promise(() => {});
