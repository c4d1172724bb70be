/**
 * The same events against a modular and a legacy package: the emulated package manager decides, the compiled scripts run on
 * members made of plain data, and after each event everything that can be observed is the same.
 */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import type { ClusterState, Effect, LabEvent, ScriptEnd } from '../../../src/lab/manager/model.ts';
import { initialState, invariants, reduce } from '../../../src/lab/manager/package-manager.ts';
import { whyNotEligible } from '../../../src/lab/manager/placement.ts';
import { runPackageScript } from '../../../src/model-check/world/package-scripts.ts';
import { digestOf, directory } from '../../../src/model-check/world/world-host.ts';
import { renderPackage } from '../../../src/render/package.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import type { SimulatedFile } from '../../../src/simulated/member-facts.ts';
import { packageTemplates, settingsFor } from '../../support.ts';
import { SharedGroup, SimulatedMember } from './simulated-member.ts';

const names = ['m1', 'm2', 'm3'] as const;
type Name = (typeof names)[number];
type Style = 'modular' | 'legacy';
const policy = '/csync/dsau';
const subnet = '10.9.0.0';
const address = '10.9.0.100';
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = { type: 'pkcs1', format: 'pem' } as const;
/** The certificate of the probe, made once. */
const probeFiles = new Map<string, string>();

/** Commands that may fail, or never end, on a member; `daemon`: cfengine's does not start, `policy`: there is none. */
const faults = ['vgchange -a y', 'fsck', 'mount', 'cmmodnet -a', 'umount', 'vgchange -a n', 'daemon', 'policy'] as const;
type Fault = (typeof faults)[number];

class Hangs extends Error {}

class ClusterMember extends SimulatedMember {
  readonly faults = new Set<Fault>();
  hangsAt: string | null = null;
  onService: () => void = () => {};

  constructor(name: Name, group: SharedGroup, settings: Settings) {
    super(name, group, settings);
    this.file(`${directory}/manifest.json`, JSON.stringify({ settingsDigest: digestOf(settings) }), 0o644);
    for (const program of ['cf-serverd', 'cf-agent']) this.file(`/usr/bin/${program}`, '', 0o755);
    this.file('/var/lib/cfengine3/ppkeys/localhost.priv', keys.privateKey.export(pem) as string);
    this.file('/var/lib/cfengine3/ppkeys/localhost.pub', keys.publicKey.export(pem) as string);
    for (const [path, text] of probeFiles) this.file(path, text, 0o644);
    this.file('/csync', null, 0o755);
    this.boot();
  }

  boot(): void {
    this.processes = [];
    this.add('cf-serverd', { listens: true });
    this.addresses = [];
    this.mounted = [];
    this.active = false;
  }

  override put(path: string, text: string | null, mode: number, isOver: boolean): void {
    super.put(path, text, mode, isOver);
    if (path.startsWith('/run/csync-probe-') && text !== null) probeFiles.set(path, text);
  }

  override fileAt(path: string): SimulatedFile | null {
    return path === policy && this.faults.has('policy') ? null : super.fileAt(path);
  }

  override async attend(argv: readonly string[]): Promise<number | null> {
    const command = [argv[0]?.split('/').at(-1), ...argv.slice(1)].join(' ');
    if (this.hangsAt !== null && command.startsWith(this.hangsAt)) throw new Hangs(command);
    if ([...this.faults].some((fault) => command.startsWith(fault))) return 5;
    const status = await super.attend(argv);
    if (command.startsWith('cmrunserv')) this.onService();
    return status;
  }
}

/** One cluster with the package in one style. */
class Cluster {
  readonly style: Style;
  readonly settings;
  readonly members: Readonly<Record<Name, ClusterMember>>;
  state: ClusterState;
  #requests = 0;

  constructor(style: Style, more: Readonly<Record<string, unknown>>) {
    this.style = style;
    this.settings = settingsFor({ package_style: style, ...more });
    const directories = { SGCONF: '/conf', SGRUN: '/run/sg' };
    const rendered = renderPackage({
      settings: this.settings,
      templates: packageTemplates(style),
      bundles: new Map(),
      directories,
    });
    const config = demand(parsePackageFile(demand(rendered)[0]?.text ?? '', 'csync.conf'));
    const group = new SharedGroup();
    group.files.set(policy, { text: null, mode: 0o755, inode: 1 });
    this.members = Object.fromEntries(names.map((name) => [name, new ClusterMember(name, group, this.settings)])) as Record<
      Name,
      ClusterMember
    >;
    this.state = initialState({ name: 'lab', members: names, subnets: [subnet] });
    this.state = reduce(this.state, { kind: 'configuration-applied', request: 'a', packages: [config] }).state;
  }

