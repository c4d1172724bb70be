/**
 * Every call of a member script to its host passes a gate: a read, or an act that changes something. The gate of the model check
 * plays a script up to its next act and stops it there; that of the simulation lets virtual time pass; that of the tests notes each act.
 */
export interface Gate {
  look<Answer>(read: () => Answer): Answer;
  lookLater<Answer>(read: () => Answer): Promise<Answer>;
  /** `what`: the operator's word for it. */
  act<Answer>(what: string, change: () => Answer): Answer;
  actLater<Answer>(what: string, change: () => Answer): Promise<Answer>;
  /** A program that runs until it exits; only these can be made to fail. */
  command(argv: readonly string[], change: () => number): Promise<number | null>;
  wait(milliseconds: number): Promise<void>;
  elapsed(): number;
  /** Whether the read or act that comes now hangs: asked of a script that has a supervisor. */
  hangs(): boolean;
}

/** For a script that is abandoned. A new promise each time: the reactions of a shared one would never be freed. */
export const never = (): Promise<never> => new Promise(() => {});
