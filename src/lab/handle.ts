/** A running lab, through its control socket; terminals enter its namespaces. */
import { dirname } from 'node:path';
import { errorProblem, Failure } from '../base/problem.ts';
import type { CommandResult } from '../host/host.ts';
import * as files from '../host/lab/lab-files.ts';
import { type Connection, claimName, connect } from '../host/lab/lab-socket.ts';
import { childrenOf, endWithin, type RunningProcess, runProcess, startProcess } from '../host/processes.ts';
import type { JournalEntry } from './emulation/journal.ts';
import { inNewNamespaces } from './machines/boot.ts';
import { type LabSpec, labsDirectory } from './machines/lab-spec.ts';
import type { ExecResult, LabStatus, LabVerb } from './protocol.ts';

export class LabUnavailable extends Failure {
  constructor(text: string, remedy = 'csync lab --help') {
    super([errorProblem('lab-unavailable', text, remedy)]);
  }
}

const answerLimitMs = 30_000;
const endLimitMs = 20_000;
const bootingEndLimitMs = 1_000;
/** csync, logs, and the shared disk, which grows. */
const homeMegabytes = 80;

const systemEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

export class LabHandle {
  readonly spec: LabSpec;
  readonly #owner: RunningProcess | null;

  constructor(spec: LabSpec, owner: RunningProcess | null) {
    this.spec = spec;
    this.#owner = owner;
  }

  /** Rejects with the daemon's text if it refuses, with LabUnavailable if there is no lab. */
  async ask(request: LabVerb, onEntry?: (entry: JournalEntry) => void): Promise<Record<string, unknown>> {
    const connection = await this.#connect();
    const limitMs = answerLimitMs + (request.verb === 'exec' ? request.timeoutMs : 0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        connection.end();
        reject(
          new LabUnavailable(
            `the lab did not answer "${request.verb}" within ${limitMs / 1000} s; see its journal in ${this.spec.home}`,
          ),
        );
      }, limitMs);
      connection.onClose(() => clearTimeout(timer));
      connection.onMessage((message) => {
        if (message.entry !== undefined) return onEntry?.(message.entry as JournalEntry);
        connection.end();
        if (typeof message.problem === 'string') reject(new LabUnavailable(message.problem));
        else resolve(message);
      });
      connection.onClose(() => reject(new LabUnavailable('the lab was removed meanwhile')));
      connection.send({ kind: 'lab', ...request });
    });
  }

  async #connect(): Promise<Connection> {
    try {
      return await connect(`${this.spec.home}/shared/control.sock`);
    } catch (error) {
      throw new LabUnavailable(
        `no lab named ${this.spec.name} is running (${(error as NodeJS.ErrnoException).code})`,
        'csync lab up   (starts one)',
      );
    }
  }

  async status(): Promise<LabStatus> {
    return (await this.ask({ verb: 'status' })) as unknown as LabStatus;
  }

  /** `cmviewcl -v -f line -p NAME`. null: no answer, or no such package. */
  async view(packageName: string): Promise<string | null> {
    return (await this.ask({ verb: 'view', packageName })).view as string | null;
  }

  /** Waits for the command. A label records it in the journal as an administrator's. */
  async exec(member: string, argv: readonly string[], options: { timeoutMs?: number; label?: string } = {}): Promise<ExecResult> {
    const { timeoutMs = 60_000, label } = options;
    const told = label === undefined ? {} : { label };
    return (await this.ask({ verb: 'exec', member, argv, timeoutMs, ...told })) as unknown as ExecResult;
  }

  /** Without a process; null: unreadable. A link would be resolved outside the host. */
  async read(member: string, paths: readonly string[]): Promise<readonly (string | null)[]> {
    return (await this.ask({ verb: 'read', member, paths })).texts as (string | null)[];
  }

  async note(what: string, text: string, member?: string): Promise<void> {
    await this.ask({ verb: 'note', what, text, ...(member === undefined ? {} : { member }) });
  }

  /** Earlier entries first. `onEnd`: the lab was removed, or the returned function called. */
  async follow(onEntry: (entry: JournalEntry) => void, onEnd: () => void = () => {}): Promise<() => void> {
    const connection = await this.#connect();
    connection.onClose(onEnd);
    connection.onMessage((message) => {
      if (message.entry !== undefined) onEntry(message.entry as JournalEntry);
    });
    connection.send({ kind: 'lab', verb: 'follow' });
    return () => connection.end();
  }

  /** From outside the lab: for terminals, which the socket cannot carry. */
  async enterArgv(member: string, argv: readonly string[]): Promise<string[]> {
    const { hosts } = await this.status();
    const init = hosts.find((host) => host.name === member)?.init;
    if (init === undefined || init === null) throw new LabUnavailable(`lab host ${member} is not up; run csync lab status`);
    const daemon = files.readText(`${this.spec.home}/daemon.pid`)?.trim() ?? '';
    const into = ['--mount', '--uts', '--ipc', '--net', '--pid'];
    return [
      'nsenter',
      '--target',
      daemon,
      ...into,
      '--',
      'nsenter',
      '--target',
      `${init}`,
      ...into,
      '--root',
      '--wd',
      '--',
      ...argv,
    ];
  }

  /** Resolves when nothing is left. Works twice, and for a partly started lab. */
  async down(): Promise<void> {
    const asked = await this.ask({ verb: 'down' }).then(
      () => true,
      () => false,
    );
    const owner = this.#owner;
    if (owner !== null) {
      owner.child.stdin?.end();
      // A booting daemon may not listen yet; its kill removes its namespaces.
      await endWithin(owner, asked ? endLimitMs : bootingEndLimitMs);
    }
    await sweep(this.spec);
  }
}