  /**
   * One event with what follows from it. With fail fast a package that hangs everywhere goes round for ever, as it would on
   * machines that boot; so many rounds are enough to see it.
   */
  async feed(event: Record<string, unknown>): Promise<void> {
    this.#requests += 1;
    const queue: LabEvent[] = [{ request: `r${this.#requests}`, ...event } as unknown as LabEvent];
    let rounds = 30;
    for (let next = queue.shift(); next !== undefined && rounds > 0; next = queue.shift()) {
      rounds -= 1;
      const { state, effects } = reduce(this.state, next);
      this.state = state;
      expect(invariants(state)).toEqual([]);
      for (const effect of effects) queue.push(...(await this.#perform(effect)));
    }
  }

  async #perform(effect: Effect): Promise<LabEvent[]> {
    if (effect.kind === 'run-start' || effect.kind === 'run-halt') {
      const { kind, package: name, member } = effect;
      const end = await this.#script(member as Name, kind === 'run-start' ? 'start' : 'halt');
      const ended: LabEvent = { kind: kind === 'run-start' ? 'start-ended' : 'halt-ended', package: name, member, end };
      return end.kind === 'exit' && end.code === 0 && kind === 'run-start' ? [ended, ...this.#monitor()] : [ended];
    }
    if (effect.kind === 'restart-service') return this.#monitor(effect.member as Name);
    if (effect.kind === 'reset-member') {
      this.members[effect.member as Name].boot();
      return [
        { kind: 'cluster-reformed', lost: [effect.member] },
        { kind: 'member-booted', member: effect.member, join: true },
      ];
    }
    return [];
  }

  /** What the monitor finds: it ends where the daemon is dead. */
  #monitor(member?: Name): LabEvent[] {
    const place = member ?? (this.state.packages.csync?.owner as Name | null);
    if (place == null || this.members[place].processes.length > 0) return [];
    return [{ kind: 'service-died', package: 'csync', member: place, service: 'csync_monitor' }];
  }

  async #script(name: Name, which: 'start' | 'halt'): Promise<ScriptEnd> {
    const member = this.members[name];
    member.memberStates = Object.fromEntries(names.map((one) => [one, this.state.members[one]?.state ?? 'unknown']));
    member.daemonStarts = !member.faults.has('daemon');
    member.onService = () => {
      const { serviceRestart } = this.settings;
      const restarts = serviceRestart === 'none' ? 0 : serviceRestart;
      const event: LabEvent = { kind: 'service-run', package: 'csync', member: name, service: 'csync_monitor', restarts };
      this.state = reduce(this.state, event).state;
    };
    try {
      return { kind: 'exit', code: (await runPackageScript(which, () => member, member.gate)) as 0 | 1 | 2 | 3 };
    } catch (error) {
      if (error instanceof Hangs) return { kind: 'timeout' };
      throw error;
    }
  }

  /** Everything that is visible from outside. */
  get observable() {
    const pkg = this.state.packages.csync;
    if (pkg === undefined) throw new Error('the package is not configured');
    const { status, state, owner, autoRun, nodeSwitch, services, lastHaltFailed } = pkg;
    return {
      ...{ running: this.state.running, status, state, owner, autoRun, nodeSwitch, lastHaltFailed },
      services: services.map((one) => [one.name, one.status, one.restarts]),
      eligible: names.filter((name) => whyNotEligible(this.state, pkg, name) === null),
      members: this.state.members,
      mounted: names.filter((name) => this.members[name].mounted.length > 0),
      address: names.filter((name) => this.members[name].addresses.includes(address)),
      active: names.filter((name) => this.members[name].active),
      tags: this.members.m1.tags,
      daemons: names.filter((name) => this.members[name].processes.length > 0),
    };
  }
}

type Happening = (cluster: Cluster) => Promise<void>;
const member = fc.constantFrom(...names);
const command =
  (event: Record<string, unknown>): Happening =>
  (cluster) =>
    cluster.feed(event);

