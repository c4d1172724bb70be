import { type ExitCode, failure } from '../../base/problem.ts';
import { underChangeLock } from '../../cluster/remote/change-lock.ts';
import { type MemberShell, openSshShell } from '../../host/admin/member-shell.ts';
import { chosenWay, type MemberWay, plainWay } from '../../host/admin/member-way.ts';
import { loginName } from '../../host/admin/terminal.ts';
import { progress } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { engineHere } from './engine-here.ts';
import { interruptible, pause } from './interruptible.ts';

export type WaySettings = Pick<Settings, 'sshUser' | 'become'>;

export function memberWay({ sshUser, become }: WaySettings): MemberWay {
  const via = chosenWay();
  if (via === '') return { sshUser, become, insteadOfSsh: null };
  if (via === 'reader') return { ...plainWay, become: 'reader' };
  const { engine, variables } = engineHere();
  const other = engine.host.remoteCommand(variables ?? {});
  if (via === other?.name) return { ...plainWay, become, insteadOfSsh: other.argv };
  const text = `CSYNC_VIA is ${JSON.stringify(via)}; it may be reader${other === null ? '' : ` or ${other.name}`}`;
  throw failure('usage', text, 'unset CSYNC_VIA');
}

/**
 * Keep connections if a member is asked more than twice. Ctrl-C closes them and rejects pending calls with Interrupted. A command that
 * already runs on a member may continue.
 */
export function onMembers<Status extends number>(
  way: WaySettings,
  keep: 'keeping connections' | 'once',
  work: (shell: MemberShell, stop: AbortSignal) => Promise<Status>,
  withoutReader: 'goes on' | 'ends' = 'goes on',
): Promise<Status | ExitCode> {
  return interruptible(
    'closing the connections to the members',
    async (stop) => {
      const shell = openSshShell(stop, keep === 'keeping connections', memberWay(way));
      try {
        return await work(shell, stop);
      } finally {
        await shell.close();
      }
    },
    withoutReader,
  );
}

/** After an interruption, when the previous connections are closed. */
export async function afterwards(way: WaySettings, work: (shell: MemberShell) => Promise<void>): Promise<void> {
  const shell = openSshShell(new AbortController().signal, false, memberWay(way));
  await work(shell);
  await shell.close();
}

export interface Change {
  /** As typed after csync; its row lists it among its `changes`. */
  readonly verb: string;
  readonly dryRun: boolean;
  /** Seconds to wait for another change. */
  readonly wait?: number | undefined;
  /** Started by the cluster or a timer, not by a person. */
  readonly automatic?: boolean | undefined;
}

/** As onMembers, with the cluster's lock, which a dry run does not take. `plain`: a shell that needs no lock. */
export function changingMembers<Status extends number>(
  { verb, dryRun, wait, automatic = false }: Change,
  settings: Pick<Settings, 'packageName' | 'members'> & WaySettings,
  work: (locked: MemberShell, stop: AbortSignal, plain: MemberShell) => Promise<Status>,
): Promise<Status | ExitCode> {
  if (wait !== undefined && !(wait >= 0)) {
    const text = '--wait: a number of seconds is required, 0 or more';
    throw failure('usage', text, `csync ${verb} --wait 120`);
  }
  const { packageName, members } = settings;
  return onMembers(settings, 'keeping connections', (shell, stop) => {
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
