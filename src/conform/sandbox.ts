/**
 * One member in namespaces of its own, fresh for each case: this machine's programs under an overlay, its own network, keys,
 * cfengine daemon and file system on a loop device, the package directory under test. Nothing of it reaches the machine, and
 * all of it ends with whoever holds its standard input. Effects only; what is done here is said in cases.ts.
 */
import { dirname } from 'node:path';
import { adapterFor } from '../cfengine/adapter.ts';
import { generateKeyPair, peerKeyFileName } from '../cfengine/keys.ts';
import * as files from '../host/lab-files.ts';
import { childrenOf, type RunningProcess, runProcess, startProcess } from '../host/processes.ts';
import { logFileOf, scriptEnvironment } from '../lab/cluster/package-environment.ts';
import { bootScript, enterHost, inNewNamespaces, quote } from '../lab/machines/boot.ts';
import { type PolicyTemplates, policyFiles, writeCfengine } from '../lab/machines/cfengine-setup.ts';
import { furnishHost, furnishMember } from '../lab/machines/furnish.ts';
import { expandVariables, type LabPlan, planLab, sgDirectories } from '../lab/machines/plan.ts';
import type { RenderedFile } from '../render/package.ts';
import type { PackageContent } from '../serviceguard/package-content.ts';
import type { Settings } from '../settings.ts';
import type { Call, State } from './cases.ts';
import type { CallSeen, MemberSeen } from './judge.ts';

/** The package under test, as a member has it. */
export interface TestedPackage {
  readonly settings: Settings;
  /** What the package file says; Serviceguard knows no other names of scripts, services and log. */
  readonly content: PackageContent;
  readonly files: readonly RenderedFile[];
}

export class SandboxFailure extends Error {}

const systemEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' };
const commandLimitMs = 20_000;
const callLimitSeconds = 30;
/** How long a pipe of ours may stay open behind a script's end before it counts as kept by somebody. */
const pipeLimitMs = 1500;
/** Of the file system on the loop device; what mkfs of each type needs at least, so that it is filled fast. */
const diskMegabytes: Readonly<Record<string, number>> = { ext2: 16, ext3: 16, ext4: 16, xfs: 320, btrfs: 128 };
const homes = '/run/csync-conform';

/** What all sandboxes of a run have in common: what lies on their disks, cfengine's directory, an empty file system. */
export class Workshop {
  readonly tested: TestedPackage;
  readonly plan: LabPlan;
  readonly home: string;
  #made = 0;

  private constructor(tested: TestedPackage) {
    this.tested = tested;
    this.plan = planLab(tested.settings, 'conform', []);
    this.home = `${homes}/${process.pid}`;
  }

  /** Throws a SandboxFailure with the reason when this machine cannot do it. */
  static async open(tested: TestedPackage, policy: PolicyTemplates): Promise<Workshop> {
    sweep();
    const workshop = new Workshop(tested);
    try {
      await workshop.#furnish(policy);
    } catch (error) {
      workshop.close();
      throw error instanceof SandboxFailure ? error : new SandboxFailure(`${(error as Error).message}`);
    }
    return workshop;
  }

