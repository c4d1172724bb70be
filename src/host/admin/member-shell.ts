/**
 * Runs a shell script on a member: locally, or over OpenSSH without any question (BatchMode) and without accepting unknown host keys. A
 * member needs only a POSIX shell and coreutils.
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import { hostname } from 'node:os';
import type { CommandResult } from '../host.ts';
import { drained, runProcess, startProcess } from '../processes.ts';
import { framed, framedLine, type Mark, unbegunWords, unframed } from './frame.ts';
import { privateDirectory } from './own-files.ts';
import { sshOptions, sshTest } from './ssh-options.ts';

/** The only way to other members; tests replace it. */
export interface MemberShell {
  /** Short name of this host, as in Serviceguard. */
  readonly here: string;
  /** Stops running commands, and other waits of its user. */
  readonly stop: AbortSignal;
  /**
   * Runs the script in a shell on the member. The answer is the script's own (frame.ts), without output of a login; an incomplete one is a
   * failure. An unreachable member is status 255, as with ssh; whyNoAnswer explains it. Throws only the reason of the stop signal: the
   * script may then continue on the member.
   */
  run(member: string, script: string, timeoutMs: number, mostBytes?: number): Promise<CommandResult>;
  /** As `run`, with a file of this host as standard input of the script, read as fast as it is consumed. */
  send(member: string, script: string, sent: SentFile, timeoutMs: number): Promise<CommandResult>;
  /**
   * Runs a script that stays after it printed `standingWord`, until its standard input closes: when this process exits. If this host
   * crashes or is cut off, the script does not notice. Resolves when the script is ready, or with its early result.
   */
  hold(member: string, script: string): Promise<Hold | CommandResult>;
}

export interface Hold {
  /** Writes a line to the script; returns its next line, or null on time-out or exit. One request at a time. */
  ask(line: string, limitMs: number): Promise<string | null>;
  /** It has not exited, as far as this host knows. */
  isAlive(): boolean;
  release(): Promise<void>;
}

export interface SentFile {
  readonly file: string;
  /** Called with the number of bytes sent so far. */
  readonly onSent: (bytes: number) => void;
}

export interface OpenMemberShell extends MemberShell {
  /** Closes the connections. */
  close(): Promise<void>;
}

const directoryPrefix = 'csync-ssh';
/** Of sun_path, less the suffix that ssh adds while it creates the socket. */
const longestSocketPath = 104 - 18;
/** ssh ends the option at a blank, and expands % and ~. */
const plainPath = /^[\w/.+-]+$/;
/**
 * Names come from administrators, other clusters and files on members. ssh would read a user, a port or a URI out of them, and insert the
 * name into commands of its configuration (%h of a ProxyCommand is for a shell).
 */
const plainHost = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;
const unanswered: CommandResult = { exitCode: 255, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
/** Members are asked first, and most often. */
const keptAtMost = 64;
const closeLimitMs = 1000;
/** ConnectTimeout ends with the key exchange; a login that hangs after it (a missing home directory) has no other limit. */
const loginLimitMs = 20_000;
/** Far more than any script of ours prints: an endless login must not fill our memory. */
const outputLimitBytes = 16 * 1024 * 1024;

/**
 * Members by their own names; the user's ssh configuration (keys, ports, jumps) applies. `keep`: connections stay open for the next
 * command; useful from the third one on (figures in DECISIONS).
 */
export function openSshShell(stop: AbortSignal, keep: boolean): OpenMemberShell {
  const here = hostname().split('.')[0] ?? '';
  // One connection and one lock for each member, and parallel runs on clients: all stop with it.
  setMaxListeners(0, stop);
  const env = sshEnvironment();
  let asked: Promise<readonly string[]> | undefined;
  const kept = keep ? keptConnections(env, stop) : null;
  /** The command for its last words on the member; otherwise why its connection failed. */
  const wayTo = async (member: string): Promise<readonly string[] | CommandResult> => {
    if (member === here) return [];
    if (!plainHost.test(member))
      return { ...unanswered, stderr: `${JSON.stringify(member)} is not a host name: ssh was not run` };
    asked ??= sshOptions(env, stop);
    const usual = await asked;
    stop.throwIfAborted();
    const connection = kept?.to(member, usual) ?? null;
    const failed = (await connection?.failed) ?? null;
    // ssh exits if it cannot create its socket, and names it; without one each command connects.
    const socketFailed = connection !== null && failed?.stderr.includes(connection.socket) === true;
    if (socketFailed) kept?.giveUp();
    else if (failed !== null) return failed;
    return connection === null || socketFailed
      ? ssh(member, ['ControlPath=none', ...usual])
      : ssh(member, ['ControlMaster=no', `ControlPath=${connection.socket}`, ...usual]);
  };
  const start = async (
    member: string,
    mark: Mark,
    command: readonly string[],
    input: string | AsyncIterable<Buffer>,
    timeoutMs: number,
    mostBytes = outputLimitBytes,
  ): Promise<CommandResult> => {
    stop.throwIfAborted();
    const way = await wayTo(member);
    const result =
      'exitCode' in way
        ? way
        : unframed(await runProcess([...way, ...command], { input, timeoutMs, env, stop, outputLimitBytes: mostBytes }), mark);
    stop.throwIfAborted();
    return result;
  };
  return {
    here,
    stop,
    run: (member, script, timeoutMs, mostBytes = outputLimitBytes) => {
      const mark = newMark();
      return start(member, mark, ['/bin/sh', '-s'], framed(script, mark), timeoutMs, mostBytes);
    },
    send: (member, script, sent, timeoutMs) => {
      const mark = newMark();
      const text = framed(script, mark);
      const words = member === here ? ['/bin/sh', '-c', evaluated(text)] : [inOneWord(text)];
      return start(member, mark, words, pieces(sent), timeoutMs);
    },
    hold: async (member, script) => {
      stop.throwIfAborted();
      const way = await wayTo(member);
      if ('exitCode' in way) return way;
      const mark = newMark();
      const text = framed(script, mark);
      const standing = stand([...way, ...(member === here ? ['/bin/sh', '-c', text] : [inOneWord(text)])], env, mark);
      stop.addEventListener('abort', standing.end, { once: true });
      const failed = await standing.failed;
      return failed ?? { ask: standing.ask, isAlive: standing.isAlive, release: standing.end };
    },
    close: async () => kept?.close(),
  };
}

function sshEnvironment(): Readonly<Record<string, string>> {
  // ssh finds its keys and its agent by these two.
  const { HOME = '/root', SSH_AUTH_SOCK, PATH } = process.env;
  return {
    // The user's, for ssh itself and its configuration (ProxyCommand); scripts set their own.
    PATH: [PATH, '/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(':'),
    LC_ALL: 'C',
    HOME,
    ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }),
  };
}

