/**
 * csync harmed at its remote commands. On a host that is no member every command of its goes through ssh; here that ends the csync
 * it is called by, before or after the wanted one, or does not run the command: it says that the disk over there is full, or that the host is unreachable.
 */
import { expect } from 'vitest';
import type { ExecResult } from '../../../src/lab/protocol.ts';
import { eventually } from '../../support.ts';

export type Harm = 'before' | 'after' | 'full disk' | 'unreachable';

const toolkit = 'node /opt/csync/csync.mjs';

export function sshTrap(host: string, sh: (host: string, script: string) => Promise<ExecResult>) {
  const csync = (words: string) => sh(host, `cd /root && exec ${toolkit} ${words}`);
  const trapped = (words: string): string => `cd /root && PATH=/root/bin:$PATH ${toolkit} ${words}`;
  const must = async (script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await sh(host, script);
    expect(exitCode, `${script}: ${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  const harmOnce = async (words: string, at: number, harm: Harm): Promise<ExecResult> => {
    await sh(host, `rm -f /run/ssh-harmed; echo 0 > /run/ssh-count; echo "${harm} ${at}" > /run/ssh-at`);
    return sh(host, `${trapped(words)}; rm /run/ssh-at; [ ! -e /run/ssh-harmed ] || echo harmed`);
  };
  /** What was begun over there comes to its end; a lock is free when its holder is. */
  const finished = async (words: string): Promise<void> => {
    let said = '';
    const done = async (): Promise<boolean> => {
      const ended = await csync(words);
      said = ended.stdout + ended.stderr;
      return ended.exitCode === 0;
    };
    await eventually('the second run to do it', done, 300_000).catch((cause: unknown) => {
      throw new Error(`${words} says at last ${said}`, { cause });
    });
  };
  return {
    /** csync on that host, by the system's own ssh. */
    csync,
    /** Puts the trap there, and the settings of a member. */
    async lay(settings: string): Promise<void> {
      await must(`cat > /root/csync.yaml <<'END'\n${settings}\nEND`);
      await must(`mkdir -p /root/bin; cat > /root/bin/ssh <<'END'
#!/bin/sh
[ "$1" != -V ] || exec /usr/bin/ssh -V
{ flock 9; n=$(($(cat /run/ssh-count 2>/dev/null) + 1)); echo $n > /run/ssh-count; } 9> /run/ssh-lock
at=$(cat /run/ssh-at 2>/dev/null)
[ "\${at##* }" != $n ] || : > /run/ssh-harmed
case $at in
  "before $n") kill -9 $PPID; exit 137 ;;
  "after $n") /usr/bin/ssh "$@"; kill -9 $PPID; exit 137 ;;
  "full disk $n") echo 'sh: 1: write error: No space left on device' >&2; exit 1 ;;
  "unreachable $n") echo 'ssh: connect to host: Connection timed out' >&2; exit 255 ;;
esac
exec /usr/bin/ssh "$@"
END
chmod 755 /root/bin/ssh`);
    },
    /** How many remote commands it has; it is done. */
    async count(words: string): Promise<number> {
      await must(`rm -f /run/ssh-at; echo 0 > /run/ssh-count; ${trapped(words)}`);
      return Number(await must('cat /run/ssh-count'));
    },
    /** Harms it at one of them, and runs it again until it is done. False: it came to no harm, since this time it had fewer. */
    async harmed(words: string, at: number, harm: Harm): Promise<boolean> {
      const first = await harmOnce(words, at, harm);
      await finished(words).catch((cause: unknown) => {
        throw new Error(`${words}, ${harm} at ${at}, says first ${first.stdout}${first.stderr}`, { cause });
      });
      return first.stdout.endsWith('harmed\n');
    },
    /** Harms it at one of them, and leaves it at that. False: it came to no harm. */
    async harmedOnce(words: string, at: number, harm: Harm): Promise<boolean> {
      return (await harmOnce(words, at, harm)).stdout.endsWith('harmed\n');
    },
    finished,
  };
}

/** What a kill at that command is: half of them come before it, half after. */
export const killAt = (at: number): Harm => (at % 2 === 0 ? 'before' : 'after');
