/** The Host of the member scripts over a world of plain data: every call passes the gate. */
import { adapterFor, type CfengineAdapter } from '../../cfengine/adapter.ts';
import type { ProbeResult } from '../../cfengine/probe.ts';
import { deviceOf, sentinelName } from '../../contract/policy-file-system.ts';
import type {
  CommandResult,
  FileFacts,
  MemberHost,
  MountEntry,
  ProcessOrigin,
  ProcessState,
  ProgramFile,
} from '../../host/host.ts';
import { Daemon } from '../../member/daemon.ts';
import type { StepContext } from '../../member/steps/steps.ts';
import { type Settings, settingsDigest, settingsJson } from '../../settings/settings.ts';
import type { Gate } from './gate.ts';
import { type Changing, type MemberWorld, withoutDaemon } from './world.ts';
import { carryOut, failed, type Place } from './world-commands.ts';

export const directory = '/etc/cmcluster/csync';
const digests = new WeakMap<Settings, string>();

/** settingsDigest, once for each. */
export function digestOf(settings: Settings): string {
  const digest = digests.get(settings) ?? settingsDigest(settings);
  digests.set(settings, digest);
  return digest;
}

const good: CommandResult = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
const daemonPid = 100;
const holderPid = 200;

/** Programs and keys are sound on every member: nothing that happens here touches them, and keys are dear to read. */
class WorldDaemon extends Daemon {
  override judgeInstallation(): null {
    return null;
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export class WorldHost implements MemberHost {
  readonly member: string;
  readonly nodeName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #place: Place;
  readonly #gate: Gate;
  readonly #settings: Settings;
  readonly #adapter: CfengineAdapter;

  constructor(place: Place, gate: Gate, settings: Settings) {
    this.#place = place;
    this.#gate = gate;
    this.#settings = settings;
    this.member = place.members[place.index] ?? '';
    this.nodeName = this.member;
    this.environment = { SGSBIN: '/sbin', SGRUN: '/run', CSYNC_MOUNT_POINT: settings.mountPoint };
    this.#adapter = {
      ...adapterFor(settings),
      // Generation 3 would make a certificate for its probe; the world's daemon asks for none.
      generation: 2,
      probe: ({ address }) => this.#gate.lookLater(() => this.#probe(address)),
    };
  }

  /** What the steps get to see. */
  context(): StepContext {
    return { host: this, settings: this.#settings, daemon: new WorldDaemon(this, this.#settings, this.#adapter) };
  }

  get #world(): MemberWorld {
    return this.#place.world;
  }

  #set(changes: Partial<Changing>): void {
    this.#place.world = { ...this.#world, ...changes };
  }

