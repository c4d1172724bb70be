/**
 * Runs shell scripts on a member: locally, or over OpenSSH without prompts (BatchMode), accepting no unknown host key. A member needs only
 * a POSIX shell and coreutils.
 */

import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import { hostname } from 'node:os';
import pRetry from 'p-retry';
import { shortName } from '../../base/network.ts';
import type { CommandResult } from '../host.ts';
import { drained, endWithin, runProcess, startProcess } from '../processes.ts';
import { framedLine, type Mark, unframed } from './frame.ts';
import { lineOf, type MemberWay, plainWay, scriptInput, scriptRunner } from './member-way.ts';
import { isTurnedAway, refusedStatus } from './no-answer.ts';
import { privateDirectory } from './own-files.ts';
import { sshOptions, takeWay } from './ssh-options.ts';

/** The only access to other members; tests replace it. */
export interface MemberShell {
  readonly here: string;
  /** Stops running commands, and the caller's other waits. */
  readonly stop: AbortSignal;
  /**
   * The result is the script's own (frame.ts). An incomplete answer is a failure, an unreachable member status 255: whyNoAnswer explains
   * it. Throws only the reason of the stop signal; the script may then continue on the member.
   */
  run(member: string, script: string, timeoutMs: number, mostBytes?: number): Promise<CommandResult>;
  /** As `run`, with a file of this host as the script's standard input. */
  send(member: string, script: string, sent: SentFile, timeoutMs: number): Promise<CommandResult>;
  /**
   * The script prints `standingWord` and stays until its standard input closes: when this process exits, not when this host crashes or is
   * cut off. Resolves when the script is ready, or with its early result.
   */
  hold(member: string, script: string): Promise<Hold | CommandResult>;
}

export interface Hold {
  /** Returns the script's next line; null: time-out or exit. One request at a time. */
  ask(line: string, limitMs: number): Promise<string | null>;
  /** False: it exited, as far as this host knows. */
  isAlive(): boolean;
  release(): Promise<void>;
}

export interface SentFile {
  readonly file: string;
  readonly onSent: (bytes: number) => void;
}

export interface OpenMemberShell extends MemberShell {
  close(): Promise<void>;
}

const directoryPrefix = 'csync-ssh';
/** sun_path, less the suffix that ssh adds while it creates the socket. */
const longestSocketPath = 104 - 18;
/** ssh ends the option at a blank, and expands % and ~. */
const plainPath = /^[\w/.+-]+$/;
/**
 * From administrators, other clusters and files on members. ssh would read a user, a port or a URI out of a name, and insert it into
 * commands (%h of a ProxyCommand).
 */
