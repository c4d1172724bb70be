import { adapterFor } from '../../cfengine/adapter.ts';
import type { ProbeResult } from '../../cfengine/probe.ts';
import { deviceOf, sentinelName } from '../../contract/policy-file-system.ts';
import type { MountEntry } from '../../host/host.ts';
import { Daemon } from '../../member/daemon.ts';
import type { StepContext } from '../../member/steps/steps.ts';
import { type Settings, settingsDigest, settingsJson } from '../../settings/settings.ts';
import type { Gate } from '../../simulated/gate.ts';
import { processNamed, type SimulatedFile, type SimulatedProcess } from '../../simulated/member-facts.ts';
import { SimulatedHost } from '../../simulated/simulated-host.ts';
import type { Changing, MemberWorld, SharedWorld } from './world.ts';

export const directory = '/etc/cmcluster/csync';

function factsOf(settings: Settings) {
  const { mountPoint, policyDirectory } = settings;
  const cfengine = adapterFor(settings);
  const sentinel = `${policyDirectory}/${sentinelName}`;
  const manifest = `${directory}/manifest.json`;
  return {
    digest: settingsDigest(settings),
    // Generation 3 would make a certificate.
    cfengine: { ...cfengine, generation: 2 } as const,
    environment: { SGSBIN: '/sbin', SGRUN: '/run', CSYNC_MOUNT_POINT: mountPoint },
    sentinel,
    manifest,
    counting: new Set([sentinel, manifest, deviceOf(settings), policyDirectory, mountPoint]),
    programs: new Set(Object.values(cfengine.programs)),
  };
}

const known = new WeakMap<Settings, ReturnType<typeof factsOf>>();

/** Cached, because a script is played millions of times. */
function knownOf(settings: Settings): ReturnType<typeof factsOf> {
  const facts = known.get(settings) ?? factsOf(settings);
  known.set(settings, facts);
  return facts;
}

export function digestOf(settings: Settings): string {
  return knownOf(settings).digest;
}

export interface Place {
  readonly index: number;
  readonly members: readonly string[];
  world: MemberWorld;
  shared: SharedWorld;
  readonly down: (index: number) => boolean;
}

/** Programs and keys are sound: no event changes them, and reading keys is slow. */
class WorldDaemon extends Daemon {
  override judgeInstallation(): null {
    return null;
  }
}

/** A file system that is never frozen. */
const answers = { chattr: {}, fsfreeze: {} };
const textFile = (text: string, mode = 0o644, inode = 1): SimulatedFile => ({ text, mode, inode });
const directoryFile: SimulatedFile = { text: null, mode: 0o755, inode: 1 };

export class WorldHost extends SimulatedHost {
  readonly member: string;
  readonly nodeName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: Settings;
  protected readonly gate: Gate;
  readonly #place: Place;
  readonly #known;
  readonly free = 1e9;
  connections: readonly string[] = [];
  readonly answers = answers;

  constructor(place: Place, gate: Gate, settings: Settings) {
    super();
    this.#place = place;
    this.gate = gate;
    this.settings = settings;
    this.member = place.members[place.index] ?? '';
    this.nodeName = this.member;
    this.#known = knownOf(settings);
    this.environment = this.#known.environment;
  }

  context(): StepContext {
    const { settings } = this;
    const daemon = new WorldDaemon(this, settings, this.answering(this.#known.cfengine));
    return { host: this, settings, daemon, directory: settings.packageDirectory };
  }

  get #world(): MemberWorld {
    return this.#place.world;
  }

  #set(changes: Partial<Changing>): void {
    this.#place.world = { ...this.#world, ...changes };
  }

  get tags(): readonly string[] {
    const { members, shared } = this.#place;
    return shared.tag === null ? [] : members.slice(shared.tag, shared.tag + 1);
  }

  set tags([tag]: readonly string[]) {
    const { members, shared } = this.#place;
    this.#place.shared = { ...shared, tag: tag === undefined ? null : members.indexOf(tag) };
  }

  get active(): boolean {
    return this.#world.active === 'yes';
  }

  set active(active: boolean) {
    this.#set({ active: active ? 'yes' : 'no' });
  }

