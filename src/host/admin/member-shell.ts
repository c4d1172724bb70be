/**
 * Running a shell script on a member: here, or over OpenSSH, which never asks anything (BatchMode) and never takes an
 * unknown host key. A member needs no more than a POSIX shell and coreutils for it.
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

/** The one way to other members; tests put something else here. */
export interface MemberShell {
  /** Name of the host this runs on, as Serviceguard knows it: short. */
  readonly here: string;
  /** Ends what runs, and whatever else its user waits for meanwhile. */
  readonly stop: AbortSignal;
  /**
   * Feeds the script to a shell on the member. The answer is the script's own (frame.ts): no line of a login is in it, and one that did
   * not arrive whole is no success. A member that is not reached is status 255, as ssh has it; whyNoAnswer says it in words. Throws only what the stop signal was aborted with: the script may then go on over there.
   */
  run(member: string, script: string, timeoutMs: number): Promise<CommandResult>;
  /** As `run`, but the script's standard input is a file of this host; it is read piece by piece, as fast as it is taken. */
  send(member: string, script: string, sent: SentFile, timeoutMs: number): Promise<CommandResult>;
  /**
   * Runs a script that stays after it printed `standingWord`, until its standard input ends. That ends when this process ends, and
   * this host lives: where it was cut off or crashed, the script learns nothing. Resolves once it stands, or with how it ended before.
   */
  hold(member: string, script: string): Promise<Hold | CommandResult>;
}

export interface Hold {
  /** Writes a line to the script; its next line, or null where none comes in time, or it has ended. One question at a time. */
  ask(line: string, limitMs: number): Promise<string | null>;
  /** It has not ended, as far as this host knows. */
  isAlive(): boolean;
  release(): Promise<void>;
}

export interface SentFile {
  readonly file: string;
  /** Hears, again and again, how many bytes went by now. */
  readonly onSent: (bytes: number) => void;
}

export interface OpenMemberShell extends MemberShell {
  /** Ends the connections. */
  close(): Promise<void>;
}

const directoryPrefix = 'csync-ssh';
/** Of sun_path, less what ssh puts behind the name while it makes the socket. */
const longestSocketPath = 104 - 18;
/** ssh takes a blank for the end of the option, and % and ~ for something else. */
const plainPath = /^[\w/.+-]+$/;
/**
 * Names come from administrators, from other clusters and from files on members. ssh takes a user, a port or a URI out of what it
 * is given, and puts the name into the commands of its own configuration (%h of a ProxyCommand is for a shell).
 */
