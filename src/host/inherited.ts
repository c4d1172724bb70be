import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../base/attempt.ts';

/** O_CLOEXEC in /proc/PID/fdinfo, the same on each architecture of Node.js. */
const closedOnExec = 0o2000000;

let areClosed = false;

/**
 * Closes descriptors that the parent left open. Node.js marks its own as close-on-exec, so an unmarked one is inherited. A daemon would
 * keep the caller's pipes open for ever [cfengine.md 2.4].
 */
export function closeInherited(): void {
  if (areClosed) return;
  areClosed = true;
  const directory = '/proc/self/fdinfo';
  for (const name of attempt(() => readdirSync(directory), [])) {
    if (Number(name) <= 2) continue;
    const text = attempt(() => readFileSync(`${directory}/${name}`, 'latin1'), '');
    const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
    if (flags !== undefined && (Number.parseInt(flags, 8) & closedOnExec) === 0) attempt(() => closeSync(Number(name)));
  }
}
