/** Package log and syslog of the member scripts. Writes each line at once, since a script may be killed and its last line matters most. */

import { type LogHead, type LogMessage, type LogResult, logLine } from '../../base/log-line.ts';
import { harmless, out } from '../output.ts';
import { logWriter, toSyslog } from './log-writer.ts';

/** Texts of member/messages.ts, for a log that accepts no line. */
export const logFaults = {
  'syslog-late': ['syslog did not accept the lines of this script within 2 s.'],
  'log-late': ['The package log accepts no lines now: they are written when it does.'],
  'log-unwritten': ['The package log cannot be written: only syslog has the lines of this script.'],
} as const;

/** Of csync alert run; only to syslog. */
export const alertLines = {
  'alert-told': ['{text}', 'event', 'state', 'key'],
  'alert-hook-failed': ['Hook {hook} did not report it: {why}. {next}', 'event', 'key', 'attempt'],
} as const;

export interface MemberLog {
  line(result: LogResult, message: LogMessage): void;
  /** Unchanged, not to syslog: output of legacy control scripts. */
  plain(text: string): void;
  /** To syslog; waits 100 ms at most for the package log. */
  flush(): Promise<void>;
  alarm(result: LogResult, message: LogMessage): void;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As in Serviceguard's logs, in any locale. */
export function timeStamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2, ' ')} ${clock}`;
}

/** Slow to create. */
let zones: Intl.DateTimeFormat | undefined;

/** As date(1) prints in the C locale. */
export function dateLine(date: Date): string {
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][date.getDay()];
  zones ??= new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' });
  const zone = zones.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value;
  return `${day} ${timeStamp(date)} ${zone} ${date.getFullYear()}`;
}

/** As logger(1): facility daemon, severity alert [RFC 3164 4.1]. The tag is the package name. */
export function alarmDatagram(tag: string, text: string, date: Date): string {
  return `<${3 * 8 + 1}>${timeStamp(date)} ${tag}: ${text}`;
}

/** For each of the four scripts of a failover. */
const writeLimitMs = 100;

/**
 * `file` null: standard output (validate, dry run). A log that cannot be written stops no script; one that hangs delays it by 100 ms.
 * `idleMs`: see logWriter.
 */
export function openMemberLog(file: string | null, head: LogHead, idleMs?: number): MemberLog {
  const { packageName } = head;
  const lines: string[] = [];
  const writer = file === null ? null : logWriter(file, idleMs);
  const fault = (code: keyof typeof logFaults): string => logLine(head, 'warning', { code, text: logFaults[code][0] });
  const plain = (text: string): void => {
    // Root reads other programs' text in a terminal.
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
      const words = { late: fault('log-late'), unwritten: fault('log-unwritten'), dumb: fault('syslog-late') };
      await writer.close(writeLimitMs, packageName, lines.splice(0), words);
    },
    alarm: (result, message) => toSyslog(packageName, 'daemon.alert', logLine(head, result, message), file, fault('syslog-late')),
  };
}
