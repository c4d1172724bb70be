/** Descriptors that whoever started this process left open in it. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC of open(2), as /proc/PID/fdinfo shows it on every Linux architecture Node runs on. */
const closedOnExec = 0o2000000;

/** Nothing is inherited later. */
let areClosed = false;

/**
 * What this process inherited and would pass on: Node marks only the lowest descriptors. Its own are all marked to be closed,
 * so what is not is somebody else's, and a daemon would keep the caller's pipes open for ever [cfengine.md 2.4].
 */
export function closeInherited(): void {
  if (areClosed) return;
  areClosed = true;
  const directory = '/proc/self/fdinfo';
  const quietly = <T>(act: () => T): T | null => {
    try {
      return act();
    } catch {
      // Gone already.
      return null;
    }
  };
  for (const name of quietly(() => readdirSync(directory)) ?? []) {
    if (Number(name) <= 2) continue;
    const text = quietly(() => readFileSync(`${directory}/${name}`, 'latin1')) ?? '';
    const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
    if (flags !== undefined && (Number.parseInt(flags, 8) & closedOnExec) === 0) quietly(() => closeSync(Number(name)));
  }
}
