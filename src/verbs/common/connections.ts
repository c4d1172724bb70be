/** How a verb reaches the members: one set of connections, ended in every case. */

import { type ExitCode, Failure } from '../../base/problem.ts';
import { underChangeLock } from '../../cluster/remote/change-lock.ts';
import { type MemberShell, openSshShell } from '../../host/admin/member-shell.ts';
import { loginName } from '../../host/admin/terminal.ts';
import { progress } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { interruptible, pause } from './interruptible.ts';

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

/** What a verb that changes the cluster says of itself. */
export interface Change {
  /** As it is typed behind csync; its row has it among its `changes`. */
  readonly verb: string;
  readonly dryRun: boolean;
  /** Seconds to wait for another change to end. */
  readonly wait?: number | undefined;
  /** Begun by the cluster or a timer, not by a person. */
  readonly automatic?: boolean | undefined;
}

/** As onMembers, for a verb that changes the cluster: with its lock, which a dry run does not take. `plain`: a shell that asks for no lock. */
export function changingMembers<Status extends number>(
  { verb, dryRun, wait, automatic = false }: Change,
  { packageName, members }: Pick<Settings, 'packageName' | 'members'>,
  work: (locked: MemberShell, stop: AbortSignal, plain: MemberShell) => Promise<Status>,
): Promise<Status | ExitCode> {
  if (wait !== undefined && !(wait >= 0)) {
    const text = '--wait: a number of seconds is wanted, 0 or more';
    throw new Failure([{ code: 'usage', severity: 'error', text, remedy: `csync ${verb} --wait 120` }]);
  }
  return onMembers('keeping connections', (shell, stop) => {
    if (dryRun) return work(shell, stop, shell);
    const who = `csync ${verb} of ${loginName()}@${shell.here} (process ${process.pid}) since ${new Date().toISOString()}`;
    const wish = {
      packageName,
      members,
      who,
      automatic,
      waitSeconds: wait ?? null,
      say: progress,
      pause: (milliseconds: number) => pause(milliseconds, stop),
    };
    return underChangeLock(shell, wish, (locked) => work(locked, stop, shell));
  });
}
