/**
 * A second version of what the launcher (package-templates/modular/launcher.sh.tpl) does when a member script hangs: it stops the script
 * after the limit of its step, and exits by consequence. test/process/member/launcher.test.ts compares it with the real one.
 */
import type { Role } from '../../member/steps/parts.ts';
import { type Gate, never } from '../../simulated/gate.ts';

/** Thrown by a call of a script that hangs, so that it does not continue. */
export class ScriptHangs extends Error {}

export const givenUp = Symbol('given up');

/**
 * Exit status of a launcher that stopped its script. `isHeld`: the policy file system is still mounted here. `isTakenBack`: the halt that
 * the launcher of a legacy package then runs exited with 0.
 */
export function givenUpExit(
  word: 'start' | 'halt',
  role: Role,
  { isHeld, isTakenBack }: Record<'isHeld' | 'isTakenBack', boolean>,
) {
  if (role === 'legacy') return isTakenBack ? (word === 'start' ? 2 : 0) : 1;
  if (word === 'start') return 2;
  // Serviceguard removes address and mount after this script.
  return role !== 'main' && isHeld ? 1 : 0;
}

/** Runs a script with a gate of its own; one that hangs at a read or an act stays there. */
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
    // A query to another process has a limit of its own.
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
