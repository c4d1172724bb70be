/** Programs that take over this terminal. */
import { spawn } from 'node:child_process';
import { constants, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';

/** Runs with our terminal; resolves to the exit status, 128 + number as a shell says it when a signal ended it. */
export function runForeground(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, { stdio: 'inherit', env: { ...environment, TERM: process.env.TERM ?? 'dumb' } });
  // Ctrl-C is for the program in the foreground, not for us.
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

/** Whether somebody can be asked: nothing is ever asked without a terminal at both ends. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks until the answer is yes or no; an empty answer is `usual`. null: interrupted, or the input ended. */
export async function askYesOrNo(question: string, usual: boolean): Promise<boolean | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<null>((resolve) => {
    terminal.once('close', () => resolve(null));
    terminal.once('SIGINT', () => terminal.close());
  });
  try {
    for (;;) {
      const answer = await Promise.race([terminal.question(`${question} (y/n) [${usual ? 'y' : 'n'}]: `), ended]);
      if (answer === null) return null;
      const word = answer.trim().toLowerCase();
      if (word === '') return usual;
      if (['y', 'yes', 'n', 'no'].includes(word)) return word.startsWith('y');
    }
  } finally {
    terminal.close();
  }
}

/** Who works here: behind sudo the person, not root. */
export function loginName(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? process.env.LOGNAME ?? userInfo().username;
}
