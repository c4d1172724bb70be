/**
 * Running a shell script on a member: here, or over OpenSSH, which never asks anything (BatchMode) and never takes an
 * unknown host key. A member needs no more than a POSIX shell and coreutils for it.
 */
import { hostname } from 'node:os';
import type { CommandResult } from './host.ts';
import { runProcess } from './processes.ts';

/** The one way to other members; tests put something else here. */
export interface MemberShell {
  /** Name of the host this runs on, as Serviceguard knows it: short. */
  readonly here: string;
  /** Feeds the script to a shell on the member. Never throws: an unreachable member is status 255, as ssh has it. */
  run(member: string, script: string, timeoutMs: number): Promise<CommandResult>;
}

const sshOptions = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=5', 'ServerAliveInterval=5', 'LogLevel=ERROR'];

/** Members under their own names; ssh's configuration of the user (keys, ports, jumps) applies. */
export function openSshShell(): MemberShell {
  const here = hostname().split('.')[0] ?? '';
  // ssh looks for its keys and its agent by these two.
  const { HOME = '/root', SSH_AUTH_SOCK } = process.env;
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    HOME,
    ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }),
  };
  const remote = (member: string): string[] => ['ssh', '-T', ...sshOptions.flatMap((option) => ['-o', option]), '--', member];
  return {
    here,
    run: (member, script, timeoutMs) => {
      const argv = [...(member === here ? [] : remote(member)), '/bin/sh', '-s'];
      return runProcess(argv, { input: script, timeoutMs, env });
    },
  };
}
