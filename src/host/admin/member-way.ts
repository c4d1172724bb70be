/**
 * How a script reaches a shell of root on a host: the command that runs there, and what it gets as its standard input. It is one fixed
 * command for every script, so that a rule of sudo can name it. Pure.
 */
import { createHash } from 'node:crypto';
import { framed, type Mark } from './frame.ts';

/** From the settings, and from CSYNC_VIA of the caller. */
export interface MemberWay {
  /** Login on other hosts. none: as the configuration of ssh says. */
  readonly sshUser: string;
  readonly become: 'none' | 'sudo' | 'reader';
  /** Words before the host and one command line, in place of ssh. null: ssh. */
  readonly insteadOfSsh: readonly string[] | null;
}

/** Another way for verbs that read, which the caller chose. It is no setting: those are the same for all who render the package. Empty: none. */
export const chosenWay = (): string => process.env.CSYNC_VIA ?? '';

export const plainWay: MemberWay = { sshUser: 'none', become: 'none', insteadOfSsh: null };

/** Programs that an administrator installs on each host, and that sudo runs as root. */
const helpers = { sudo: '/usr/local/sbin/csync-root', reader: '/usr/local/sbin/csync-reader' } as const;

/** A shell that reads the length of a script, the script, and leaves the rest of its input to it. Only dd reads no byte too many. */
const shellOfScripts =
  'read -r csync_length && csync_script=$(PATH=/usr/bin:/bin dd bs="$csync_length" count=1 iflag=fullblock 2>/dev/null) && eval "$csync_script"';

/** Messages of sudo are compared, so they must be English. */
const sudoWords = (become: keyof typeof helpers): string[] => ['env', 'LC_ALL=C', 'sudo', '-n', '--', helpers[become]];

/** The command that runs scripts, without and with a login shell of any kind before it. */
export function scriptRunner(become: MemberWay['become']): { readonly words: readonly string[]; readonly line: string } {
  if (become === 'none') return { words: ['/bin/sh', '-c', shellOfScripts], line: `/bin/sh -c '${shellOfScripts}'` };
  const words = sudoWords(become);
  return { words, line: words.join(' ') };
}

/** The beginning of its standard input. A reader gets only the name of a script that its host already has. */
export function scriptInput(become: MemberWay['become'], script: string, mark: Mark): string {
  if (become === 'reader') return `${mark} ${scriptName(script)}\n`;
  const text = framed(script, mark);
  return `${Buffer.byteLength(text)}\n${text}`;
}

export function scriptName(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}

/** A command for people that shows whether sudo would run scripts there. */
export function sudoTest(become: keyof typeof helpers): string {
  return `sudo -n -l ${helpers[become]}`;
}

/** Bytes of one word of a command line (MAX_ARG_STRLEN of Linux), with room for its quotes. */
const longestWord = 120_000;

/** A whole script as one command line, for a way that passes on no standard input. null: it is too long. */
export function lineOf(script: string, mark: Mark): string | null {
  const word = Buffer.from(framed(script, mark)).toString('base64');
  // In two commands, because a shell accepts a script that did not arrive at all.
  return word.length > longestWord ? null : `/bin/sh -c 'script=$(echo ${word} | base64 -d) && eval "$script"'`;
}
