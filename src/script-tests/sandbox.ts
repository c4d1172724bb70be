/**
 * A member in its own namespaces, new for each case: this machine's programs under an overlay; its own network, keys, daemon, file system
 * and package directory. Removed when the holder of its input exits.
 */
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { shellWord, words } from '../base/shell-word.ts';
import { adapterFor } from '../cfengine/adapter.ts';
import { setsName } from '../contract/package-directory.ts';
import * as files from '../host/lab/lab-files.ts';
import { endWithin, type RunningProcess, runProcess, startProcess } from '../host/processes.ts';
import { logFileOf, scriptEnvironment } from '../lab/emulation/scripts/package-environment.ts';
import { bootScript, enterHost } from '../lab/machines/boot.ts';
import { type BootedHost, bootHost } from '../lab/machines/booting.ts';
import { expandVariables, sgDirectories } from '../lab/machines/lab-spec.ts';
import { thawCommands } from '../lab/machines/thaw.ts';
import { setOf } from '../render/package.ts';
import bareText from './bare.pl';
import type { Call, State } from './cases/case-model.ts';
import shellFunctions from './functions.sh';
import holder from './holder.pl';
import type { CallSeen, MemberSeen } from './judge.ts';
import { commandLimitMs, SandboxFailure, systemEnvironment, type TestedPackage, type Workshop } from './workshop.ts';

const callLimitSeconds = 30;
/** After a script's exit; longer: a process keeps it open. */
const pipeLimitMs = 1500;

export class Sandbox {
  readonly #workshop: Workshop;
  readonly #outer: RunningProcess;
  readonly #init: number;

  private constructor(workshop: Workshop, { process, init }: BootedHost) {
    this.#workshop = workshop;
    this.#outer = process;
    this.#init = init;
  }

