/** What a start leaves to a process of its own: no failover waits for any of it. */
import { logLine } from '../../base/log-line.ts';
import { arpProbeName } from '../../contract/package-directory.ts';
import { isRefused } from '../../host/member/log-writer.ts';
import { ownerText } from '../address-owner.ts';
import { type Finding, failureMessage } from '../failures.ts';
import { message, ofStep } from '../messages.ts';
import type { ScriptContext } from './script.ts';
import { disconnectCommand } from './steps.ts';

/** A neighbour answers within a few ms; Serviceguard needs longer for the file system, before it adds the address. */
const listenMs = 200;

/** The words behind the fifth are a command that is run at the same time. */
const script =
  'probe=$0 address=$1 ms=$2 log=$3 package=$4 line=$5; shift 5; [ $# -eq 0 ] || timeout 5 "$@" & exec timeout 5 perl "$probe" "$address" "$ms" "$log" "$package" "$line"';

/**
 * Asks whether another host has the address already, before Serviceguard adds it: the process logs a warning. That keeps no package
 * from starting: on another member it would be the same, and without a start no client is served at all.
 *
 * Resets connections that an earlier promotion left half open here: a client that connected between the reset of a halt and the end of
 * the address. The daemon counts them, and refuses that client a second connection. Only while the address is on no interface here.
 *
 * Never throws: a start must not fail for it.
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
  const probe = [`${directory}/${arpProbeName}`, packageAddress, String(listenMs), log, packageName, line];
  const reset = host.ownsAddress(packageAddress) ? [] : disconnectCommand(settings);
  host.detach(['/bin/sh', '-c', script, ...probe, ...reset]);
}
