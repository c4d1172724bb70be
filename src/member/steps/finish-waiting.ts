/**
 * Completes at a start what was impossible while the package was down: new members, keys and clients that are pending. The toolkit does it
 * in the background, since a start must not wait for other hosts.
 */

import { dirname } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import { layoutOf } from '../../cfengine/layout.ts';
import { placeOfSet } from '../../contract/package-directory.ts';
import { message } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** From contract/roster.ts, which is too big for a member script. */
const rosterName = 'roster.json';
/** Serviceguard reports the package as running only after its services started. */
const waitSeconds = 300;

/** Starts the toolkit if something is pending and it is installed; never fails a start. */
export function finishWaiting(context: ScriptContext): void {
  const { host, settings, directory, log, dryRun } = context;
  const roster = host.readText(`${placeOfSet(directory).packageDirectory}/${rosterName}`);
  // On a new policy file system the policy itself is pending.
  const waiting = waitingIn(roster) + (roster !== null && host.list(layoutOf(settings).masterInputs) === null ? 1 : 0);
  if (waiting === 0 || dryRun) return;
  const { toolkitProgram } = settings;
  if (!host.canExecute(toolkitProgram)) {
    const command = `csync members sync --settings ${directory}/settings.json`;
    log.line('warning', message('pending-manual', { count: waiting, program: toolkitProgram, command }));
    return;
  }
  // By settings file: a package can have any name and directory.
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
