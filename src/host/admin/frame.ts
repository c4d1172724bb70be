/**
 * The frame around a script's output: a login may print before, between and after it (/etc/profile, .bashrc, .bash_logout, a forced
 * command), with or without a line end. Only text between two unguessable marks is the script's. Pure.
 */
import type { CommandResult } from '../host.ts';

/** Letters, digits, hyphens and underscores; random for each script. */
export type Mark = string;

const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C';

/**
 * Puts each line of the script's output between marks, and prints a mark at its begin (on both streams) and its status at its exit. The
 * script becomes one function, so half of it is a syntax error.
 */
export function framed(script: string, mark: Mark): string {
  return [`csync_mark=${mark}`, framedFunction(script), framedCall].join('\n');
}

export function framedFunction(script: string): string {
  return ['csync_framed() (', 'exec 3>&- 4>&-', script.trimEnd(), ')'].join('\n');
}

const say = (word: string): string => `printf '\\n%s=%s=%s\\n' "$csync_mark" ${word} "$csync_mark"`;

/** GNU sed writes to the file /dev/stderr at once, but buffers standard output: a completed step must appear even if the next hangs. */
export const framedCall = [
  // The script handles signals to the group: it removes what it staged.
  'trap : HUP INT TERM',
  'exec 4>&1',
  `${say('begin')}; ${say('begin')} >&2`,
  'csync_status=$({ { csync_framed; echo $? >&3; } |',
  `  ${path} sed -n "s/.*/$csync_mark:&:$csync_mark/w /dev/stderr" 2>&4 >&4 3>&-; } 3>&1)`,
  `${say('end')} >&2; ${say('"$csync_status"')}`,
  'exit "$csync_status"',
  '',
].join('\n');

function split(text: string, mark: Mark): { lines: string[]; words: string[]; around: string } {
  const lines: string[] = [];
  const words: string[] = [];
  const found = new RegExp(`${mark}(?::(.*?):|=(\\w*)=)${mark}\\n?`, 'gs');
  const around = text.replace(found, (_, line: string | undefined, word: string | undefined) => {
    if (line !== undefined) lines.push(line);
    if (word !== undefined) words.push(word);
    return '';
  });
  return { lines, words, around };
}

const asText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** From an output line of a process that keeps running; null: not the script's. */
export function framedLine(line: string, mark: Mark): string | null {
  return split(line, mark).lines[0] ?? null;
}

/**
 * A complete answer has the script's status, even if ssh or a logout failed. An incomplete one is a failure with all output; status 255 if
 * the script did not begin.
 */
export function unframed(ended: CommandResult, mark: Mark): CommandResult {
  const out = split(ended.stdout, mark);
  const [begin] = out.words;
  // A program that merges both streams leaves more words between.
  const status = out.words.find((word) => /^(0|[1-9]\d{0,2})$/.test(word));
  const errors = errorsBetween(ended.stderr, mark);
  const stdout = asText(out.lines);
  if (begin === 'begin' && status !== undefined)
    return { exitCode: Number(status), signal: null, timedOut: false, errorCode: null, stdout, stderr: errors.inside };
  const isUnbegun = begin === undefined && ended.errorCode === null && !ended.timedOut && ended.signal === null;
  const unbegun = isUnbegun && ended.exitCode !== 255 ? [`${unbegunWords} ${ended.exitCode}`] : [];
  const printed = [out.around, errors.inside, errors.around].flatMap((text) => lastLines(text, mostAround));
  const stderr = asText([...printed.filter(Boolean), ...unbegun]);
  return { ...ended, exitCode: isUnbegun || ended.exitCode === 0 ? 255 : ended.exitCode, stdout, stderr };
}

/** The whole lines at the end of a text that fit into `most` characters; of a longer last line its end. */
export function lastLines(text: string, most: number): readonly string[] {
  const lines = text.slice(-most).split('\n');
  const isCut = text.length > most && text.at(-most - 1) !== '\n';
  return isCut && lines.slice(1).some((line) => line !== '') ? lines.slice(1) : lines;
}

/** Characters of each stream; a login may print without end. */
const mostAround = 4000;

/** For a login that runs something else: a forced command, sftp only, no shell. */
export const unbegunWords = 'its login ran no script of csync and exited with status';

/** Between the two marks; without the second one, everything after the first. */
function errorsBetween(text: string, mark: Mark): { inside: string; around: string } {
  const [before = '', inside = '', ...after] = text.split(new RegExp(`\\n?${mark}=\\w*=${mark}\\n`));
  return { inside, around: `${before}\n${after.join('\n')}` };
}
