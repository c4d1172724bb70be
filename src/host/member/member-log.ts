/**
 * The package log and syslog of the member scripts. Each line is handed over at once: a script may be killed at any moment, and
 * its last line is the one that matters. Neither is waited for longer than a moment.
 */

import { harmless, out } from '../output.ts';
import { logWriter, toSyslog } from './log-writer.ts';

export type LogOutcome = 'ok' | 'already' | 'done' | 'failed' | 'warning' | 'would';

export interface MemberLog {
  line(step: string, outcome: LogOutcome, text: string): void;
  /** A line of the package log as it is, not for syslog: what control scripts are known to write there. */
  plain(text: string): void;
  /** Hands what was logged to syslog; waits a tenth of a second at most, for the package log. */
  flush(): Promise<void>;
  /** Hands one sentence to syslog without waiting: for a process that has to be gone at once. */
  alarm(text: string): void;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 23 11:37:04`, as Serviceguard's own logs say it, independent of the locale. */
export function timeStamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2, ' ')} ${clock}`;
}

/** Costs more to make than all lines of a log; made when the first is wanted. */
let zones: Intl.DateTimeFormat | undefined;

/** As date(1) prints it in the C locale: `Mon Nov 23 11:37:04 UTC 2026`. */
export function dateLine(date: Date): string {
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][date.getDay()];
  zones ??= new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' });
  const zone = zones.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value;
  return `${day} ${timeStamp(date)} ${zone} ${date.getFullYear()}`;
}

/** An alarm as syslog's socket takes it: facility daemon, severity alert [RFC 3164 4.1], as logger(1) sends it. The tag is the package's name. */
export function alarmDatagram(tag: string, text: string, date: Date): string {
  return `<${3 * 8 + 1}>${timeStamp(date)} ${tag}: ${text}`;
}

/** For the last lines to reach a disk that takes them; a failover has four scripts. */
const writeLimitMs = 100;

/**
 * `file` null: standard output only (validate, dry run). A log that cannot be written never stops the script, and one that
 * hangs holds it up for a tenth of a second. `idleMs`: see LogWriter.
 */
export function openMemberLog(file: string | null, member: string, packageName: string, idleMs?: number): MemberLog {
  const lines: string[] = [];
  const writer = file === null ? null : logWriter(file, idleMs);
  const note = `${member} ${packageName} log: warning syslog did not take the lines of this script within 2 s`;
  const plain = (text: string): void => {
    // Some of it is what other programs and hosts printed, and root reads it in a terminal.
    const whole = `${harmless(text)}\n`;
    if (writer === null) out(whole);
    else writer.write(whole);
  };
  return {
    line: (step, outcome, text) => {
      const message = `${member} ${packageName} ${step}: ${outcome} ${text}`;
      lines.push(message);
      plain(`${timeStamp(new Date())} ${message}`);
    },
    plain,
    flush: async () => {
      if (lines.length === 0 || writer === null) return;
      const written = await writer.close(writeLimitMs);
      const why =
        written === 'late' ? 'does not take lines now; they are written when it does' : 'cannot be written; only syslog has this';
      if (written !== 'written') lines.push(`${member} ${packageName} log: warning ${file} ${why}`);
      writer.toSyslog(packageName, `${lines.splice(0).join('\n')}\n`, note);
    },
    alarm: (text) => toSyslog(packageName, 'daemon.alert', text, file, note),
  };
}
