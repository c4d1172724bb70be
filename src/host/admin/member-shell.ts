/**
 * Runs a shell script on a member: locally, or over OpenSSH without any question (BatchMode) and without accepting unknown host keys. A
 * member needs only a POSIX shell and coreutils; member-way.ts has what runs there.
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
 * command; useful from the third one on (figures in DECISIONS). On this host root needs no other way. Capitals do
 * not make its name another one, but a domain may.
 */
export function openSshShell(stop: AbortSignal, keep: boolean, way: MemberWay = plainWay): OpenMemberShell {
  const here = shortName(hostname());
  // One connection and one lock for each member, and parallel runs on clients: all stop with it.
  setMaxListeners(0, stop);
  takeWay(way);
  const env = sshEnvironment();
  const isHere = (member: string): boolean => member.toLowerCase() === here.toLowerCase();
  const becomeOn = (member: string): MemberWay['become'] => (isHere(member) && process.getuid?.() === 0 ? 'none' : way.become);
  let asked: Promise<readonly string[]> | undefined;
  const kept = keep ? keptConnections(env, stop) : null;
  /** The command that ssh runs there; otherwise why its connection failed. */
  const sshTo = async (member: string, line: string): Promise<readonly string[] | CommandResult> => {
    asked ??= sshOptions(env, stop);
    const usual = await asked;
    stop.throwIfAborted();
    const connection = kept?.to(member, usual) ?? null;
    const failed = (await connection?.failed) ?? null;
    // ssh exits if it cannot create its socket, and names it; without one each command connects.
    const socketFailed = connection !== null && failed?.stderr.includes(connection.socket) === true;
    if (socketFailed) kept?.giveUp();
    else if (failed !== null) return failed;
    const control =
      connection === null || socketFailed ? ['ControlPath=none'] : ['ControlMaster=no', `ControlPath=${connection.socket}`];
    return [...ssh(member, [...control, ...usual]), line];
  };
  /** The command, and the beginning of its input; a result: it cannot be run. */
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

/** Repeats what sshd turned away before the login, for some 4 s in all; then its last result. */
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

/** Whether it passes on standard input is unknown [serviceguard.md 5.12], so the script is in the command line. */
function calledBy(program: readonly string[], member: string, line: string | null): Call | CommandResult {
  return line === null
    ? refused('this step is too long for one command line of cmexec')
    : { argv: [...program, member, line], input: '' };
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
  const call = { argv: [...argv, `printf '\\n${mark}:${standingWord}:${mark}\\n'; exec cat`], input: '' };
  return { socket, ...stand(call, env, mark) };
}

/** A process that reports when it is ready and then lives as long as its standard input. */
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
      // Kept for callers that need the reason; it may stay for hours.
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
