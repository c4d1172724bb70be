/**
 * Harms a running package at random, while numbered edits are committed and clients fetch. After each step the package must be where the
 * table predicts, mounted once, served and fetched from.
 */
import { adapterFor } from '../../cfengine/adapter.ts';
import { parsePackageFile } from '../../serviceguard/package-file.ts';
import { type LabHandle, until } from '../handle.ts';
import { eventsDirectory, membersOf, sgDirectories } from '../machines/lab-spec.ts';
import { DrillFailure, PackageDrills } from './package-drills.ts';
import { failoverAfter, seconds, storyLine } from './timeline.ts';
import { firstClient, type HarmGround, harms, tortureSettings } from './torture-harm.ts';
import {
  killOf,
  type Meanwhile,
  replayCommand,
  scheduleFor,
  Table,
  type TortureKind,
  type TortureStep,
  type Wound,
  woundOf,
} from './torture-plan.ts';
import { judgeSet, type SetVerdict } from './torture-set.ts';
import { SetTest } from './torture-writer.ts';

export interface TortureResult {
  readonly seed: number;
  readonly wanted: number;
  readonly done: readonly {
    readonly kind: TortureKind;
    readonly member: string;
    readonly lingered: boolean;
    readonly ms: number;
  }[];
  /** With the command that repeats it. Empty: everything held. */
  readonly failure: string;
  readonly set: SetVerdict;
  readonly wentBack: readonly string[];
  readonly looks: number;
  readonly worstLookDelayMs: number;
}

const settleMs = 90_000;
const storyLines = 400;
const changeEvery = 5;

/** In a lab that is up without a package; stops at the first violation. */
export async function runTorture(
  lab: LabHandle,
  iterations: number,
  seed: number,
  say: (line: string) => void,
): Promise<TortureResult> {
  const drills = new PackageDrills(lab);
  await drills.attach();
  const done: TortureResult['done'][number][] = [];
  const set = new SetTest(drills);
  let failure = '';
  let final: readonly number[] | null = null;
  let mark = 0;
  try {
    for (const member of drills.members) await drills.type(member, ['sh', '-c', tortureSettings]);
    await drills.deploy();
    await prepareSpare(drills);
    const torture = new Torture(drills, await deployedTable(drills), set);
    await torture.holds();
    set.start();
    for (const [index, step] of scheduleFor(seed, iterations).entries()) {
      const began = performance.now();
      mark = drills.entries.length;
      const at = `step ${index + 1} of ${iterations}, ${step.kind}`;
      const wound = await torture.step(step).catch((error: Error) => {
        throw new DrillFailure(`${at}: ${error.message}; again: ${replayCommand(seed, index + 1)}`);
      });
      const ms = performance.now() - began;
      done.push({ kind: step.kind, member: wound.member, lingered: step.lingers, ms });
      say(
        `${String(index + 1).padStart(3)}/${iterations} ${step.kind.padEnd(16)} ${wound.member}  ${(ms / 1000).toFixed(1)} s  ${set.progress()}`,
      );
    }
    await torture.finish();
    await set.end();
    final = await set.final();
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    for (const line of await evidence(drills, mark)) say(line);
    await set.end();
    final = await set.final().catch(() => null);
  }
  const { worstLookDelayMs } = await lab.status();
  drills.detach();
  return {
    seed,
    wanted: iterations,
    done,
    failure,
    set: judgeSet(set.edits, final),
    wentBack: set.wentBack,
    looks: set.looks,
    worstLookDelayMs,
  };
}

/** The story since that entry of the journal, then what each host has: load, neighbours, connections, processes, logs. */
export async function evidence({ lab, packageName, entries }: PackageDrills, mark: number): Promise<string[]> {
  const story = entries.slice(mark);
  const told = story.slice(-storyLines).map((entry) => storyLine(entry, story[0]?.at ?? entry.at));
  const log = `${sgDirectories.SGRUN}/log/${packageName}.log`;
  const look = `cat /proc/loadavg; ip neigh; ss -Htan; ps -eo stat,nlwp,args | grep -v '^Z' | cut -c 1-100; tail -n 30 /var/log/messages; [ ! -e ${log} ] || tail -n 40 ${log}`;
  const said = lab.spec.hosts.map(async ({ name }) => {
    const { stdout } = await lab.exec(name, ['sh', '-c', look], { timeoutMs: 10_000 });
    return stdout.split('\n').map((line) => `${name}: ${line}`);
  });
  return [...told, ...(await Promise.allSettled(said)).flatMap((one) => (one.status === 'fulfilled' ? one.value : []))];
}

