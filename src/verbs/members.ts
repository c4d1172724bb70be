/** How a verb reaches the members: one set of connections, ended in every case. */
import { type MemberShell, openSshShell } from '../host/member-shell.ts';
import type { ExitCode } from '../problem.ts';
import { interruptible } from './machine.ts';

/**
 * Keeping connections pays where a member is asked more than twice. Ctrl-C ends the connections and rejects what `work`
 * waits for with Interrupted; a command that a member was given already may go on there.
 */
export function onMembers<Status extends number>(
  keep: 'keeping connections' | 'once',
  work: (shell: MemberShell, stop: AbortSignal) => Promise<Status>,
  withoutReader: 'goes on' | 'ends' = 'goes on',
): Promise<Status | ExitCode> {
  return interruptible(
    'ending the connections to the members',
    async (stop) => {
      const shell = openSshShell(stop, keep === 'keeping connections');
      try {
        return await work(shell, stop);
      } finally {
        await shell.close();
      }
    },
    withoutReader,
  );
}

/** For what has to be taken away again after an interruption, when nothing can be asked any more by the ways of before. */
export async function afterwards(work: (shell: MemberShell) => Promise<void>): Promise<void> {
  const shell = openSshShell(new AbortController().signal, false);
  await work(shell);
  await shell.close();
}
