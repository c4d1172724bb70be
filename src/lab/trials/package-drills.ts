/** An administrator's commands for the package in a lab, faults, waits and invariants. For demo, failover run and tests. */
import { basename } from 'node:path';
import { adapterFor, type CfengineAdapter } from '../../cfengine/adapter.ts';
import type { PackageStatus } from '../../engine/engine.ts';
import type { JournalEntry } from '../emulation/journal.ts';
import { type LabHandle, LabUnavailable, until } from '../handle.ts';
import { membersOf, watchedClients } from '../machines/lab-spec.ts';
import { type Failover, failoverAfter, isGoodStart } from './timeline.ts';
import { type TrialEngine, trialEngine } from './trial-engine.ts';

export const faultKinds = ['kill', 'haltnode', 'crash'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** The lab is unchanged. */
export class DrillFailure extends LabUnavailable {}

const failoverDeadlineMs = 40_000;
const settleDeadlineMs = 20_000;
/** A cf-agent that connects between reset and removal of the address waits six times its limit of 10 s [cfengine.md 2.8]. */
const daemonDeadlineMs = 15_000;
const fetchDeadlineMs = 90_000;
const evidenceDeadlineMs = 10_000;

export class PackageDrills {
  readonly lab: LabHandle;
  readonly entries: JournalEntry[] = [];
  #version = 1;
  #isToldOf = false;
  #close: () => void = () => {};

  constructor(lab: LabHandle) {
    this.lab = lab;
  }

  /** From its beginning. */
  async attach(onEntry: (entry: JournalEntry) => void = () => {}): Promise<void> {
    this.#isToldOf = true;
    const told = (entry: JournalEntry): void => {
      this.entries.push(entry);
      onEntry(entry);
    };
    this.#close = await this.lab.follow(told, () => {
      this.#isToldOf = false;
    });
  }

  detach(): void {
    this.#close();
  }

  get engine(): TrialEngine {
    return trialEngine(this.lab.spec);
  }

  get packageName(): string {
    return this.lab.spec.settings.packageName;
  }

  get #cfengine(): CfengineAdapter {
    return adapterFor(this.lab.spec.settings);
  }

  get version(): number {
    return this.#version;
  }

  get members(): readonly string[] {
    return membersOf(this.lab.spec).map((member) => member.name);
  }

  #clients(): readonly string[] {
    return watchedClients(this.lab.spec).map(({ name }) => name);
  }

  /** Throws DrillFailure unless it exits with 0. */
  async type(
    member: string,
    argv: readonly string[],
    { timeoutMs = 60_000, label = argv.join(' ') }: { readonly timeoutMs?: number; readonly label?: string } = {},
  ): Promise<string> {
    const result = await this.lab.exec(member, argv, { timeoutMs, label });
    if (result.exitCode !== 0) {
      throw new DrillFailure(`${label} on ${member} failed with ${result.exitCode}:\n${result.stdout}${result.stderr}`.trim());
    }
    return result.stdout;
  }

  /** From settings to a running package. Without `checked` only apply checks. */
  async deploy({ checked = true } = {}): Promise<void> {
    const type = (member: string, argv: readonly string[], label?: string): Promise<string> =>
      this.type(member, argv, label === undefined ? {} : { label });
    await this.engine.deploy(this.lab.spec, type, checked);
  }

  async order(member: string, commands: readonly (readonly string[])[]): Promise<void> {
    for (const argv of commands) await this.type(member, argv);
  }

  async view(): Promise<PackageStatus> {
    const text = await this.lab.view(this.packageName);
    const status = text === null ? null : this.engine.status(text, this.packageName);
    if (status === null) throw new DrillFailure('the cluster answers on no member');
    return status;
  }

  /** Resolves to a member other than `not`. */
  async waitServed(not: string | null = null): Promise<string> {
    let owner: string | null = null;
    const served = async (): Promise<boolean> => {
      const view = await this.view();
      owner = view.owner;
      return view.status === 'up' && view.state === 'running' && owner !== null && owner !== not;
    };
    await until(served, failoverDeadlineMs, `${this.packageName} to run${not === null ? '' : ` on another member than ${not}`}`);
    return owner ?? '';
  }

  /** Resolves when every client has fetched it with its own agent. */
  async publishAndFetch(): Promise<number> {
    const owner = await this.waitServed();
    this.#version += 1;
    const version = this.#version;
    await this.lab.ask({ verb: 'publish', member: owner, version });
    for (const client of this.#clients()) {
      await until(
        async () => (await this.clientVersion(client)) === version,
        fetchDeadlineMs,
        `${client} to fetch policy version ${version}`,
      );
    }
    return version;
  }

  /** null: torn or missing. */
  async clientVersion(client: string): Promise<number | null> {
    return (await this.lab.ask({ verb: 'client-version', member: client })).version as number | null;
  }

  /** Resolves to the story when another member serves. */
  async failOver(kind: FaultKind): Promise<Failover> {
    const from = await this.waitServed();
    await this.waitAgents();
    await this.waitClients();
    const mark = this.entries.length;
    await this.#break(kind, from);
    // Questions to the cluster would take CPU time from the measurement.
    const started = (): boolean => this.entries.slice(mark).some((entry) => entry.member !== from && isGoodStart(entry));
    await this.#untilTold(started, failoverDeadlineMs, `${this.packageName} to start on another member than ${from}`);
    await this.waitServed(from);
    await this.waitSeen();
    await this.waitClients(mark);
    const index = this.entries.findIndex((entry, at) => at >= mark && (entry.kind === 'fault' || entry.kind === 'command'));
    return failoverAfter(this.entries, index);
  }

  /** An agent that fetches keeps the one connection of its host, and the prober there asks nothing. */
  async waitAgents(): Promise<void> {
    const wait = `while pgrep -x ${basename(this.#cfengine.programs.agent)} > /dev/null; do sleep 0.1; done`;
    await Promise.all(this.#clients().map((client) => this.type(client, ['sh', '-c', wait])));
  }

  /** Until clients' questions from the middle of a move are answered or abandoned. */
  async waitSeen(): Promise<void> {
    const asked = Date.now();
    const isSeen = async (): Promise<boolean> => {
      const { seenUntil, entries } = await this.lab.status();
      return seenUntil > asked && this.entries.length >= entries;
    };
    await until(isSeen, evidenceDeadlineMs, 'the lab and its clients to be observed');
  }

  /** Throws if the lab is removed: the journal then gets no more entries. */
  async #untilTold(state: () => boolean, deadlineMs: number, what: string): Promise<void> {
    const told = async (): Promise<boolean> => {
      if (!this.#isToldOf) throw new LabUnavailable(`the lab was removed before ${what}`);
      return state();
    };
    await until(told, deadlineMs, what);
  }

  async #break(kind: FaultKind, member: string): Promise<void> {
    if (kind === 'crash') return void (await this.lab.ask({ verb: 'crash', member }));
    if (kind === 'haltnode') return this.order(member, this.engine.orders.haltMember(member, 'packages move'));
    return this.killDaemon(member);
  }

  async killDaemon(member: string): Promise<void> {
    const { daemonName } = this.#cfengine;
    await this.lab.note('kill-daemon', `${daemonName} gets SIGKILL`, member);
    const killed = await this.lab.exec(member, ['pkill', '-KILL', '-x', daemonName]);
    if (killed.exitCode !== 0) throw new DrillFailure(`there was no ${daemonName} to kill on ${member}`);
  }

  /** Makes it a standby again, by an administrator's commands. */
  async repair(kind: FaultKind, member: string): Promise<void> {
    if (kind === 'crash') await this.lab.ask({ verb: 'boot', member });
    const isBack = async (): Promise<boolean> => (await this.view()).switching.get(member) === true;
    if (kind === 'crash' && this.engine.majority) await until(isBack, failoverDeadlineMs, `${member} to join the cluster`);
    const { orders } = this.engine;
    if (kind === 'haltnode') await this.order(member, orders.runMember(member));
    if (kind === 'kill') await this.order(member, orders.switchMembersOn(this.packageName, [member]));
  }

  /** Only entries after `mark` count; `except` is skipped. */
  async waitClients(mark = 0, except: string | null = null): Promise<void> {
    const served = (client: string): boolean => {
      const last = this.entries.findLast(
        (entry) => entry.member === client && (entry.what === 'client-served' || entry.what === 'client-lost'),
      );
      return last?.what === 'client-served';
    };
    const asked = this.#clients().filter((client) => client !== except);
    await this.#untilTold(() => asked.every(served), settleDeadlineMs, `${asked.join(', ')} to reach the master`);
    if (mark > this.entries.length) throw new LabUnavailable('the journal went backwards');
  }

  /** Checks from outside while the package serves. Empty: each held. */
  async invariants(): Promise<string[]> {
    const broken = this.entries.filter((entry) => entry.kind === 'violation').map((entry) => entry.text);
    const view = await this.view();
    const { hosts } = await this.lab.status();
    const members = hosts.filter((host) => host.kind === 'member');
    for (const member of members.filter((host) => host.up)) {
      const owns = member.name === view.owner;
      if (member.mounted !== owns)
        broken.push(`I2: ${member.name} ${member.mounted ? 'has' : 'lacks'} the policy file system, owner is ${view.owner}`);
      if (member.packageAddress !== owns)
        broken.push(`I2: ${member.name} ${member.packageAddress ? 'has' : 'lacks'} the package address`);
      broken.push(...(await this.#memberInvariants(member.name)));
    }
    for (const client of this.#clients()) {
      const version = await this.clientVersion(client);
      if (version !== this.#version) broken.push(`I4: ${client} has policy version ${version}, published is ${this.#version}`);
    }
    return broken;
  }

  async #memberInvariants(member: string): Promise<string[]> {
    const broken: string[] = [];
    const { cfengineWorkDirectory } = this.lab.spec.settings;
    const { daemonName } = this.#cfengine;
    const daemons = async (): Promise<number> =>
      (await this.lab.exec(member, ['pgrep', '-x', daemonName])).stdout.split('\n').filter(Boolean).length;
    // The halt starts it in the background.
    await until(async () => (await daemons()) === 1, daemonDeadlineMs, daemonName).catch(() =>
      broken.push(`I3: ${member} runs not exactly one ${daemonName}`),
    );
    const loose = await this.lab.exec(member, ['find', `${cfengineWorkDirectory}/ppkeys`, '-name', '*.priv', '-perm', '/077']);
    if (loose.stdout !== '') broken.push(`I5: readable by others on ${member}: ${loose.stdout.trim()}`);
    const leaked = await this.lab.exec(member, [
      'grep',
      '-rl',
      'PRIVATE KEY',
      '/var/log/messages',
      '/tmp',
      this.engine.logs,
      '/run',
    ]);
    const places = leaked.stdout.split('\n').filter((place) => place !== '' && !place.startsWith('/run/csync-lab'));
    if (places.length > 0) broken.push(`I5: private key on ${member} in ${places.join(' ')}`);
    return broken;
  }
}
