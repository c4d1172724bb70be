/**
 * From what is wanted and what was observed to the list of steps that makes the one the other. The list is what a dry run
 * prints and what is carried out. Pure.
 */

import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import { flatSet, launcherNames, type Runtime, runtimeName, setPartOf } from '../../contract/package-directory.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Argv, Commands, Definition, DefinitionDifference, PackageStatus } from '../../engine/engine.ts';
import {
  type ClusterObservation,
  type MemberObservation,
  type PackagePlace,
  unreachableProblems,
} from '../remote/observation.ts';
import { compareDirectory, compareRuntime, type FileDifference, inBrief, staleNames } from './comparison.ts';
import { appliedFile, sweepable } from './package-sets.ts';
import type { FileToSend } from './package-write.ts';
import { judgeRuntimeLook, launchersWithout, type RuntimeLook, type RuntimeSource, sizeText } from './runtime.ts';

export type ApplyStep =
  /** Brings the runtime beside its place and proves that it runs there; the distribution puts it into place. */
  | { readonly do: 'carry'; readonly member: string; readonly source: RuntimeSource }
  | { readonly do: 'sweep'; readonly member: string; readonly leftovers: readonly string[] }
  | {
      readonly do: 'distribute';
      readonly member: string;
      readonly files: readonly FileToSend[];
      readonly removals: readonly string[];
      /** Was carried there before. */
      readonly runtime: RuntimeSource | null;
    }
  | { readonly do: 'command'; readonly member: string; readonly argv: Argv }
  /** In one go on that member: `back` comes whatever becomes of `between`, once the package was halted. */
  | {
      readonly do: 'switch';
      readonly member: string;
      readonly halt: Commands;
      readonly between: Commands;
      readonly back: Commands;
    }
  /** Sets that nobody needs any more, and files of version 0.1.0. */
  | { readonly do: 'sweep sets'; readonly member: string; readonly sets: readonly string[]; readonly flat: readonly string[] }
  /** Looks at everything again; what does not hold ends the apply. */
  | { readonly do: 'verify' };

export interface ApplyWish {
  readonly place: PackagePlace;
  readonly files: readonly FileToSend[];
  readonly configuration: Definition;
  /** Run the package if it is down, and let it fail over. */
  readonly run: boolean;
  /** Halt it where a change wants that; it runs again afterwards. */
  readonly halt: boolean;
  /** The package comes back as it was before another halt than this one's; absent: as it is now, and it may fail over. */
  readonly before?: Before;
  readonly takeRendered: boolean;
  /** The Node.js the package runs with; null: the members' own. */
  readonly runtime: Runtime | null;
  /** Where it can be had from, and what the members say to that; null: it has to be there. */
  readonly carry: RuntimeCarry | null;
  /** Set for the history, sent last, when all the rest is known to hold; null: the newest one there is says the same. */
  readonly set: { readonly files: readonly FileToSend[]; readonly removals: readonly string[] } | null;
}

/** What the package was before; the halt of a migration changes it. */
export interface Before {
  /** The member it ran on; null: it was halted. */
  readonly owner: string | null;
  readonly autoRun: boolean;
}

export interface RuntimeCarry {
  readonly source: RuntimeSource;
  /** Why it could not be looked at, where that is so. */
  readonly looks: ReadonlyMap<string, RuntimeLook | string>;
}

export interface ApplyPlan {
  readonly steps: readonly ApplyStep[];
  /** What takes effect only later, or is worth knowing; a sentence each. */
  readonly notes: readonly string[];
}

type Reached = Extract<MemberObservation, { reached: true }>;

