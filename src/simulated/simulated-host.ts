/** The Host of member scripts over data, shared by model check and tests, which keep the facts and have a gate for each call. */
import { createHash } from 'node:crypto';
import { adapterFor, type CfengineAdapter } from '../cfengine/adapter.ts';
import type { ProbeResult } from '../cfengine/probe.ts';
import { deviceOf } from '../contract/policy-file-system.ts';
import type { CommandResult, FileFacts, MemberHost, MountEntry, ProcessOrigin, ProcessState } from '../host/host.ts';
import type { StepContext } from '../member/steps/steps.ts';
import { baseName, carryOut, failed } from './commands.ts';
import type { Gate } from './gate.ts';
import { isDeaf, MemberFacts, processNamed, type SimulatedProcess } from './member-facts.ts';

const good: CommandResult = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

type Origin = Pick<SimulatedProcess, 'user' | 'program'>;

export abstract class SimulatedHost extends MemberFacts implements MemberHost {
  abstract readonly member: string;
  abstract readonly environment: Readonly<Record<string, string | undefined>>;
  protected abstract readonly gate: Gate;
  abstract context(): StepContext;

  #look<Answer>(path: string, read: () => Answer): Answer {
    return this.counts(path) ? this.gate.look(read) : read();
  }

  readText(path: string): string | null {
    return this.#look(path, () => this.fileAt(path)?.text ?? null);
  }

  list(path: string): readonly string[] | null {
    return this.#look(path, () => this.namesIn(path));
  }

  facts(path: string): FileFacts | null {
    return this.#look(path, () => this.#factsOf(path));
  }

  #factsOf(path: string): FileFacts | null {
    if (path === deviceOf(this.settings))
      return this.active ? { kind: 'block-device', mode: 0o600, inode: 1, size: 0, mtimeSeconds: 1 } : null;
    const file = this.fileAt(path);
    if (file === null) return null;
    const { text, mode, inode } = file;
    return { kind: text === null ? 'directory' : 'file', mode, inode, size: text?.length ?? 0, mtimeSeconds: 1 };
  }

  digest(path: string): string | null {
    const text = this.readText(path);
    return text === null ? null : createHash('sha256').update(text).digest('hex');
  }

  canExecute(path: string): boolean {
    return this.#look(path, () => ((this.fileAt(path)?.mode ?? 0) & 0o111) !== 0);
  }

  program(path: string) {
    return this.#look(path, () => (this.fileAt(path) === null ? null : { path, isScript: false }));
  }

  freeBytes(): number {
    return this.free;
  }

  writeDurably(path: string, text: string, mode: number): void {
    this.#write('writes', path, text, mode);
  }

  replace(path: string, text: string, mode: number): void {
    this.#write('writes', path, text, mode);
  }

  overwriteLine(path: string, line: string): void {
    this.#write('overwrites', path, `${line}\n`, 0o644);
  }

  /** A file that does not count decides nothing. */
  #write(verb: 'makes' | 'writes' | 'overwrites', path: string, text: string | null, mode: number): void {
    if (!this.counts(path)) return;
    this.gate.act(`${verb} ${baseName(path)}`, () => {
      const isOver = verb === 'overwrites';
      if (isOver && this.fileAt(path) === null) throw errno('ENOENT');
      if (path.startsWith(`${this.settings.mountPoint}/`)) {
        // The mount point is sealed while unmounted.
        if (!this.#isMounted()) throw errno('EPERM');
        if (!this.diskAnswers) throw errno('EIO');
      }
      this.put(path, text, mode, isOver);
    });
  }

  #isMounted(): boolean {
    return this.mounted.some(({ target }) => target === this.settings.mountPoint);
  }

  mounts(): readonly MountEntry[] {
    return this.gate.look(() => this.mounted);
  }

  #states(which: (each: SimulatedProcess) => boolean): (ProcessState & Origin)[] {
    return this.processes
      .filter(which)
      .map(({ pid, name, state, user, program }) => ({ pid, name, state, startTime: String(pid), user, program }));
  }

  process(pid: number): ProcessState | null {
    return this.gate.look(() => this.#states((each) => each.pid === pid)[0] ?? null);
  }

  /** A process keeps its origin for its life. */
  origin({ user, program }: ProcessState & Origin): ProcessOrigin {
    return { users: [user], trusted: [0], program };
  }

  listeners() {
    return this.gate.look(() =>
      this.#states(({ listens }) => listens).map((process) => ({ inode: `${process.pid}1`, processes: [process] })),
    );
  }

  holdersOf(): readonly ProcessState[] {
    return this.gate.look(() => (this.#isMounted() ? this.#states(({ holds }) => holds) : []));
  }

  #owns(address: string): boolean {
    // Node.js does not list addresses of an interface without a link.
    return this.linked && this.addresses.includes(address);
  }

  tables: ReturnType<MemberHost['mountTables']> = [];

  mountTables(): ReturnType<MemberHost['mountTables']> {
    return this.tables;
  }

  ownsAddress(address: string): boolean {
    return this.gate.look(() => this.#owns(address));
  }

  resolve(): Promise<readonly string[]> {
    return Promise.resolve(this.names);
  }

  run([program = '', ...words]: readonly string[]): Promise<CommandResult> {
    const name = baseName(program);
    const fixed = this.answers[name];
    if (fixed !== undefined) return Promise.resolve({ ...good, ...fixed });
    if (name === 'mkdir') {
      const [, , mode = '755', , path = ''] = words;
      this.#write('makes', path, null, Number.parseInt(mode, 8));
      return Promise.resolve(good);
    }
    if (name === 'ss') return this.#sockets(words);
    return this.gate.lookLater(() => ({ ...good, ...this.#answer(name) }));
  }

  #sockets([option = '', ...filter]: readonly string[]): Promise<CommandResult> {
    const { packageAddress, cfenginePort } = this.settings;
    const known = `state established src [${packageAddress}] sport = :${cfenginePort}`;
    if (filter.join(' ') !== known) throw new Error(`the simulated member has no ss ${option} ${filter.join(' ')}`);
    const listed = () => ({
      ...good,
      stdout: this.connections.map((peer) => `0 0 ${packageAddress}:${cfenginePort} ${peer}\n`).join(''),
    });
    if (!option.includes('K')) return this.gate.lookLater(listed);
    return this.gate.actLater('resets the connections of clients', () => {
      this.connections = [];
      const letsGo = (each: SimulatedProcess): boolean => each.holds && !isDeaf(each) && each.ignoresReset !== true;
      this.processes = this.processes.map((each) => (letsGo(each) ? { ...each, holds: false } : each));
      return listed();
    });
  }

  #answer(name: string): Partial<CommandResult> {
    if (name === 'ip') return { stdout: this.addresses.map((one) => `2: eth0 inet ${one}/24 \n`).join('') };
    if (name === 'vgs') return this.diskAnswers ? { stdout: `  ${this.tags.join(',')}\n` } : { exitCode: failed };
    if (name !== 'cmviewcl') throw new Error(`the simulated member has no ${name}`);
    const lines = Object.entries(this.memberStates).map(
      ([member, state]) => `node:${member}|status=${state === 'running' ? 'up' : 'down'}\nnode:${member}|state=${state}\n`,
    );
    return { stdout: lines.join('') };
  }

  attend(argv: readonly string[]): Promise<number | null> {
    return this.gate.command(argv, () => carryOut(this, argv));
  }

  launch([, , , , program = '']: readonly string[]): Promise<CommandResult> {
    return this.gate.actLater(`starts ${baseName(program)}`, () => {
      this.#startDaemon(baseName(program));
      // The status proves nothing, as with the real ones.
      return good;
    });
  }

  #startDaemon(name: string): void {
    if (!this.daemonStarts || this.processes.some(({ listens }) => listens)) return;
    this.processes = [...this.processes, processNamed(name, this.processes, { listens: true })];
  }

  /** Beside a halt: ends what hangs, starts the daemon. */
  detach(argv: readonly string[]): boolean {
    if (argv.at(-1) !== 'daemon') throw new Error(`the simulated member has no ${argv.join(' ')}`);
    return this.gate.act('starts the daemon beside the halt', () => {
      this.processes = this.processes.filter((each) => !(each.listens && isDeaf(each)));
      this.#startDaemon(adapterFor(this.settings).daemonName);
      return true;
    });
  }

  signal({ pid, name }: ProcessState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): boolean {
    return this.gate.act(`sends ${signal} to ${name}`, () => {
      const found = this.processes.find((each) => each.pid === pid);
      if (found === undefined) return false;
      const ends = signal === 'SIGKILL' || (signal === 'SIGTERM' && found.ignoresTerm !== true && found.state !== 'T');
      const left = found.unreaped === true ? [{ ...found, state: 'Z', listens: false, holds: false }] : [];
      if (ends) this.processes = this.processes.flatMap((each) => (each.pid === pid ? left : [each]));
      return true;
    });
  }

  now(): number {
    return this.gate.elapsed();
  }

  elapsed(): number {
    return this.gate.elapsed();
  }

  readonly begin = (): void => {};

  pause(milliseconds: number): Promise<void> {
    return this.gate.wait(milliseconds);
  }

  /** cfengine, answered by the daemon of this member. */
  answering(adapter: CfengineAdapter): CfengineAdapter {
    return {
      ...adapter,
      probe: ({ address, path }) => this.gate.lookLater(() => this.probed(address, path)),
    };
  }

  protected probed(address: string, path: string): ProbeResult {
    const listening = this.processes.find(({ listens }) => listens);
    const isReachable = address === '127.0.0.1' || this.#owns(address);
    if (listening === undefined || !isReachable) return { kind: 'silent', why: 'ECONNREFUSED' };
    if (isDeaf(listening)) return { kind: 'silent', why: 'no answer within 3000 ms' };
    const here = this.#factsOf(path);
    if (here === null) return { kind: 'answered', why: 'BAD: Unspecified server refusal' };
    return { kind: 'served', stat: { size: here.size, mtime: here.mtimeSeconds, inode: here.inode } };
  }
}