  #probe(address: string): ProbeResult {
    const { daemon, link, address: own } = this.#world;
    const reachable = address === '127.0.0.1' || (own === 'yes' && link === 'up');
    if (daemon === 'dead' || !reachable) return { kind: 'silent', why: 'nobody answers' };
    if (daemon === 'hung') return { kind: 'silent', why: 'no answer in time' };
    const file = this.#sentinel();
    if (file === null) return { kind: 'answered', why: 'refused' };
    return { kind: 'served', stat: { size: file.size, mtime: file.mtimeSeconds, inode: file.inode } };
  }

  #isReadable(): boolean {
    return this.#world.mounted === 'yes' && this.#world.disk === 'there';
  }

  #sentinel(): FileFacts | null {
    const { sentinel } = this.#place.shared;
    if (!this.#isReadable() || sentinel === null) return null;
    return { kind: 'file', mode: 0o644, size: 60, mtimeSeconds: 1, inode: 1000 + sentinel };
  }

  readText(path: string): string | null {
    if (path === `${directory}/settings.json`) return settingsJson(this.#settings);
    if (path === `${directory}/manifest.json`)
      return this.#gate.look(() => {
        const digest = this.#world.files === 'sound' ? digestOf(this.#settings) : 'another';
        return JSON.stringify({ settingsDigest: digest });
      });
    if (!path.endsWith(sentinelName)) return null;
    // Epochs rise without end; who wrote the last one is all that matters here.
    return this.#gate.look(() => (this.#sentinel() === null ? null : JSON.stringify({ epoch: 1 })));
  }

  list(path: string): readonly string[] | null {
    if (path !== this.#settings.mountPoint) return null;
    return this.#gate.look(() => {
      if (this.#world.mounted === 'no') return [];
      return this.#world.disk === 'there' ? ['lost+found', 'policy'] : null;
    });
  }

  facts(path: string): FileFacts | null {
    const fact = (kind: FileFacts['kind'], mode: number): FileFacts => ({ kind, mode, size: 0, mtimeSeconds: 1, inode: 1 });
    return this.#gate.look(() => {
      if (path === deviceOf(this.#settings)) return this.#world.active === 'yes' ? fact('block-device', 0o600) : null;
      if (path.endsWith(sentinelName)) return this.#sentinel();
      return path === this.#settings.policyDirectory && this.#isReadable() ? fact('directory', 0o755) : null;
    });
  }

  digest(): string | null {
    return null;
  }

  canExecute(path: string): boolean {
    return Object.values(this.#adapter.programs).includes(path);
  }

  freeBytes(): number {
    return 1e9;
  }

  /** Only the sentinel is written. The mount point is sealed: nothing can be left in it while it is not mounted. */
  writeDurably(path: string): void {
    this.#gate.act(`writes ${path.split('/').at(-1)}`, () => {
      if (this.#world.mounted === 'no') throw errno('EPERM');
      if (this.#world.disk === 'gone') throw errno('EIO');
      this.#place.shared = { ...this.#place.shared, sentinel: this.#place.index };
    });
  }

  /** There is always room in this world. */
  overwriteLine(path: string): void {
    this.writeDurably(path);
  }

  /** Figures, which nothing is decided by. */
  replace(): void {}

  mounts(): readonly MountEntry[] {
    const { mountPoint: target, fileSystemType: type } = this.#settings;
    return this.#gate.look(() =>
      this.#world.mounted === 'yes' ? [{ source: deviceOf(this.#settings), target, type, options: ['rw'] }] : [],
    );
  }

  #daemonState(): ProcessState {
    return { pid: daemonPid, startTime: '1', state: 'S', name: this.#adapter.daemonName };
  }

  process(pid: number): ProcessState | null {
    return this.#gate.look(() => (pid === daemonPid && this.#world.daemon !== 'dead' ? this.#daemonState() : null));
  }

  origin(): ProcessOrigin {
    return { users: [0], trusted: [0], program: this.#adapter.programs.daemon };
  }

  program(path: string): ProgramFile {
    return { path, isScript: false };
  }

  listeners() {
    return this.#gate.look(() => (this.#world.daemon === 'dead' ? [] : [{ inode: '1', processes: [this.#daemonState()] }]));
  }

  holdersOf(): readonly ProcessState[] {
    return this.#gate.look(() => {
      const { mounted, holder } = this.#world;
      if (mounted === 'no' || holder === 'nobody') return [];
      if (holder === 'transfer') return [this.#daemonState()];
      return [{ pid: holderPid, startTime: '2', state: holder === 'stuck' ? 'D' : 'S', name: 'sh' }];
    });
  }

  ownsAddress(): boolean {
    // Node does not list what is on an interface without a link.
    return this.#gate.look(() => this.#world.address === 'yes' && this.#world.link === 'up');
  }

  resolve(): Promise<readonly string[]> {
    return Promise.resolve([this.#settings.packageAddress]);
  }

  run(argv: readonly string[]): Promise<CommandResult> {
    const [program = '', option = ''] = argv;
    // It is a file system that nothing freezes.
    if (program.endsWith('chattr') || program === 'fsfreeze') return Promise.resolve(good);
    if (program === 'ss' && option.includes('K'))
      return this.#gate.actLater('resets the connections of clients', () => {
        if (this.#world.holder === 'transfer' && this.#world.daemon === 'alive') this.#set({ holder: 'nobody' });
        return good;
      });
    return this.#gate.lookLater(() => ({ ...good, ...this.#answer(program) }));
  }

  #answer(program: string): Partial<CommandResult> {
    const { members, shared, down } = this.#place;
    if (program === 'ss') return { stdout: '' };
    if (program === 'ip')
      return { stdout: this.#world.address === 'yes' ? `2: eth0 inet ${this.#settings.packageAddress}/24 \n` : '' };
    if (program === 'vgs')
      return this.#world.disk === 'gone'
        ? { exitCode: failed }
        : { stdout: ` ${shared.tag === null ? '' : members[shared.tag]}\n` };
    if (program.endsWith('/cmviewcl'))
      return { stdout: members.map((name, index) => `node:${name}|state=${down(index) ? 'failed' : 'running'}\n`).join('') };
    throw new Error(`the world has no ${program}`);
  }

  attend(argv: readonly string[]): Promise<number | null> {
    const [program = '', ...rest] = argv;
    const what = [program.split('/').at(-1), ...rest.filter((word) => !word.includes('/'))].join(' ');
    return this.#gate.command(what, () => carryOut(this.#place, what, rest));
  }

  launch(argv: readonly string[]): Promise<CommandResult> {
    return this.#gate.actLater(`starts ${argv[4]?.split('/').at(-1)}`, () => {
      if (this.#world.daemon === 'dead' && this.#world.startable === 'yes') this.#set({ daemon: 'alive' });
      // As with the real ones, the status says nothing.
      return good;
    });
  }

  /** The daemon beside a halt: what hangs is ended, what can be started is. */
  detach(): boolean {
    return this.#gate.act('starts the daemon beside the halt', () => {
      if (this.#world.daemon === 'hung') this.#place.world = withoutDaemon(this.#world);
      if (this.#world.daemon === 'dead' && this.#world.startable === 'yes') this.#set({ daemon: 'alive' });
      return true;
    });
  }

  signal({ pid, name }: ProcessState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean {
    return this.#gate.act(`sends ${signal} to ${name}`, () => {
      const { daemon } = this.#world;
      if (pid !== daemonPid || daemon === 'dead') return false;
      const ends = signal === 'SIGKILL' || (signal === 'SIGTERM' && daemon === 'alive');
      if (ends) this.#place.world = withoutDaemon(this.#world);
      return true;
    });
  }

  now(): number {
    return this.#gate.elapsed();
  }

  elapsed(): number {
    return this.#gate.elapsed();
  }

  readonly begin = (): void => {};

  pause(milliseconds: number): Promise<void> {
    return this.#gate.wait(milliseconds);
  }
}