/** A script as one word of a command line, in a form that every login shell passes on unchanged. */
function inOneWord(script: string): string {
  return `/bin/sh -c '${evaluated(script)}'`;
}

/** In two commands, because a shell accepts a script that did not arrive at all. */
const evaluated = (script: string): string =>
  `script=$(echo ${Buffer.from(script).toString('base64')} | base64 -d) && eval "$script"`;

const newMark = (): Mark => randomBytes(9).toString('base64url');

function ssh(member: string, options: readonly string[]): string[] {
  return ['ssh', '-T', ...options.flatMap((option) => ['-o', option]), '--', member];
}

/** One for each member, opened at its first command, and again after it broke; in a directory of this run. */
function keptConnections(env: Readonly<Record<string, string>>, stop: AbortSignal) {
  let directory: ReturnType<typeof privateDirectory> | undefined;
  const connections = new Map<string, Connection>();
  let made = 0;
  let room = true;
  return {
    /** null if a socket path would be too long. */
    to: (member: string, usual: readonly string[]): Connection | null => {
      const known = connections.get(member);
      if (!room) return null;
      if (known?.isAlive() === true) return known;
      // A thousand clients would be a thousand processes of some MB here, for only a few commands each.
      if (known === undefined && connections.size >= keptAtMost) return null;
      directory ??= privateDirectory(directoryPrefix);
      const socket = `${directory?.path}/${made++}`;
      room = directory !== null && plainPath.test(socket) && socket.length <= longestSocketPath;
      if (!room) return null;
      const options = ['ControlMaster=yes', 'ControlPersist=no', `ControlPath=${socket}`, ...usual];
      const fresh = connect(ssh(member, options), socket, env);
      stop.addEventListener('abort', fresh.end, { once: true });
      connections.set(member, fresh);
      return fresh;
    },
    giveUp: (): void => {
      room = false;
    },
    close: async (): Promise<void> => {
      await Promise.all([...connections.values()].map((connection) => connection.end()));
      directory?.remove();
    },
  };
}

/** A script of `hold` prints it when it is ready. */
export const standingWord = 'csync-connected';

interface Connection extends Standing {
  readonly socket: string;
}

interface Standing {
  /** null when ready; otherwise the result of ssh, for every command that waited. */
  readonly failed: Promise<CommandResult | null>;
  isAlive(): boolean;
  ask(line: string, limitMs: number): Promise<string | null>;
  end(): Promise<void>;
}

/**
 * One connection to a member that all its commands share, because the handshake is most of a short command (figures in DECISIONS). It runs
 * `cat` on the member with a pipe of ours as input, so that any exit of this process, SIGKILL included, ends it. If it breaks, ssh connects
 * for that one command.
 */
function connect(argv: readonly string[], socket: string, env: Readonly<Record<string, string>>): Connection {
  const mark = newMark();
  return { socket, ...stand([...argv, `printf '\\n${mark}:${standingWord}:${mark}\\n'; exec cat`], env, mark) };
}