  static async boot(workshop: Workshop): Promise<Sandbox> {
    const directory = workshop.nextDirectory();
    const { home, disk, tested, spec } = workshop;
    const { settings } = tested;
    const device = `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
    files.makeDirectory(directory, 0o700);
    const script = bootScript({
      host: workshop.member,
      directory,
      binds: [],
      node: { from: process.execPath, to: [settings.nodePath] },
      cfengineWorkDirectory: settings.cfengineWorkDirectory,
      before: [
        `mount -t tmpfs -o mode=755,size=96m tmpfs ${shellWord(directory)}; cd ${shellWord(directory)}; mkdir work root`,
        `cp -a ${shellWord(disk)} upper`,
        // cf-serverd exits when a full disk affects its databases.
        `mkdir cfengine; mount -t tmpfs -o mode=755 tmpfs cfengine; cp -a ${shellWord(`${home}/cfengine`)}/. cfengine; mkdir image; mount -t tmpfs tmpfs image; cp --sparse=always ${shellWord(`${home}/disk.img`)} image/disk`,
        // Open here: removed with its last user.
        'loop=$(losetup --find --show image/disk); exec 9< "$loop"; losetup --detach "$loop"',
        `ip link set lo up; ip address add ${spec.hosts[0]?.address}/${spec.prefixLength} dev lo`,
      ],
      within: [`mkdir -p "$root${dirname(device)}"; : > "$root${device}"; mount --bind "$loop" "$root${device}"`],
      endsWithInput: true,
    });
    const booted = await bootHost(script, { env: systemEnvironment, stdin: 'pipe' });
    if (typeof booted === 'string') throw new SandboxFailure(`the sandbox did not start: ${booted}`);
    return new Sandbox(workshop, booted);
  }

  async close(): Promise<void> {
    for (const argv of thawCommands(this.#init)) await runProcess(argv, { env: systemEnvironment, timeoutMs: commandLimitMs });
    this.#outer.child.stdin?.end();
    await endWithin(this.#outer, commandLimitMs);
  }

  get #tested(): TestedPackage {
    return this.#workshop.tested;
  }

  get variables(): Record<string, string> {
    const { settings, content, files: rendered } = this.#tested;
    const { daemonName, programs, privateKey } = adapterFor(settings);
    return {
      ...systemEnvironment,
      ...sgDirectories,
      MOUNT_POINT: settings.mountPoint,
      MOUNT_OPTIONS: settings.mountOptions,
      FS_TYPE: settings.fileSystemType,
      DEVICE: `/dev/${settings.volumeGroup}/${settings.logicalVolume}`,
      POLICY: settings.policyDirectory,
      SENTINEL: `${settings.policyDirectory}/csync.sentinel`,
      PACKAGE: expandVariables(settings.packageDirectory),
      SET: placeOfFiles(expandVariables(settings.packageDirectory), rendered),
      ADDRESS: settings.packageAddress,
      PORT: String(settings.cfenginePort),
      NODE: settings.nodePath,
      WORK: settings.cfengineWorkDirectory,
      KEY: privateKey,
      DAEMON: daemonName,
      DAEMON_PROGRAM: programs.daemon,
      LOG: logFileOf(content),
    };
  }

  argv(script: string): string[] {
    return enterHost(this.#init, ['/bin/sh', '-c', `${shellFunctions}\n${script}`]);
  }

  async sh(script: string): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    return runProcess(this.argv(script), { timeoutMs: commandLimitMs, env: this.variables });
  }

  async #demand(script: string, what: string): Promise<void> {
    const { exitCode, stdout, stderr } = await this.sh(`set -e\n${script}`);
    if (exitCode !== 0) throw new SandboxFailure(`${what}: ${(stderr || stdout).trim() || `status ${exitCode}`}`);
  }

  /** Throws a SandboxFailure. */
  async prepare(state: State, given: readonly string[]): Promise<void> {
    const { settings } = this.#tested;
    const daemon = adapterFor(settings).startDaemon.map(shellWord).join(' ');
    await this.#demand(`${daemon} < /dev/null > /dev/null 2>&1; eventually listens`, 'the cfengine daemon of the sandbox');
    if (state !== 'halted') await this.#demand('serviceguard_mounts; serviceguard_adds_the_address', 'storage and address');
    if (state === 'running') await this.#demand('write_a_sentinel', 'the mark of a start');
    for (const text of given) await this.change(text);
  }

  async change(text: string): Promise<void> {
    await this.#demand(text, `"${text}"`);
  }

  /** Paths are those of the package file. */
  #argv({ script, words }: Call): readonly string[] {
    const { content } = this.#tested;
    const expand = (text: string): string => expandVariables(text, { SG_PACKAGE: content.name });
    if (script === 'service') return ['/bin/sh', '-c', `exec ${expand(content.services[0]?.command ?? '')}`];
    const [path] = script === 'pre' ? content.preScripts : content.scripts;
    return [expand(path ?? ''), ...words];
  }

  /** A service gets only its restart counter [serviceguard.md 3.4]. */
  #environment({ script, words, environment }: Call): Record<string, string> {
    const { content } = this.#tested;
    const [word = ''] = words;
    if (script === 'service') return { service_restart: '0', ...environment };
    // Before any run or halt: no action, no log [serviceguard.md 3.4].
    if (word === 'validate') return { SG_PACKAGE_NAME: content.name, ...environment };
    const action = { SG_SCRIPT_ACTION: word, ...(word === 'stop' ? { SG_HALT_REASON: 'user_halt' } : {}) };
    return { ...scriptEnvironment({ member: this.#workshop.member, content }), ...action, ...environment };
  }

  async call(call: Call): Promise<CallSeen> {
    const { umask = '022', limitSeconds = callLimitSeconds, heldAt, once } = call;
    const directory = call.from === 'mount point' ? this.#tested.settings.mountPoint : '/';
    const log = this.variables.LOG ?? '';
    const before = this.#logText(log);
    const held = heldAt === undefined ? null : await this.#hold(log, Buffer.byteLength(before), heldAt);
    const said: Record<'out' | 'err', string[]> = { out: [], err: [] };
    const began = performance.now();
    const variables = Object.entries(this.#environment(call)).map(([name, value]) => `${name}=${value}`);
    const prologue = ['/usr/bin/perl', '-e', bareText, directory, umask, String(variables.length), ...variables];
    const running = startProcess(enterHost(this.#init, [...prologue, ...this.#argv(call)]), {
      env: systemEnvironment,
      onLine: (line, stream) => said[stream].push(line),
    });
    const closed = new Promise<true>((resolve) => running.child.once('close', () => resolve(true)));
    const ending = endWithin(running, limitSeconds * 1000);
    let ended = false;
    void running.ended.then(() => {
      ended = true;
    });
    let acted = began;
    const logged = (): string => this.#logText(log).slice(before.length);
    const reached = await this.#meanwhile(running, () => ended, held, once, logged);
    if (reached) acted = performance.now();
    const { exitCode, signal, timedOut } = await ending;
    const milliseconds = performance.now() - acted;
    const pipesClosed = await Promise.race([closed, pause(pipeLimitMs, false)]);
    for (const stream of [running.child.stdout, running.child.stderr]) stream?.destroy();
    await held?.release();
    return {
      exitCode,
      signal,
      timedOut,
      reached,
      milliseconds,
      stdout: said.out.join('\n'),
      stderr: said.err.join('\n'),
      log: logged(),
      pipesClosed,
    };
  }

  /** False: the script exited before. */
  async #meanwhile(
    running: RunningProcess,
    ended: () => boolean,
    held: Held | null,
    once: Call['once'],
    logged: () => string,
  ): Promise<boolean> {
    if (held !== null) {
      await Promise.race([held.reached, running.ended]);
      if (ended()) return false;
      running.kill('SIGTERM');
      // A stopped process gets the signal when it continues.
      running.kill('SIGCONT');
      return true;
    }
    if (once === undefined) return true;
    const { logged: wanted, forSeconds = 0 } = once;
    while (wanted !== undefined && !wanted.test(logged())) {
      if (ended()) return false;
      await pause(10);
    }
    if (once.sh !== undefined) await this.change(once.sh);
    // It must keep running for a while.
    await Promise.race([running.ended, pause(forSeconds * 1000)]);
    if (ended() && forSeconds > 0) return false;
    if (once.signal !== undefined) running.kill(once.signal);
    return true;
  }

  /** At the log's line of the step, from an offset. Resolves when observed. */
  async #hold(log: string, from: number, step: string): Promise<Held> {
    const said = (word: string): Promise<void> => new Promise((resolve) => waiting.set(word, resolve));
    const waiting = new Map<string, () => void>();
    const [ready, reached] = [said('READY'), said('HELD')];
    const words = [log, String(from), step, this.variables.PACKAGE ?? ''];
    const watcher = startProcess(enterHost(this.#init, ['/usr/bin/perl', '-e', holder, ...words]), {
      env: systemEnvironment,
      onLine: (line) => waiting.get(line)?.(),
    });
    await Promise.race([ready, watcher.ended]);
    return {
      reached,
      release: async () => {
        watcher.kill('SIGKILL');
        await watcher.ended;
      },
    };
  }

  #logText(path: string): string {
    return files.readText(`/proc/${this.#init}/root${path}`) ?? '';
  }

  async look(): Promise<MemberSeen> {
    const look = 'echo "daemons $(daemons)"; is_mounted && echo mounted; has_address && echo address; scripts';
    const lines = (await this.sh(look)).stdout.split('\n');
    const rests = (word: string): string[] =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    return {
      daemons: words(rests('daemons')[0]),
      mounted: lines.includes('mounted'),
      address: lines.includes('address'),
      scripts: rests('script'),
    };
  }
}

interface Held {
  readonly reached: Promise<void>;
  release(): Promise<void>;
}

/** For version 0.1.0 the package directory itself. */
function placeOfFiles(packageDirectory: string, files: TestedPackage['files']): string {
  const set = setOf(files);
  return set === null ? packageDirectory : `${packageDirectory}/${setsName}/${set}`;
}
