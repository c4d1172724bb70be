/** A member made of plain data: time passes only while somebody waits, and every effect is noted. */
import { createHash } from 'node:crypto';
import type { LogResult } from '../../../src/base/log-line.ts';
import { adapterFor, type CfengineAdapter } from '../../../src/cfengine/adapter.ts';
import type { ProbeResult } from '../../../src/cfengine/probe.ts';
import type {
  CommandResult,
  FileFacts,
  Listener,
  MemberHost,
  MountEntry,
  ProcessOrigin,
  ProcessState,
  ProgramFile,
} from '../../../src/host/host.ts';
import type { MemberLog } from '../../../src/host/member/member-log.ts';
import { Daemon } from '../../../src/member/daemon.ts';
import { runSteps, type Step } from '../../../src/member/steps/step.ts';
import type { StepContext } from '../../../src/member/steps/steps.ts';
import type { Settings } from '../../../src/settings/settings.ts';

interface LogLine {
  readonly step: string;
  readonly outcome: LogResult;
  readonly text: string;
}

/** A log that keeps its lines; `plain` are those a control script writes. */
export function planLog(): { readonly log: MemberLog; readonly lines: LogLine[]; readonly plain: string[] } {
  const lines: LogLine[] = [];
  const plain: string[] = [];
  return {
    lines,
    plain,
    log: {
      line: (outcome, { code, text, keys }) =>
        void lines.push({ step: String(keys?.step ?? ''), outcome, text: `[${code}] ${text}` }),
      plain: (text) => void plain.push(text),
      flush: async () => {},
      alarm: () => {},
    },
  };
}

export interface SimulatedProcess {
  readonly pid: number;
  readonly name: string;
  state: string;
  /** Owns the daemon's port. */
  listens: boolean;
  /** Has something open on the policy file system. */
  holds: boolean;
  /** Does not answer, though it runs. */
  hangs: boolean;
  /** Does not end at SIGTERM. */
  ignoresTerm: boolean;
  /** Stays a zombie: its parent does not reap it. */
  unreaped: boolean;
  /** Keeps its file open when its client is reset. */
  ignoresReset: boolean;
  /** Root when it is not said. */
  user?: number;
  /** The file it runs; null or nothing: that cannot be told. */
  program?: string | null;
}

export interface SimulatedFile {
  readonly text: string | null;
  readonly mode: number;
  readonly inode: number;
}

const good: CommandResult = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };

export class SimulatedMember implements MemberHost {
  readonly member: string;
  readonly nodeName: string;
  /** Host tags of the volume group, which several members may share, and members cmviewcl has as down. */
  readonly group: { tags: string[] };
  membersDown: readonly string[] = [];
  /** Down as well, but on command: the machine runs. */
  membersHalted: readonly string[] = [];
  /** Beginnings of commands that fail, and how often; more than any test tries: always. */
  readonly failing = new Map<string, number>();
  environment: Record<string, string | undefined> = { SGRUN: '/run/sg' };
  clock = Date.UTC(2026, 10, 23, 10);
  /** ENOENT: ss is not installed. */
  ss: 'works' | 'ENOENT' | 'refuses' = 'works';
  connections: readonly string[] = [];
  /** Whether the policy file system is frozen, or what fsfreeze says when it cannot thaw it. */
  frozen: boolean | Partial<CommandResult> = false;
  /** What chattr says when it fails. */
  chattr: Partial<CommandResult> = {};
  /** Bytes left on every file system. */
  free = 1e9;
  addresses: string[] = ['10.9.0.100'];
  /** Addresses on an interface without a link. */
  unlinked: string[] = [];
  names: string[] = ['10.9.0.100'];
  mounted: MountEntry[] = [];
  /** errno name of every write. */
  writesFail: string | null = null;
  /** errno name of every write into blocks that are there. */
  overwritesFail: string | null = null;
  /** Whether a start of the daemon succeeds. */
  daemonStarts = true;
  /** What the running daemon says of the sentinel; null: what lies on the disk. */
  answer: ProbeResult | null = null;
  readonly files = new Map<string, SimulatedFile>();
  readonly processes: SimulatedProcess[] = [];
  /** Signals, launches, writes and resets, in order. */
  readonly effects: string[] = [];
  readonly #later: { readonly at: number; readonly what: () => void }[] = [];
  readonly #began = this.clock;