  async #furnish(policy: PolicyTemplates): Promise<void> {
    const { settings } = this.tested;
    files.removeTree(this.home);
    files.makeDirectory(this.home, 0o700);
    furnishHost(this.disk, this.plan, this.member);
    furnishMember(this.disk, this.plan);
    files.writeText(`${this.disk}/etc/fstab`, '');
    const directory = expandVariables(settings.packageDirectory);
    for (const file of this.tested.files) files.writeText(`${this.disk}${directory}/${file.name}`, file.text, file.mode);
    files.makeDirectory(`${this.disk}${dirname(logFileOf(this.tested.content))}`);
    const pair = await generateKeyPair();
    const trusted = new Map([[peerKeyFileName(pair.publicKey), pair.publicKey]]);
    writeCfengine(`${this.home}/cfengine`, pair, trusted, policyFiles(this.plan, policy));
    files.makeSparseFile(`${this.home}/disk.img`, (diskMegabytes[settings.fileSystemType] ?? 64) * 1024 * 1024);
    const force = settings.fileSystemType.startsWith('ext') ? '-F' : '-f';
    const made = await runProcess([`mkfs.${settings.fileSystemType}`, '-q', force, `${this.home}/disk.img`], {
      timeoutMs: commandLimitMs,
      env: systemEnvironment,
    });
    if (made.exitCode !== 0)
      throw new SandboxFailure(`mkfs.${settings.fileSystemType}: ${made.stderr.trim() || made.errorCode || made.exitCode}`);
  }

  /** What differs from this machine: copied to the disk of every sandbox. */
  get disk(): string {
    return `${this.home}/disk`;
  }

  get member(): string {
    return this.plan.hosts[0]?.name ?? 'm1';
  }

  async sandbox(): Promise<Sandbox> {
    this.#made += 1;
    return Sandbox.boot(this, `${this.home}/${this.#made}`);
  }

  close(): void {
    files.removeTree(this.home);
    files.removeIfEmpty(homes);
  }
}

/** Directories of runs that were killed; their namespaces ended with them. */
function sweep(): void {
  for (const pid of files.listDirectory(homes)) {
    const command = files.readText(`/proc/${pid}/cmdline`);
    if (command === null || !command.includes('conform')) files.removeTree(`${homes}/${pid}`);
  }
}

/**
 * In front of each script: standard input closed, as Serviceguard's have none; one more descriptor than the script knows of,
 * as a careless caller leaves; a directory and a umask to start with; its whole environment, which perl itself must not see.
 */
const bare = [
  '/usr/bin/perl',
  '-e',
  `use POSIX ();
   my ($directory, $umask, $variables) = splice @ARGV, 0, 3;
   my @environment = splice @ARGV, 0, $variables;
   open my $careless, ">", "/run/conform-careless" or die;
   POSIX::dup2(fileno $careless, 40);
   close STDIN; umask oct $umask; chdir $directory or die;
   %ENV = map { split /=/, $_, 2 } @environment;
   exec { $ARGV[0] } @ARGV; print STDERR "$ARGV[0]: $!\\n"; exit 127`,
];

/** Reads the log, which is a named pipe then, line by line up to the one of a step; the script waits at its next line for ever. */
const holder =
  '$| = 1; my ($pipe, $step) = @ARGV; while (1) { open my $log, "<", $pipe or die; while (my $line = <$log>) { print $line; if (index($line, " $step: ") >= 0) { close $log; print "HELD\\n"; sleep } } }';

export class Sandbox {
  readonly #workshop: Workshop;
  readonly #outer: RunningProcess;
  readonly #init: number;

  private constructor(workshop: Workshop, outer: RunningProcess, init: number) {
    this.#workshop = workshop;
    this.#outer = outer;
    this.#init = init;
  }

