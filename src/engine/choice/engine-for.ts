/** Selects the engine of a package: the one place that a second engine changes above its own folder. */
import type { Commands, Engine, EngineChoice, EngineShell } from '../engine.ts';
import { serviceguard } from '../serviceguard/engine.ts';

/** Every engine, in the order of the checks where no settings select one. */
export const engines: readonly [Engine, ...Engine[]] = [serviceguard];

export function engineFor(_choice: EngineChoice): Engine {
  return serviceguard;
}

/** First lines of a script for a member with any engine: the script itself finds out, so that it needs no settings. */
export const engineShell: EngineShell = serviceguard.shell;

/** Commands as a remedy prints them. */
export function typed(...commands: readonly Commands[]): string {
  return commands
    .flat()
    .map((argv) => argv.join(' '))
    .join('; ');
}
