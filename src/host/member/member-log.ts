/**
 * The package log and syslog of the member scripts. Each line is handed over at once: a script may be killed at any moment, and its last
 * line is the one that matters. Neither log is waited for longer than a moment.
 */

import { type LogHead, type LogMessage, type LogResult, logLine } from '../../base/log-line.ts';
import { harmless, out } from '../output.ts';
import { logWriter, toSyslog } from './log-writer.ts';

/** Rows of member/messages.ts: what is logged when one of the two logs takes no line. */
export const logFaults = {
  'syslog-late': ['syslog did not accept the lines of this script within 2 s.'],
  'log-late': ['The package log accepts no lines now: they are written when it does.'],
  'log-unwritten': ['The package log cannot be written: only syslog has the lines of this script.'],
} as const;

export interface MemberLog {
  line(result: LogResult, message: LogMessage): void;
  /** A line of the package log as it is, not for syslog: the lines that control scripts are known to write. */
  plain(text: string): void;
  /** Hands what was logged to syslog; waits a tenth of a second at most, for the package log. */
  flush(): Promise<void>;
  /** Hands a line to syslog at once, as an alert, without waiting: for a process that has to exit at once. */
  alarm(result: LogResult, message: LogMessage): void;
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
 * `file` null: standard output only (validate, dry run). A log that cannot be written never stops the script, and one that hangs delays it
 * by a tenth of a second. `idleMs`: see LogWriter.
 */
export function openMemberLog(file: string | null, head: LogHead, idleMs?: number): MemberLog {
  const { packageName } = head;
  const lines: string[] = [];
  const writer = file === null ? null : logWriter(file, idleMs);
  const fault = (code: keyof typeof logFaults): string => logLine(head, 'warning', { code, text: logFaults[code][0] });
  const plain = (text: string): void => {
    // Other programs and hosts printed some of it, and root reads it in a terminal.
    const whole = `${harmless(text)}\n`;
    if (writer === null) out(whole);
    else writer.write(whole);
  };
  return {
    line: (result, message) => {
      const line = logLine(head, result, message);
      lines.push(line);
      plain(`${timeStamp(new Date())} ${line}`);
    },
    plain,
    flush: async () => {
      if (lines.length === 0 || writer === null) return;
      const written = await writer.close(writeLimitMs);
      if (written !== 'written') lines.push(fault(written === 'late' ? 'log-late' : 'log-unwritten'));
      writer.toSyslog(packageName, `${lines.splice(0).join('\n')}\n`, fault('syslog-late'));
    },
    alarm: (result, message) => toSyslog(packageName, 'daemon.alert', logLine(head, result, message), file, fault('syslog-late')),
  };
}
