/** After a start csync completes in the background what was impossible while the package was down: pending members, keys and clients. */

import { dirname } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import { layoutOf } from '../../cfengine/layout.ts';
import { placeOfSet } from '../../contract/package-directory.ts';
import { message } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** As in contract/roster.ts, which is too big for a member script. */
const rosterName = 'roster.json';
/** Serviceguard reports "running" only after the services started. */
const waitSeconds = 300;

/** Does so if something is pending and csync is installed. Never fails a start. */
export function finishWaiting(context: ScriptContext): void {
  const { host, settings, directory, log, dryRun } = context;
  const roster = host.readText(`${placeOfSet(directory).packageDirectory}/${rosterName}`);
  // On a new policy file system the policy is pending, too.
  const waiting = waitingIn(roster) + (roster !== null && host.list(layoutOf(settings).masterInputs) === null ? 1 : 0);
  if (waiting === 0 || dryRun) return;
  const { toolkitProgram } = settings;
  if (!host.canExecute(toolkitProgram)) {
    const command = `csync members sync --settings ${directory}/settings.json`;
    log.line('warning', message('pending-manual', { count: waiting, program: toolkitProgram, command }));
    return;
  }
  // Explicit, as a package can have any name and directory.
  const settingsFile = `${directory}/settings.json`;
  const how = ['--yes', '--automatic', '--until-running', String(waitSeconds), '--settings', settingsFile];
  const words = [toolkitProgram, 'members', 'sync', ...how];
  const path = `/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`;
  host.detach(['/usr/bin/env', '-i', `PATH=${path}`, 'LANG=C', 'LC_ALL=C', 'HOME=/', ...words]);
  log.line('ok', message('pending-started', { count: waiting, command: words.join(' ') }));
}

function waitingIn(text: string | null): number {
  return attempt(() => {
    const { waiting } = JSON.parse(text ?? '{}') as { waiting?: unknown };
    return Array.isArray(waiting) ? waiting.length : 0;
  }, 0);
}
