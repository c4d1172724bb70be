/**
 * Drills on a real cluster: engine commands and signals over ssh, a watch on every member, connections from clients. No power or cables.
 */
import { adapterFor, type CfengineAdapter } from '../cfengine/adapter.ts';
import { conditionLook } from '../cluster/condition/member-condition.ts';
import { outsideAdvice, outsideView } from '../cluster/condition/outside.ts';
import { clockBetween, decimal } from '../cluster/remote/answers.ts';
import { inParallel, observeAnd } from '../cluster/remote/observation.ts';
import { rosterIn, rosterLines } from '../cluster/remote/roster-look.ts';
import { commandScript, hostScript, script } from '../cluster/remote/shell-text.ts';
import { newestRoster } from '../contract/roster.ts';
import { engineFor } from '../engine/choice/engine-for.ts';
import type { PackageStatus } from '../engine/engine.ts';
import type { Hold, MemberShell } from '../host/admin/member-shell.ts';
import type { JournalEntry } from '../lab/emulation/journal.ts';
import type { Settings } from '../settings/settings.ts';
import { drillWords } from './ground-words.ts';
import type { DrillGround, Evidence } from './runner.ts';
import { clientWatch, fetchWatch, memberWatch, readFetched, readWatch, watchFile } from './watch-scripts.ts';

const commandLimitMs = 600_000;
const lookLimitMs = 20_000;
const fetchEveryMs = 500;
/** A client's attempt takes 0.3 s, and a host may be busy. */
const evidenceLimitMs = 10_000;
const evidencePauseMs = 100;
/** A larger step, less the uncertainty, means that the clock was set. */
const clockJumpMs = 100;
const probersAtMost = 4;

interface Watch {
  readonly host: string;
  readonly file: string;
  readonly hold: Hold;
  /** ms ahead of ours. */
  clock: { readonly aheadMs: number; readonly doubtMs: number };
}

export interface OpenGround {
  readonly ground: DrillGround;
  readonly probe: string;
  readonly unwatched: readonly string[];
  close(): Promise<void>;
}

/** `token`: unique for this run. Skips hosts that cannot be watched. */
export async function openClusterGround(
  shell: MemberShell,
  settings: Settings,
  token: string,
  { pause, forbidden }: Pick<DrillGround, 'pause' | 'forbidden'>,
): Promise<OpenGround> {
  const adapter = adapterFor(settings);
  const unwatched: string[] = [];
  const watch = async (host: string, name: string, text: string): Promise<Watch[]> => {
    const hold = await shell.hold(host, text);
    if ('release' in hold) return [{ host, file: watchFile(name), hold, clock: await clockOf(shell, host) }];
    unwatched.push(`${host}: ${hold.stderr.trim().split('\n').at(-1) || `status ${hold.exitCode}`}`);
    return [];
  };
  const members = (
    await inParallel(settings.members, (host) => watch(host, `${token}m`, memberWatch(settings, `${token}m`)))
  ).flat();
  const registered = (await clientsOf(shell, settings)).slice(0, probersAtMost);
  const probe = (host: string) => watch(host, `${token}c`, clientWatch(settings, `${token}c`));
  const clients = (await inParallel(registered, probe)).flat();
  const probers = clients.length > 0 ? clients : (await inParallel(settings.members, probe)).flat();
  const blind = settings.members.filter((member) => !members.some(({ host }) => host === member));
  const seen = new Seen(shell, [...members, ...probers], blind, pause);
  const run = async (member: string, entry: Pick<JournalEntry, 'kind' | 'what' | 'text'>, text: string): Promise<void> => {
    const sent = Date.now();
    const { exitCode, signal, stdout, stderr } = await shell.run(member, `date +%s.%N\n${text}`, commandLimitMs);
    const [began = '', ...said] = stdout.split('\n');
    seen.add({ at: sent, member, ...entry }, decimal(began) * 1000);
    if (exitCode !== 0) throw new Error(`failed with ${exitCode ?? signal}: ${`${said.join('\n')}${stderr}`.trim()}`);
  };
  const who = clients.length > 0 ? '' : ', here from the members, because no registered client is reachable over ssh';
  return {
    unwatched,
    probe: `it connects to port ${settings.cfenginePort} of the package address (tried every 50 ms${who})`,
    ground: {
      engine: engineFor(settings),
      packageName: settings.packageName,
      members: settings.members,
      clients: probers.map(({ host }) => host),
      trace: () => seen.all(),
      evidence: () => seen.complete(),
      mark: async () => Date.now(),
      status: () => statusOf(shell, settings),
      type: (member, argv) =>
        run(
          member,
          { kind: 'command', what: argv[0] ?? '', text: argv.join(' ') },
          commandScript(argv, settings.packageDirectory),
        ),
      script: (member, what, text, lines) => run(member, { kind: 'fault', what, text }, script(lines)),
      machine: null,
      words: drillWords(settings, adapter),
      invariants: () => brokenOf(shell, settings, adapter),
      forbidden,
      pause,
    },
    close: async () => void (await Promise.all([...members, ...probers].map(({ hold }) => hold.release()))),
  };
}

class Seen {
  readonly #shell: MemberShell;
  readonly #watches: readonly Watch[];
  readonly #unwatched: readonly string[];
  readonly #pause: (milliseconds: number) => Promise<void>;
  readonly #own: { readonly entry: JournalEntry; readonly hostMs: number }[] = [];
  readonly #told = new Map<Watch, string>();
  #fetched = Number.NEGATIVE_INFINITY;

  constructor(
    shell: MemberShell,
    watches: readonly Watch[],
    unwatched: readonly string[],
    pause: (milliseconds: number) => Promise<void>,
  ) {
    this.#shell = shell;
    this.#watches = watches;
    this.#unwatched = unwatched;
    this.#pause = pause;
  }