  constructor(name = 'm1', group: { tags: string[] } = { tags: [] }) {
    this.member = name;
    this.nodeName = name;
    this.group = group;
  }

  get tags(): string[] {
    return this.group.tags;
  }

  set tags(tags: string[]) {
    this.group.tags = tags;
  }

  elapsed(): number {
    return this.clock - this.#began;
  }

  /** Something that happens by itself. */
  after(seconds: number, what: () => void): void {
    this.#later.push({ at: this.clock + seconds * 1000, what });
  }

  add(name: string, more: Partial<SimulatedProcess> = {}): SimulatedProcess {
    const pid = 100 + this.processes.length;
    const usual = { listens: false, holds: false, hangs: false, ignoresTerm: false, unreaped: false, ignoresReset: false };
    const added = { pid, name, state: 'S', ...usual, ...more };
    this.processes.push(added);
    return added;
  }

  file(path: string, text: string | null, mode = 0o600): void {
    this.files.set(path, { text, mode, inode: this.files.size + 1 });
  }

  mount(...mounts: readonly MountEntry[]): void {
    this.mounted.push(...mounts);
  }

  readText(path: string): string | null {
    return this.files.get(path)?.text ?? null;
  }

  list(path: string): readonly string[] | null {
    const below = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    return this.files.has(path) ? below.map((name) => name.slice(path.length + 1)) : null;
  }

  readonly devices = new Set<string>();

  facts(path: string): FileFacts | null {
    if (this.devices.has(path)) return { kind: 'block-device', mode: 0o600, inode: 1, size: 0, mtimeSeconds: 1 };
    const found = this.files.get(path);
    if (found === undefined) return null;
    const { text, mode, inode } = found;
    return { kind: text === null ? 'directory' : 'file', mode, inode, size: text?.length ?? 0, mtimeSeconds: 1 };
  }

  digest(path: string): string | null {
    const text = this.readText(path);
    return text === null ? null : createHash('sha256').update(text).digest('hex');
  }

  canExecute(path: string): boolean {
    return ((this.files.get(path)?.mode ?? 0) & 0o111) !== 0;
  }

  writeDurably(path: string, text: string, mode: number): void {
    if (this.writesFail !== null) throw Object.assign(new Error('write failed'), { code: this.writesFail });
    this.effects.push(`write ${path}`);
    this.file(path, text, mode);
  }

  overwriteLine(path: string, line: string): void {
    const code = !this.files.has(path) ? 'ENOENT' : this.overwritesFail;
    if (code !== null) throw Object.assign(new Error('write failed'), { code });
    this.effects.push(`overwrite ${path}`);
    this.file(path, `${line}\n`, 0o644);
  }

  replace(path: string, text: string, mode: number): void {
    this.writeDurably(path, text, mode);
  }

  mounts(): readonly MountEntry[] {
    return this.mounted;
  }

  process(pid: number): ProcessState | null {
    const found = this.processes.find((each) => each.pid === pid);
    return found === undefined ? null : { pid, name: found.name, state: found.state, startTime: String(pid) };
  }

  origin({ pid }: ProcessState): ProcessOrigin {
    const found = this.processes.find((each) => each.pid === pid);
    return { users: [found?.user ?? 0], trusted: [0], program: found?.program ?? null };
  }

  program(path: string): ProgramFile | null {
    return this.files.has(path) ? { path, isScript: false } : null;
  }

