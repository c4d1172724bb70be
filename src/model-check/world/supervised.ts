/**
 * What the launcher of a member script does about one that hangs (package-templates/modular/launcher.sh.tpl), written down a second time:
 * it gives the script up after the limit of its step, and ends by consequence. test/process/member/launcher.test.ts holds the real one to it.
 */
import type { Role } from '../../member/steps/parts.ts';
import { type Gate, never } from '../../simulated/gate.ts';

/** What a call of a script that hangs throws, so that it comes no further. */
export class ScriptHangs extends Error {}

export const givenUp = Symbol('given up');

/**
 * Exit status of a launcher that gave its script up. `isHeld`: the policy file system is still mounted here. `isTakenBack`: the halt
 * that the launcher of a legacy package calls then has ended with 0.
 */
export function givenUpExit(
  word: 'start' | 'halt',
  role: Role,
  { isHeld, isTakenBack }: Record<'isHeld' | 'isTakenBack', boolean>,
) {
  if (role === 'legacy') return isTakenBack ? (word === 'start' ? 2 : 0) : 1;
  if (word === 'start') return 2;
  // The address and the mount go behind this one, whoever holds them.
  return role !== 'main' && isHeld ? 1 : 0;
}

/** Runs a script with a gate of its own; one that hangs at any of its reads or acts is left there. */
export async function supervise<Status>(gate: Gate, script: (gate: Gate) => Promise<Status>): Promise<Status | typeof givenUp> {
  let giveUp: (answer: typeof givenUp) => void = () => {};
  const isOver = new Promise<typeof givenUp>((resolve) => {
    giveUp = resolve;
  });
  let isHung = false;
  const passes = (): boolean => {
    if (!isHung && gate.hangs()) {
      isHung = true;
      giveUp(givenUp);
    }
    return !isHung;
  };
  const now = <Answer>(call: () => Answer): Answer => {
    if (!passes()) throw new ScriptHangs();
    return call();
  };
  const later = <Answer>(call: () => Promise<Answer>): Promise<Answer> => (passes() ? call() : never());
  const own: Gate = {
    look: (read) => now(() => gate.look(read)),
    // A question to another process has a limit of its own.
    lookLater: (read) => (isHung ? never() : gate.lookLater(read)),
    act: (what, change) => now(() => gate.act(what, change)),
    actLater: (what, change) => later(() => gate.actLater(what, change)),
    command: (argv, change) => later(() => gate.command(argv, change)),
    wait: (milliseconds) => later(() => gate.wait(milliseconds)),
    elapsed: () => gate.elapsed(),
    hangs: () => false,
  };
  return Promise.race([
    isOver,
    script(own).catch((error: unknown) => (error instanceof ScriptHangs ? never() : Promise.reject(error))),
  ]);
}
