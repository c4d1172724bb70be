/** Connections of a verb to the members; always closed at the end. */

import { type ExitCode, failure } from '../../base/problem.ts';
import { underChangeLock } from '../../cluster/remote/change-lock.ts';
import { type MemberShell, openSshShell } from '../../host/admin/member-shell.ts';
import { loginName } from '../../host/admin/terminal.ts';
import { progress } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { interruptible, pause } from './interruptible.ts';

/**
 * Kept connections pay off if a member is asked more than twice. Ctrl-C closes them and rejects pending calls with Interrupted. A command
 * that already runs on a member may continue.
 */
export function onMembers<Status extends number>(
  keep: 'keeping connections' | 'once',
  work: (shell: MemberShell, stop: AbortSignal) => Promise<Status>,
  withoutReader: 'goes on' | 'ends' = 'goes on',
): Promise<Status | ExitCode> {
  return interruptible(
    'closing the connections to the members',
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

/** For the cleanup after an interruption, when the previous connections are closed. */
export async function afterwards(work: (shell: MemberShell) => Promise<void>): Promise<void> {
  const shell = openSshShell(new AbortController().signal, false);
  await work(shell);
  await shell.close();
}

/** What a verb that changes the cluster declares. */
export interface Change {
  /** As typed after csync; its row lists it among its `changes`. */
  readonly verb: string;
  readonly dryRun: boolean;
  /** How many seconds to wait for another change. */
  readonly wait?: number | undefined;
  /** Started by the cluster or a timer, not by a person. */
  readonly automatic?: boolean | undefined;
}

/**
 * Like onMembers, with the cluster's lock, for a verb that changes the cluster. A dry run does not take the lock. `plain`: a shell that
 * needs no lock.
 */
export function changingMembers<Status extends number>(
  { verb, dryRun, wait, automatic = false }: Change,
  { packageName, members }: Pick<Settings, 'packageName' | 'members'>,
  work: (locked: MemberShell, stop: AbortSignal, plain: MemberShell) => Promise<Status>,
): Promise<Status | ExitCode> {
  if (wait !== undefined && !(wait >= 0)) {
    const text = '--wait: a number of seconds is required, 0 or more';
    throw failure('usage', text, `csync ${verb} --wait 120`);
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