/** What an administrator types and what breaks. */
const happening: fc.Arbitrary<{ readonly what: string; readonly happens: Happening }> = fc.oneof(
  member.map((name) => ({
    what: `cmrunpkg -n ${name}`,
    happens: command({ kind: 'package-run', packages: ['csync'], members: [name], issuedOn: name, anyMember: false }),
  })),
  fc.constant({ what: 'cmhaltpkg', happens: command({ kind: 'package-halt', packages: ['csync'], members: [], force: false }) }),
  fc.constant({
    what: 'cmmodpkg -e',
    happens: command({ kind: 'package-switch', packages: ['csync'], enable: true, members: [] }),
  }),
  member.map((name) => ({
    what: `cmmodpkg -e -n ${name}`,
    happens: command({ kind: 'package-switch', packages: ['csync'], enable: true, members: [name] }),
  })),
  member.map((name) => ({
    what: `cmhaltnode -f ${name}`,
    happens: command({ kind: 'member-halt', members: [name], force: true }),
  })),
  member.map((name) => ({ what: `cmrunnode ${name}`, happens: command({ kind: 'member-run', members: [name] }) })),
  member.map((name) => ({
    what: `daemon killed on ${name}`,
    happens: async (cluster: Cluster) => {
      cluster.members[name].processes = [];
      if (cluster.state.packages.csync?.owner !== name) return;
      await cluster.feed({ kind: 'service-died', package: 'csync', member: name, service: 'csync_monitor' });
    },
  })),
  member.map((name) => ({
    what: `${name} crashes, and boots`,
    happens: async (cluster: Cluster) => {
      if (cluster.state.members[name]?.machine === 'down') return;
      cluster.members[name].boot();
      await cluster.feed({ kind: 'member-crashed', member: name });
      await cluster.feed({ kind: 'cluster-reformed', lost: [name] });
      await cluster.feed({ kind: 'member-booted', member: name, join: true });
    },
  })),
  fc.tuple(member, fc.constantFrom('up', 'down')).map(([name, status]) => ({
    what: `cable of ${name} ${status}`,
    happens: command({ kind: 'subnet-changed', member: name, subnet, status }),
  })),
  fc.tuple(member, fc.constantFrom(...faults)).map(([name, fault]) => ({
    what: `${fault} fails on ${name} from now on`,
    happens: async (cluster: Cluster) => void cluster.members[name].faults.add(fault),
  })),
  fc.tuple(member, fc.constantFrom('fsck', 'mount', 'umount', 'cmmodnet -r')).map(([name, place]) => ({
    what: `scripts hang on ${name} at ${place}`,
    happens: async (cluster: Cluster) => {
      cluster.members[name].hangsAt = place;
    },
  })),
  member.map((name) => ({
    what: `${name} is repaired`,
    happens: async (cluster: Cluster) => {
      cluster.members[name].faults.clear();
      cluster.members[name].hangsAt = null;
    },
  })),
);

const options = fc.record({
  service_restart: fc.constantFrom('none', 1),
  service_fail_fast: fc.boolean(),
  node_fail_fast: fc.boolean(),
  failback_policy: fc.constantFrom('manual', 'automatic'),
  failover_policy: fc.constantFrom('configured_node', 'min_package_node'),
});

describe('a modular and a legacy package', () => {
  const runs = Number(process.env.FC_RUNS ?? 250);

  it('are the same to every observer after each of many schedules of events', { timeout: 120_000 }, async () => {
    const seen = new Set<string>();
    const schedule = fc.array(happening, { minLength: 1, maxLength: 14 });
    const property = fc.asyncProperty(options, schedule, async (chosen, happenings) => {
      const clusters = [new Cluster('modular', chosen), new Cluster('legacy', chosen)] as const;
      const story: string[] = [];
      const both = async (what: string, happens: Happening): Promise<void> => {
        story.push(what);
        for (const cluster of clusters) await happens(cluster);
        const [modular, legacy] = clusters;
        expect(legacy.observable, story.join('\n')).toEqual(modular.observable);
        seen.add(`${modular.observable.status} ${modular.observable.state}`);
      };
      await both('cmruncl', command({ kind: 'cluster-run', members: [] }));
      for (const { what, happens } of happenings) await both(what, happens);
    });
    await fc.assert(property, { numRuns: runs, seed: 20_261_123 });
    // The schedules lead somewhere: up, down after a command, down after a failure.
    expect([...seen]).toEqual(expect.arrayContaining(['up running', 'down halted', 'down failed']));
  });
});
