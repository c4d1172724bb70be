import type { ScriptEnd } from '../lab/manager/model.ts';
import type { Settings } from '../settings/settings.ts';
import type { Told } from './package-cluster.ts';
import type { State } from './state.ts';
import type { Word } from './world/package-scripts.ts';
import { holdsPackage, type MemberWorld, serves } from './world/world.ts';

type Debt = readonly [text: string, isPaid: boolean];

/** One object an exit: the package manager's table finds it at once. */
const tolds = new WeakMap<Settings, Map<string, Told>>();

function toldOf(settings: Settings, word: Word, member: string, end: ScriptEnd): Told {
  const known = tolds.get(settings) ?? new Map<string, Told>();
  tolds.set(settings, known);
  const key = `${word}${member}${end.kind === 'exit' ? end.code : ''}`;
  const told = known.get(key) ?? { kind: `${word}-ended`, package: settings.packageName, member, end };
  known.set(key, told);
  return told;
}

function isSoundFor({ startable, disk, link, files }: MemberWorld): boolean {
  return startable === 'yes' && disk === 'there' && link === 'up' && files === 'sound';
}

/** Everything in order, no fault [architecture.md I2]. */
function afterStart(state: State, exit: number, name: string, world: MemberWorld): readonly Debt[] {
  const { isDisturbed, hadLeftovers, runner, sharedWorld: shared } = state;
  if (exit === 0)
    return [
      [`I2: the start succeeds, and ${name} does not serve the policy`, isDisturbed || serves(world)],
      [`I2: the start succeeds, and ${name} wrote no mark to the policy file system`, isDisturbed || shared.sentinel === runner],
      [`I2: the start succeeds, and no monitor watches the daemon on ${name}`, isDisturbed || world.monitor !== 'no'],
    ];
  const isFree = shared.tag === null && !holdsPackage(world);
  return [
    [
      `I3: the start fails, and ${name} still holds something of the package`,
      isDisturbed || hadLeftovers || world.holder !== 'none' || world.disk === 'gone' || !holdsPackage(world),
    ],
    [`I7: the start fails on ${name} without a reason`, isDisturbed || !isSoundFor(world) || !isFree],
  ];
}

/** [architecture.md I3] */
function afterHalt(state: State, exit: number, name: string, world: MemberWorld): readonly Debt[] {
  const { isDisturbed, runner, sharedWorld: shared } = state;
  if (exit !== 0)
    return [[`I3: the halt fails on ${name} without a reason`, isDisturbed || world.holder !== 'none' || world.disk === 'gone']];
  const runs = world.daemon === 'alive' || world.startable === 'no' || world.files === 'mixed';
  return [
    [`I3: the halt succeeds, and ${name} still has the policy file system mounted`, world.mounted === 'no'],
    [`I3: the halt succeeds, and ${name} still holds something of the package`, isDisturbed || !holdsPackage(world)],
    [`I3: the halt succeeds, and the volume group still has the tag of ${name}`, isDisturbed || shared.tag !== runner],
    [`I3: the halt succeeds, and no daemon runs on ${name}`, isDisturbed || runs],
  ];
}

/** Stopped in a hung read: one hung disk must not end the service. */
function afterGivingUp(state: State, word: Word, exit: number, name: string, world: MemberWorld): readonly Debt[] {
  const { isGivenUp, hadLeftovers, runner, sharedWorld: shared } = state;
  if (!isGivenUp) return [];
  const isLeft = holdsPackage(world) || shared.tag === runner;
  if (word === 'halt') return [[`a read hangs in the halt on ${name}, and the package stays there for it`, exit === 0 || isLeft]];
  const wouldHold = isSoundFor(world) && !hadLeftovers && shared.tag === null;
  return [[`a read hangs in the start on ${name}, and no other member is tried`, exit === 2 || isLeft || !wouldHold]];
}

export function endScript(state: State, end: ScriptEnd): void {
  const { runner, settings } = state;
  const name = state.members[runner] ?? '';
  const word = state.scripts.wordOf(state.node);
  // The legacy halt does not stop it.
  if (word === 'halt' && settings.packageStyle === 'legacy' && end.kind === 'exit') state.change(runner, { monitor: 'no' });
  if (end.kind === 'exit') {
    const world = state.world(runner);
    const owed = [
      ...(word === 'start' ? afterStart : afterHalt)(state, end.code, name, world),
      ...afterGivingUp(state, word, end.code, name, world),
    ];
    for (const [text, isPaid] of owed) if (!isPaid) state.broken.push(text);
    state.said += `; the ${word} exits with status ${end.code}`;
  }
  state.node = -1;
  state.tell(toldOf(settings, word, name, end));
}
