/** How a script reaches a root shell on a host. One fixed command for all scripts, so that a sudo rule can name it. Pure. */
import { createHash } from 'node:crypto';
import { framed, type Mark } from './frame.ts';

/** From the settings, and from CSYNC_VIA. */
export interface MemberWay {
  /** Login on other hosts. none: as in the configuration of ssh. */
  readonly sshUser: string;
  readonly become: 'none' | 'sudo' | 'reader';
  /** Replaces ssh: words before the host and one command line. */
  readonly insteadOfSsh: readonly string[] | null;
}

/** The caller's choice for verbs that read; empty: none. No setting, because all who render the package have the same settings. */
export const chosenWay = (): string => process.env.CSYNC_VIA ?? '';

export const plainWay: MemberWay = { sshUser: 'none', become: 'none', insteadOfSsh: null };

/** The administrator installs them on each host; sudo runs them as root. */
const helpers = { sudo: '/usr/local/sbin/csync-root', reader: '/usr/local/sbin/csync-reader' } as const;

/** Only dd reads no byte too many: the rest of the input is the script's. */
const shellOfScripts =
  'read -r csync_length && csync_script=$(PATH=/usr/bin:/bin dd bs="$csync_length" count=1 iflag=fullblock 2>/dev/null) && eval "$csync_script"';

/** csync compares sudo's messages, so they must be English. */
const sudoWords = (become: keyof typeof helpers): string[] => ['env', 'LC_ALL=C', 'sudo', '-n', '--', helpers[become]];

/** As words, and as a line for any login shell. */
export function scriptRunner(become: MemberWay['become']): { readonly words: readonly string[]; readonly line: string } {
  if (become === 'none') return { words: ['/bin/sh', '-c', shellOfScripts], line: `/bin/sh -c '${shellOfScripts}'` };
  const words = sudoWords(become);
  return { words, line: words.join(' ') };
}

/** The reader program takes only the name of a script that it has. */
export function scriptInput(become: MemberWay['become'], script: string, mark: Mark): string {
  if (become === 'reader') return `${mark} ${scriptName(script)}\n`;
  const text = framed(script, mark);
  return `${Buffer.byteLength(text)}\n${text}`;
}

export function scriptName(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}

/** Shows whether sudo would run scripts there; for people. */
export function sudoTest(become: keyof typeof helpers): string {
  return `sudo -n -l ${helpers[become]}`;
}

/** Bytes of one word of a command line (MAX_ARG_STRLEN of Linux), less quotes. */
const longestWord = 120_000;

/** For a program that passes on no standard input. null: too long. */
export function lineOf(script: string, mark: Mark): string | null {
  const word = Buffer.from(framed(script, mark)).toString('base64');
  // Two commands, because a shell accepts an empty script.
  return word.length > longestWord ? null : `/bin/sh -c 'script=$(echo ${word} | base64 -d) && eval "$script"'`;
}
