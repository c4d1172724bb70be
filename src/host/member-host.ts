/** The Host of the member scripts: Node's built-ins and /proc, nothing else, so that they start fast on a sick machine. */

import { spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { digestOfFile } from './file-reading.ts';
import type { CommandResult, FileFacts, Listener, MemberHost, MountEntry, ProcessState } from './host.ts';
import { runProcess, startProcess } from './processes.ts';

/** Of every program that is run here. Without PATH cfservd dies at once [cfengine.md 1.1]. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C', LC_ALL: 'C', HOME: '/' };

/** O_CLOEXEC of open(2), as /proc/PID/fdinfo shows it on every Linux architecture Node runs on. */
const closedOnExec = 0o2000000;

function readText(path: string): string | null {
  // An exception costs more than looking; the monitor asks again and again for what is hardly ever there.
  if (!existsSync(path)) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function list(path: string): string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}

/** Reads the text of /proc/PID/stat; the name may hold blanks and parentheses, so fields count from the last ")". */
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
  const text = readText(`/proc/${pid}/stat`);
  return text === null ? null : parseProcessStat(text);
}

function processes(): number[] {
  return (list('/proc') ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Octal escapes of /proc/mounts (blank, tab, newline, backslash). */
function unescapeMount(text: string): string {
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

/** Read again and again by the monitor, and hardly ever another one. */
function mounts(): MountEntry[] {
  const text = readText('/proc/self/mounts') ?? '';
  if (lastMounts?.text !== text) lastMounts = { text, entries: parseMounts(text) };
  return lastMounts.entries;
}

/** Inodes of sockets that listen on the port, from the text of /proc/net/tcp or tcp6 (state 0A). */
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
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseListeningInodes(readText(path) ?? '', port));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function descriptorsOf(pid: number): string[] {
  return (list(`/proc/${pid}/fd`) ?? []).map((descriptor) => linkOf(`/proc/${pid}/fd/${descriptor}`));
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
    (readText(`/proc/${pid}/maps`) ?? '').split('\n').some((line) => below(line.slice(line.indexOf('/'))));
  return processes()
    .filter(holds)
    .flatMap((pid) => processOf(pid) ?? []);
}

function facts(path: string): FileFacts | null {
  try {
    const found = statSync(path);
    const kind = found.isDirectory() ? 'directory' : found.isFile() ? 'file' : found.isBlockDevice() ? 'block-device' : 'other';
    const mtimeSeconds = Math.floor(found.mtimeMs / 1000);
    return { kind, mode: found.mode & 0o7777, size: found.size, mtimeSeconds, inode: found.ino };
  } catch {
    return null;
  }
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function digest(path: string): string | null {
  try {
    return digestOfFile(path);
  } catch {
    return null;
  }
}

function canExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function replace(path: string, text: string, mode: number, flush = false): void {
  const partial = `${path}.new`;
  try {
    writeFileSync(partial, text, { mode, flush });
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function writeDurably(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  replace(path, text, mode, true);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

/** A resolver without an answer takes 10 s and more; nobody here waits so long for a name. */
const resolveLimitMs = 3000;

/** A program of its own, since it can be killed: a process that ends waits for its own lookups, however it ends. */
async function resolve(name: string): Promise<readonly string[]> {
  const { stdout } = await runProcess(['getent', 'ahosts', name], { timeoutMs: resolveLimitMs, env: environment });
  const addresses = stdout.split('\n').flatMap((line) => /^(\S+)\s/.exec(line)?.[1] ?? []);
  return [...new Set(addresses)];
}

function signal(process_: ProcessState, name: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean {
  const now = processOf(process_.pid);
  if (now === null || now.startTime !== process_.startTime) return false;
  try {
    process.kill(process_.pid, name);
    return true;
  } catch {
    return false;
  }
}

/**
 * What this process inherited and would pass on: Node marks only the lowest descriptors. Its own are all marked to be closed,
 * so what is not is somebody else's, and a daemon would keep the caller's pipes open for ever [cfengine.md 2.4].
 */
function closeInherited(): void {
  for (const name of list('/proc/self/fdinfo') ?? []) {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readText(`/proc/self/fdinfo/${name}`) ?? '')?.[1];
    if (Number(name) <= 2 || flags === undefined || (Number.parseInt(flags, 8) & closedOnExec) !== 0) continue;
    try {
      closeSync(Number(name));
    } catch {
      // Gone already.
    }
  }
}

async function launch(argv: readonly string[], timeoutMs: number): Promise<CommandResult> {
  closeInherited();
  const running = startProcess(argv, { env: environment });
  const timer = setTimeout(() => running.kill('SIGKILL'), timeoutMs);
  const end = await running.ended;
  clearTimeout(timer);
  return { ...end, timedOut: end.signal === 'SIGKILL', stdout: '', stderr: '' };
}

function detach([file = '', ...rest]: readonly string[]): boolean {
  closeInherited();
  const child = spawn(file, rest, {
    cwd: '/',
    env: { ...serviceguardVariables(), ...environment },
    detached: true,
    stdio: 'ignore',
  });
  // Told by the missing pid.
  child.once('error', () => {});
  child.unref();
  return child.pid !== undefined;
}

/** The variables of Serviceguard that our launcher let through; a customer's program may want them. */
function serviceguardVariables(): Record<string, string> {
  const names = ['SGCONF', 'SGRUN', 'SGSBIN', 'SG_PACKAGE', 'SG_NODE', 'SG_SCRIPT_LOG_FILE', 'SG_HALT_REASON'];
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));
}

async function attend([file = '', ...rest]: readonly string[], outputFile: string | null): Promise<number | null> {
  const output = openOutput(outputFile);
  const child = spawn(file, rest, {
    cwd: '/',
    env: { ...serviceguardVariables(), ...environment },
    stdio: ['ignore', output ?? 'inherit', output ?? 'inherit'],
  });
  if (output !== null) closeSync(output);
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    // 'exit', not 'close': what it leaves behind may keep its output open.
    child.once('exit', (exitCode) => resolve(exitCode));
  });
}

/** A log that cannot be written must not keep the package from moving. */
function openOutput(file: string | null): number | null {
  if (file === null) return null;
  try {
    return openSync(file, 'a');
  } catch {
    return null;
  }
}

export function realMemberHost(): MemberHost {
  return {
    member: hostname().split('.')[0] ?? hostname(),
    nodeName: hostname(),
    environment: process.env,
    readText,
    list,
    facts,
    digest,
    canExecute,
    freeBytes,
    writeDurably,
    replace: (path, text, mode) => replace(path, text, mode),
    mounts,
    process: processOf,
    listeners,
    holdersOf,
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
    now: () => Date.now(),
    elapsed: () => performance.now(),
    pause: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
  };
}