/** Removes what a killed lab of this name left. Kills no process of a running one. */
export async function sweep(spec: LabSpec): Promise<void> {
  const daemon = daemonOf(spec);
  if (daemon !== null) process.kill(daemon, 'SIGKILL');
  await until(async () => daemonOf(spec) === null, 10_000, 'the lab daemon to exit');
  const isFree = async (): Promise<boolean> => (await attachedDisks(spec)).length === 0;
  await until(isFree, 10_000, 'the shared disk to be free', () => detach(spec));
  files.removeTree(spec.home);
  files.removeIfEmpty(dirname(spec.home));
}

/** null: it does not run. */
function daemonOf({ home }: LabSpec): number | null {
  const pid = files.readText(`${home}/daemon.pid`)?.trim();
  const isLabDaemon = pid !== undefined && files.readText(`/proc/${pid}/cmdline`)?.includes(`\0${home}\0`);
  return isLabDaemon === true ? Number(pid) : null;
}

export function aborted(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (stop.aborted) reject(stop.reason);
    else stop.addEventListener('abort', () => reject(stop.reason), { once: true });
  });
}

const losetup = (...words: readonly string[]): Promise<CommandResult> =>
  runProcess(['losetup', ...words], { timeoutMs: 5000, env: systemEnvironment });

async function attachedDisks(spec: LabSpec): Promise<string[]> {
  const listed = await losetup('--associated', `${spec.home}/disk.img`, '--noheadings', '--output', 'NAME');
  return listed.stdout.split('\n').filter((line) => line !== '');
}

async function detach(spec: LabSpec): Promise<void> {
  for (const device of await attachedDisks(spec)) await losetup('--detach', device);
}

