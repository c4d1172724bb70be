/** Options of OpenSSH that the user's configuration must not change. */
import { runProcess } from '../processes.ts';
import { type MemberWay, plainWay, sudoTest } from './member-way.ts';

/** An unreachable member is reported after 5 s, one lost during a command after 10 s. */
const needed = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'ConnectTimeout=5',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=2',
  // With ERROR ssh hides why it refused a host, such as "no matching host key type found".
  'LogLevel=INFO',
  // Only one connection could bind a port that the configuration forwards.
  'ClearAllForwardings=yes',
];

/** Options for terminals, with the first OpenSSH of each [release notes of OpenSSH 7.6 and 8.7]: an older ssh refuses unknown names. */
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

/** For example 9.02 from `ssh -V` of OpenSSH 9.2; 0 if unreadable. */
export function releaseOf(printed: string): number {
  const [, major = '', minor = ''] = /OpenSSH_(\d+)\.(\d+)/.exec(printed) ?? [];
  return major === '' ? 0 : Number(major) + Number(minor) / 100;
}

export function sshOptionsOf(release: number): string[] {
  return [...forPeople.flatMap(([option, since]) => (release >= since ? [option] : [])), ...needed];
}

const versionLimitMs = 5000;
let ofThisHost: readonly string[] = [];
let way: MemberWay = plainWay;

/** For messages. */
export const wayInUse = (): MemberWay => way;

export function takeWay(wanted: MemberWay): void {
  way = wanted;
  ofThisHost = [];
}

/** For this host's ssh, by its release. */
export async function sshOptions(env: Readonly<Record<string, string>>, stop: AbortSignal): Promise<readonly string[]> {
  const { stderr } = await runProcess(['ssh', '-V'], { env, stop, timeoutMs: versionLimitMs });
  ofThisHost = [...(way.sshUser === 'none' ? [] : [`User=${way.sshUser}`]), ...sshOptionsOf(releaseOf(stderr))];
  return ofThisHost;
}

/** For people: succeeds if csync reaches the host, with any ssh configuration. */
export function sshTest(member: string, command = 'true'): string {
  if (way.insteadOfSsh !== null) return [...way.insteadOfSsh, member, command].join(' ');
  const overridden = ofThisHost.filter((option) => /^(User|RemoteCommand|SessionType|ForkAfterAuthentication)=/.test(option));
  return ['ssh', '-T', ...['BatchMode=yes', ...overridden].map((option) => `-o ${option}`), member, command].join(' ');
}

/** Shows whether csync becomes root there; for people. */
export function rootTest(member: string): string {
  return sshTest(member, way.become === 'none' ? 'id' : sudoTest(way.become));
}

/** With the login of the settings. */
export const loginOn = (member: string): string => (way.sshUser === 'none' ? member : `${way.sshUser}@${member}`);
