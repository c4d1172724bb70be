/** The Host of the member scripts: only Node.js built-ins and /proc, for a fast start on a sick host. */

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { attempt } from '../../base/attempt.ts';
import { shortName } from '../../base/network.ts';
import { digestOfFile, isExecutable, withFile } from '../file-reading.ts';
import type {
  CommandResult,
  FileFacts,
  Listener,
  MemberHost,
  MountEntry,
  ProcessOrigin,
  ProcessState,
  ProgramFile,
} from '../host.ts';
import { closeInherited } from '../inherited.ts';
import { ourselves } from '../ownership.ts';
import { endWithin, runProcess, startProcess } from '../processes.ts';
import { overwriteLine, refuseStrangers, regularText, replaceFile, writeDurably } from '../safe-file.ts';
import { logWriter } from './log-writer.ts';
import { supervisor } from './supervisor.ts';

/** Without PATH cfservd exits at once [cfengine.md 1.1]. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C', LC_ALL: 'C', HOME: '/' };

function list(path: string): string[] | null {
  return attempt(() => readdirSync(path), null);
}

/** The name may contain blanks and parentheses: fields count from the last ")". */
export function parseProcessStat(text: string): ProcessState | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  const pid = Number(text.slice(0, open));
  if (open === -1 || close === -1 || state === undefined || startTime === undefined || !Number.isSafeInteger(pid)) return null;
  return { pid, name: text.slice(open + 1, close), state, startTime };
}

function processOf(pid: number): ProcessState | null {
  return parseProcessStat(ofKernel(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), ''));
}

/** Missing, or not for this user. After any other errno the result is unknown. */
const isMissing: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** `missing` if there is no such data. Throws the errno error if that is unknown, such as EMFILE. */
function ofKernel<T>(read: () => T, missing: T): T {
  try {
    return read();
  } catch (error) {
    if (isMissing.has((error as NodeJS.ErrnoException).code)) return missing;
    throw error;
  }
}

function originOf({ pid }: ProcessState): ProcessOrigin {
  // Not the owner of /proc/PID, which is root for a process that is not dumpable.
  const users = /^Uid:\s+(.*)$/m.exec(regularText(`/proc/${pid}/status`) ?? '')?.[1] ?? '';
  const program = linkOf(`/proc/${pid}/exe`);
  return {
    users: users
      .split(/\s+/)
      .filter((word) => word !== '')
      .map(Number),
    trusted: ourselves().users,
    program: program === '' ? null : program,
  };
}

function programAt(path: string): ProgramFile | null {
  return attempt(() => {
    const real = realpathSync(path);
    return { path: real, isScript: withFile(real, (read) => read(0, 2).toString('latin1')) === '#!' };
  }, null);
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Octal escapes of /proc/mounts (blank, tab, newline, backslash). */
export function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export function parseMounts(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source = '', target = '', type = '', options = ''] = line.split(' ');
      return { source: unescapeMount(source), target: unescapeMount(target), type, options: options.split(',') };
    });
}

let lastMounts: { readonly text: string; readonly entries: MountEntry[] } | null = null;

/** Cached: the monitor reads this path again and again. */
function mounts(): MountEntry[] {
  const text = readFileSync('/proc/self/mounts', 'utf8');
  if (lastMounts?.text !== text) lastMounts = { text, entries: parseMounts(text) };
  return lastMounts.entries;
}

/** Of sockets that listen on the port (state 0A). */
export function parseListeningInodes(text: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && fields[1]?.split(':')[1] === wanted)
    .flatMap((fields) => fields[9] ?? []);
}

function listeningInodes(port: number): string[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    parseListeningInodes(
      ofKernel(() => readFileSync(path, 'utf8'), ''),
      port,
    ),
  );
}

function linkOf(path: string): string {
  return attempt(() => readlinkSync(path), '');
}

function descriptorsOf(pid: number): string[] {
  const names = ofKernel(() => readdirSync(`/proc/${pid}/fd`), []);
  return names.map((descriptor) => linkOf(`/proc/${pid}/fd/${descriptor}`));
}

export function listeners(port: number): Listener[] {
  const inodes = listeningInodes(port);
  if (inodes.length === 0) return [];
  const owners = new Map<string, ProcessState[]>(inodes.map((inode) => [inode, []]));
  for (const pid of processes()) {
    for (const target of descriptorsOf(pid)) {
      const owner = owners.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
      const process = owner === undefined ? null : processOf(pid);
      if (process !== null) owner?.push(process);
    }
  }
  return [...owners].map(([inode, holders]) => ({ inode, processes: holders }));
}

function holdersOf(mountPoint: string): ProcessState[] {
  const below = (path: string): boolean => path === mountPoint || path.startsWith(`${mountPoint}/`);
  const holds = (pid: number): boolean =>
    [linkOf(`/proc/${pid}/cwd`), linkOf(`/proc/${pid}/root`), linkOf(`/proc/${pid}/exe`)].some(below) ||
    descriptorsOf(pid).some(below) ||
    (regularText(`/proc/${pid}/maps`) ?? '').split('\n').some((line) => below(line.slice(line.indexOf('/'))));
  return processes()
    .filter(holds)
    .flatMap((pid) => processOf(pid) ?? []);
}