  #states(which: (each: SimulatedProcess) => boolean): ProcessState[] {
    return this.processes.filter(which).flatMap(({ pid }) => this.process(pid) ?? []);
  }

  listeners(): readonly Listener[] {
    return this.#states(({ listens }) => listens).map((process) => ({ inode: `${process.pid}1`, processes: [process] }));
  }

  holdersOf(): readonly ProcessState[] {
    return this.#states(({ holds }) => holds);
  }

  freeBytes(): number {
    return this.free;
  }

  ownsAddress(address: string): boolean {
    return this.addresses.includes(address);
  }

  resolve(): Promise<readonly string[]> {
    return Promise.resolve(this.names);
  }

  run(argv: readonly string[]): Promise<CommandResult> {
    return Promise.resolve({ ...good, ...this.#carryOut(argv) });
  }

  #carryOut([program = '', option = '', ...rest]: readonly string[]): Partial<CommandResult> {
    if (program === '/usr/bin/chattr') {
      this.effects.push(['chattr', option, ...rest].join(' '));
      return this.chattr;
    }
    if (program === 'ip')
      return { stdout: [...this.addresses, ...this.unlinked].map((one) => `2: eth0 inet ${one}/24 \n`).join('') };
    if (program === 'fsfreeze') return this.#thaw();
    if (program === 'vgs') return { stdout: `  ${this.tags.join(',')}\n` };
    if (program.endsWith('/cmviewcl'))
      return {
        stdout: ['m1', 'm2', 'm3']
          .map((name) => {
            const state = this.membersDown.includes(name) ? 'failed' : this.membersHalted.includes(name) ? 'halted' : 'running';
            return `node:${name}|status=${state === 'running' ? 'up' : 'down'}\nnode:${name}|state=${state}\n`;
          })
          .join(''),
      };
    if (program === 'mkdir') {
      this.effects.push([program, option, ...rest].join(' '));
      this.file(rest.at(-1) ?? '', null, 0o755);
      return {};
    }
    if (program !== 'ss') throw new Error(`the simulated member has no ${program}`);
    if (this.ss === 'ENOENT') return { exitCode: null, errorCode: 'ENOENT' };
    if (this.ss === 'refuses') return { exitCode: 255, stderr: 'Cannot open netlink socket: Permission denied\n' };
    if (option.includes('K')) {
      this.effects.push(`reset ${rest.join(' ')}`);
      this.connections = [];
      for (const each of this.processes.filter(({ ignoresReset }) => !ignoresReset)) each.holds = false;
    }
    return { stdout: this.connections.map((peer) => `0 0 10.9.0.100:5308 ${peer}\n`).join('') };
  }

  #thaw(): Partial<CommandResult> {
    const { frozen } = this;
    if (typeof frozen === 'object') return frozen;
    if (!frozen) return { exitCode: 1, stderr: 'fsfreeze: /csync: unfreeze failed: Invalid argument\n' };
    this.effects.push('thaw');
    this.frozen = false;
    return {};
  }

  /** The commands of a control script. Paths are left out of what is noted. */
  attend([program = '', ...rest]: readonly string[]): Promise<number | null> {
    const command = [program.split('/').at(-1), ...rest].join(' ');
    this.effects.push(command);
    const fails = [...this.failing].find(([beginning, times]) => times > 0 && command.startsWith(beginning));
    if (fails !== undefined) {
      this.failing.set(fails[0], fails[1] - 1);
      // Not 1: that is a success of fsck's.
      return Promise.resolve(5);
    }
    const device = '/dev/vg_csync/lv_csync';
    const [option, value = ''] = rest;
    const left = this.mounted.some((mount) => mount.source === device);
    // As the lab's vgchange: one owner, no activation without the tag, no deactivation while mounted.
    if (command.startsWith('vgchange --addtag') && this.tags.some((tag) => tag !== value)) return Promise.resolve(5);
    if (command.startsWith('vgchange --addtag')) this.tags = [value];
    if (command.startsWith('vgchange -a n') && left) return Promise.resolve(5);
    if (command.startsWith('vgchange --deltag')) this.tags = this.tags.filter((tag) => tag !== value);
    if (command.startsWith('vgchange -a y')) {
      if (!this.tags.includes(this.nodeName)) return Promise.resolve(5);
      this.devices.add(device);
    }
    if (command.startsWith('vgchange -a n')) this.devices.delete(device);
    if (program === 'mount') this.mount({ source: device, target: '/csync', type: 'ext4', options: ['rw'] });
    if (program === 'umount') this.mounted = this.mounted.filter(({ target }) => target !== '/csync');
    if (command.startsWith('cmmodnet') && option === '-a') this.addresses.push(rest[2] ?? '');
    if (command.startsWith('cmmodnet') && option === '-r')
      for (const list of ['addresses', 'unlinked'] as const) this[list] = this[list].filter((one) => one !== rest[2]);
    return Promise.resolve(0);
  }

  launch(argv: readonly string[]): Promise<CommandResult> {
    const [program = ''] = argv.slice(4);
    const name = program.split('/').at(-1) ?? '';
    this.effects.push(`launch ${name}`);
    if (this.daemonStarts && this.listeners().length === 0) this.add(name, { listens: true });
    // As with the real ones, the status says nothing.
    return Promise.resolve(good);
  }

  /** The daemon beside a halt: what hangs is ended, what can be started is. */
  detach(): boolean {
    this.effects.push('daemon beside the halt');
    for (const hanging of this.processes.filter(({ listens }) => listens)) this.#end(hanging);
    if (this.daemonStarts && this.listeners().length === 0) this.add('cf-serverd', { listens: true });
    return true;
  }

  signal({ pid }: ProcessState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean {
    const found = this.processes.find((each) => each.pid === pid);
    if (found === undefined) return false;
    this.effects.push(`${signal} ${found.name}`);
    if (signal === 'SIGKILL' || (signal === 'SIGTERM' && !found.ignoresTerm && found.state !== 'T')) this.#end(found);
    return true;
  }

  #end(ended: SimulatedProcess): void {
    if (ended.unreaped) Object.assign(ended, { state: 'Z', listens: false, holds: false });
    else this.processes.splice(this.processes.indexOf(ended), 1);
  }

  now(): number {
    return this.clock;
  }

  readonly begin = (): void => {};

  pause(milliseconds: number): Promise<void> {
    this.clock += milliseconds;
    for (const event of this.#later.filter(({ at }) => at <= this.clock)) {
      this.#later.splice(this.#later.indexOf(event), 1);
      event.what();
    }
    return Promise.resolve();
  }

  /** How the daemon of this member answers, asked under an address. */
  #probe(address: string, path: string): ProbeResult {
    const [listening] = this.processes.filter(({ listens }) => listens);
    const reachable = address === '127.0.0.1' || this.ownsAddress(address);
    if (listening === undefined || !reachable) return { kind: 'silent', why: 'ECONNREFUSED' };
    if (listening.hangs || listening.state === 'T') return { kind: 'silent', why: 'no answer within 3000 ms' };
    if (this.answer !== null) return this.answer;
    const here = this.facts(path);
    if (here === null) return { kind: 'answered', why: 'BAD: Unspecified server refusal' };
    return { kind: 'served', stat: { size: here.size, mtime: here.mtimeSeconds, inode: here.inode } };
  }

  /** What the steps get to see. */
  context(settings: Settings): StepContext {
    const adapter: CfengineAdapter = {
      ...adapterFor(settings),
      probe: ({ address, path }) => Promise.resolve(this.#probe(address, path)),
    };
    return { host: this, settings, daemon: new Daemon(this, settings, adapter) };
  }

  /** Runs one step to its end: what failed, what was logged, what was done. */
  async carryOut(step: Step) {
    const { log, lines } = planLog();
    const failed = await runSteps([step], { member: this.member, packageName: 'csync', log, dryRun: false });
    const [line] = lines;
    return { failed: failed?.code ?? null, outcome: line?.outcome, text: line?.text ?? '', effects: this.effects };
  }
}
