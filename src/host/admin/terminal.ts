import { spawn } from 'node:child_process';
import { constants, userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { guardedStream, harmless } from '../output.ts';

/** Resolves to the exit status, 128 + number after a signal. Rejects if it cannot start. */
export function runForeground(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, { stdio: 'inherit', env: { ...environment, TERM: process.env.TERM ?? 'dumb' } });
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** The login, or behind sudo the user who called it. */
export function loginName(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? process.env.LOGNAME ?? userInfo().username;
}

export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

export interface LineTerminal {
  /** null: end of input, or Ctrl-C. */
  ask(prompt: string): Promise<string | null>;
  close(): void;
}

/**
 * Queues lines: readline's `question` drops lines typed ahead, and never settles at the end of input. `onInterrupt`: Ctrl-C, which is no
 * signal while we own the terminal.
 */
export function openLines(onInterrupt: () => void, stream: NodeJS.WriteStream = process.stdout): LineTerminal {
  const output = guardedStream(stream);
  const lines: string[] = [];
  let ended = false;
  let waiting: ((line: string | null) => void) | null = null;
  const reader = createInterface({ input: process.stdin, output });
  const wake = (): void => {
    if (waiting === null || (lines.length === 0 && !ended)) return;
    const resolve = waiting;
    waiting = null;
    resolve(lines.shift() ?? null);
  };
  reader.on('line', (line) => {
    lines.push(line);
    wake();
  });
  reader.on('SIGINT', () => {
    onInterrupt();
    reader.close();
  });
  reader.on('close', () => {
    ended = true;
    wake();
  });
  return {
    ask: (question) =>
      new Promise((resolve) => {
        const prompt = harmless(question);
        waiting = resolve;
        if (ended || lines.length > 0) output.write(`${prompt}${harmless(lines[0] ?? '')}\n`);
        else {
          reader.setPrompt(prompt);
          reader.prompt();
        }
        wake();
      }),
    close: () => reader.close(),
  };
}
