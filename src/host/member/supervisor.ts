/**
 * The launcher supervises the member script that it started. The script reports each step, and the launcher stops it after the limit of
 * that step: a read that hangs blocks this whole process, its timers included. The launcher also starts programs beside the script, and
 * writes the package log: Node.js stands still for some milliseconds while it starts a program itself.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';

/** The launcher listens here. */
const inherited = { words: 3, log: 5 } as const;
/** A pipe takes so much at once, or nothing [pipe(7), PIPE_BUF]. */
const atomicBytes = 4096;

export interface Supervisor {
  begin(step: string, limitSeconds: number): void;
  /** The next file to be opened, read or written: it would be what hangs. */
  touch(path: string): void;
  /** Starts a program with nothing but these variables. false: the caller has to. */
  start(argv: readonly string[], variables: Readonly<Record<string, string>>): boolean;
  /** A pipe to the writer of the package log, whose first line is the name of the file; non-blocking. null: the caller writes. */
  readonly log: number | null;
  /** What happens with the lines at the end. */
  reportLog(words: readonly (readonly ['log' | 'syslog' | 'late' | 'unwritten' | 'dumb', string])[]): void;
  /** The script has done its work and exits with that status: the launcher does not wait until Node.js has ended. */
  end(status: number): void;
}

const none: Supervisor = {
  begin: () => {},
  touch: () => {},
  start: () => false,
  log: null,
  reportLog: () => {},
  end: () => {},
};

let opened: Supervisor | undefined;

/** Of this process. Without a supervisor nothing is reported. */
export function supervisor(): Supervisor {
  opened ??= open(process.env.CSYNC_SUPERVISED ?? '');
  return opened;
}

/** Moves it to a descriptor that our programs do not inherit; non-blocking. null: it is not open. */
function taken(descriptor: number): number | null {
  return attempt(() => {
    const own = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(descriptor);
    return own;
  }, null);
}

/** `1`: a launcher that was exported by an older csync, which only listens. */
function open(how: string): Supervisor {
  if (how !== '1' && how !== 'log') return none;
  delete process.env.CSYNC_SUPERVISED;
  const descriptor = taken(inherited.words);
  if (descriptor === null) return none;
  const tell = (...lines: readonly string[]): boolean => {
    const text = Buffer.from(lines.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''));
    // false also where it has exited, or does not listen.
    return text.length <= atomicBytes && attempt(() => writeSync(descriptor, text) === text.length, false);
  };
  const reports = {
    begin: (step: string, limitSeconds: number) => void tell(`step ${limitSeconds} ${step}`),
    touch: (path: string) => {
      if (!path.startsWith('/proc/')) tell(`file ${path}`);
    },
  };
  if (how === '1') return { ...none, ...reports };
  return {
    ...reports,
    start: (argv, variables) => {
      const words = [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...argv];
      if (words.some((word) => /\n|^\s|\s$/.test(word))) return false;
      return tell(...words.map((word) => `word ${word}`), 'run');
    },
    log: taken(inherited.log),
    reportLog: (words) => {
      for (const [word, text] of words) tell(`${word} ${text}`);
    },
    end: (status) => void tell(`end ${status}`),
  };
}