/** A process that reports when it is ready and then lives as long as its standard input. */
function stand(argv: readonly string[], env: Readonly<Record<string, string>>, mark: Mark): Standing {
  const printed = { out: [] as string[], err: [] as string[] };
  let alive = true;
  let isStanding = false;
  let stands: (is: boolean) => void = () => {};
  const standing = new Promise<boolean>((resolve) => {
    stands = (is) => {
      isStanding ||= is;
      resolve(is);
    };
  });
  let answered: (line: string | null) => void = () => {};
  const running = startProcess(argv, {
    env,
    stdin: 'pipe',
    outputLimitBytes,
    onLine: (line, stream) => {
      // Kept for callers that need the reason; it may stay for hours.
      if (!isStanding) printed[stream].push(line);
      const said = stream === 'out' ? framedLine(line, mark) : null;
      if (said === standingWord) stands(true);
      else if (said !== null) answered(said);
    },
  });
  running.child.stdin?.on('error', () => {});
  const timer = setTimeout(() => {
    printed.err.push(`connected, but no shell within ${loginLimitMs / 1000} s: the login hangs`);
    running.kill('SIGKILL');
  }, loginLimitMs);
  void running.ended.then(() => {
    alive = false;
    stands(false);
    answered(null);
  });
  const ask = (line: string, limitMs: number): Promise<string | null> =>
    new Promise((resolve) => {
      const late = setTimeout(() => resolve(null), limitMs);
      answered = (answer) => {
        clearTimeout(late);
        resolve(answer);
      };
      if (alive) running.child.stdin?.write(`${line}\n`);
      else answered(null);
    });
  const failed = standing.then(async (is): Promise<CommandResult | null> => {
    clearTimeout(timer);
    if (is) return null;
    const ended = await running.ended;
    await drained(running.child);
    const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
    return unframed({ ...ended, timedOut: false, stdout: text(printed.out), stderr: text(printed.err) }, mark);
  });
  const end = async (): Promise<void> => {
    running.child.stdin?.end();
    const timer = setTimeout(() => running.kill('SIGKILL'), closeLimitMs);
    await running.ended;
    clearTimeout(timer);
    await drained(running.child);
  };
  return { failed, isAlive: () => alive, ask, end };
}

async function* pieces({ file, onSent }: SentFile): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of createReadStream(file)) {
    yield piece as Buffer;
    bytes += (piece as Buffer).length;
    onSent(bytes);
  }
}

export interface NoAnswer {
  readonly why: string;
  readonly remedy: string;
}

/** The meaning of ssh's error messages, and the fix (OpenSSH 9.2). */
const sshFailures: readonly (readonly [said: RegExp, why: (said: string) => string, remedy: (member: string) => string])[] = [
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
    (member) => `ssh-copy-id ${member}, or ssh-add for a key with a passphrase; this must work: ${sshTest(member)}`,
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
    /Connection (to .* )?timed out|Operation timed out|No route to host|Network is unreachable|not responding/,
    (said) => `no connection: ${said}`,
    (member) => `check that ${member} is up (cmviewcl -v, ping), and firewalls between`,
  ],
];

/** Length of the output of ssh or a host in a message. */
const saidLines = 4;

const wordsOf = ({ stdout, stderr }: Pick<CommandResult, 'stdout' | 'stderr'>): string[] =>
  [stdout, stderr].flatMap((text) => text.slice(-longestWords).split('\n')).flatMap((line) => line.trim() || []);

/** Characters of each stream, and lines of both, that a message may have. */
const longestWords = 2000;
const mostLines = 20;

/** What a script printed for people, for a message: the last lines of it. Never for a script that prints data. */
export function printedWords(ended: Pick<CommandResult, 'stdout' | 'stderr'>): string {
  return wordsOf(ended).slice(-mostLines).join('\n');
}

/** How the login on a host becomes that of root. */
export const rootRemedy = (member: string): string =>
  `ssh ${member} id   (must print uid=0); set "User root" for it in ~/.ssh/config`;

/** Exit status of a script that needs root and found another user. */
export const notRootStatus = 77;

/** Why a member did not answer, in a sentence. */
export function whyNoAnswer(member: string, ended: CommandResult, timeoutMs: number): NoAnswer {
  const { errorCode, timedOut, exitCode, signal, stderr } = ended;
  const remedy = `this must work without a prompt: ${sshTest(member)}`;
  if (errorCode === 'ENOENT') return { why: 'ssh is not installed here', remedy: 'install the OpenSSH client' };
  const lines = stderr.split('\n').flatMap((line) => line.trim() || []);
  if (exitCode === notRootStatus) return { why: lines.at(-1) ?? 'the login there is not root', remedy: rootRemedy(member) };
  if (timedOut) return { why: [`no answer within ${timeoutMs / 1000} s`, ...lines.slice(-saidLines)].join('; '), remedy };
  const isOfSsh = exitCode === 255 && lines.at(-1)?.startsWith(unbegunWords) !== true;
  const [, why, helps] = (isOfSsh ? sshFailures : []).find(([pattern]) => pattern.test(stderr)) ?? [];
  if (why !== undefined && helps !== undefined) return { why: why(lines.at(-1) ?? ''), remedy: helps(member) };
  // The last line of a script has its reason; on a host where none began, any line may.
  const said = lines.slice(exitCode === 255 ? -saidLines : -1).join('; ');
  return { why: said || `its shell exited with status ${exitCode ?? signal ?? errorCode} and printed nothing`, remedy };
}
