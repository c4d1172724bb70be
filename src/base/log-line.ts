/** A line of the package log and of syslog (docs/reference/log.md). Pure. */

/** ok: checked, nothing had to change; done: changed; would: dry run only. */
export type LogResult = 'ok' | 'done' | 'would' | 'warning' | 'failed';

export interface LogMessage {
  readonly code: string;
  readonly text: string;
  /** Empty values are not printed. */
  readonly keys?: Readonly<Record<string, string | number>>;
}

export interface LogHead {
  readonly member: string;
  readonly packageName: string;
  /** start, halt, validate or monitor. */
  readonly script: string;
  /** Puts a sentence into the words of the cluster software. */
  readonly inWords?: (text: string) => string;
}

/** `m1 csync start: ok [mounted] /dev/vg/lv is mounted at /csync. | step=mount` */
export function logLine(
  { member, packageName, script, inWords = (said) => said }: LogHead,
  result: LogResult,
  { code, text, keys = {} }: LogMessage,
): string {
  const tail = Object.entries(keys).flatMap(([key, value]) => (value === '' ? [] : [`${key}=${quoted(String(value))}`]));
  const sentence = inWords(text)
    .trim()
    .replaceAll(/\s*\n\s*| \| /g, ' / ');
  return `${member} ${packageName} ${script}: ${result} [${code}] ${sentence}${tail.length === 0 ? '' : ` | ${tail.join(' ')}`}`;
}

const quoted = (value: string): string => (/^[^\s"=|]+$/.test(value) ? value : JSON.stringify(value).replaceAll('|', '\\u007c'));

export interface ParsedLine {
  readonly script: string;
  readonly result: LogResult;
  readonly code: string;
  readonly text: string;
  /** With quotes. */
  readonly keys: Readonly<Record<string, string>>;
}

/** With or without its time; null: of another program. */
export function parseLogLine(line: string): ParsedLine | null {
  const [, script = '', result, code = '', rest = ''] =
    /^(?:\w{3} [ \d]\d [\d:]{8} )?\S+ \S+ ([a-z]+): (ok|done|would|warning|failed) \[([a-z0-9-]+)\] (.*)$/.exec(line) ?? [];
  if (result === undefined) return null;
  const end = rest.lastIndexOf(' | ');
  const pairs = end === -1 ? [] : rest.slice(end + 3).matchAll(/([a-z_]+)=("(?:\\.|[^"\\])*"|\S+)/g);
  const keys = Object.fromEntries([...pairs].map(([, key = '', value = '']) => [key, value]));
  return { script, result: result as LogResult, code, text: end === -1 ? rest : rest.slice(0, end), keys };
}
