/** Many lives, and what their number proves. Pure except for the clock. */
import type { Settings } from '../../settings/settings.ts';
import { type Life, simulate } from './simulation.ts';

export interface SimulationResult {
  /** Of the first life; others follow it. */
  readonly seed: number;
  readonly lives: number;
  readonly events: number;
  readonly failures: readonly Life[];
  /** 95 % confidence: at most this part would fail. */
  readonly upperBound: number;
  readonly milliseconds: number;
}

const mostFailuresKept = 10;

/** A state has room for so many. */
const mostMembers = 4;

export async function simulateMany(
  seed: number,
  count: number,
  settings: Settings,
  progress: (text: string) => void = () => {},
): Promise<SimulationResult> {
  const began = performance.now();
  const failures: Life[] = [];
  // Half legacy. The same two objects, which share their tables.
  const members = settings.members.slice(0, mostMembers);
  const modular: Settings = { ...settings, members, packageStyle: 'modular' };
  const legacy: Settings = { ...modular, packageStyle: 'legacy' };
  let lives = 0;
  let events = 0;
  for (; lives < count && failures.length < mostFailuresKept; lives += 1) {
    const life = await simulate(seed + lives, (seed + lives) % 2 === 0 ? modular : legacy);
    events += life.events;
    if (life.broken !== null) failures.push(life);
    if ((lives + 1) % 1000 === 0) progress(`${lives + 1} lives, ${failures.length} failed`);
  }
  const upperBound = upperBoundOf(failures.length, lives);
  return { seed, lives, events, failures, upperBound, milliseconds: performance.now() - began };
}

/** One-sided 95 % bound of Clopper and Pearson: the share at which so few failures occur with 5 %. Without failures about 3 / lives. */
export function upperBoundOf(failures: number, lives: number): number {
  if (lives === 0 || failures >= lives) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (atMost(failures, lives, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** Probability of at most so many failures. */
function atMost(failures: number, lives: number, share: number): number {
  let term = lives * Math.log1p(-share);
  let sum = Math.exp(term);
  for (let count = 1; count <= failures; count += 1) {
    term += Math.log((lives - count + 1) / count) + Math.log(share) - Math.log1p(-share);
    sum += Math.exp(term);
  }
  return sum;
}

export function simulationSummary({ seed, lives, events, failures, upperBound, milliseconds }: SimulationResult): string[] {
  const told = failures.flatMap(({ seed: failed, broken, story }) => [
    `seed ${failed}: ${broken}`,
    ...story.map((line) => `  ${line}`),
    `  again: csync lab simulate --seeds 1 --seed ${failed}`,
  ]);
  const bound = `${(upperBound * 100).toPrecision(2)} %`;
  return [
    ...told,
    `${lives} lives from seed ${seed}, with ${events} faults and commands, in ${(milliseconds / 1000).toFixed(1)} s`,
    `${failures.length} failed; with 95 % confidence at most ${bound} of such lives would`,
  ];
}
