/** What verbs that make namespaces need of this machine, and how they end when they are told to. */

import { type ExitCode, exitCodes, Failure, Interrupted, type Problem } from '../../base/problem.ts';
import { hasProgram } from '../../host/admin/own-files.ts';
import { err, onReaderGone } from '../../host/output.ts';

/** Everything it runs (program: Debian package) must be there before anything is made. */
export function needPrograms(what: string, programs: Readonly<Record<string, string>>): void {
  const missing = Object.entries(programs).filter(([program]) => !hasProgram(program));
  if (missing.length === 0) return;
  const problem: Problem = {
    code: 'here-programs-missing',
    severity: 'error',
    text: `${what} runs programs that are missing here: ${missing.map(([program]) => program).join(', ')}`,
    remedy: `apt-get install ${[...new Set(missing.map(([, debian]) => debian))].join(' ')}`,
  };
  throw new Failure([problem]);
}

export function needRoot(what: string): void {
  if (process.getuid?.() === 0) return;
  const problem: Problem = {
    code: 'here-not-root',
    severity: 'error',
    text: `${what} makes network namespaces, mounts and a loop device, which needs root`,
    remedy: 'run it as root (sudo); rendering, checks of settings and templates do not need it',
  };
  throw new Failure([problem]);
}

/** Waits; rejects at once with what `stop` is aborted with. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      // Who pauses a thousand times leaves nothing behind on the signal.
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
  });
  stop.throwIfAborted();
}

/** The reader of the output went away from what only prints. */
class ReaderGone extends Interrupted {}

/**
 * Runs `work`; Ctrl-C reaches it as an abort, and whatever it does to clean up is waited for. A reader of the output that goes away
 * (`| head`) ends it only where nothing is lost by that: no change of a cluster stops half-way for it.
 */
export async function interruptible<Status extends number>(
  cleaningUp: string,
  work: (stop: AbortSignal) => Promise<Status>,
  withoutReader: 'goes on' | 'ends' = 'goes on',
): Promise<Status | ExitCode> {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) err(`\n${signal}: ${cleaningUp}\n`);
    controller.abort(new Interrupted());
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const readerIsBack = onReaderGone(() => {
    if (withoutReader === 'ends') controller.abort(new ReaderGone());
  });
  try {
    return await work(controller.signal);
  } catch (error) {
    if (error instanceof ReaderGone) return exitCodes.unread;
    if (error instanceof Interrupted) return exitCodes.interrupted;
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    readerIsBack();
  }
}
