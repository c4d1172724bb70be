/** What a start runs in the background: no failover waits for it. */
import { logLine } from '../../base/log-line.ts';
import { arpProbeName } from '../../contract/package-directory.ts';
import { isRefused } from '../../host/member/log-writer.ts';
import { ownerText } from '../address-owner.ts';
import { type Finding, failureMessage } from '../failures.ts';
import { message, ofStep } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** A neighbour answers within a few ms; Serviceguard needs longer for the file system before it adds the address. The launcher has it, too. */
const listenMs = 200;

/**
 * Probes whether another host has the address, before Serviceguard adds it; the process logs a warning. It does not prevent the start: on
 * another member it would be the same, and clients would get no service at all. Never throws: a start must not fail for it.
 */
export function leaveBeside(context: ScriptContext): void {
  try {
    startBeside(context);
  } catch (error) {
    context.log.line('warning', message('background-unstarted', { why: String(error) }));
  }
}

function startBeside({ host, settings, directory, logFile }: ScriptContext): void {
  const { packageAddress, packageName } = settings;
  const found: Finding = { code: 'address-conflict', text: ownerText(packageAddress, '%s') };
  const head = { member: host.member, packageName, script: 'start' };
  const line = logLine(head, 'warning', ofStep('owner', failureMessage(found, host.member, packageName)));
  const log = logFile === null || isRefused(logFile) ? '-' : logFile;
  host.detach(['timeout', '5', 'perl', `${directory}/${arpProbeName}`, packageAddress, String(listenMs), log, packageName, line]);
}
