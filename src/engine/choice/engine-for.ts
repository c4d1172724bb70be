/** The engine of a package: the one place to change for another engine, above its folder. */
import type { Commands, Engine, EngineChoice, EngineShell } from '../engine.ts';
import { pacemaker } from '../pacemaker/engine.ts';
import { serviceguard } from '../serviceguard/engine.ts';
import { shell } from '../serviceguard/shell.ts';

/** In this order, where no settings select one. */
export const engines: readonly [Engine, ...Engine[]] = [serviceguard, pacemaker];

export function engineFor({ engine }: EngineChoice): Engine {
  return engine === 'pacemaker' ? pacemaker : serviceguard;
}

const isOfPacemaker = '[ ! -r /etc/cmcluster.conf ] && [ -e /var/lib/pacemaker/cib/cib.xml ]';

/**
 * For any engine: the script finds out, and needs no settings. With Pacemaker no path of the settings begins with a variable; one that does
 * all the same is below a file, so it cannot exist.
 */
export const engineShell: EngineShell = {
  ...shell,
  begin: [`if ${isOfPacemaker}; then SGCONF=/dev/null SGRUN=/var/lib/pacemaker SGSBIN=/usr/sbin; else`, ...shell.begin, 'fi'],
  installed: [...pacemaker.definition.installs.values()],
  tryBegin: `if ${isOfPacemaker}; then SGCONF=/dev/null; else ${shell.tryBegin}; fi`,
};

/** Commands as a remedy prints them. */
export function typed(...commands: readonly Commands[]): string {
  return commands
    .flat()
    .map((argv) => argv.join(' '))
    .join('; ');
}
