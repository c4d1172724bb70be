/** The lab's machines: namespaces, a bridge, a shared disk, all in the lab's own namespaces, so the daemon's exit removes them. */
import { randomBytes } from 'node:crypto';
import { addressStateIn, isIpv6 } from '../../base/network.ts';
import type { CommandResult } from '../../host/host.ts';
import * as files from '../../host/lab/lab-files.ts';
import { type RunningProcess, runProcess, type StartOptions, startProcess } from '../../host/processes.ts';
import { printSettings } from '../../settings/settings-yaml.ts';
import { bootScript, enterHost } from './boot.ts';
import { type BootedHost, bootHost } from './booting.ts';
import { hostEnvironment } from './environment.ts';
import { furnishHost, furnishMember } from './furnish.ts';
import {
  dispatcherPath,
  eventsDirectory,
  type LabHost,
  type LabSpec,
  membersOf,
  sgDirectories,
  sharedDirectory,
  toolkitDirectory,
} from './lab-spec.ts';
import { furnishNode } from './pacemaker/furnish-node.ts';
import { quirksOnBoot } from './quirks/quirks.ts';
import { commandProgram, lvmConfiguration, lvmPrograms, toolkitWrapper, volumeGroupDirectory } from './stand-ins.ts';
import { thawCommands } from './thaw.ts';

const diskBytes = 64 * 1024 * 1024;
const commandLimitMs = 20_000;
const logLimitMs = 300;

export interface WorldEvents {
  readonly onMachineDown: (host: string) => void;
}

export interface WorldInput {
  readonly spec: LabSpec;
  readonly dist: string;
  readonly nodePath: string;
  readonly commands: readonly string[];
}

export interface HostRun {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly bare?: boolean;
}

export class LabFailure extends Error {}

export class World {
  readonly #input: WorldInput;
  readonly #events: WorldEvents;
  readonly #machines = new Map<string, BootedHost>();
  /** Hosts with a pulled cable, up or down. */
  readonly #cut = new Set<string>();
  readonly #logs = new Map<string, files.PatientLog>();
  readonly #clusterKey = randomBytes(256);
  #disk = '';
  #diskNumbers = '';

  constructor(input: WorldInput, events: WorldEvents) {
    this.#input = input;
    this.#events = events;
  }

  get spec(): LabSpec {
    return this.#input.spec;
  }

