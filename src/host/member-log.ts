/**
 * The package log and syslog of the member scripts. The log is written synchronously, a line at a time: a script may be
 * killed at any moment, and its last line is the one that matters.
 */
import { spawn, spawnSync } from 'node:child_process';
import { harmless, out } from './output.ts';
import { appendText } from './safe-file.ts';

export type LogOutcome = 'ok' | 'already' | 'done' | 'failed' | 'warning' | 'would';

export interface MemberLog {
  line(step: string, outcome: LogOutcome, text: string): void;
  /** A line of the package log as it is, not for syslog: what control scripts are known to write there. */
  plain(text: string): void;
  /** Hands what was logged to syslog; waits for it at most a second. */
  flush(): void;
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

const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/** An alarm as syslog's socket takes it: facility daemon, severity alert [RFC 3164 4.1], as logger(1) sends it. The tag is the package's name. */
export function alarmDatagram(tag: string, text: string, date: Date): string {
  return `<${3 * 8 + 1}>${timeStamp(date)} ${tag}: ${text}`;
}

/** `file` null: standard output only (validate, dry run). A log that cannot be written never stops the script. */
export function openMemberLog(file: string | null, member: string, packageName: string): MemberLog {
  const lines: string[] = [];
  let complained = false;
  const line = (step: string, outcome: LogOutcome, text: string): void => {
    const message = `${member} ${packageName} ${step}: ${outcome} ${text}`;
    lines.push(message);
    plain(`${timeStamp(new Date())} ${message}`);
  };
  const plain = (text: string): void => {
    // Some of it is what other programs and hosts printed, and root reads it in a terminal.
    const whole = `${harmless(text)}\n`;
    try {
      if (file === null) out(whole);
      else appendText(file, whole);
    } catch (error) {
      if (!complained)
        lines.push(
          `${member} ${packageName} log: warning ${file} cannot be written (${(error as NodeJS.ErrnoException).code}); only syslog has this`,
        );
      complained = true;
    }
  };
  return {
    line,
    plain,
    flush: () => {
      if (lines.length === 0 || file === null) return;
      const input = `${lines.splice(0).join('\n')}\n`;
      spawnSync('logger', ['-t', packageName, '-p', 'daemon.notice'], { input, timeout: 1000, env: environment });
    },
    alarm: (text) => {
      const child = spawn('logger', ['-t', packageName, '-p', 'daemon.alert', '--', text], {
        stdio: 'ignore',
        detached: true,
        env: environment,
      });
      child.on('error', () => {});
      child.unref();
    },
  };
}
