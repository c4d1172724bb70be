/**
 * The launcher supervises the steps of its member script, because a hung read blocks this process and its timers. It also starts programs
 * and writes the package log: a fork of Node.js takes some ms.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';

/** Descriptors that the launcher reads. */
const inherited = { words: 3, log: 5 } as const;
/** A write of at most this size is atomic [pipe(7), PIPE_BUF]. */
const atomicBytes = 4096;

export interface Supervisor {
  begin(step: string, limitSeconds: number): void;
  /** Before a file is opened, read or written. */
  touch(path: string): void;
  /** With only these variables. false: the caller has to. */
  start(argv: readonly string[], variables: Readonly<Record<string, string>>): boolean;
  /** Non-blocking pipe to the log's writer; its first line names the file. null: the caller writes. */
  readonly log: number | null;
  reportLog(words: readonly (readonly ['log' | 'syslog' | 'late' | 'unwritten' | 'dumb', string])[]): void;
  /** The launcher then does not wait for the exit of Node.js. */
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

/** Reports nothing if there is no supervisor. */
export function supervisor(): Supervisor {
  opened ??= open(process.env.CSYNC_SUPERVISED ?? '');
  return opened;
}

/** Moves it to a non-blocking descriptor that our programs do not inherit. null: not open. */
function taken(descriptor: number): number | null {
  return attempt(() => {
    const own = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(descriptor);
    return own;
  }, null);
}

/** `1`: an older csync exported it and only reads. */
function open(how: string): Supervisor {
  if (how !== '1' && how !== 'log') return none;
  delete process.env.CSYNC_SUPERVISED;
  const descriptor = taken(inherited.words);
  if (descriptor === null) return none;
  const tell = (...lines: readonly string[]): boolean => {
    const text = Buffer.from(lines.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''));
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
