/** The engine of a package: the one place to change for a second engine, above its folder. */
import type { Commands, Engine, EngineChoice, EngineShell } from '../engine.ts';
import { serviceguard } from '../serviceguard/engine.ts';

/** In this order, where no settings select one. */
export const engines: readonly [Engine, ...Engine[]] = [serviceguard];

export function engineFor(_choice: EngineChoice): Engine {
  return serviceguard;
}

/** For any engine: the script finds out, and needs no settings. */
export const engineShell: EngineShell = serviceguard.shell;

/** Commands as a remedy prints them. */
export function typed(...commands: readonly Commands[]): string {
  return commands
    .flat()
    .map((argv) => argv.join(' '))
    .join('; ');
}