/** Everything that forbids it is told at once, before anything changed. An empty list of steps: all is as wanted. */
export function planApply(wish: ApplyWish, observation: ClusterObservation): Checked<ApplyPlan> {
  const unreachable = unreachableProblems(observation);
  const { commandMember, status } = observation;
  if (unreachable.length > 0 || commandMember === null) return { ok: false, problems: unreachable };
  const reached = observation.members.filter((one) => one.reached);
  const current = observation.applied?.set ?? null;
  const { definition } = engineFor(wish.place);
  const differences = reached.map((facts) => ({ facts, files: compareDirectory(wish.files, facts, null, current) }));
  const keywords = observation.applied === null ? null : definition.differences(observation.applied, wish.configuration);
  const runs = status !== null && status.status !== 'down';
  const halting = runs ? needsHalt(keywords ?? [], status, wish) : [];
  const problems = [
    ...reached.flatMap((facts) => (wish.runtime === null ? nodeProblems(facts, wish.place) : runtimeProblems(facts, wish))),
    ...(wish.runtime === null ? [] : launcherProblems(wish)),
    ...(wish.takeRendered ? [] : differences.flatMap(({ facts, files }) => editProblems(facts, files))),
    ...statusProblems(status, wish, halting),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const carry = carrySteps(wish, reached);
  const distribute = distributeSteps(wish, differences, carry);
  const applies = keywords === null || keywords.length > 0;
  // Whether it runs there is known of every member before anything is halted or changed.
  const work = [
    ...carry,
    ...distribute,
    ...checkSteps(wish, commandMember, reached, distribute.length > 0 || applies),
    ...switchSteps(wish, { commandMember, status, applies, halts: halting.length > 0, runs }),
    ...sweepSteps(carry, distribute, reached),
  ];
  // Also when there is nothing else: an apply that was killed before its last step is remembered by the next one.
  const remember = [...rememberSteps(wish, reached, current), ...sweepSetSteps(wish, reached, current, status)];
  if (work.length === 0) return { ok: true, value: { steps: remember, notes: [] }, problems: [] };
  const steps = [...work, { do: 'verify' } as const, ...remember];
  return { ok: true, value: { steps, notes: notesOn(wish, runs && halting.length === 0, distribute.length > 0) }, problems: [] };
}

interface Differs {
  readonly facts: Reached;
  readonly files: readonly FileDifference[];
}

/** The new set beside the others: what runs, and what would be started now, is not touched by it. */
function distributeSteps(
  wish: ApplyWish,
  differences: readonly Differs[],
  carry: readonly Extract<ApplyStep, { do: 'carry' }>[],
): ApplyStep[] {
  const carried = new Map(carry.map(({ member, source }) => [member, source]));
  return differences.flatMap(({ facts, files }): ApplyStep[] => {
    const send = filesToSend(wish.files, files);
    const runtime = carried.get(facts.member) ?? null;
    if (send.length === 0 && runtime === null) return [];
    return [{ do: 'distribute', member: facts.member, files: send, removals: [], runtime }];
  });
}

const packageFileOf = ({ place }: ApplyWish): string =>
  `${place.packageDirectory}/${engineFor(place).definition.fileName(place.packageName)}`;

function checkSteps(wish: ApplyWish, commandMember: string, reached: readonly Reached[], wanted: boolean): ApplyStep[] {
  if (!wanted) return [];
  const check = engineFor(wish.place).definition.checkFile(packageFileOf(wish));
  return [...validateSteps(wish, reached), ...check.map((argv) => ({ do: 'command', member: commandMember, argv }) as const)];
}

interface Switching {
  readonly commandMember: string;
  readonly status: PackageStatus | null;
  readonly applies: boolean;
  readonly halts: boolean;
  readonly runs: boolean;
}

/** The moment at which all members change, and what it takes around it. */
function switchSteps(wish: ApplyWish, { commandMember, status, applies, halts, runs }: Switching): ApplyStep[] {
  const { packageName } = wish.place;
  const { definition, orders } = engineFor(wish.place);
  const command = (argv: Argv): ApplyStep => ({ do: 'command', member: commandMember, argv });
  const apply = applies ? definition.applyFile(packageFileOf(wish)) : [];
  const switchOn = (wish.before?.autoRun ?? true) ? orders.switchOn(packageName) : [];
  const run = halts || (wish.run && !runs) ? [...orders.run(packageName, memberToRunOn(wish, status)), ...switchOn] : [];
  if (halts) return [{ do: 'switch', member: commandMember, halt: orders.halt(packageName), between: apply, back: run }];
  const enable = wish.run && runs && status?.autoRun === false ? switchOn : [];
  return [...apply, ...run, ...enable].map(command);
}

function filesToSend(wanted: readonly FileToSend[], differences: readonly FileDifference[]): FileToSend[] {
  const stale = new Set(staleNames(differences));
  return wanted.filter(({ name }) => stale.has(name));
}

/** Where the engine's own check asks no script, each member's look at itself is asked for here. */
function validateSteps({ configuration, files, place }: ApplyWish, reached: readonly Reached[]): ApplyStep[] {
  if (engineFor(place).definition.checkAsksScripts(configuration)) return [];
  const launcher = files.find(({ name }) => setPartOf(name)?.name === launcherNames(configuration.style)[0])?.name;
  const argv = [`${place.packageDirectory}/${launcher}`, 'validate'];
  return reached.map(({ member }) => ({ do: 'command', member, argv }));
}

/** Where it ran, if it still may, else the first with its switch on. */
function memberToRunOn({ place: { members }, before }: ApplyWish, status: PackageStatus | null): string {
  const eligible = members.filter((member) => status?.switching.get(member) !== false);
  const owner = before?.owner ?? status?.owner ?? null;
  return owner !== null && eligible.includes(owner) ? owner : (eligible[0] ?? members[0] ?? '');
}

/** History, the word for who is called without the engine's, and a runtime that nobody uses any more. */
function rememberSteps(wish: ApplyWish, reached: readonly Reached[], before: string | null): ApplyStep[] {
  const applied = appliedFile({ ...wish.place, ...setOfWish(wish), before }, reached);
  return reached.flatMap((facts): ApplyStep[] => {
    const { files, removals } = wish.set ?? { files: [], removals: [] };
    const isKnown = facts.applied === applied.content.toString().trimEnd();
    const drops = wish.runtime === null && facts.files.some(({ name }) => name === runtimeName) ? [runtimeName] : [];
    if (wish.set === null && isKnown && drops.length === 0) return [];
    const send = [...files, ...(isKnown ? [] : [applied])];
    return [{ do: 'distribute', member: facts.member, files: send, removals: [...removals, ...drops], runtime: null }];
  });
}

function setOfWish({ files, configuration }: ApplyWish): { readonly set: string; readonly style: Definition['style'] } {
  const set = files.map(({ name }) => setPartOf(name)).find((part) => part !== null)?.set ?? flatSet;
  return { set, style: configuration.style };
}

function sweepSetSteps(
  wish: ApplyWish,
  reached: readonly Reached[],
  before: string | null,
  status: PackageStatus | null,
): ApplyStep[] {
  const change = { ...wish.place, ...setOfWish(wish), before };
  const applied = appliedFile(change, reached);
  return reached.flatMap((facts): ApplyStep[] => {
    // A package that is halted for this apply comes back with its set.
    const runsFlat = facts.running === null && status?.owner === facts.member && before === flatSet;
    const { sets, flat } = sweepable(change, facts, applied, runsFlat);
    return sets.length + flat.length === 0 ? [] : [{ do: 'sweep sets', member: facts.member, sets, flat }];
  });
}

/** To members that do not have the very same one. */
function carrySteps({ runtime, carry }: ApplyWish, reached: readonly Reached[]): Extract<ApplyStep, { do: 'carry' }>[] {
  if (runtime === null || carry === null) return [];
  return reached
    .filter((facts) => compareRuntime(runtime, facts) !== 'same')
    .map(({ member }) => ({ do: 'carry', member, source: carry.source }));
}

/** What a killed apply left; where something else is done anyway, that sweeps it up. */
function sweepSteps(carry: readonly ApplyStep[], distribute: readonly ApplyStep[], reached: readonly Reached[]): ApplyStep[] {
  const touched = new Set([...carry, ...distribute].map((step) => ('member' in step ? step.member : '')));
  return reached
    .filter(({ member, leftovers }) => leftovers.length > 0 && !touched.has(member))
    .map(({ member, leftovers }) => ({ do: 'sweep', member, leftovers }));
}

/** Why the package has to be halted for it, in words; empty when it may go on running. */
function needsHalt(keywords: readonly DefinitionDifference[], status: PackageStatus, wish: ApplyWish): string[] {
  const reasons = keywords
    .filter(engineFor(wish.place).definition.needsHalt)
    .map(({ keyword, applied, wanted }) => `${keyword} ${applied.join(', ')} -> ${wanted.join(', ')}`);
  const { owner } = status;
  if (owner !== null && !wish.place.members.includes(owner)) reasons.push(`it runs on ${owner}, which is no longer in the list`);
  return reasons;
}

function statusProblems(status: PackageStatus | null, wish: ApplyWish, halting: readonly string[]): Problem[] {
  const { packageName } = wish.place;
  const { orders, words } = engineFor(wish.place);
  if (status?.state === 'maintenance')
    return [
      errorProblem(
        'change-maintenance',
        `${packageName} is in maintenance mode; no configuration can be applied now ${words.maintenanceMode}`,
        typed(orders.maintenance(packageName, 'off')),
      ),
    ];
  if (halting.length === 0 || wish.halt) return [];
  const text = `${packageName} runs, and these changes want it halted: ${halting.join('; ')}`;
  return [
    errorProblem('change-needs-halt', text, 'csync apply --halt   halts it, applies, and runs it again; clients wait meanwhile'),
  ];
}

function nodeProblems({ member, nodeVersion }: Reached, { nodePath }: PackagePlace): Problem[] {
  if (isNodeNewEnough(nodeVersion)) return [];
  const text = `${nodePath} ${nodeVersion === null ? 'cannot be run' : `is version ${nodeVersion}`}; no script of the package would start`;
  const remedy = `install Node.js ${oldestNode} or newer there, correct node_path, or carry one along: csync apply --with-runtime`;
  return [errorProblem('change-no-node', text, remedy, member)];
}

/** The runtime has to be there and to run, or has to be carried there and to fit. */
function runtimeProblems(facts: Reached, { runtime, carry }: ApplyWish): Problem[] {
  const { member, directory, runtimeVersion } = facts;
  if (runtime === null) return [];
  const is = compareRuntime(runtime, facts);
  const file = `${directory}/${runtimeName}`;
  if (is === 'same') {
    if (isNodeNewEnough(runtimeVersion)) return [];
    const text = `${file} is the one that was carried there, but ${runtimeVersion === null ? 'cannot be run' : `is version ${runtimeVersion}`}`;
    const remedy = `on ${member}: ${file} --version   says why; csync apply --with-runtime=FILE carries another one there`;
    return [errorProblem('change-runtime-fails', text, remedy, member)];
  }
  if (carry !== null) {
    const look = carry.looks.get(member) ?? 'nobody asked';
    if (typeof look !== 'string') return judgeRuntimeLook(member, look, carry.source);
    return [
      errorProblem(
        'change-runtime-unseen',
        `cannot tell whether a runtime could be carried there: ${look}`,
        'apply again',
        member,
      ),
    ];
  }
  const what = { missing: 'is missing', changed: 'is another one', mode: 'has another mode' }[is];
  const text = `the package was applied with a Node.js runtime of its own (${runtime.digest.slice(0, 12)}), and ${file} ${what}`;
  const remedy =
    'csync apply --with-runtime   carries one to every member that needs it; --without-runtime goes back to node_path';
  return [errorProblem('change-no-runtime', text, remedy, member)];
}

function launcherProblems({ files }: ApplyWish): Problem[] {
  return launchersWithout(files).map((name) => {
    const text = `${name} does not look for ${runtimeName} in the package directory, so the runtime would be carried for nothing`;
    const remedy =
      'csync templates diff DIR   shows what the shipped launcher has by now; apply with --without-runtime until then';
    return errorProblem('change-launcher', text, remedy);
  });
}

function editProblems({ member, directory }: Reached, files: readonly FileDifference[]): Problem[] {
  return files
    .filter(({ is }) => is === 'edited')
    .map(({ name }) =>
      errorProblem(
        'render-hand-edited',
        `${directory}/${name} was changed there since it was distributed; an apply would lose that`,
        'carry the change into csync.yaml or a template and use --take-rendered; --take-mine keeps the edits of this host for all members',
        member,
      ),
    );
}

function notesOn(wish: ApplyWish, goesOn: boolean, distributes: boolean): string[] {
  if (!goesOn || !distributes) return [];
  return [`${wish.place.packageName} goes on running; its monitor takes the new scripts and settings up at the next start`];
}

/** A step as a dry run and the report print it. */
export function stepText(step: ApplyStep): string {
  switch (step.do) {
    case 'carry':
      return `carry ${step.source.file} (${sizeText(step.source.size)}) to ${step.member} beside its place, and see that it runs there`;
    case 'sweep':
      return `on ${step.member}: remove what a killed apply left: ${step.leftovers.join(' ')}`;
    case 'distribute': {
      const names = [...(step.runtime === null ? [] : [runtimeName]), ...step.files.map(({ name }) => name)];
      const parts = [inBrief(names).join(' '), step.removals.length > 0 ? `remove ${step.removals.join(' ')}` : ''];
      return `distribute to ${step.member}: ${parts.filter(Boolean).join('; ')}`;
    }
    case 'command':
      return `on ${step.member}: ${step.argv.join(' ')}`;
    case 'switch':
      return `on ${step.member}, in one go: ${typed(step.halt, step.between, step.back)}`;
    case 'sweep sets':
      return `on ${step.member}: remove what is used no more: ${[...step.sets.map((set) => `sets/${set}`), ...step.flat].join(' ')}`;
    case 'verify':
      return 'look at every member and at the package again';
  }
}