const plainHost = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;
const unanswered: CommandResult = { exitCode: 255, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
/** Members come first, and are asked most often. */
const keptAtMost = 64;
const closeLimitMs = 1000;
/** ConnectTimeout ends with the key exchange; a login that hangs behind it (a home directory that is gone) has no other limit. */
const loginLimitMs = 20_000;
/** Far more than any script of ours prints: a login that prints without end must not fill the memory here. */
const outputLimitBytes = 16 * 1024 * 1024;

/**
 * Members under their own names; ssh's configuration of the user (keys, ports, jumps) applies. `keep`: connections stay for
 * the next command; worth it from the third one on (figures in DECISIONS).
 */
export function openSshShell(stop: AbortSignal, keep: boolean): OpenMemberShell {
  const here = hostname().split('.')[0] ?? '';
  // A connection a member, a lock a member, and what runs on clients side by side: all of them end with it.
  setMaxListeners(0, stop);
  const env = sshEnvironment();
  let asked: Promise<readonly string[]> | undefined;
  const kept = keep ? keptConnections(env, stop) : null;
  /** The command that runs its last words on the member; else how its connection failed. */
  const wayTo = async (member: string): Promise<readonly string[] | CommandResult> => {
    if (member === here) return [];
    if (!plainHost.test(member))
      return { ...unanswered, stderr: `${JSON.stringify(member)} is no name of a host: ssh was not called` };
    asked ??= sshOptions(env, stop);
    const usual = await asked;
    stop.throwIfAborted();
    const connection = kept?.to(member, usual) ?? null;
    const failed = (await connection?.failed) ?? null;
    // ssh ends where it cannot make its socket, and names it; without one there is a connection for each command.
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
  ): Promise<CommandResult> => {
    stop.throwIfAborted();
    const way = await wayTo(member);
    const result =
      'exitCode' in way
        ? way
        : unframed(await runProcess([...way, ...command], { input, timeoutMs, env, stop, outputLimitBytes }), mark);
    stop.throwIfAborted();
    return result;
  };
  return {
    here,
    stop,
    run: (member, script, timeoutMs) => {
      const mark = newMark();
      return start(member, mark, ['/bin/sh', '-s'], framed(script, mark), timeoutMs);
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

/** The environment of ssh itself. */
function sshEnvironment(): Readonly<Record<string, string>> {
  // ssh looks for its keys and its agent by these two.
  const { HOME = '/root', SSH_AUTH_SOCK, PATH } = process.env;
  return {
    // The user's, for ssh itself and what its configuration runs (ProxyCommand); scripts set their own.
    PATH: [PATH, '/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(':'),
    LC_ALL: 'C',
    HOME,
    ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }),
  };
}

/** A script as one word of a command line, in a form that every login shell passes on as it is, and no shell reads ahead of. */
function inOneWord(script: string): string {
  return `/bin/sh -c '${evaluated(script)}'`;
}

/** In two, since a shell is content with a script that did not arrive at all. */
const evaluated = (script: string): string =>
  `script=$(echo ${Buffer.from(script).toString('base64')} | base64 -d) && eval "$script"`;

const newMark = (): Mark => randomBytes(9).toString('base64url');

function ssh(member: string, options: readonly string[]): string[] {
  return ['ssh', '-T', ...options.flatMap((option) => ['-o', option]), '--', member];
}

/** One to each member, made when it is first asked for, and again when it broke; in a directory of this run's own. */
function keptConnections(env: Readonly<Record<string, string>>, stop: AbortSignal) {
  let directory: ReturnType<typeof privateDirectory> | undefined;
  const connections = new Map<string, Connection>();
  let made = 0;
  let room = true;
  return {
    /** null where there is no room for a socket. */
    to: (member: string, usual: readonly string[]): Connection | null => {
      const known = connections.get(member);
      if (!room) return null;
      if (known?.isAlive() === true) return known;
      // A thousand clients would be a thousand processes of some MB here; each of them is asked but a few times.
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

/** What a script of `hold` prints when it stands. */
export const standingWord = 'csync-connected';

interface Connection extends Standing {
  readonly socket: string;
}

interface Standing {
  /** null once it stands; else how ssh ended, for every command that waited for it. */
  readonly failed: Promise<CommandResult | null>;
  isAlive(): boolean;
  ask(line: string, limitMs: number): Promise<string | null>;
  end(): Promise<void>;
}

/**
 * One connection a member that all commands share, since a handshake is most of what a short command takes (figures in
 * DECISIONS). It runs `cat` over there with a pipe of ours for input: whatever ends us, SIGKILL too, ends it as well. Where
 * it breaks or its socket cannot be used, ssh connects for that one command by itself.
 */
function connect(argv: readonly string[], socket: string, env: Readonly<Record<string, string>>): Connection {
  const mark = newMark();
  return { socket, ...stand([...argv, `printf '\\n${mark}:${standingWord}:${mark}\\n'; exec cat`], env, mark) };
}

/** A process that says when it stands and then lives as long as its standard input. */
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
      // Kept for who has to know why it does not stand; it may stay for hours.
      if (!isStanding) printed[stream].push(line);
      const said = stream === 'out' ? framedLine(line, mark) : null;
      if (said === standingWord) stands(true);
      else if (said !== null) answered(said);
    },
  });
  running.child.stdin?.on('error', () => {});
  const timer = setTimeout(() => {
    printed.err.push(`connected, but no shell there within ${loginLimitMs / 1000} s: its login hangs`);
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

/** What ssh says of a connection that did not come about, and the fix; by its own words (OpenSSH 9.2). */
const sshFailures: readonly (readonly [said: RegExp, why: (said: string) => string, remedy: (member: string) => string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    () => 'its host key is another one than this user knows: the host was set up anew, or it is not that host',
    (member) => `find out which; then ssh-keygen -R ${member}, and ssh-keyscan ${member} >> ~/.ssh/known_hosts`,
  ],
  [
    /host key is known|Host key verification failed/,
    () => 'this user does not know its host key, and no unknown one is taken',
    (member) =>
      `ssh-keyscan ${member} >> ~/.ssh/known_hosts   after comparing the fingerprint (ssh-keygen -lf) with the host's own`,
  ],
  [
    /Permission denied/,
    () => 'sshd takes none of the keys of this user without a question',
    (member) => `ssh-copy-id ${member}, or ssh-add for a key with a passphrase; ${sshTest(member)}   must work`,
  ],
  [
    /Could not resolve hostname/,
    () => 'its name is not known here',
    (member) => `getent hosts ${member}; enter it in /etc/hosts or DNS`,
  ],
  [
    /Connection refused/,
    () => 'the host is there, but no sshd listens',
    (member) => `on the console of ${member}: systemctl status sshd (or ssh); another port belongs in ~/.ssh/config`,
  ],
  [
    /Connection (to .* )?timed out|Operation timed out|No route to host|Network is unreachable|not responding/,
    (said) => `no connection: ${said}`,
    (member) => `is ${member} up (cmviewcl -v, ping), is a firewall between?`,
  ],
];

/** So much of what ssh and a host printed goes into a message. */
const saidLines = 4;

/** Why a member did not answer, in a sentence, for people who did not type the command. */
export function whyNoAnswer(member: string, ended: CommandResult, timeoutMs: number): NoAnswer {
  const { errorCode, timedOut, exitCode, signal, stderr } = ended;
  const remedy = `${sshTest(member)}   must work without a question`;
  if (errorCode === 'ENOENT') return { why: 'ssh is not installed here', remedy: 'install the OpenSSH client' };
  const lines = stderr.split('\n').flatMap((line) => line.trim() || []);
  if (timedOut) return { why: [`no answer within ${timeoutMs / 1000} s`, ...lines.slice(-saidLines)].join('; '), remedy };
  const isOfSsh = exitCode === 255 && lines.at(-1)?.startsWith(unbegunWords) !== true;
  const [, why, helps] = (isOfSsh ? sshFailures : []).find(([pattern]) => pattern.test(stderr)) ?? [];
  if (why !== undefined && helps !== undefined) return { why: why(lines.at(-1) ?? ''), remedy: helps(member) };
  // Of a script that ran its last line says why; of a host on which none began every line may.
  const said = lines.slice(exitCode === 255 ? -saidLines : -1).join('; ');
  return { why: said || `its shell exited with status ${exitCode ?? signal ?? errorCode} and printed nothing`, remedy };
}