  static async boot(workshop: Workshop, directory: string): Promise<Sandbox> {
    const { home, disk, tested, plan } = workshop;
    const { settings } = tested;
    const device = `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
    files.makeDirectory(directory, 0o700);
    const script = bootScript({
      host: workshop.member,
      directory,
      binds: [],
      node: { from: process.execPath, to: settings.nodePath },
      cfengineWorkDirectory: settings.cfengineWorkDirectory,
      before: [
        `mount -t tmpfs -o mode=755,size=96m tmpfs ${quote(directory)}; cd ${quote(directory)}; mkdir work root`,
        `cp -a ${quote(disk)} upper`,
        // Of its own: a full disk must not take cfengine's databases along, since cf-serverd dies of that by itself.
        `mkdir cfengine; mount -t tmpfs -o mode=755 tmpfs cfengine; cp -a ${quote(`${home}/cfengine`)}/. cfengine; mkdir image; mount -t tmpfs tmpfs image; cp --sparse=always ${quote(`${home}/disk.img`)} image/disk`,
        // Detached at once, while it is held open here: it goes with its last user.
        'loop=$(losetup --find --show image/disk); exec 9< "$loop"; losetup --detach "$loop"',
        `ip link set lo up; ip address add ${plan.hosts[0]?.address}/${plan.prefixLength} dev lo`,
      ],
      within: [`mkdir -p "$root${dirname(device)}"; : > "$root${device}"; mount --bind "$loop" "$root${device}"`],
      endsWithInput: true,
    });
    const said: string[] = [];
    let ready: () => void = () => {};
    const isReady = new Promise<'ready'>((resolve) => {
      ready = () => resolve('ready');
    });
    const outer = startProcess([...inNewNamespaces, 'sh', '-c', script], {
      env: systemEnvironment,
      stdin: 'pipe',
      onLine: (line) => (line === 'READY' ? ready() : said.push(line)),
    });
    const first = await Promise.race([isReady, outer.ended]);
    const init = childrenOf(outer.pid ?? -1)[0];
    if (first !== 'ready' || init === undefined)
      throw new SandboxFailure(`the sandbox did not come up: ${said.join('; ') || JSON.stringify(first)}`);
    return new Sandbox(workshop, outer, init);
  }

  /** Ends everything inside; resolves when it is gone. */
  async close(): Promise<void> {
    this.#outer.child.stdin?.end();
    const impatience = setTimeout(() => this.#outer.kill('SIGKILL'), commandLimitMs);
    await this.#outer.ended;
    clearTimeout(impatience);
  }

  get #tested(): TestedPackage {
    return this.#workshop.tested;
  }

  /** What the shell texts of the cases find. */
  get #variables(): Record<string, string> {
    const { settings, content } = this.#tested;
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

  /** argv of a shell inside that knows the cases' variables and functions. */
  #shell(script: string): string[] {
    return enterHost(this.#init, ['/bin/sh', '-c', `${shellFunctions}\n${script}`]);
  }

  async sh(script: string): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    return runProcess(this.#shell(script), { timeoutMs: commandLimitMs, env: this.#variables });
  }

  async #demand(script: string, what: string): Promise<void> {
    const { exitCode, stdout, stderr } = await this.sh(`set -e\n${script}`);
    if (exitCode !== 0) throw new SandboxFailure(`${what}: ${(stderr || stdout).trim() || `status ${exitCode}`}`);
  }

  /** Brings the member to where a case begins. Throws a SandboxFailure when it does not get there. */
  async prepare(state: State, given: readonly string[]): Promise<void> {
    const { settings } = this.#tested;
    const daemon = adapterFor(settings).startDaemon.map(quote).join(' ');
    await this.#demand(`${daemon} < /dev/null > /dev/null 2>&1; eventually listens`, 'the cfengine daemon of the sandbox');
    if (state !== 'halted') await this.#demand('serviceguard_mounts; serviceguard_adds_the_address', 'storage and address');
    if (state === 'running') await this.#demand('write_a_sentinel', 'the mark of a start');
    for (const text of given) await this.change(text);
  }

  /** Does to the member what a case says. Throws a SandboxFailure when that cannot be done. */
  async change(text: string): Promise<void> {
    await this.#demand(text, `"${text}"`);
  }

  /** The script's path, as the package file has it. */
  #argv({ script, words }: Call): readonly string[] {
    const { content } = this.#tested;
    const expand = (text: string): string => expandVariables(text, { SG_PACKAGE: content.name });
    if (script === 'service') return ['/bin/sh', '-c', `exec ${expand(content.services[0]?.command ?? '')}`];
    const [path] = script === 'pre' ? content.preScripts : content.scripts;
    return [expand(path ?? ''), ...words];
  }

  /** A service gets nothing but its restart counter [serviceguard.md 3.4]. */
  #environment({ script, words, environment }: Call): Record<string, string> {
    const { content } = this.#tested;
    const [word = ''] = words;
    if (script === 'service') return { service_restart: '0', ...environment };
    // Validation comes before any run or halt: no action, no log [serviceguard.md 3.4].
    if (word === 'validate') return { SG_PACKAGE_NAME: content.name, ...environment };
    const action = { SG_SCRIPT_ACTION: word, ...(word === 'stop' ? { SG_HALT_REASON: 'user_halt' } : {}) };
    return { ...scriptEnvironment({ member: this.#workshop.member, content }), ...action, ...environment };
  }

  /** Calls a script as Serviceguard does, sees it to its end or to its limit, and tells all that was seen. */
  async call(call: Call): Promise<CallSeen> {
    const { umask = '022', limitSeconds = callLimitSeconds, heldAt, once } = call;
    const directory = call.from === 'mount point' ? this.#tested.settings.mountPoint : '/';
    const log = this.#variables.LOG ?? '';
    const before = this.#logText(log);
    const held = heldAt === undefined ? null : await this.#hold(log, heldAt);
    const said: Record<'out' | 'err', string[]> = { out: [], err: [] };
    const began = performance.now();
    const variables = Object.entries(this.#environment(call)).map(([name, value]) => `${name}=${value}`);
    const prologue = [...bare, directory, umask, String(variables.length), ...variables];
    const running = startProcess(enterHost(this.#init, [...prologue, ...this.#argv(call)]), {
      env: systemEnvironment,
      onLine: (line, stream) => said[stream].push(line),
    });
    const closed = new Promise<true>((resolve) => running.child.once('close', () => resolve(true)));
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      running.kill('SIGKILL');
    }, limitSeconds * 1000);
    let ended = false;
    void running.ended.then(() => {
      ended = true;
    });
    let acted = began;
    const reached = await this.#meanwhile(
      running,
      () => ended,
      held,
      once,
      () => this.#logText(log).slice(before.length),
    );
    if (reached) acted = performance.now();
    const end = await running.ended;
    const milliseconds = performance.now() - acted;
    clearTimeout(limit);
    const pipesClosed = await Promise.race([
      closed,
      new Promise<false>((resolve) => setTimeout(() => resolve(false), pipeLimitMs)),
    ]);
    for (const stream of [running.child.stdout, running.child.stderr]) stream?.destroy();
    const heldLog = held === null ? '' : await held.release();
    return {
      exitCode: end.exitCode,
      signal: end.signal,
      timedOut,
      reached,
      milliseconds,
      stdout: said.out.join('\n'),
      stderr: said.err.join('\n'),
      log: `${heldLog}${this.#logText(log).slice(held === null ? before.length : 0)}`,
      pipesClosed,
    };
  }

