/** Options of the OpenSSH client: what csync needs, and what a configuration written for people must not change. */
import { runProcess } from '../processes.ts';

/** A member that is not reachable is reported after five seconds; one that was lost meanwhile, after ten. */
const needed = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'ConnectTimeout=5',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=2',
  // With ERROR ssh hides why it refused a host, such as "no matching host key type found".
  'LogLevel=INFO',
  // What the user's configuration forwards can be bound once, not for each command and member.
  'ClearAllForwardings=yes',
];

/**
 * What makes sense for a person at a terminal only, as scp and sftp override it, with the release of OpenSSH that first has it [release notes
 * of OpenSSH 7.6 and 8.7]: an older ssh refuses a name that it does not know.
 */
const forPeople: readonly (readonly [option: string, since: number])[] = [
  ['RequestTTY=no', 0],
  ['PermitLocalCommand=no', 0],
  ['ForwardAgent=no', 0],
  ['ForwardX11=no', 0],
  ['Tunnel=no', 0],
  ['VisualHostKey=no', 0],
  ['EscapeChar=none', 0],
  ['RemoteCommand=none', 7.06],
  ['StdinNull=no', 8.07],
  ['SessionType=default', 8.07],
  ['ForkAfterAuthentication=no', 8.07],
];

/** Such as 9.02 for what `ssh -V` prints of OpenSSH 9.2; 0 for what cannot be read. */
export function releaseOf(printed: string): number {
  const [, major = '', minor = ''] = /OpenSSH_(\d+)\.(\d+)/.exec(printed) ?? [];
  return major === '' ? 0 : Number(major) + Number(minor) / 100;
}

export function sshOptionsOf(release: number): string[] {
  return [...forPeople.flatMap(([option, since]) => (release >= since ? [option] : [])), ...needed];
}

const versionLimitMs = 5000;
let ofThisHost: readonly string[] = [];

/** For the ssh of this host, which is asked for its release. */
export async function sshOptions(env: Readonly<Record<string, string>>, stop: AbortSignal): Promise<readonly string[]> {
  const { stderr } = await runProcess(['ssh', '-V'], { env, stop, timeoutMs: versionLimitMs });
  ofThisHost = sshOptionsOf(releaseOf(stderr));
  return ofThisHost;
}

/** A command for people that succeeds where csync reaches the host, whatever their configuration makes of a login. */
export function sshTest(member: string): string {
  const overridden = ofThisHost.filter((option) => /^(RemoteCommand|SessionType|ForkAfterAuthentication)=/.test(option));
  return ['ssh', '-T', ...['BatchMode=yes', ...overridden].map((option) => `-o ${option}`), member, 'true'].join(' ');
}
