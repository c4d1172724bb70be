/** What a start runs in the background: no failover waits for it. */
import { logLine } from '../../base/log-line.ts';
import { arpProbeName } from '../../contract/package-directory.ts';
import { isRefused } from '../../host/member/log-writer.ts';
import { ownerText } from '../address-owner.ts';
import { type Finding, failureMessage } from '../failures.ts';
import { message, ofStep } from '../messages.ts';
import type { ScriptContext } from './script.ts';
import { disconnectCommand } from './steps.ts';

/** A neighbour answers within a few ms; Serviceguard needs longer for the file system before it adds the address. */
const listenMs = 200;

/** Words after the fifth are a command that runs at the same time. */
const script =
  'probe=$0 address=$1 ms=$2 log=$3 package=$4 line=$5; shift 5; [ $# -eq 0 ] || timeout 5 "$@" & exec timeout 5 perl "$probe" "$address" "$ms" "$log" "$package" "$line"';

/**
 * Two jobs before Serviceguard adds the address:
 * - Probe whether another host already has it; the process logs a warning. It does not prevent the start: on another member it would be the
 *   same, and clients would get no service at all.
 * - Reset connections that an earlier promotion left half open: the daemon counts them and would refuse that client a second connection.
 *   Only while the address is on no interface of this member.
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