  get diskAnswers(): boolean {
    return this.#world.disk === 'there';
  }

  get mounted(): readonly MountEntry[] {
    const { mountPoint: target, fileSystemType: type } = this.settings;
    return this.#world.mounted === 'yes' ? [{ source: deviceOf(this.settings), target, type, options: ['rw'] }] : [];
  }

  set mounted({ length }: readonly MountEntry[]) {
    this.#set({ mounted: length > 0 ? 'yes' : 'no' });
  }

  get addresses(): readonly string[] {
    return this.#world.address === 'yes' ? [this.settings.packageAddress] : [];
  }

  set addresses({ length }: readonly string[]) {
    this.#set({ address: length > 0 ? 'yes' : 'no' });
  }

  get linked(): boolean {
    return this.#world.link === 'up';
  }

  get names(): readonly string[] {
    return [this.settings.packageAddress];
  }

  get processes(): readonly SimulatedProcess[] {
    const { daemon, holder } = this.#world;
    const { daemonName: name, programs } = this.#known.cfengine;
    const hangs = daemon === 'hung';
    const found: SimulatedProcess[] = [];
    if (daemon !== 'dead') {
      const holds = holder === 'transfer';
      found.push(processNamed(name, found, { listens: true, holds, hangs, ignoresTerm: hangs, program: programs.daemon }));
    }
    if (holder === 'user' || holder === 'stuck')
      found.push({
        ...processNamed('sh', found, { state: holder === 'stuck' ? 'D' : 'S', holds: true, ignoresReset: true }),
        pid: 200,
      });
    return found;
  }

  set processes(left: readonly SimulatedProcess[]) {
    const daemon = left.find(({ listens }) => listens);
    const holder = left.find(({ holds }) => holds);
    const other = holder?.state === 'D' ? 'stuck' : 'user';
    this.#set({
      daemon: daemon === undefined ? 'dead' : daemon.hangs === true ? 'hung' : 'alive',
      holder: holder === undefined ? 'none' : holder === daemon ? 'transfer' : other,
    });
  }

  get daemonStarts(): boolean {
    return this.#world.startable === 'yes';
  }

  get service(): boolean {
    return this.#world.monitor !== 'no';
  }

  set service(runs: boolean) {
    this.#set({ monitor: runs ? 'yes' : 'no' });
  }

  get isMixed(): boolean {
    return this.#world.files === 'mixed';
  }

  get memberStates(): Readonly<Record<string, string>> {
    const { members, down } = this.#place;
    return Object.fromEntries(members.map((name, index) => [name, down(index) ? 'failed' : 'running']));
  }

  /** Figures and notes do not count. */
  counts(path: string): boolean {
    return this.#known.counting.has(path);
  }

  fileAt(path: string): SimulatedFile | null {
    const { sentinel } = this.#place.shared;
    if (path === `${directory}/settings.json`) return textFile(settingsJson(this.settings));
    if (path === this.#known.manifest) {
      const digest = this.isMixed ? 'another' : digestOf(this.settings);
      return textFile(JSON.stringify({ settingsDigest: digest }));
    }
    if (this.#known.programs.has(path)) return textFile('', 0o755);
    if (this.#world.mounted === 'no' || !this.diskAnswers) return null;
    if (path === this.settings.policyDirectory) return directoryFile;
    // Only the last writer matters.
    return path === this.#known.sentinel && sentinel !== null ? textFile('{"epoch":1}', 0o644, 1000 + sentinel) : null;
  }

  namesIn(path: string): readonly string[] | null {
    if (path !== this.settings.mountPoint) return null;
    if (this.#world.mounted === 'no') return [];
    return this.diskAnswers ? ['lost+found', 'policy'] : null;
  }

  put(): void {
    this.#place.shared = { ...this.#place.shared, sentinel: this.#place.index };
  }

  /** Without a mark nothing is served; the real daemon would serve the directory. */
  protected override probed(address: string, path: string): ProbeResult {
    const answer = super.probed(address, path);
    const isMarked = this.#place.shared.sentinel !== null;
    return answer.kind === 'served' && !isMarked ? { kind: 'answered', why: 'BAD: Unspecified server refusal' } : answer;
  }
}
