/**
 * The frame around what a script prints on another host. A login may print before, between and after it (/etc/profile, .bashrc,
 * .bash_logout, a forced command), with a line end or without one: only what stands between two marks that cannot be guessed is the
 * script's. Pure: text in, text out.
 */
import type { CommandResult } from '../host.ts';

/** Letters, digits, hyphens and underscores; new for each script, and impossible to guess. */
export type Mark = string;

const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C';

/**
 * The script with each line of its standard output between marks, a mark where it begins (in both streams) and its status where it exits.
 * It is one function: half of it is a syntax error. GNU sed writes a line to the file /dev/stderr at once, and to its standard output
 * when its buffer is full: a step that is complete must show although the next one hangs.
 */
export function framed(script: string, mark: Mark): string {
  const say = (word: string): string => `printf '\\n${mark}=%s=${mark}\\n' ${word}`;
  return [
    'csync_framed() (',
    'exec 3>&- 4>&-',
    script.trimEnd(),
    ')',
    // A signal to the whole group is for the script, which takes away what it staged.
    'trap : HUP INT TERM',
    'exec 4>&1',
    `${say('begin')}; ${say('begin')} >&2`,
    'csync_status=$({ { csync_framed; echo $? >&3; } |',
    `  ${path} sed -n 's/.*/${mark}:&:${mark}/w /dev/stderr' 2>&4 >&4 3>&-; } 3>&1)`,
    `${say('end')} >&2; ${say('"$csync_status"')}`,
    'exit "$csync_status"',
    '',
  ].join('\n');
}

/** Splits what came into the script's lines, its marks, and the rest. A line that was cut is none. */
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

/** A line of a script that stays, of its standard output; null: not a line of it. */
export function framedLine(line: string, mark: Mark): string | null {
  return split(line, mark).lines[0] ?? null;
}

/**
 * How the script ended, from how ssh ended. A whole answer is the script's own output, errors and status, whatever ssh or a logout made of
 * it. One that is not whole is no success, and its errors have all that ssh and the host said; status 255 where the script did not even begin.
 */
export function unframed(ended: CommandResult, mark: Mark): CommandResult {
  const out = split(ended.stdout, mark);
  const [begin, status] = out.words;
  const errors = errorsBetween(ended.stderr, mark);
  const stdout = asText(out.lines);
  if (begin === 'begin' && status !== undefined && /^(0|[1-9]\d{0,2})$/.test(status))
    return { exitCode: Number(status), signal: null, timedOut: false, errorCode: null, stdout, stderr: errors.inside };
  const isUnbegun = begin === undefined && ended.errorCode === null && !ended.timedOut && ended.signal === null;
  const unbegun = isUnbegun && ended.exitCode !== 255 ? [`${unbegunWords} ${ended.exitCode}`] : [];
  const printed = [out.around, errors.inside, errors.around].flatMap((text) => text.slice(-mostAround).split('\n'));
  const stderr = asText([...printed.filter(Boolean), ...unbegun]);
  return { ...ended, exitCode: isUnbegun || ended.exitCode === 0 ? 255 : ended.exitCode, stdout, stderr };
}

/** Characters of each stream: a login may print without end. */
const mostAround = 4000;

/** Of a host whose login runs something else than it is asked to: a forced command, sftp only, a shell that is no shell. */
export const unbegunWords = 'its login ran no script of csync and exited with status';

/** Errors of the script are what stands between the two marks; without the second one, all behind the first. */
function errorsBetween(text: string, mark: Mark): { inside: string; around: string } {
  const [before = '', inside = '', ...after] = text.split(new RegExp(`\\n?${mark}=\\w*=${mark}\\n`));
  return { inside, around: `${before}\n${after.join('\n')}` };
}