  /** What the case does while the script runs. False: the script ended before it came to that. */
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
      return true;
    }
    if (once === undefined) return true;
    const { logged: wanted, forSeconds = 0 } = once;
    while (wanted !== undefined && !wanted.test(logged())) {
      if (ended()) return false;
      await pause(10);
    }
    if (once.sh !== undefined) await this.change(once.sh);
    // To be seen to go on, it has to be watched for a while.
    await Promise.race([running.ended, pause(forSeconds * 1000)]);
    if (ended() && forSeconds > 0) return false;
    if (once.signal !== undefined) running.kill(once.signal);
    return true;
  }

  /** Puts a named pipe in the place of the log, so that a script can be held at one of its lines. */
  async #hold(log: string, step: string): Promise<Held> {
    await this.#demand('mv "$LOG" "$LOG.kept" 2> /dev/null || :; mkfifo "$LOG"', 'a log that holds the script');
    const lines: string[] = [];
    let reached: () => void = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const reader = startProcess(enterHost(this.#init, ['/usr/bin/perl', '-e', holder, log, step]), {
      env: systemEnvironment,
      onLine: (line) => (line === 'HELD' ? reached() : lines.push(`${line}\n`)),
    });
    return {
      reached: isReached,
      release: async () => {
        reader.kill('SIGKILL');
        await reader.ended;
        await this.#demand('rm "$LOG"; : > "$LOG"', 'the log');
        return lines.join('');
      },
    };
  }

  #logText(path: string): string {
    return files.readText(`/proc/${this.#init}/root${path}`) ?? '';
  }

  /** What is true of the member now. */
  async look(): Promise<MemberSeen> {
    const { stdout } = await this.sh(
      'echo "daemons $(daemons)"; is_mounted && echo mounted; has_address && echo address; scripts',
    );
    const lines = stdout.split('\n');
    const scripts = lines.filter((line) => line.startsWith('script ')).map((line) => line.slice('script '.length));
    return {
      daemons: (lines.find((line) => line.startsWith('daemons ')) ?? '')
        .split(' ')
        .slice(1)
        .filter((word) => word !== ''),
      mounted: lines.includes('mounted'),
      address: lines.includes('address'),
      scripts,
    };
  }
}

