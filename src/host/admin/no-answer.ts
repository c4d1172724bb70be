/** Why a host did not answer, and the fix, from what ssh, sudo and the host printed. Pure. */
import type { CommandResult } from '../host.ts';
import { lastLines, unbegunWords } from './frame.ts';
import { loginOn, rootTest, sshTest, wayInUse } from './ssh-options.ts';

export interface NoAnswer {
  readonly why: string;
  readonly remedy: string;
}

type Meaning = readonly [said: RegExp, why: (said: string) => string, remedy: (member: string) => string];

/** ssh read no banner of sshd, or could not write its own: the slower end decides the message. */
const beforeLogin = /^((kex|ssh)_exchange_identification: |banner exchange: .*: (Broken pipe|Connection reset))/m;

/** ssh's error messages (OpenSSH 9.2). */
const sshFailures: readonly Meaning[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    () => 'its host key differs from the one this user knows: the host was reinstalled, or it is another host',
    (member) => `find out which; then ssh-keygen -R ${member}, and ssh-keyscan ${member} >> ~/.ssh/known_hosts`,
  ],
  [
    /host key is known|Host key verification failed/,
    () => 'this user does not know its host key, and csync accepts no unknown key',
    (member) =>
      `compare the fingerprint (ssh-keygen -lf) with that of the host, then ssh-keyscan ${member} >> ~/.ssh/known_hosts`,
  ],
  [
    /Permission denied/,
    () => 'sshd accepts no key of this user without a prompt',
    (member) => `ssh-copy-id ${loginOn(member)}, or ssh-add for a key with a passphrase; this must work: ${sshTest(member)}`,
  ],
  [
    /Could not resolve hostname/,
    () => 'its name does not resolve here',
    (member) => `getent hosts ${member}; add it to /etc/hosts or DNS`,
  ],
  [
    /Connection refused/,
    () => 'the host is up, but no sshd listens',
    (member) => `on the console of ${member}: systemctl status sshd (or ssh); another port belongs in ~/.ssh/config`,
  ],
  [
    beforeLogin,
    () => 'sshd, or a firewall before it, ended the connection before the login, each time: too many logins at once, or a ban',
    (member) =>
      `on the console of ${member}: journalctl -u ssh -u sshd -n 20; then raise MaxStartups in sshd_config, or end the ban`,
  ],
  [
    /Connection (to .* )?timed out|Operation timed out|No route to host|Network is unreachable|not responding/,
    (said) => `no connection: ${said}`,
    (member) => `check that ${member} is up (cmviewcl -v, ping), and firewalls between`,
  ],
];

/** Whether the connection ended before the login, as too many others log in (MaxStartups, default 10:30:100). Nothing of the script ran. */
export function isTurnedAway({ exitCode, stdout, stderr }: CommandResult): boolean {
  return exitCode === 255 && stdout === '' && beforeLogin.test(stderr);
}

const page = 'docs/how-to/without-root-ssh.md';
const dropIn = (member: string): string => `install the rule of ${page} on ${member}, then: ${rootTest(member)}`;

/** Messages of sudo (1.9.13 and older), and of the programs it runs. */
const sudoFailures: readonly Meaning[] = [
  [
    /^env: .*sudo/m,
    () => 'sudo is not installed there, or not in the PATH of its login',
    (member) => `install sudo on ${member}, or set become: none in csync.yaml`,
  ],
  [
    /sudo: .*must have a tty|no tty present/,
    () => 'sudo there requires a terminal (requiretty), and csync has none',
    (member) => `${dropIn(member)}. It has Defaults!CSYNC !requiretty`,
  ],
  [
    /syntax error|no valid sudoers sources|sudoers.* (is world writable|is group writable|is owned by)/,
    (said) => `sudo there cannot use its rules: ${said}`,
    (member) => `on the console of ${member}: visudo -c   (names file and line)`,
  ],
  [
    /sudo: .*csync-(root|reader): command not found/,
    () => 'the program that sudo has to run for csync is not installed there',
    (member) => `install csync-root (or csync-reader) in /usr/local/sbin of ${member}, owner root, mode 755: ${page}`,
  ],
  [
    /is not allowed to execute|is not in the sudoers file|may not run sudo/i,
    () => 'no rule of sudo there allows this login to run the program of csync',
    dropIn,
  ],
  [
    /password is required/,
    () => 'sudo there asks for a password: no rule with NOPASSWD allows this login to run the program of csync',
    dropIn,
  ],
  [
    /setuid|no new privileges/,
    (said) => `sudo cannot become root there: ${said}`,
    (member) =>
      `on the console of ${member}: ls -l /usr/bin/sudo (mode 4755, owner root); findmnt -T /usr/bin/sudo (without nosuid)`,
  ],
  [
    /account (validation|management)|Account expired|Account or password is expired/i,
    (said) => `PAM refuses the account to sudo there: ${said}`,
    (member) => `on the console of ${member}: chage -l ACCOUNT; passwd -S ACCOUNT`,
  ],
  [
    /^csync-reader: .*no such script/m,
    () =>
      'its csync-reader does not have this script: the verb does more than read, or csync-reader is of other settings or another version',
    (member) => `csync reader > csync-reader, and install it on ${member} as /usr/local/sbin/csync-reader`,
  ],
  [/^csync-(root|reader): .*not root/m, (said) => said, dropIn],
];

