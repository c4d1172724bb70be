/** Finds, probes, starts and stops the cfengine daemon. Only its state afterwards counts, never an exit status [cfengine.md 0.6]. */
import { attempt } from '../base/attempt.ts';
import { adapterFor, type CfengineAdapter } from '../cfengine/adapter.ts';
import { isCertificateOf, isPublicPartOf, keyDigest, readPrivateKey } from '../cfengine/keys.ts';
import type { ProbeIdentity, ProbeResult, ProbeTarget } from '../cfengine/probe.ts';
import { sentinelName } from '../contract/policy-file-system.ts';
import type { MemberHost, ProcessState } from '../host/host.ts';
import type { Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';
import { judgeOrigin, judgePort, type PortOwner } from './judgements.ts';
import { labelsText } from './labels.ts';

const startLimitMs = 10_000;
/** After a start that exited with an error: another daemon may run, or this one may still come up. */
const refusedLimitMs = 500;
/** The daemon opens databases at its first connection. It repairs a damaged one and exits [cfengine.md 2.4]. */
const mostLaunches = 4;
const endLimitMs = 5_000;
const lookEveryMs = 20;

export class Daemon {
  readonly #host: MemberHost;
  readonly #settings: Settings;
  readonly adapter: CfengineAdapter;
  #identity: ProbeIdentity | null = null;

  constructor(host: MemberHost, settings: Settings, adapter: CfengineAdapter = adapterFor(settings)) {
    this.#host = host;
    this.#settings = settings;
    this.adapter = adapter;
  }

  get sentinelPath(): string {
    return `${this.#settings.policyDirectory}/${sentinelName}`;
  }

  owner(): PortOwner {
    const { cfenginePort } = this.#settings;
    return judgePort(this.#host.listeners(cfenginePort), cfenginePort, (process) => this.strangeness(process));
  }

  /** null: it is the daemon. */
  strangeness(process: ProcessState): string | null {
    const { daemonName, programs } = this.adapter;
    if (process.name !== daemonName) return process.name;
    return judgeOrigin(process, this.#host.origin(process), this.#host.program(programs.daemon));
  }

  /** Requests the sentinel, or `path`, from the daemon at an address. */
  async ask(address: string, timeoutMs: number, how: Partial<Pick<ProbeTarget, 'path' | 'anyKey'>> = {}): Promise<ProbeResult> {
    const target = { address, port: this.#settings.cfenginePort, path: this.sentinelPath, timeoutMs, ...how };
    return this.adapter.probe(target, await this.identity(), this.#host.member);
  }

  /** SELinux labels for the message about a refusal; empty if SELinux is off. */
  async refusalText(answer: ProbeResult, limitMs: number, path: string = this.sentinelPath): Promise<string> {
    if (answer.kind !== 'answered') return '';
    const [pid] = this.#listening().map((process) => process.pid);
    return pid === undefined ? '' : labelsText(this.#host, path, { pid, name: this.adapter.daemonName }, limitMs);
  }

  /** Cached, because the certificate costs more than a probe. null is not cached: a key may be unreadable for lack of descriptors. */
  async identity(): Promise<ProbeIdentity | null> {
    this.#identity ??= await this.#makeIdentity();
    return this.#identity;
  }

  /** csync keys rotate restarts the daemon with another pair. */
  forgetIdentity(): void {
    this.#identity = null;
  }

  async #makeIdentity(): Promise<ProbeIdentity | null> {
    const pem = this.#host.readText(this.adapter.privateKey);
    if (pem === null) return null;
    try {
      const key = readPrivateKey(pem);
      if (this.adapter.generation === 2) return { key, certificate: '' };
      // In memory: the monitor reads it too, and must not wait for a disk.
      const cache = `/run/csync-probe-${keyDigest(key).slice(4)}.pem`;
      const kept = this.#host.readText(cache);
      // Every probe would throw, and every member would report that no other can start the package.
      const sound = kept !== null && isCertificateOf(kept, key);
      const certificate = sound ? kept : (await import('../cfengine/certificate.ts')).selfSignedCertificate(pem);
      // Only the public key; the next start reuses it.
      if (!sound) this.#keep(cache, certificate);
      return { key, certificate };
    } catch {
      return null;
    }
  }

  #keep(path: string, certificate: string): void {
    // A full /run only slows down the next start.
    attempt(() => this.#host.replace(path, certificate, 0o644));
  }

  /** Programs and keys: faults that no start of the daemon can fix [cfengine.md 1.1, 1.4]. */
  judgeInstallation(): Finding | null {
    const { programs, privateDirectories, privateKey, publicKey } = this.adapter;
    const missing = [programs.daemon, programs.agent].filter((program) => !this.#host.canExecute(program));
    if (missing.length > 0) return { code: 'program-missing', text: `${missing.join(' and ')} cannot be executed` };
    const bad = (text: string): Finding => ({ code: 'keys-unusable', text });
    for (const directory of privateDirectories) {
      const mode = this.#host.facts(directory)?.mode;
      if (mode !== undefined && (mode & 0o077) !== 0)
        return bad(`${directory} has mode ${mode.toString(8)}; cfengine refuses to start unless it is 700`);
    }
    const pem = this.#host.readText(privateKey);
    const publicPem = this.#host.readText(publicKey);
    if (pem === null || publicPem === null) return bad(`${privateKey} or ${publicKey} cannot be read`);
    if (((this.#host.facts(privateKey)?.mode ?? 0) & 0o077) !== 0) return bad(`${privateKey} can be read by others`);
    try {
      const key = readPrivateKey(pem);
      if (!isPublicPartOf(publicPem, key))
        return bad(`${publicKey} is not the public key of ${privateKey} as cfengine writes it (PKCS#1)`);
    } catch (error) {
      const fips = this.#host.readText('/proc/sys/crypto/fips_enabled')?.trim() === '1';
      const why = `${(error as Error).message.split('\n')[0]}${fips ? '; FIPS mode is on, which forbids MD5 and 3DES' : ''}`;
      return bad(`${privateKey} is no private key cfengine can read (${why})`);
    }
    return null;
  }

  /** Whether the daemon has the port and answers on this member within the limit. */
  async judgeRunning(limitMs = this.#settings.monitorTimeoutSeconds * 1000): Promise<Finding | null> {
    const owner = this.owner();
    if (owner.kind === 'foreign') return { code: 'port-occupied', text: owner.text };
    if (owner.kind === 'free')
      return { code: 'daemon-dead', text: `no ${this.adapter.daemonName} listens on port ${this.#settings.cfenginePort}` };
    const answer = await this.ask('127.0.0.1', limitMs);
    const named = `${this.adapter.daemonName} (pid ${owner.process.pid})`;
    if (answer.kind === 'silent') return { code: 'daemon-dead', text: `${named} does not answer: ${answer.why}` };
    // The daemon reads its key only at its start.
    if (answer.kind === 'stranger') return { code: 'daemon-dead', text: `${named} ${answer.why}` };
    return null;
  }

  /**
   * Kills a daemon that hangs, starts one and waits until it answers. `settles`: waits for a second answer, since the daemon may repair a
   * database and exit after the first; starts it again after each repair. Not for the monitor: that reads a directory, and a disk may hang.
   * Returns whether a started daemon had the port, even if it exited.
   */
  async start(finding: Finding, settles = false): Promise<boolean> {
    // Never kill another program on the port.
    if (finding.code === 'port-occupied') return false;
    for (const process of this.#listening()) await this.end(process);
    let launched = await this.#launch(settles);
    for (let launches = 1; launched.repaired && launches < mostLaunches; launches += 1) launched = await this.#launch(settles);
    return launched.listened;
  }

  /** `repaired`: it repaired a database and exited. After another exit no new start: a load would end that daemon, too. */
  async #launch(settles: boolean): Promise<{ readonly repaired: boolean; readonly listened: boolean }> {
    const before = settles ? this.#repairs() : '';
    const launched = await this.#host.launch(this.adapter.startDaemon, startLimitMs);
    const answers = async (): Promise<boolean> => (await this.judgeRunning()) === null;
    let listened = false;
    let exited = false;
    // Exit status 0 proves nothing; any other means that no daemon comes up [cfengine.md 1.4].
    await this.#until(launched.exitCode === 0 ? startLimitMs : refusedLimitMs, async () => {
      const isFree = this.owner().kind === 'free';
      exited = isFree && listened;
      listened ||= !isFree;
      return exited || (!isFree && (await answers()) && (!settles || (await answers())));
    });
    return { repaired: settles && exited && this.#repairs() !== before, listened };
  }

  #repairs(): string {
    const { databases } = this.adapter;
    const names = databases === null ? [] : (this.#host.list(databases) ?? []).filter((name) => name.endsWith('.repaired'));
    return names.map((name) => `${name} ${this.#host.facts(`${databases}/${name}`)?.mtimeSeconds}`).join('\n');
  }

  /** A child stopped between fork and exec has the daemon's name and socket, survives it and keeps the port. */
  #listening(): ProcessState[] {
    const all = this.#host.listeners(this.#settings.cfenginePort).flatMap(({ processes }) => processes);
    const once = new Map(all.map((process) => [process.pid, process]));
    return [...once.values()].filter((process) => this.strangeness(process) === null);
  }

  /** TERM, then KILL after 5 s: the signal handler of generation 2 may hang [cfengine.md 1.4]. */
  async end(process: ProcessState): Promise<void> {
    this.#host.signal(process, 'SIGTERM');
    // A stopped process does not handle TERM.
    const stopped = process.state === 'T' || process.state === 't';
    if (!stopped && (await this.#until(endLimitMs, () => this.#isGone(process)))) return;
    this.#host.signal(process, 'SIGKILL');
    await this.#until(endLimitMs, () => this.#isGone(process));
  }

  #isGone(process: ProcessState): boolean {
    const now = this.#host.process(process.pid);
    return now === null || now.startTime !== process.startTime || now.state === 'Z' || now.state === 'X';
  }

  /**
   * Generation 2 proves its key only to peers whose key it has under the address of the connection. Members share one pair, so this
   * member's public key is right. Never replaces a key.
   */
  trustOwnKey(address: string): void {
    const { publicKey } = this.adapter;
    const file = `${publicKey.slice(0, publicKey.lastIndexOf('/'))}/root-${address}.pub`;
    const own = this.#host.readText(publicKey);
    if (own !== null && this.#host.facts(file) === null) this.#host.replace(file, own, 0o644);
  }

  /** Generation 3 rereads its access rules; generation 2 needs no signal. */
  reload(): void {
    const owner = this.owner();
    if (this.adapter.reloadSignal !== null && owner.kind === 'daemon')
      this.#host.signal(owner.process, this.adapter.reloadSignal);
  }

  async #until(limitMs: number, state: () => boolean | Promise<boolean>): Promise<boolean> {
    const end = this.#host.elapsed() + limitMs;
    for (;;) {
      if (await state()) return true;
      if (this.#host.elapsed() > end) return false;
      await this.#host.pause(lookEveryMs);
    }
  }

  waitFor(limitMs: number, state: () => boolean | Promise<boolean>): Promise<boolean> {
    return this.#until(limitMs, state);
  }
}
