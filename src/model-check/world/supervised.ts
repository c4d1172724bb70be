/** What launcher.sh.tpl does with a hung script. test/process/member/launcher.test.ts compares both. */
import type { Role } from '../../member/steps/parts.ts';
import { type Gate, never } from '../../simulated/gate.ts';

/** So that a hung script does not continue. */
export class ScriptHangs extends Error {}

export const givenUp = Symbol('given up');

/** A launcher stopped its script. `isHeld`: still mounted here. `isTakenBack`: the halt of a legacy package after it exited with 0. */
export function givenUpExit(
  word: 'start' | 'halt',
  role: Role,
  { isHeld, isTakenBack }: Record<'isHeld' | 'isTakenBack', boolean>,
) {
  if (role === 'legacy') return isTakenBack ? (word === 'start' ? 2 : 0) : 1;
  if (word === 'start') return 2;
  // Serviceguard removes address and mount after it.
  return role !== 'main' && isHeld ? 1 : 0;
}

/** With its own gate, where a hung script stays. */
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
    // Another process has its own limit.
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