  /** Makes bridge, shared disk with an empty file system, and the hosts' disks. Boots no host. */
  async create(): Promise<void> {
    const { spec } = this;
    const world = this.#path('world');
    await this.#must(['mount', '--make-rprivate', '/']);
    files.makeDirectory(world, 0o700);
    await this.#must(['mount', '-t', 'tmpfs', '-o', 'mode=700', 'tmpfs', world]);
    files.makeDirectory(this.#path('shared'), 0o755);
    await this.#must(['ip', 'link', 'set', 'lo', 'up']);
    await this.#must(['ip', 'link', 'add', 'csync-lab', 'type', 'bridge']);
    await this.#must(['ip', 'link', 'set', 'csync-lab', 'up']);
    await this.#makeDisk();
    for (const host of spec.hosts) this.#furnish(host);
  }

  async #makeDisk(): Promise<void> {
    const image = this.#path('disk.img');
    const { volumeGroup, logicalVolume, fileSystemType } = this.spec.settings;
    files.makeSparseFile(image, diskBytes);
    this.#disk = (await this.#must(['losetup', '--find', '--show', image])).stdout.trim();
    // Open until the daemon exits: a detached loop device disappears with its last user, even after a kill.
    files.openForReading(this.#disk);
    await this.#must(['losetup', '--detach', this.#disk]);
    await this.#must([`mkfs.${fileSystemType}`, '-q', this.#disk]);
    const numbers = (await this.#must(['stat', '-c', '%t %T', this.#disk])).stdout.trim().split(' ');
    const [major, minor] = numbers.map((text) => Number.parseInt(text, 16));
    this.#diskNumbers = `${major}:${minor}`;
    const label = `${this.#path('shared')}${volumeGroupDirectory.slice(sharedDirectory.length)}/${volumeGroup}`;
    files.writeText(`${label}/volumes`, `${logicalVolume} ${major} ${minor}\n`);
    files.writeText(`${label}/tag`, '');
  }

  #furnish(host: LabHost): void {
    const { name, settings } = this.spec;
    const disk = `${this.#hostDirectory(host.name)}/upper`;
    for (const part of ['upper', 'work', 'root', 'cfengine']) files.makeDirectory(`${this.#hostDirectory(host.name)}/${part}`);
    furnishHost(disk, this.spec, host.name);
    files.writeText(`${disk}/etc/csync-lab.json`, JSON.stringify(this.spec.settings));
    if (host.kind === 'client') return;
    for (const [name, text] of Object.entries(lvmPrograms)) files.writeText(`${disk}/usr/sbin/${name}`, text, 0o755);
    files.writeText(`${disk}/etc/lvm/lvm.conf`, lvmConfiguration, 0o644);
    if (settings.engine === 'pacemaker')
      furnishNode(disk, settings.mountPoint, { name, members: membersOf(this.spec), key: this.#clusterKey });
    else this.#furnishServiceguard(disk);
    if (host.kind === 'member') files.writeText(`${disk}/root/csync.yaml`, printSettings(this.spec.settings));
    const { nodePath } = this.#input;
    files.writeText(`${disk}/usr/local/bin/csync`, toolkitWrapper(nodePath, toolkitDirectory), 0o755);
  }

  #furnishServiceguard(disk: string): void {
    const { nodePath } = this.#input;
    furnishMember(disk, this.spec);
    files.writeText(`${disk}${dispatcherPath}`, toolkitWrapper(nodePath, toolkitDirectory, 'dispatcher'), 0o755);
    files.makeDirectory(`${disk}${eventsDirectory}`);
    files.makeLink(dispatcherPath, `${disk}${eventsDirectory}/csync_dispatcher`);
    for (const command of this.#input.commands)
      files.writeText(`${disk}${sgDirectories.SGSBIN}/${command}`, commandProgram, 0o755);
  }

  /** Throws LabFailure with the script's output. */
  async boot(name: string): Promise<void> {
    const host = this.#host(name);
    if (this.#machines.has(name)) return;
    const script = bootScript({
      host: name,
      directory: this.#hostDirectory(name),
      binds: [
        { from: this.#path('shared'), to: sharedDirectory, readOnly: false },
        { from: this.#input.dist, to: toolkitDirectory, readOnly: true },
      ],
      node: { from: this.#input.nodePath, to: [this.#input.nodePath, this.spec.settings.nodePath] },
      cfengineWorkDirectory: this.spec.settings.cfengineWorkDirectory,
    });
    const booted = await bootHost(script, { env: hostEnvironment });
    if (typeof booted === 'string') throw new LabFailure(`lab host ${name} did not boot: ${booted}`);
    this.#machines.set(name, booted);
    void booted.process.ended.then(() => {
      this.#machines.delete(name);
      this.#events.onMachineDown(name);
    });
    await this.#plugIn(host, booted.init);
    await this.#startSyslog(name);
    await this.#addQuirks(host);
  }

  async #addQuirks({ name, kind }: LabHost): Promise<void> {
    const { hosts, quirks } = this.spec;
    if (quirks.length === 0) return;
    const number = hosts.filter((host) => host.kind === kind).findIndex((host) => host.name === name) + 1;
    await this.must(name, ['sh', '-c', quirksOnBoot(quirks), 'sh', kind, `${number}`]);
  }

  async #plugIn(host: LabHost, init: number): Promise<void> {
    const outer = `lab-${host.name}`;
    // The kernel removes a crashed host's cable with a delay.
    await this.#run(['ip', 'link', 'delete', outer]);
    // The same at each boot: neighbours would use the old one for seconds.
    const card = hardwareAddress(host.second ?? host.address);
    const inner = ['peer', 'name', 'eth0', 'address', card, 'netns', String(init)];
    await this.#must(['ip', 'link', 'add', outer, 'type', 'veth', ...inner]);
    await this.#must(['ip', 'link', 'set', outer, 'master', 'csync-lab', this.#cut.has(host.name) ? 'down' : 'up']);
    const commands = [
      'link set lo up',
      `address add ${host.second ?? host.address}/24 broadcast + dev eth0`,
      ...(host.second === null ? [] : [`address add ${host.address}/${this.spec.prefixLength} dev eth0 nodad`]),
      'link set eth0 up',
    ];
    await this.must(host.name, ['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }

  async #startSyslog(name: string): Promise<void> {
    this.start(name, ['/bin/busybox', 'syslogd', '-n', '-S', '-O', '/var/log/messages']);
    await this.must(name, ['sh', '-c', 'n=0; until [ -S /dev/log ]; do n=$((n+1)); [ $n -lt 200 ] || exit 1; sleep 0.02; done']);
  }

  /** Path on this machine, even while the host is down. */
  diskOf(name: string): string {
    return `${this.#hostDirectory(name)}/upper`;
  }

  cfengineDirectory(name: string): string {
    return `${this.#hostDirectory(name)}/cfengine`;
  }

  isUp(name: string): boolean {
    return this.#machines.has(name);
  }

  initOf(name: string): number | null {
    return this.#machines.get(name)?.init ?? null;
  }

  /** Power loss. Resolves when process 1 is gone. */
  async crash(name: string): Promise<void> {
    const machine = this.#machines.get(name);
    if (machine === undefined) return;
    // These processes did not exit by themselves.
    this.#machines.delete(name);
    await this.#thaw(machine.init);
    process.kill(machine.init, 'SIGKILL');
    await machine.process.ended;
    await this.#run(['ip', 'link', 'delete', `lab-${name}`]);
  }

  /** A frozen file system and its writers would survive the lab. */
  async thaw(): Promise<void> {
    await Promise.all([...this.#machines.values()].map(({ init }) => this.#thaw(init)));
  }

  async #thaw(init: number): Promise<void> {
    for (const argv of thawCommands(init)) await this.#run(argv);
  }

  hasCable(name: string): boolean {
    return !this.#cut.has(name);
  }

  /** Pulls (false) or plugs in (true), also without power. */
  async setLink(name: string, up: boolean): Promise<void> {
    this.#host(name);
    if (up) this.#cut.delete(name);
    else this.#cut.add(name);
    if (!this.isUp(name)) return;
    await this.#must(['ip', 'link', 'set', `lab-${name}`, up ? 'up' : 'down']);
  }

  /** Prefixes argv, for the lab's own namespaces. */
  enter(name: string, argv: readonly string[]): string[] {
    return enterHost(this.#upHost(name), argv);
  }

  /** `bare`: only with `env`. */
  async run(name: string, argv: readonly string[], options: HostRun = {}): Promise<CommandResult> {
    const { timeoutMs = commandLimitMs, env = {}, bare = false, ...rest } = options;
    return runProcess(this.enter(name, argv), { ...rest, timeoutMs, env: bare ? env : { ...hostEnvironment, ...env } });
  }

  /** Throws LabFailure with the output if it fails. */
  async must(
    name: string,
    argv: readonly string[],
    options: { input?: string; timeoutMs?: number } = {},
  ): Promise<CommandResult> {
    return succeeded(`${name}: ${argv.join(' ')}`, await this.run(name, argv, options));
  }

  start(name: string, argv: readonly string[], options: StartOptions = {}): RunningProcess {
    return startProcess(this.enter(name, argv), { env: hostEnvironment, ...options });
  }

  /** Path for the lab's daemon, while the host is up. */
  pathOn(name: string, path: string): string {
    return `/proc/${this.#upHost(name)}/root${path}`;
  }

  /** The file system may hang; the lab's daemon must not. */
  logOn(name: string, path: string): files.PatientLog {
    const whole = this.pathOn(name, path);
    const known = this.#logs.get(whole) ?? new files.PatientLog(whole, logLimitMs);
    this.#logs.set(whole, known);
    return known;
  }

  isMountPoint(name: string, target: string): boolean {
    return (
      this.#processText(name, 'mounts')
        ?.split('\n')
        .some((line) => line.split(' ')[1] === target) ?? false
    );
  }

  hasDiskMounted(name: string): boolean {
    return (
      this.#processText(name, 'mountinfo')
        ?.split('\n')
        .some((line) => line.split(' ')[2] === this.#diskNumbers) ?? false
    );
  }

  /** By the kernel's routing table; of IPv6, whether it is usable. */
  hasAddress(name: string, address: string): boolean {
    if (isIpv6(address)) return addressStateIn(this.#processText(name, 'net/if_inet6') ?? '', address) === 'usable';
    const table = this.#processText(name, 'net/fib_trie');
    return table !== null && new RegExp(`\\|-- ${address.replaceAll('.', '\\.')}\\n\\s+/32 host LOCAL`).test(table);
  }

  #processText(name: string, file: string): string | null {
    const init = this.initOf(name);
    return init === null ? null : files.readText(`/proc/${init}/${file}`);
  }

  #upHost(name: string): number {
    const init = this.initOf(name);
    if (init === null) throw new LabFailure(`lab host ${name} is down`);
    return init;
  }

  #host(name: string): LabHost {
    const host = this.spec.hosts.find((candidate) => candidate.name === name);
    if (host === undefined)
      throw new LabFailure(`there is no lab host ${name}; hosts: ${this.spec.hosts.map((h) => h.name).join(' ')}`);
    return host;
  }

  #path(part: string): string {
    return `${this.spec.home}/${part}`;
  }

  #hostDirectory(name: string): string {
    return this.#path(`world/${name}`);
  }

  async #run(argv: readonly string[]): Promise<CommandResult> {
    return runProcess(argv, { timeoutMs: commandLimitMs, env: hostEnvironment });
  }

  async #must(argv: readonly string[]): Promise<CommandResult> {
    return succeeded(argv.join(' '), await this.#run(argv));
  }
}

function succeeded(what: string, result: CommandResult): CommandResult {
  if (result.exitCode === 0) return result;
  const why = result.timedOut ? 'took too long' : (result.errorCode ?? `exit status ${result.exitCode ?? result.signal}`);
  throw new LabFailure(`${what}: ${why}: ${(result.stderr || result.stdout).trim()}`);
}

/** Locally administered, from the IPv4 address. */
function hardwareAddress(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '00', ...bytes].join(':');
}
