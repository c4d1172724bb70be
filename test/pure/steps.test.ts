/** The steps of start and halt on a simulated member: what they look at, what they do, and what they leave alone. */
import { describe, expect, it } from 'vitest';
import type { CommandResult, MemberHost, MountEntry, ProcessState } from '../../src/host/host.ts';
import { Daemon } from '../../src/member/daemon.ts';
import type { Step } from '../../src/member/plan.ts';
import * as steps from '../../src/member/steps.ts';
import { settingsFor } from '../support.ts';

const settings = settingsFor({ halt_grace_seconds: 2 });
const fine: CommandResult = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
const process = (pid: number, name = 'cf-serverd', state = 'S'): ProcessState => ({ pid, name, state, startTime: `${pid}0` });

/** A member as plain data; everything done to it is noted. Time passes at pauses only. */
class SimulatedMember {
  readonly done: string[] = [];
  mounts: MountEntry[] = [];
  holders: ProcessState[] = [];
  /** Signals that end a holder. */
  deadly: readonly string[] = ['SIGTERM', 'SIGKILL'];
  /** Clients connected to the package address, as ss prints them; null: ss cannot be run. */
  clients: string[] | null = [];
  /** What a reset does to them, and to what holds the file system. */
  reset: () => void = () => {
    this.clients = [];
  };
  /** When the transfer ends by itself, ms. */
  endsAt = Number.POSITIVE_INFINITY;
  full = false;
  chattr: CommandResult = fine;
  files = new Map<string, string>();
  #now = 0;

