/** Programs that take over this terminal. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

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
