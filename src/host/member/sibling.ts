/** A second process of this program, for work that must not block. Restarted; exits when its standard input closes, with this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeInherited } from '../inherited.ts';

const firstPauseMs = 1000;
const longestPauseMs = 60_000;

export interface Sibling {
  /** Replaces a line that is still unwritten. */
  feed(line: string): void;
  close(): void;
}

/** `said` gets its output. */
export function keepSibling(given: readonly string[], said: (text: string) => void): Sibling {
  const [, program = ''] = process.argv;
  let child: ChildProcess | null = null;
  let newest = '';
  let isFed = true;
  let isClosed = false;
  let pauseMs = firstPauseMs;
  const pass = (): void => {
    if (isFed || child?.stdin?.writableLength !== 0) return;
    isFed = true;
    child?.stdin?.write(newest);
  };
  const start = (): void => {
    if (isClosed) return;
    closeInherited();
    const began = performance.now();
    const startLater = (): void => {
      child = null;
      pauseMs = performance.now() - began > longestPauseMs ? firstPauseMs : Math.min(2 * pauseMs, longestPauseMs);
      setTimeout(start, pauseMs).unref();
    };
    try {
      const started = spawn(process.execPath, [...process.execArgv, program, ...given], {
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const gone = (): void => {
        if (child === started) startLater();
      };
      child = started.on('error', gone).on('exit', gone);
      started.stdin?.on('error', () => {}).on('drain', pass);
      started.stdout?.setEncoding('utf8').on('data', said);
      isFed = newest === '';
      pass();
    } catch {
      startLater();
    }
  };
  start();
  return {
    feed: (line) => {
      newest = `${line}\n`;
      isFed = false;
      pass();
    },
    close: () => {
      isClosed = true;
      child?.kill('SIGKILL');
    },
  };
}
