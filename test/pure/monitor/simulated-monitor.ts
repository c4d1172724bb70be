/**
 * A monitor in a time of its own: the shipped loop over a world of plain data, in which hours pass in a second. It can be
 * starved: then nothing happens for a while, and all that was due meanwhile happens at once, timers before anything else, as
 * Node.js has it.
 */

import { maintenanceFileName } from '../../../src/contract/maintenance-file.ts';
import type { ProcessIdentity } from '../../../src/contract/restart-notice.ts';
import type { CommandResult, ProcessState } from '../../../src/host/host.ts';
import type { Connections } from '../../../src/host/member/connections.ts';
import type { Daemon } from '../../../src/member/daemon.ts';
import { eachLayer, type Found, type LayerName } from '../../../src/member/monitor/layers.ts';
import { MonitorLoop, type MonitorWorld } from '../../../src/member/monitor/loop.ts';
import type { Seen } from '../../../src/member/monitor/report/report.ts';
import type { Settings } from '../../../src/settings/settings.ts';

interface Due {
  readonly at: number;
  readonly kind: 'timer' | 'answer';
  readonly call: () => void;
  cancelled: boolean;
}

export interface SimulatedVerdict {
  readonly at: number;
  readonly reason: string;
  readonly sentence: string;
}

const nothing = (): void => {};

export class SimulatedMonitor {
  readonly #queue: Due[] = [];
  #now = 1000;
  /** Answers of the layers; `tookMs` past the probe's own limit is silence. */
  readonly answer: Record<LayerName, () => { readonly found: Found; readonly tookMs: number }>;
  /** The daemon's process; null: gone. */
  daemon: ProcessState | null = { pid: 42, startTime: '7', state: 'S', name: 'cf-serverd' };
  /** What cmviewcl prints after that time; null: there is no such program. */
  view: { readonly text: string; readonly tookMs: number } | null;
  connections: Connections = { total: 0, most: null };
  /** Moments of restarts in place, and whether the daemon then runs. */
  readonly restarts: number[] = [];
  comesUp: boolean | 'and exits' = true;
  /** What is added to the wall clock. */
  wallMs = 1_700_000_000_000;
  /** What the maintenance file holds. */
  maintenance: string | null = null;
  /** What the notice of a restart holds, and which process proved the role at the package start. */
  notice: string | null;
  readonly #proved: ProcessIdentity | undefined;
  verdict: SimulatedVerdict | null = null;
  seen: Seen | null = null;
  readonly lines: string[] = [];
  readonly alarms: string[] = [];
  /** When the monitor said last that it runs. */
  aliveAt = 0;
  /** How often the daemon was continued after a stop. */
  #ran = 0;
  #tell: () => void = nothing;

