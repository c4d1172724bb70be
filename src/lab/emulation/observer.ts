/** Observes mounts, the package address and clients from outside. Changes go to the journal; two mounts violate I1. */
import { setTimeout as sleep } from 'node:timers/promises';
import { adapterFor } from '../../cfengine/adapter.ts';
import type { RunningProcess } from '../../host/processes.ts';
import { versionAt } from '../machines/cfengine-setup.ts';
import { serviceguardHosts, toolkitDirectory } from '../machines/lab-spec.ts';
import type { World } from '../machines/world.ts';
import type { Journal } from './journal.ts';

const sampleMs = 20;
/** cf-execd would wait minutes; an agent without pauses slows down the failover. A test that needs a run requests it. */
const agentPauseMs = 5000;
const agentLimitMs = 60_000;
/** Longer than one limit of cf-agent. */
const slowAgentSeconds = 12;

export class Observer {
  readonly #world: World;
  readonly #journal: Journal;
  readonly #nodePath: string;
  readonly #seen = new Map<string, boolean>();
  readonly #probers = new Map<string, RunningProcess>();
  readonly #asked = new Map<string, number>();
  readonly #wake = new Map<string, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #worstDelayMs = 0;
  #halted = false;
  #lastSample = performance.now();
  #sampled = 0;

  constructor(world: World, journal: Journal, nodePath: string) {
    this.#world = world;
    this.#journal = journal;
    this.#nodePath = nodePath;
  }

  start(): void {
    this.#lastSample = performance.now();
    this.#timer = setInterval(() => this.#sample(), sampleMs);
  }

  halt(): void {
    this.#halted = true;
    clearInterval(this.#timer);
    for (const prober of this.#probers.values()) prober.kill('SIGTERM');
  }

  /** ms: the resolution of I1. */
  get worstDelayMs(): number {
    return this.#worstDelayMs;
  }

  /** Wall clock, ms, up to which the journal is complete. */
  get seenUntil(): number {
    return Math.min(this.#sampled, ...[...this.#probers.keys()].map((client) => this.#asked.get(client) ?? 0));
  }

  /** See prober.ts. */
  probeFrom(client: string): void {
    const argv = [this.#nodePath, `${toolkitDirectory}/lab/prober.cjs`, '/etc/csync-lab.json'];
    const prober = this.#world.start(client, argv, {
      onLine: (line, stream) => {
        if (stream === 'err') this.#journal.add({ kind: 'log', what: 'prober-error', member: client, text: line });
        else this.#probeLine(client, line);
      },
    });
    this.#probers.set(client, prober);
  }

  /** Like cf-execd; changed results go to the journal. */
  runAgents(client: string): void {
    void this.#agentLoop(client);
  }

  /** Or once more after a running one. Ignores clients without an agent. */
  runAgentNow(client: string): void {
    this.#wake.get(client)?.();
  }

  async #agentLoop(client: string): Promise<void> {
    const { fetchPolicy, fetchFailure } = adapterFor(this.#world.spec.settings);
    let before = '';
    while (!this.#halted) {
      const pause = new AbortController();
      this.#wake.set(client, () => pause.abort());
      const began = performance.now();
      const agent = await this.#world.run(client, fetchPolicy, { timeoutMs: agentLimitMs });
      const seconds = (performance.now() - began) / 1000;
      if (seconds > slowAgentSeconds) {
        const text = `cf-agent took ${seconds.toFixed(1)} s: ${agent.stderr.trim().split('\n').at(-1) || 'no output'}`;
        this.#journal.add({ kind: 'log', what: 'agent-slow', member: client, text });
      }
      // Status 0 even if the copy failed [cfengine.md 2.8].
      const failed = new RegExp(fetchFailure, 'm').test(`${agent.stdout}${agent.stderr}`);
      const version = versionAt(this.#world, client);
      const now = failed ? 'cf-agent finds no master and keeps its policy' : `cf-agent has fetched policy version ${version}`;
      if (now !== before)
        this.#journal.add({ kind: 'seen', what: failed ? 'agent-failed' : 'agent-fetched', member: client, text: now });
      before = now;
      await sleep(agentPauseMs, undefined, { signal: pause.signal }).catch(() => undefined);
    }
  }

  #probeLine(client: string, line: string): void {
    const asked = /^asked (\d+)$/.exec(line)?.[1];
    if (asked !== undefined) return void this.#asked.set(client, Number(asked));
    const seen = { kind: 'seen', member: client } as const;
    if (line === 'served') {
      this.#journal.add({ ...seen, what: 'client-served', text: 'reaches a master again' });
      this.runAgentNow(client);
    }
    const waited = /^waited (\d+) (\d+)$/.exec(line);
    if (waited !== null)
      this.#journal.add({
        ...seen,
        what: 'client-waited',
        text: `had to wait ${waited[2]} ms for an answer`,
        sinceMs: Number(waited[1]),
      });
    const lost = /^lost (\d+) (.*)$/.exec(line);
    if (lost !== null)
      this.#journal.add({ ...seen, what: 'client-lost', text: `reaches no master (${lost[2]})`, sinceMs: Number(lost[1]) });
  }

  #sample(): void {
    const now = performance.now();
    const sampled = Date.now();
    const sinceMs = now - this.#lastSample;
    this.#worstDelayMs = Math.max(this.#worstDelayMs, sinceMs);
    this.#lastSample = now;
    const { mountPoint, packageAddress } = this.#world.spec.settings;
    const mounted: string[] = [];
    for (const { name } of serviceguardHosts(this.#world.spec)) {
      const isMounted = this.#world.hasDiskMounted(name);
      if (isMounted) mounted.push(name);
      this.#changed(name, 'mounted', isMounted, sinceMs, `${mountPoint} ${isMounted ? 'mounted' : 'unmounted'}`);
      const owns = this.#world.hasAddress(name, packageAddress);
      this.#changed(name, 'address', owns, sinceMs, `address ${packageAddress} ${owns ? 'added' : 'removed'}`);
    }
    if (mounted.length > 1) {
      const text = `I1: the policy file system is mounted on ${mounted.join(' and ')} at once`;
      this.#journal.add({ kind: 'violation', what: 'I1', text });
    }
    this.#sampled = sampled;
  }

  /** `sinceMs`: since the previous check. */
  #changed(member: string, what: string, is: boolean, sinceMs: number, text: string): void {
    const key = `${member} ${what}`;
    if ((this.#seen.get(key) ?? false) === is) return;
    this.#seen.set(key, is);
    this.#journal.add({ kind: 'seen', what: is ? `${what}-on` : `${what}-off`, member, text, sinceMs });
  }
}