async function deployedTable(drills: PackageDrills): Promise<Table> {
  const { spec } = drills.lab;
  const members = membersOf(spec).map(({ name }) => name);
  const text = await drills.type(members[0] ?? '', ['cmgetconf', '-p', drills.packageName]);
  const parsed = parsePackageFile(text.replace(/^(Number of configured|Permission denied|Warning).*\n/gm, ''), 'cmgetconf');
  if (!parsed.ok) throw new DrillFailure('cmgetconf does not print a package file');
  return new Table(spec.name, members, spec.settings.packageSubnet, parsed.value, drills.packageName);
}

/** Starts its daemon, and prevents its automatic set-up. */
async function prepareSpare(drills: PackageDrills): Promise<void> {
  const { spec } = drills.lab;
  const { cfengineWorkDirectory: work } = spec.settings;
  const [first = ''] = membersOf(spec).map(({ name }) => name);
  const { daemonName } = adapterFor(spec.settings);
  for (const { name, kind } of spec.hosts) {
    if (kind === 'client') continue;
    await drills.type(name, ['rm', '-f', `${eventsDirectory}/csync_dispatcher`]);
    if (kind !== 'spare') continue;
    const start = `cd / && ${daemonName} -K < /dev/null > /dev/null 2>&1`;
    await drills.type(first, ['sh', '-c', `scp -rpq ${work}/ppkeys ${work}/inputs ${name}:${work}/ && ssh ${name} '${start}'`]);
  }
}

class Torture {
  readonly #drills: PackageDrills;
  readonly #table: Table;
  readonly #set: SetTest;
  #open: Wound | null = null;
  #steps = 0;

  constructor(drills: PackageDrills, table: Table, set: SetTest) {
    this.#drills = drills;
    this.#table = table;
    this.#set = set;
  }

  async step(step: TortureStep): Promise<Wound> {
    const { settings } = this.#drills.lab.spec;
    let wound = woundOf(step, this.#table, settings);
    if (wound === null) {
      await this.#repairOpen();
      wound = woundOf(step, this.#table, settings);
    }
    if (wound === null) throw new DrillFailure('the step is not possible though every member is up: a bug in the schedule');
    await harms[wound.kind].does(this.#ground(wound));
    this.#table.feed(...wound.harm);
    this.#table.refuse(wound.member, wound.refuses);
    await this.holds(wound.meanwhile);
    const lost = await this.#failsOver(wound);
    await this.#repairOpen();
    if (lost !== null) await this.#repairKilled(lost);
    if (step.lingers) this.#open = wound;
    else await this.#repair(wound);
    this.#steps += 1;
    // It takes as long as a step.
    if (this.#steps % changeEvery === 0) await this.#changeable();
    await this.holds();
    return wound;
  }

  /** Kills the daemon; another member must serve in time. Returns the killed one's member, for its repair. null: not tried. */
  async #failsOver({ failsOver, refuses, member, meanwhile }: Wound): Promise<string | null> {
    const { owner, ready } = this.#table;
    const others = ready.filter((one) => !refuses || one !== member);
    if (failsOver === null || owner === null || others.length === 0 || this.#table.braked) return null;
    const { packageName } = this.#drills;
    const mark = this.#drills.entries.length;
    await this.#drills.killDaemon(owner);
    this.#table.feed(...killOf(owner, packageName)[0]);
    await this.holds(meanwhile);
    const story = this.#drills.entries.slice(mark);
    const fault = story.findIndex(({ kind }) => kind === 'fault');
    const { started } = failoverAfter(story, fault);
    if (started === null || started > failsOver * 1000)
      throw new DrillFailure(
        `during it a failover took ${started === null ? 'an unknown time' : seconds(started)}, limit ${failsOver} s`,
      );
    return owner;
  }

  async #repairKilled(member: string): Promise<void> {
    const { packageName } = this.#drills;
    const from = this.#table.up.find((one) => one !== member) ?? member;
    await this.#drills.type(from, ['cmmodpkg', '-e', '-n', member, packageName]);
    this.#table.feed(...killOf(member, packageName)[1]);
  }

  async #changeable(): Promise<void> {
    await this.#placed();
    const { owner } = this.#table;
    if (owner !== null) await this.#set.acknowledged(owner);
  }

  async finish(): Promise<void> {
    await this.#repairOpen();
    await this.#changeable();
    await this.holds();
  }

  async #repairOpen(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open !== null) await this.#repair(open);
  }

  async #repair(wound: Wound): Promise<void> {
    await harms[wound.kind].mends(this.#ground(wound));
    this.#table.refuse(wound.member, false);
    this.#table.feed(...wound.repair);
    await this.#placed();
  }

  async #placed(): Promise<void> {
    const wanted = this.#table.owner;
    const isThere = async (): Promise<boolean> => {
      const { owner, status } = await this.#drills.view();
      return owner === wanted && status === (wanted === null ? 'down' : 'up');
    };
    await until(isThere, settleMs, `the package to be ${wanted === null ? 'halted' : `on ${wanted}, as the table predicts`}`);
  }

