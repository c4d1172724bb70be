import { type ExitCode, exitCodes, failure, Interrupted } from '../../base/problem.ts';
import { hasProgram } from '../../host/admin/own-files.ts';
import { err, onReaderGone } from '../../host/output.ts';

/** Throws a Failure before anything is made. */
export function needPrograms(what: string, programs: Readonly<Record<string, string>>): void {
  const missing = Object.entries(programs).filter(([program]) => !hasProgram(program));
  if (missing.length === 0) return;
  throw failure(
    'here-programs-missing',
    `${what} requires programs that are missing here: ${missing.map(([program]) => program).join(', ')}`,
    `apt-get install ${[...new Set(missing.map(([, debian]) => debian))].join(' ')}`,
  );
}

export function needRoot(what: string): void {
  if (process.getuid?.() === 0) return;
  throw failure(
    'here-not-root',
    `${what} makes network namespaces, mounts and a loop device: this requires root`,
    'run it as root (sudo). Rendering, and checks of settings and templates, do not require root',
  );
}

/** Rejects with the reason of `stop`. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      // Repeated pauses must not accumulate listeners.
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
  });
  stop.throwIfAborted();
}

class ReaderGone extends Interrupted {}

/** Ctrl-C aborts `work` and awaits its cleanup. A closed output (`| head`) stops it only if nothing is lost. */
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
