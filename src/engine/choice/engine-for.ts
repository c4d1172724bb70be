/** Which engine a package has. The one place that a second engine changes above its own folder. */
import type { Commands, Engine, EngineChoice, EngineShell } from '../engine.ts';
import { serviceguard } from '../serviceguard/engine.ts';

/** Every engine there is; asked in this order where no settings say which. */
export const engines: readonly [Engine, ...Engine[]] = [serviceguard];

export function engineFor(_choice: EngineChoice): Engine {
  return serviceguard;
}

/** What a script for a member begins with, whichever engine runs there: it finds that out itself, so that texts for members need no settings. */
export const engineShell: EngineShell = serviceguard.shell;

/** Commands as a remedy prints them. */
export function typed(...commands: readonly Commands[]): string {
  return commands
    .flat()
    .map((argv) => argv.join(' '))
    .join('; ');
}