  get host(): MemberHost {
    return {
      member: 'm1',
      environment: {},
      now: () => 1_700_000_000_000 + this.#now,
      elapsed: () => this.#now,
      pause: async (ms: number) => {
        this.#now += ms;
        if (this.#now >= this.endsAt) this.holders = [];
      },
      mounts: () => this.mounts,
      holdersOf: () => this.holders,
      process: (pid: number) => this.holders.find((one) => one.pid === pid) ?? null,
      signal: (target: ProcessState, signal: string) => {
        this.done.push(`${signal} ${target.name}`);
        if (this.deadly.includes(signal)) this.holders = this.holders.filter((one) => one.pid !== target.pid);
        return true;
      },
      run: async (argv: readonly string[]) => this.#run(argv),
      readText: (path: string) => this.files.get(path) ?? null,
      writeDurably: (path: string, text: string) => {
        if (this.full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        this.files.set(path, text);
      },
    } as unknown as MemberHost;
  }

  #run(argv: readonly string[]): CommandResult {
    if (argv[0]?.endsWith('chattr')) return this.chattr;
    if (this.clients === null) return { ...fine, exitCode: null, errorCode: 'ENOENT' };
    if (argv[1]?.includes('K')) {
      this.done.push('reset');
      this.reset();
      return fine;
    }
    return { ...fine, stdout: this.clients.map((peer) => `0 0 10.9.0.100:5308 ${peer}\n`).join('') };
  }
}

function contextOf(member: SimulatedMember): steps.StepContext {
  const { host } = member;
  return { host, settings, daemon: new Daemon(host, settings) };
}

/** Looks, does, looks again, as a plan does; the code of what is left. */
async function perform(make: (context: steps.StepContext) => Step, member: SimulatedMember): Promise<string | null> {
  const step = make(contextOf(member));
  const before = await step.look();
  if (before === null || step.action === undefined) return before?.code ?? null;
  await step.action.run(before);
  return (await step.look())?.code ?? null;
}

describe('the daemon at a halt', () => {
  it('is left alone when it holds nothing', async () => {
    const member = new SimulatedMember();
    expect(await perform(steps.daemonLetsGo, member)).toBeNull();
    expect(member.done).toEqual([]);
  });

  it('may end its transfer within the grace', async () => {
    const member = new SimulatedMember();
    member.holders = [process(41)];
    member.endsAt = 1900;
    expect(await perform(steps.daemonLetsGo, member)).toBeNull();
    expect(member.done).toEqual([]);
  });

  it('loses its clients after the grace, and keeps its process if that was enough', async () => {
    const member = new SimulatedMember();
    member.holders = [process(41)];
    member.reset = () => {
      member.holders = [];
    };
    expect(await perform(steps.daemonLetsGo, member)).toBeNull();
    expect(member.done).toEqual(['reset']);
  });

  it('is ended when it holds on, by TERM', async () => {
    const member = new SimulatedMember();
    member.holders = [process(41)];
    expect(await perform(steps.daemonLetsGo, member)).toBeNull();
    expect(member.done).toEqual(['reset', 'SIGTERM cf-serverd']);
  });

  it.each<[string, number]>([
    ['S', 5000],
    // A stopped process takes no TERM; waiting for it would only cost the five seconds.
    ['T', 0],
  ])('by KILL when TERM does nothing: in state %s after %i ms more', async (state, waited) => {
    const member = new SimulatedMember();
    member.holders = [process(41, 'cf-serverd', state)];
    member.deadly = ['SIGKILL'];
    expect(await perform(steps.daemonLetsGo, member)).toBeNull();
    expect(member.done).toEqual(['reset', 'SIGTERM cf-serverd', 'SIGKILL cf-serverd']);
    const graces = settings.haltGraceSeconds * 1000 + 1000;
    expect(member.host.elapsed() - graces).toBeGreaterThanOrEqual(waited);
    expect(member.host.elapsed() - graces).toBeLessThan(waited + 200);
  });

  it('nobody else is ended; who holds the file system gets a name', async () => {
    const member = new SimulatedMember();
    member.holders = [process(7, 'vim')];
    expect(await perform(steps.daemonLetsGo, member)).toBeNull();
    expect(await perform(steps.othersNamed, member)).toBe('still-held');
    expect(await steps.othersNamed(contextOf(member)).look()).toMatchObject({ text: expect.stringContaining('vim (pid 7)') });
    expect(member.done).toEqual([]);
  });
});

describe('the clients at a halt', () => {
  it.each<[string, string[] | null, (() => string[]) | null, string | null, number]>([
    ['nobody is connected', [], null, null, 0],
    ['they are reset', ['10.9.0.21:4000'], () => [], null, 1],
    ['one withstands', ['10.9.0.21:4000'], () => ['10.9.0.21:4000'], 'clients-connected', 1],
    ['another comes meanwhile', ['10.9.0.21:4000'], () => ['10.9.0.22:5000'], null, 1],
    ['ss is missing', null, null, 'clients-connected', 0],
  ])('%s', async (_, clients, after, code, resets) => {
    const member = new SimulatedMember();
    member.clients = clients;
    if (after !== null)
      member.reset = () => {
        member.clients = after();
      };
    expect(await perform(steps.clientsDisconnected, member)).toBe(code);
    expect(member.done).toHaveLength(resets);
    expect(steps.clientsDisconnected(contextOf(member)).optional, 'no reason to fail a halt').toBe(true);
  });
});

describe('the mount point', () => {
  it.each<[string, CommandResult, string | null]>([
    ['is sealed', fine, null],
    ['a file system without the flag is no failure', { ...fine, exitCode: 1, stderr: 'Operation not supported' }, null],
    ['anything else is told', { ...fine, exitCode: 1, stderr: 'Operation not permitted' }, 'mount-point-not-empty'],
  ])('%s', async (_, chattr, code) => {
    const member = new SimulatedMember();
    member.chattr = chattr;
    expect(await perform(steps.mountPointSealed, member)).toBe(code);
  });

  it('has to be unmounted at the very end of a halt', async () => {
    const member = new SimulatedMember();
    expect(await perform(steps.policyFileSystemGone, member)).toBeNull();
    member.mounts = [{ source: '/dev/x', target: '/csync', type: 'ext4', options: ['rw'] }];
    expect(await perform(steps.policyFileSystemGone, member)).toBe('still-held');
  });
});

describe('the sentinel', () => {
  it('is written anew at each start, with a higher epoch, also over a damaged one', async () => {
    const member = new SimulatedMember();
    const path = contextOf(member).daemon.sentinelPath;
    const epochs: number[] = [];
    for (const before of [undefined, undefined, '{"epoch":', '{"epoch":41}']) {
      if (before !== undefined) member.files.set(path, before);
      expect(await perform(steps.sentinelWritten, member)).toBeNull();
      epochs.push((JSON.parse(member.files.get(path) ?? '') as { epoch: number }).epoch);
    }
    expect(epochs).toEqual([1, 2, 1, 42]);
    expect(member.files.get(path)).toBe('{"epoch":42,"member":"m1","at":"2023-11-14T22:13:20.000Z"}\n');
  });

  it('that cannot be written is a failure that says why, and the old one stays', async () => {
    const member = new SimulatedMember();
    const context = contextOf(member);
    member.files.set(context.daemon.sentinelPath, '{"epoch":41}');
    member.full = true;
    expect(await perform(steps.sentinelWritten, member)).toBe('sentinel-unwritable');
    expect(member.files.get(context.daemon.sentinelPath)).toBe('{"epoch":41}');
  });
});