  #ground(wound: Wound): HarmGround {
    const { owner, up } = this.#table;
    return { drills: this.#drills, wound, from: up.find((one) => one !== wound.member) ?? wound.member, owner };
  }

  /** Checks from outside, between two steps or during harm. */
  async holds(what: Meanwhile = 'all'): Promise<void> {
    await this.#placed();
    if (what === 'place') return;
    const owner = this.#table.owner;
    if (owner !== null) {
      const except = what === 'others' ? firstClient(this.#drills) : null;
      await this.#drills.waitClients(0, except);
      await this.#set.fetched(except);
    }
    let broken: string[] = [];
    const sound = async (): Promise<boolean> => {
      broken = await this.#drills.invariants();
      return broken.length === 0;
    };
    // A killed daemon may still be starting.
    await until(sound, settleMs, 'the invariants to hold').catch(() => {
      throw new DrillFailure(broken.join('; '));
    });
  }
}

export function torturePassed({ done, wanted, failure, set, wentBack, looks }: TortureResult): boolean {
  return (
    failure === '' &&
    done.length === wanted &&
    set.read &&
    set.lost.length + set.unexpected.length + wentBack.length === 0 &&
    set.acknowledged > 0 &&
    looks > 0
  );
}

function why(reasons: SetVerdict['reasons']): string {
  const told = Object.entries(reasons).map(([reason, count]) => `${reason || 'no reason'} ${count}`);
  return told.length === 0 ? '' : ` (${told.join(', ')})`;
}

export function tortureSummary(result: TortureResult): string[] {
  const { set, done, wanted, seed, wentBack, looks, failure } = result;
  const kinds = [...new Set(done.map(({ kind }) => kind))].sort();
  const counts = kinds.map((kind) => `${kind} ${done.filter((one) => one.kind === kind).length}`).join(', ');
  return [
    `steps: ${counts}`,
    `edits: acknowledged ${set.acknowledged}, failed ${set.failed}${why(set.reasons)}, unknown ${set.unknown} (${set.recovered} of them exist), ${set.read ? '' : 'the final set could not be read: '}lost ${set.lost.length}${set.lost.length > 0 ? ` (${set.lost.join(' ')})` : ''}, unexpected ${set.unexpected.length}${set.unexpected.length > 0 ? ` (${set.unexpected.join(' ')})` : ''}`,
    `clients: ${looks} checks, went back ${wentBack.length}${wentBack.length > 0 ? `: ${wentBack.join('; ')}` : ''}`,
    torturePassed(result)
      ? `PASS: ${wanted} steps (seed ${seed})`
      : `FAIL: ${done.length} of ${wanted} steps (seed ${seed}): ${failure || 'edits or clients, see above'}`,
  ];
}