export async function until(
  state: () => Promise<boolean>,
  deadlineMs: number,
  what: string,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await state())) {
    if (performance.now() > end) throw new LabUnavailable(`timed out after ${deadlineMs / 1000} s waiting for ${what}`);
    await between();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface LabStart {
  readonly spec: LabSpec;
  readonly dist: string;
  /** Removed when the starting process exits, even by a kill. */
  readonly attached: boolean;
  readonly progress: (text: string) => void;
  /** Removes what started, and startLab rejects with the reason. */
  readonly stop?: AbortSignal | undefined;
}

/** Reaps orphans: Node.js reaps only its own children, and a zombie keeps a pid namespace and its mounts for ever. */
const reapingInit = [
  '/usr/bin/perl',
  '-e',
  'my $child = fork // die; if (!$child) { exec @ARGV or die } while ((my $gone = wait) != -1) { exit($? >> 8) if $gone == $child }',
];

/** Resolves when the machines are up. Needs root. Rejects with LabUnavailable if the lab runs or does not start; then nothing is left. */
export async function startLab(start: LabStart): Promise<LabHandle> {
  const { spec } = start;
  const release = await claimName(`csync-lab/${spec.name}`);
  try {
    if (release === null || daemonOf(spec) !== null)
      throw new LabUnavailable(
        `a lab named ${spec.name} is already running`,
        `csync lab down --name ${spec.name}   (removes it); or use another --name`,
      );
    await sweepDead();
    await sweep(spec);
    return await bringUp(start);
  } finally {
    release?.();
  }
}

/** For a lab that is removed with this process. */
export function ownLabName(what: string): string {
  return `${what}-${process.pid}`;
}

/** Private labs of killed processes. A process that reuses such a pid removes its own leftovers first. */
async function sweepDead(): Promise<void> {
  for (const home of files.listDirectory(labsDirectory)) {
    const pid = /-(\d+)$/.exec(home)?.[1];
    if (pid === undefined || files.listDirectory(`/proc/${pid}`).length > 0) continue;
    const text = files.readText(`${labsDirectory}/${home}/spec.json`);
    const spec = text === null ? null : (JSON.parse(text) as LabSpec);
    if (spec !== null && daemonOf(spec) === null) await sweep(spec);
  }
}

async function bringUp({ spec, dist, attached, progress, stop }: LabStart): Promise<LabHandle> {
  // A rebuild must not remove the programs of a lab.
  const installed = `${spec.home}/toolkit`;
  const log = prepareHome(spec, dist, installed);
  const words = [spec.home, installed, attached ? 'attached' : 'detached'];
  const daemon = [...reapingInit, process.execPath, `${installed}/lab/daemon.cjs`, ...words];
  const owner = startProcess([...inNewNamespaces, '--mount-proc', '--', ...daemon], {
    env: systemEnvironment,
    stdin: attached ? 'pipe' : 'ignore',
    outputFd: log,
  });
  files.close(log);
  if (!attached) owner.child.unref();
  const handle = new LabHandle(spec, owner);
  try {
    await Promise.race([settled(handle, owner, progress), ...(stop === undefined ? [] : [aborted(stop)])]);
  } catch (error) {
    const said = files.readText(`${spec.home}/daemon.log`)?.trim().split('\n').slice(-15).join('\n') ?? '';
    await handle.down();
    stop?.throwIfAborted();
    throw new LabUnavailable(
      `the lab did not start: ${(error as Error).message}${said === '' ? '' : `\n${said}`}`,
      `a lab requires root with all capabilities, loop devices and about ${homeMegabytes} MB in /run`,
    );
  }
  return handle;
}

function prepareHome(spec: LabSpec, dist: string, installed: string): number {
  try {
    files.makeDirectory(spec.home, 0o700);
    files.writeText(`${spec.home}/spec.json`, JSON.stringify(spec), 0o600);
    files.copyTree(dist, installed);
    return files.openForAppending(`${spec.home}/daemon.log`);
  } catch (error) {
    files.removeTree(spec.home);
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new LabUnavailable(`the lab cannot write to ${spec.home} (${why})`, `a lab needs about ${homeMegabytes} MB in /run`);
  }
}

async function settled(handle: LabHandle, owner: RunningProcess, progress: (text: string) => void): Promise<void> {
  let ended = false;
  void owner.ended.then(() => {
    ended = true;
  });
  const socket = `${handle.spec.home}/shared/control.sock`;
  const connected = async (): Promise<boolean> => {
    if (ended) throw new LabUnavailable('its daemon exited');
    const pid = childrenOf(owner.pid ?? -1)[0];
    if (pid !== undefined) files.writeText(`${handle.spec.home}/daemon.pid`, `${pid}\n`);
    return connect(socket).then(
      (connection) => {
        connection.end();
        return true;
      },
      () => false,
    );
  };
  await until(connected, 15_000, "the lab's daemon");
  await new Promise<void>((resolve, reject) => {
    owner.ended.then(() => reject(new LabUnavailable('its daemon exited while booting')), reject);
    let close = (): void => {};
    void handle
      .follow((entry) => {
        if (entry.kind === 'progress') progress(entry.text);
        if (entry.what === 'lab-ready') {
          close();
          resolve();
        }
        if (entry.what === 'lab-failed') reject(new LabUnavailable(entry.text));
      })
      .then((end) => {
        close = end;
      }, reject);
  });
}

export function findLab(name: string): LabHandle {
  const text = files.readText(`${labsDirectory}/${name}/spec.json`);
  if (text === null) throw new LabUnavailable(`no lab named ${name} is running`, 'csync lab up   (starts one)');
  return new LabHandle(JSON.parse(text) as LabSpec, null);
}