function mountTables(): { process: ProcessState; text: string }[] {
  const seen = new Set(['', linkOf('/proc/self/ns/mnt')]);
  const tables = processes().map((pid) => {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (seen.has(namespace)) return [];
    const [process, text] = [processOf(pid), regularText(`/proc/${pid}/mountinfo`)];
    if (process === null || text === null) return [];
    seen.add(namespace);
    return [{ process, text }];
  });
  return tables.flat();
}

function facts(path: string): FileFacts | null {
  return attempt(() => {
    const found = statSync(path);
    const kind = found.isDirectory() ? 'directory' : found.isFile() ? 'file' : found.isBlockDevice() ? 'block-device' : 'other';
    const mtimeSeconds = Math.floor(found.mtimeMs / 1000);
    return { kind, mode: found.mode & 0o7777, size: found.size, mtimeSeconds, inode: found.ino };
  }, null);
}

function freeBytes(path: string): number | null {
  return attempt(() => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  }, null);
}

function digest(path: string): string | null {
  return attempt(() => digestOfFile(path), null);
}

/** A resolver without an answer needs 10 s and more. */
const resolveLimitMs = 3000;

/** Runs getent because it can be killed: Node.js waits for its own lookups before it exits. */
async function resolve(name: string): Promise<readonly string[]> {
  const { stdout } = await runProcess(['getent', 'ahosts', name], { timeoutMs: resolveLimitMs, env: environment });
  const addresses = stdout.split('\n').flatMap((line) => /^(\S+)\s/.exec(line)?.[1] ?? []);
  return [...new Set(addresses)];
}

function signal(process_: ProcessState, name: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean {
  const now = processOf(process_.pid);
  if (now === null || now.startTime !== process_.startTime) return false;
  return attempt(() => {
    process.kill(process_.pid, name);
    return true;
  }, false);
}

async function launch(argv: readonly string[], timeoutMs: number): Promise<CommandResult> {
  closeInherited();
  const end = await endWithin(startProcess(argv, { env: environment }), timeoutMs);
  return { ...end, stdout: '', stderr: '' };
}

function detach(argv: readonly string[]): boolean {
  const env = { ...serviceguardVariables(), ...environment };
  if (supervisor().start(argv, env)) return true;
  closeInherited();
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, {
    cwd: '/',
    env,
    detached: true,
    stdio: 'ignore',
  });
  // A missing pid shows the error.
  child.once('error', () => {});
  child.unref();
  return child.pid !== undefined;
}

/** For a customer's program. */
function serviceguardVariables(): Record<string, string> {
  const names = ['SGCONF', 'SGRUN', 'SGSBIN', 'SG_PACKAGE', 'SG_NODE', 'SG_SCRIPT_LOG_FILE', 'SG_HALT_REASON'];
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));
}

async function attend([file = '', ...rest]: readonly string[], outputFile: string | null): Promise<number | null> {
  const log = outputFile === null ? null : logWriter(outputFile).input();
  const output = outputFile === null ? 'inherit' : (log?.output ?? 'ignore');
  const child = spawn(file, rest, {
    cwd: '/',
    env: { ...serviceguardVariables(), ...environment },
    stdio: ['ignore', output, output],
  });
  log?.given();
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    // 'exit', not 'close': a daemon may keep its output open.
    child.once('exit', (exitCode) => resolve(exitCode));
  });
}

export function realMemberHost(): MemberHost {
  const { begin, touch } = supervisor();
  const told =
    <Rest extends unknown[], Result>(work: (path: string, ...rest: Rest) => Result) =>
    (path: string, ...rest: Rest): Result => {
      touch(path);
      return work(path, ...rest);
    };
  return {
    member: shortName(hostname()),
    nodeName: hostname(),
    environment: process.env,
    readText: told(regularText),
    list: told(list),
    facts: told(facts),
    digest: told(digest),
    canExecute: told(isExecutable),
    freeBytes: told(freeBytes),
    writeDurably: told(writeDurably),
    overwriteLine: told(overwriteLine),
    replace: told((path: string, text: string, mode: number) => {
      refuseStrangers(path);
      replaceFile(path, text, mode, false);
    }),
    mounts,
    process: processOf,
    origin: originOf,
    program: programAt,
    listeners,
    holdersOf,
    mountTables,
    ownsAddress: (address) =>
      Object.values(networkInterfaces())
        .flat()
        .some((found) => found?.address === address),
    resolve,
    run: (argv, timeoutMs) => runProcess(argv, { timeoutMs, env: environment }),
    attend,
    launch,
    detach,
    signal,
    begin,
    now: () => Date.now(),
    elapsed: () => performance.now(),
    pause: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
  };
}