const plainHost = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;
const unanswered: CommandResult = { exitCode: 255, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
/** Members connect first, and most often. */
const keptAtMost = 64;
const closeLimitMs = 1000;
/** ConnectTimeout ends with the key exchange; a login may hang later (a missing home directory). */
const loginLimitMs = 20_000;
/** Far more than our scripts print; an endless login must not fill our memory. */
const outputLimitBytes = 16 * 1024 * 1024;

/**
 * The user's ssh configuration applies (keys, ports, jumps). `keep`: connections stay open, which saves time from the third command on
 * (DECISIONS). Root on this host needs no `become`.
 */
export function openSshShell(stop: AbortSignal, keep: boolean, way: MemberWay = plainWay): OpenMemberShell {
  const here = shortName(hostname());
  // Each member's connection and lock, and parallel runs on clients, listen to it.
  setMaxListeners(0, stop);
  takeWay(way);
  const env = sshEnvironment();
  const isHere = (member: string): boolean => member.toLowerCase() === here.toLowerCase();
  const becomeOn = (member: string): MemberWay['become'] => (isHere(member) && process.getuid?.() === 0 ? 'none' : way.become);
  let asked: Promise<readonly string[]> | undefined;
  const kept = keep ? keptConnections(env, stop) : null;
  /** The command that ssh runs there, or why its connection failed. */
  const sshTo = async (member: string, line: string): Promise<readonly string[] | CommandResult> => {
    asked ??= sshOptions(env, stop);
    const usual = await asked;
    stop.throwIfAborted();
    const connection = kept?.to(member, usual) ?? null;
    const failed = (await connection?.failed) ?? null;
    // ssh exits if it cannot create its socket; then each command connects.
    const socketFailed = connection !== null && failed?.stderr.includes(connection.socket) === true;
    if (socketFailed) kept?.giveUp();
    else if (failed !== null) return failed;
    const control =
      connection === null || socketFailed ? ['ControlPath=none'] : ['ControlMaster=no', `ControlPath=${connection.socket}`];
    return [...ssh(member, [...control, ...usual]), line];
  };
  const wayTo = async (member: string, script: string, mark: Mark, isHeld: boolean): Promise<Call | CommandResult> => {
    stop.throwIfAborted();
    if (!isHere(member) && !plainHost.test(member))
      return { ...unanswered, stderr: `${JSON.stringify(member)} is not a host name: ssh was not run` };
    const become = becomeOn(member);
    const { words, line } = scriptRunner(become);
    const input = scriptInput(become, script, mark);
    if (isHeld && become === 'reader') return refused('CSYNC_VIA=reader allows only verbs that read');
    if (isHere(member)) return { argv: words, input };
    if (way.insteadOfSsh !== null) return isHeld ? refused(noInput) : calledBy(way.insteadOfSsh, member, lineOf(script, mark));
    const argv = await sshTo(member, line);
    return 'exitCode' in argv ? argv : { argv, input };
  };
  const start = (member: string, script: string, sent: SentFile | null, timeoutMs: number, mostBytes = outputLimitBytes) =>
    untilAdmitted(stop, async () => {
      const mark = newMark();
      const call = await wayTo(member, script, mark, sent !== null);
      if ('exitCode' in call) return call;
      const input = sent === null ? call.input : pieces(call.input, sent);
      const result = await runProcess(call.argv, { input, timeoutMs, env, stop, outputLimitBytes: mostBytes });
      stop.throwIfAborted();
      return unframed(result, mark);
    });
  return {
    here,
    stop,
    run: (member, script, timeoutMs, mostBytes) => start(member, script, null, timeoutMs, mostBytes),
    send: (member, script, sent, timeoutMs) => start(member, script, sent, timeoutMs),
    hold: (member, script) =>
      untilAdmitted(stop, async () => {
        const mark = newMark();
        const call = await wayTo(member, script, mark, true);
        if ('exitCode' in call) return call;
        const standing = stand(call, env, mark);
        stop.addEventListener('abort', standing.end, { once: true });
        const failed = await standing.failed;
        return failed ?? { ask: standing.ask, isAlive: standing.isAlive, release: standing.end };
      }),
    close: async () => kept?.close(),
  };
}

class TurnedAway extends Error {
  readonly result: CommandResult;

  constructor(result: CommandResult) {
    super('sshd ended the connection before the login');
    this.result = result;
  }
}

/** Repeats what sshd refused before the login, for about 4 s. */
async function untilAdmitted<Result extends CommandResult | Hold>(
  stop: AbortSignal,
  attempt: () => Promise<Result>,
): Promise<Result | CommandResult> {
  const admitted = async (): Promise<Result> => {
    const result = await attempt();
    if ('exitCode' in result && isTurnedAway(result)) throw new TurnedAway(result);
    return result;
  };
  const shouldRetry = ({ error }: { error: Error }): boolean => error instanceof TurnedAway;
  try {
    return await pRetry(admitted, { retries: 3, minTimeout: 500, randomize: true, signal: stop, shouldRetry });
  } catch (error) {
    if (error instanceof TurnedAway) return error.result;
    throw error;
  }
}

interface Call {
  readonly argv: readonly string[];
  readonly input: string;
}

const refused = (why: string): CommandResult => ({ ...unanswered, exitCode: refusedStatus, stderr: `${why}\n` });

const noInput = 'CSYNC_VIA=cmexec passes on no input, so it allows only verbs that read';

/** The script is in the command line, because whether the program passes on standard input is unknown [serviceguard.md 5.12]. */
function calledBy(program: readonly string[], member: string, line: string | null): Call | CommandResult {
  return line === null
    ? refused('this step is too long for one command line of cmexec')
    : { argv: [...program, member, line], input: '' };
}

function sshEnvironment(): Readonly<Record<string, string>> {
  // For ssh's keys and agent.
  const { HOME = '/root', SSH_AUTH_SOCK, PATH } = process.env;
  return {
    // The user's PATH, for a ProxyCommand; scripts set their own.
    PATH: [PATH, '/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(':'),
    LC_ALL: 'C',
    HOME,
    ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }),
  };
}

const newMark = (): Mark => randomBytes(9).toString('base64url');

function ssh(member: string, options: readonly string[]): string[] {
  return ['ssh', '-T', ...options.flatMap((option) => ['-o', option]), '--', member];
}

/** One for each member, opened at its first command and after it broke. */
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
      // A thousand clients would be a thousand processes of some MB each, for few commands.
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

export const standingWord = 'csync-connected';

interface Connection extends Standing {
  readonly socket: string;
}

interface Standing {
  /** null when ready; otherwise ssh's result, for all commands that waited. */
  readonly failed: Promise<CommandResult | null>;
  isAlive(): boolean;
  ask(line: string, limitMs: number): Promise<string | null>;
  end(): Promise<void>;
}

/**
 * One connection that all commands to a member share: the handshake takes most of a short command (DECISIONS). `cat` on the member reads a
 * pipe of ours, so it exits with this process, also after SIGKILL. If it breaks, each command connects.
 */
function connect(argv: readonly string[], socket: string, env: Readonly<Record<string, string>>): Connection {
  const mark = newMark();
  const call = { argv: [...argv, `printf '\\n${mark}:${standingWord}:${mark}\\n'; exec cat`], input: '' };
  return { socket, ...stand(call, env, mark) };
}

function stand({ argv, input }: Call, env: Readonly<Record<string, string>>, mark: Mark): Standing {
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
      // For the reason of a failure; later, output would accumulate for hours.
      if (!isStanding) printed[stream].push(line);
      const said = stream === 'out' ? framedLine(line, mark) : null;
      if (said === standingWord) stands(true);
      else if (said !== null) answered(said);
    },
  });
  running.child.stdin?.on('error', () => {});
  running.child.stdin?.write(input);
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
    await endWithin(running, closeLimitMs);
    await drained(running.child);
  };
  return { failed, isAlive: () => alive, ask, end };
}

async function* pieces(before: string, { file, onSent }: SentFile): AsyncGenerator<Buffer> {
  yield Buffer.from(before);
  let bytes = 0;
  for await (const piece of createReadStream(file)) {
    yield piece as Buffer;
    bytes += (piece as Buffer).length;
    onSent(bytes);
  }
}