  constructor(
    settings: Settings,
    {
      isEvent = true,
      view = null,
      cameFrom = null,
      isGone = false,
      proved,
    }: {
      isEvent?: boolean;
      view?: SimulatedMonitor['view'];
      cameFrom?: string | null;
      isGone?: boolean;
      proved?: ProcessIdentity;
    } = {},
    notice: string | null = null,
  ) {
    if (isGone) this.daemon = null;
    this.#proved = proved;
    this.notice = notice;
    this.view = view;
    this.answer = { ...eachLayer(() => () => ({ found: { result: 'good' as const, detail: 'good' }, tookMs: 5 })) };
    const gone = (): never => {
      throw new Over();
    };
    const world: Partial<MonitorWorld> = {
      host: {
        member: 'm1',
        elapsed: () => this.#now,
        now: () => this.wallMs + this.#now,
        pause: (milliseconds: number) => new Promise<void>((done) => this.#add('timer', milliseconds, done)),
        readText: (path: string) => {
          if (path === '/proc/uptime') return `${this.#now / 1000} 0`;
          if (path.endsWith(maintenanceFileName)) return this.maintenance;
          if (path === '/run/csync-restart-csync') return this.notice;
          if (path !== '/run/csync-promotion-csync.json') return null;
          const failover = cameFrom === null ? null : { from: cameFrom, milliseconds: 500 };
          return JSON.stringify({ epoch: 2, at: 0, failover, daemon: this.#proved });
        },
        environment: {},
        canExecute: () => this.view !== null,
        run: () => this.#view(),
      } as unknown as MonitorWorld['host'],
      settings,
      directory: '/conf/csync',
      daemon: {
        adapter: { daemonName: 'cf-serverd' },
        forgetIdentity: nothing,
        start: async () => {
          this.restarts.push(this.#now);
          if (this.comesUp === true)
            this.daemon = { pid: 42 + this.restarts.length, startTime: '8', state: 'S', name: 'cf-serverd' };
          return this.comesUp !== false;
        },
        judgeRunning: async () => (this.daemon === null ? { code: 'daemon-dead', text: 'no cf-serverd listens' } : null),
        owner: () => (this.daemon === null ? { kind: 'free' } : { kind: 'daemon', process: this.daemon, inode: '1' }),
      } as unknown as Daemon,
      looks: eachLayer((layer) => (limitMs: number) => this.#look(layer, limitMs)),
      log: {
        line: (result, { code, text }) => void this.lines.push(`${result} [${code}] ${text}`),
        plain: nothing,
        flush: async () => {},
        alarm: (_, { text }) => void this.alarms.push(text),
      },
      report: {
        write: (seen) => {
          this.seen = seen;
          if (seen.verdict !== null)
            this.verdict ??= { at: this.#now, reason: seen.verdict.reason, sentence: seen.verdict.sentence };
        },
        over: nothing,
        close: nothing,
      },
      later: (milliseconds, call) => {
        const due = this.#add('timer', milliseconds, call);
        return () => {
          due.cancelled = true;
        };
      },
      watchProcess: () => ({ look: () => this.daemon, activity: () => `${this.#ran}`, close: nothing }),
      watchEnd: (_, look) => {
        if (!isEvent) return null;
        this.#tell = look;
        return { isArmed: () => true, close: nothing };
      },
      connections: () => this.connections,
      isMaintenanceTold: () => true,
      watchSocket: () => () => true,
      preciseNow: () => this.wallMs + this.#now,
      alive: () => {
        this.aliveAt = this.#now;
      },
      leave: nothing,
      exit: gone,
    };
    this.#start(world as MonitorWorld);
  }

  #start(world: MonitorWorld): void {
    new MonitorLoop(world).run().catch((error: unknown) => {
      if (!(error instanceof Over)) throw error;
    });
  }

  get now(): number {
    return this.#now;
  }

  #add(kind: Due['kind'], inMs: number, call: () => void): Due {
    const due = { at: this.#now + inMs, kind, call, cancelled: false };
    const later = this.#queue.findIndex((other) => other.at > due.at);
    this.#queue.splice(later === -1 ? this.#queue.length : later, 0, due);
    return due;
  }

  #look(layer: LayerName, limitMs: number): Promise<Found> {
    return new Promise((resolve) => {
      const { found, tookMs } = this.answer[layer]();
      const silence: Found = { result: 'bad', detail: `no answer within ${limitMs} ms`, isSilence: true };
      this.#add('timer', limitMs, () => resolve(silence));
      this.#add('answer', tookMs, () => resolve(found));
    });
  }

  /** As MemberHost.run does: nothing within the limit is an answer, too. */
  #view(): Promise<Pick<CommandResult, 'exitCode' | 'stdout'>> {
    const { text, tookMs } = this.view ?? { text: '', tookMs: 0 };
    return new Promise((resolve) => {
      const isLate = tookMs > 1000;
      this.#add('answer', isLate ? 1000 : tookMs, () => resolve({ exitCode: isLate ? null : 0, stdout: isLate ? '' : text }));
    });
  }

  async #happen(due: Due): Promise<void> {
    if (due.cancelled || this.verdict !== null) return;
    try {
      due.call();
    } catch (error) {
      if (!(error instanceof Over)) throw error;
    }
    // What waits for that goes on before anything else happens.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass; ends early with a verdict. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined || next.at > end || this.verdict !== null) break;
      this.#queue.shift();
      this.#now = Math.max(this.#now, next.at);
      await this.#happen(next);
    }
    if (this.verdict === null) this.#now = end;
  }

  /** Time passes, and the monitor does not run. */
  async starve(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    for (const kind of ['timer', 'answer'] as const) {
      const overdue = this.#queue.filter((due) => due.kind === kind && due.at <= this.#now);
      for (const due of overdue) {
        const place = this.#queue.indexOf(due);
        if (place === -1) continue;
        this.#queue.splice(place, 1);
        await this.#happen(due);
      }
    }
  }

  /** The process that reports the exit of the daemon checks every two seconds from now on, and reports if it is stopped then. */
  lookForStops(phaseMs: number): void {
    this.#add('answer', phaseMs, () => {
      if (this.daemon?.state === 'T') this.#tell();
      this.lookForStops(2000);
    });
  }

  stop(): void {
    if (this.daemon !== null) this.daemon = { ...this.daemon, state: 'T' };
  }

  continue(): void {
    if (this.daemon !== null) this.daemon = { ...this.daemon, state: 'S' };
    this.#ran += 1;
  }

  /** The daemon exits; the event reports it where there is one. */
  async kill(): Promise<void> {
    this.daemon = null;
    await this.#happen({ at: this.#now, kind: 'answer', call: this.#tell, cancelled: false });
  }
}

class Over extends Error {}