  /** `hostMs`: its start by the member's clock; NaN: unknown. */
  add(entry: JournalEntry, hostMs: number): void {
    this.#own.push({ entry, hostMs });
  }

  async all(): Promise<readonly JournalEntry[]> {
    if (performance.now() - this.#fetched > fetchEveryMs) {
      await inParallel(this.#watches, (watch) => this.#fetch(watch));
      this.#fetched = performance.now();
    }
    return this.#entries();
  }

  /** Each watch began a check after this call, and was fetched after that. */
  async complete(): Promise<Evidence> {
    const asked = Date.now();
    const end = performance.now() + evidenceLimitMs;
    const missing = this.#unwatched.map((host) => `${host} is not watched`);
    await inParallel(this.#watches, async (watch) => {
      for (;;) {
        const looked = await this.#fetch(watch);
        if (typeof looked === 'number' && looked > asked + watch.clock.doubtMs) return;
        if (typeof looked === 'string' || performance.now() > end) {
          missing.push(
            `${watch.host}: ${typeof looked === 'string' ? looked : `no new entry arrived for ${evidenceLimitMs / 1000} s`}`,
          );
          return;
        }
        await this.#pause(evidencePauseMs);
      }
    });
    return { trace: this.#entries(), missing };
  }

  /** Start of its last check, by our clock. null: unknown; text: why none will follow. */
  async #fetch(watch: Watch): Promise<number | string | null> {
    const asked = Date.now();
    const { exitCode, stdout } = await this.#shell.run(watch.host, fetchWatch(watch.file), lookLimitMs);
    if (exitCode !== 0) return exitCode === 1 ? 'its watch exited' : null;
    const { now, looked, rest } = readFetched(stdout);
    if (now === null || looked === null) return null;
    const answered = Date.now();
    const clock = { aheadMs: now - (asked + answered) / 2, doubtMs: (answered - asked) / 2 };
    const jump = clock.aheadMs - watch.clock.aheadMs;
    if (Math.abs(jump) > clock.doubtMs + watch.clock.doubtMs + clockJumpMs)
      return `its clock was changed by ${Math.round(jump)} ms meanwhile`;
    if (clock.doubtMs < watch.clock.doubtMs) watch.clock = clock;
    this.#told.set(watch, rest);
    return looked - watch.clock.aheadMs;
  }

  #entries(): readonly JournalEntry[] {
    const aheadOf = (member: string | undefined): number =>
      this.#watches.find(({ host }) => host === member)?.clock.aheadMs ?? Number.NaN;
    const own = this.#own.map(({ entry, hostMs }) => {
      const at = hostMs - aheadOf(entry.member);
      return Number.isNaN(at) ? entry : { ...entry, at };
    });
    const told = [...this.#told].flatMap(([{ host, clock }, text]) => readWatch(text, host, clock.aheadMs));
    return [...own, ...told].sort((a, b) => a.at - b.at);
  }
}

async function clockOf(shell: MemberShell, host: string): Promise<Watch['clock']> {
  if (host === shell.here) return { aheadMs: 0, doubtMs: 0 };
  const asked = Date.now() / 1000;
  const { stdout } = await shell.run(host, hostScript('date +%s.%N'), lookLimitMs);
  const { ahead, doubt } = clockBetween(stdout.trim(), { asked, answered: Date.now() / 1000 });
  return { aheadMs: Number.isFinite(ahead) ? ahead * 1000 : 0, doubtMs: doubt * 1000 };
}

async function clientsOf(shell: MemberShell, settings: Settings): Promise<string[]> {
  const { answers } = await observeAnd(shell, settings, rosterLines(settings.packageDirectory));
  return newestRoster([...answers].map(([member, { text }]) => rosterIn(text, member))).clients.map(({ name }) => name);
}

async function statusOf(shell: MemberShell, settings: Settings): Promise<PackageStatus | null> {
  const { members, packageDirectory, packageName } = settings;
  const { readView, view } = engineFor(settings).observation;
  for (const member of [...members].sort((one, other) => Number(other === shell.here) - Number(one === shell.here))) {
    const { exitCode, stdout } = await shell.run(member, commandScript(view, packageDirectory), lookLimitMs);
    if (exitCode === 0) return readView(stdout).packages.get(packageName) ?? null;
  }
  return null;
}

/** While the package serves: mount and address only on the active member, found by the others; one daemon everywhere. */
async function brokenOf(shell: MemberShell, settings: Settings, adapter: CfengineAdapter): Promise<string[]> {
  const look = conditionLook({ ...settings, adapter });
  const { observation, answers } = await observeAnd(shell, settings, look.lines);
  const owner = observation.status?.owner ?? null;
  const members = settings.members.map((member) => {
    const answer = answers.get(member);
    return { member, seen: answer === undefined ? null : look.read(answer) };
  });
  const outside = owner === null ? [] : outsideAdvice(outsideView(members, owner), owner, settings.packageAddress);
  const broken = members.flatMap(({ member, seen }) => {
    if (seen === null) return [`${member} cannot be checked`];
    const owns = member === owner;
    return [
      ...(seen.mounted === owns
        ? []
        : [`${member} ${seen.mounted ? 'has' : 'lacks'} the policy file system, the package runs on ${owner}`]),
      ...(seen.address === owns
        ? []
        : [`${member} ${seen.address ? 'has' : 'lacks'} the package address, the package runs on ${owner}`]),
      ...(seen.daemons === 1 ? [] : [`${seen.daemons} cfengine daemons run on ${member}`]),
    ];
  });
  return [...broken, ...outside.map(({ text }) => text)];
}