const saidLines = 4;

const wordsOf = ({ stdout, stderr }: Pick<CommandResult, 'stdout' | 'stderr'>): string[] =>
  [stdout, stderr].flatMap((text) => lastLines(text, longestWords)).flatMap((line) => line.trim() || []);

/** Of a message: characters of each stream, and lines of both. What cmcheckconf prints about three members fits. */
const longestWords = 4000;
const mostLines = 30;

/** The last lines. Not for a script that prints data. */
export function printedWords(ended: Pick<CommandResult, 'stdout' | 'stderr'>): string {
  const lines = wordsOf(ended);
  const isCut = lines.length > mostLines || Math.max(ended.stdout.length, ended.stderr.length) > longestWords;
  return [...(isCut ? ['...'] : []), ...lines.slice(-mostLines)].join('\n');
}

/** For a login that is not root's. */
export const rootRemedy = (member: string): string =>
  `${rootTest(member)}   (must print uid=0); set "User root" for it in ~/.ssh/config, or become: sudo in csync.yaml (${page})`;

/** Exit status of a script that needs root and runs as another user. */
export const notRootStatus = 77;

/** Exit status for a script that CSYNC_VIA or the login cannot run on the host. */
export const refusedStatus = 78;

/** Why a member did not answer, and the fix. */
export function whyNoAnswer(member: string, ended: CommandResult, timeoutMs: number): NoAnswer {
  const { errorCode, timedOut, exitCode, signal, stderr } = ended;
  if (errorCode === 'ENOENT') return missingHere();
  const lines = stderr.split('\n').flatMap((line) => line.trim() || []);
  const remedy = `this must work without a prompt: ${sshTest(member)}`;
  if (exitCode === notRootStatus) return { why: lines.at(-1) ?? 'the login there is not root', remedy: rootRemedy(member) };
  if (exitCode === refusedStatus) return { why: lines.at(-1) ?? '', remedy: `unset CSYNC_VIA: ${page}` };
  if (timedOut) return { why: [`no answer within ${timeoutMs / 1000} s`, ...lines.slice(-saidLines)].join('; '), remedy };
  const isUnbegun = lines.at(-1)?.startsWith(unbegunWords) === true;
  const ofSudo = wayInUse().become === 'none' ? [] : sudoFailures;
  const meanings = exitCode !== 255 ? [] : isUnbegun ? ofSudo : sshFailures;
  const [pattern, why, helps] = meanings.find(([said]) => said.test(stderr)) ?? [];
  const meant = isUnbegun ? lines.find((line) => pattern?.test(line)) : lines.at(-1);
  if (why !== undefined && helps !== undefined) return { why: why(meant ?? ''), remedy: helps(member) };
  // A script's last line has its reason; if none began, any line may.
  const said = lines.slice(exitCode === 255 ? -saidLines : -1).join('; ');
  return { why: said || `its shell exited with status ${exitCode ?? signal ?? errorCode} and printed nothing`, remedy };
}

function missingHere(): NoAnswer {
  const { insteadOfSsh } = wayInUse();
  if (insteadOfSsh === null) return { why: 'ssh is not installed here', remedy: 'install the OpenSSH client' };
  return { why: `${insteadOfSsh[0]} is missing here`, remedy: 'run csync on a member, or unset CSYNC_VIA' };
}