interface Held {
  readonly reached: Promise<void>;
  /** The lines that were read until then. */
  release(): Promise<string>;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Words of the cases' shell texts. A daemon is known by pid and start time, so that another one is not taken for it. */
const shellFunctions = `
daemons() {
  for p in /proc/[0-9]*; do
    read -r name 2> /dev/null < $p/comm || continue
    [ "$name" = "$DAEMON" ] && read -r stat 2> /dev/null < $p/stat || continue
    set -- \${stat##*) }
    [ "$1" = Z ] || printf '%s ' "\${p#/proc/}:\${20}"
  done
}
daemon_pid() { set -- $(daemons); echo "\${1%%:*}"; }
is_mounted() { grep -q "^[^ ]* $MOUNT_POINT " /proc/mounts; }
has_address() { ip -o address show to "$ADDRESS" | grep -q .; }
scripts() {
  for p in /proc/[0-9]*; do
    command=$(tr '\\0' ' ' 2> /dev/null < $p/cmdline)
    case $command in *"$PACKAGE"/*) echo "script $command" ;; esac
  done
}
script_pid() {
  for p in /proc/[0-9]*; do
    case $(tr '\\0' ' ' 2> /dev/null < $p/cmdline) in *"$PACKAGE"/csync-*.cjs*) echo "\${p#/proc/}"; return ;; esac
  done
}
a_script_runs() { scripts | grep -q .; }
fingerprint() {
  find "$PACKAGE" "$SGRUN" "$MOUNT_POINT" "$WORK/ppkeys" /tmp /var/tmp /etc/hosts /etc/cmcluster.conf -printf '%p %M %s %T@\\n' | sort
}
listens() { ss -Hltn "sport = :$PORT" | grep -q LISTEN; }
eventually() {
  n=0
  until "$@"; do
    n=$((n + 1)); [ $n -lt 500 ] || { echo "waited in vain for: $*" >&2; return 1; }
    sleep 0.02
  done
}
no_daemon() { [ -z "$(daemons)" ]; }
kill_daemon() { kill -KILL "$(daemon_pid)"; eventually no_daemon; }
serviceguard_mounts() { mount -t "$FS_TYPE" $MOUNT_OPTIONS "$DEVICE" "$MOUNT_POINT"; mkdir -p "$POLICY"; }
write_a_sentinel() { echo '{"epoch":1,"member":"m0","at":"2026-11-23T12:00:00.000Z"}' > "$SENTINEL"; }
serviceguard_unmounts() { umount "$MOUNT_POINT"; }
serviceguard_adds_the_address() { ip address add "$ADDRESS/32" dev lo; }
cannot_be_executed() { : > /run/conform-nothing; mount --bind /run/conform-nothing "$1"; }
`;
