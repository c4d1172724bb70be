/** The simulated Host over plain data: time passes only during a wait, every effect is noted, and calls can be made to fail. */
import type { LogResult } from '../../../src/base/log-line.ts';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import type { ProbeResult } from '../../../src/cfengine/probe.ts';
import type { CommandResult, MountEntry } from '../../../src/host/host.ts';
import type { MemberLog } from '../../../src/host/member/member-log.ts';
import { Daemon } from '../../../src/member/daemon.ts';
import { runSteps, type Step } from '../../../src/member/steps/step.ts';
import type { StepContext } from '../../../src/member/steps/steps.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { baseName, failed, spelled } from '../../../src/simulated/commands.ts';
import type { Gate } from '../../../src/simulated/gate.ts';
import { processNamed, type SimulatedFile, type SimulatedProcess } from '../../../src/simulated/member-facts.ts';
import { SimulatedHost } from '../../../src/simulated/simulated-host.ts';
import { settingsFor } from '../../support.ts';

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

/** The volume group that members share: its host tags, and what lies on the policy file system. */
export class SharedGroup {
  tags: readonly string[] = [];
  readonly files = new Map<string, SimulatedFile>();
}

const begin = Date.UTC(2026, 10, 23, 10);

export class SimulatedMember extends SimulatedHost {
  readonly member: string;
  readonly nodeName: string;
  readonly group: SharedGroup;
  readonly settings: Settings;
  readonly environment = { SGRUN: '/run/sg', SGSBIN: '/sg/bin' };
  active = false;
  readonly diskAnswers = true;
  mounted: readonly MountEntry[] = [];
  addresses: readonly string[] = ['10.9.0.100'];
  linked = true;
  names: readonly string[] = ['10.9.0.100'];
  processes: readonly SimulatedProcess[] = [];
  daemonStarts = true;
  service = false;
  readonly isMixed = false;
  connections: readonly string[] = [];
  free = 1e9;
  memberStates: Readonly<Record<string, string>> = { m1: 'running', m2: 'running', m3: 'running' };
  answers: Record<string, Partial<CommandResult>> = {
    chattr: {},
    fsfreeze: { exitCode: 1, stderr: 'fsfreeze: /csync: unfreeze failed: Invalid argument\n' },
  };
  /** Beginnings of commands that fail, and how often; more than any test tries: always. */
  readonly failing = new Map<string, number>();
  /** errno name of every write, and of every write into blocks that exist. */
  writesFail: string | null = null;
  overwritesFail: string | null = null;
  /** What the running daemon says of the sentinel; null: what lies on the disk. */
  answer: ProbeResult | null = null;
  /** Own ones; those below the mount point are seen while nothing is mounted there. */
  readonly files = new Map<string, SimulatedFile>();
  /** Signals, starts, writes, resets and commands, in order. */
  readonly effects: string[] = [];
  /** Those of them that a control script runs to their end. */
  readonly commands: string[] = [];
  #waited = 0;
  readonly #later: { readonly at: number; readonly what: () => void }[] = [];

  constructor(name = 'm1', group = new SharedGroup(), settings = settingsFor()) {
    super();
    this.settings = settings;
    this.member = name;
    this.nodeName = name;
    this.group = group;
  }

  readonly gate: Gate = {
    look: (read) => read(),
    lookLater: async (read) => read(),
    act: (what, change) => this.#noted(what, change),
    actLater: async (what, change) => this.#noted(what, change),
    command: async (argv, change) => {
      const command = spelled(argv);
      this.effects.push(command);
      this.commands.push(command);
      const fails = [...this.failing].find(([beginning, times]) => times > 0 && command.startsWith(beginning));
      if (fails === undefined) return change();
      this.failing.set(fails[0], fails[1] - 1);
      return failed;
    },
    wait: async (milliseconds) => {
      this.#waited += milliseconds;
      for (const event of this.#later.filter(({ at }) => at <= this.#waited)) {
        this.#later.splice(this.#later.indexOf(event), 1);
        event.what();
      }
    },
    elapsed: () => this.#waited,
    hangs: () => false,
  };

  #noted<Answer>(what: string, change: () => Answer): Answer {
    const answer = change();
    this.effects.push(what);
    return answer;
  }

  get tags(): readonly string[] {
    return this.group.tags;
  }

  set tags(tags: readonly string[]) {
    this.group.tags = tags;
  }

  /** Something that happens by itself. */
  after(seconds: number, what: () => void): void {
    this.#later.push({ at: this.#waited + seconds * 1000, what });
  }

  add(name: string, more: Partial<SimulatedProcess> = {}): SimulatedProcess {
    const added = processNamed(name, this.processes, more);
    this.processes = [...this.processes, added];
    return added;
  }

  mount(...mounts: readonly MountEntry[]): void {
    this.mounted = [...this.mounted, ...mounts];
  }

  /** Where a path leads: below the mount point to what is mounted there. */
  #filesFor(path: string): Map<string, SimulatedFile> {
    const { mountPoint } = this.settings;
    const isMounted = this.mounted.some(({ target }) => target === mountPoint);
    return isMounted && path.startsWith(`${mountPoint}/`) ? this.group.files : this.files;
  }

  file(path: string, text: string | null, mode = 0o600): void {
    const files = this.#filesFor(path);
    files.set(path, { text, mode, inode: files.size + 1 });
  }

  counts(): boolean {
    return true;
  }

  fileAt(path: string): SimulatedFile | null {
    return this.#filesFor(path).get(path) ?? null;
  }

  namesIn(directory: string): readonly string[] | null {
    if (this.fileAt(directory) === null) return null;
    const below = [...this.#filesFor(`${directory}/`).keys()].filter((name) => name.startsWith(`${directory}/`));
    return [...new Set(below.map((name) => name.slice(directory.length + 1).split('/')[0] ?? ''))];
  }

  put(path: string, text: string | null, mode: number, isOver: boolean): void {
    const code = isOver ? this.overwritesFail : this.writesFail;
    if (code !== null) throw Object.assign(new Error('write failed'), { code });
    this.file(path, text, mode);
  }

  override run(argv: readonly string[]): Promise<CommandResult> {
    if (['chattr', 'fsfreeze', 'nsenter'].includes(baseName(argv[0] ?? ''))) this.effects.push(spelled(argv));
    return super.run(argv);
  }

  protected override probed(address: string, path: string): ProbeResult {
    const real = super.probed(address, path);
    return real.kind === 'silent' ? real : (this.answer ?? real);
  }

  override now(): number {
    return begin + this.elapsed();
  }

  context(settings: Settings = this.settings): StepContext {
    const adapter = this.answering(adapterFor(settings));
    return { host: this, settings, daemon: new Daemon(this, settings, adapter), directory: settings.packageDirectory };
  }

  /** Runs one step to its end: what failed, what was logged, what was done. */
  async carryOut(step: Step) {
    const { log, lines } = planLog();
    const failed = await runSteps([step], { member: this.member, packageName: 'csync', log, dryRun: false });
    const [line] = lines;
    return { failed: failed?.code ?? null, outcome: line?.outcome, text: line?.text ?? '', effects: this.effects };
  }
}
