/**
 * What could not be done while the package was down is done at its next start: members that came, keys and clients that
 * wait. The toolkit itself does it, apart from the start, which must not wait for other hosts.
 */
import { dirname } from 'node:path';
import { layoutOf } from '../../cfengine/layout.ts';
import { placeOfSet } from '../../contract/package-directory.ts';
import { message } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** Of contract/roster.ts, which needs more than a member script may carry. */
const rosterName = 'roster.json';
/** Until Serviceguard calls the package running; its services start after this script. */
const waitSeconds = 300;

/** Begins it where something waits and the toolkit is installed; never fails a start. */
export function finishWaiting(context: ScriptContext): void {
  const { host, settings, directory, log, dryRun } = context;
  const roster = host.readText(`${placeOfSet(directory).packageDirectory}/${rosterName}`);
  // On a new policy file system the policy itself waits.
  const waiting = waitingIn(roster) + (roster !== null && host.list(layoutOf(settings).masterInputs) === null ? 1 : 0);
  if (waiting === 0 || dryRun) return;
  const { toolkitProgram } = settings;
  if (!host.canExecute(toolkitProgram)) {
    const command = `csync members sync --settings ${directory}/settings.json`;
    log.line('warning', message('pending-manual', { count: waiting, program: toolkitProgram, command }));
    return;
  }
  // By name: a package may be called anything, and lie anywhere.
  const settingsFile = `${directory}/settings.json`;
  const how = ['--yes', '--automatic', '--until-running', String(waitSeconds), '--settings', settingsFile];
  const words = [toolkitProgram, 'members', 'sync', ...how];
  const path = `/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`;
  host.detach(['/usr/bin/env', '-i', `PATH=${path}`, 'LANG=C', 'LC_ALL=C', 'HOME=/', ...words]);
  log.line('ok', message('pending-started', { count: waiting, command: words.join(' ') }));
}

function waitingIn(text: string | null): number {
  try {
    const { waiting } = JSON.parse(text ?? '{}') as { waiting?: unknown };
    return Array.isArray(waiting) ? waiting.length : 0;
  } catch {
    return 0;
  }
}
