/** The steps of an apply, from the observed state to the wanted one. A dry run prints the same list. Pure. */

import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import { flatSet, launcherNames, type Runtime, runtimeName, setPartOf } from '../../contract/package-directory.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Argv, Commands, Definition, DefinitionDifference, Forecast, PackageStatus } from '../../engine/engine.ts';
import {
  type ClusterObservation,
  type MemberObservation,
  type PackagePlace,
  unreachableProblems,
} from '../remote/observation.ts';
import { compareDirectory, compareRuntime, type FileDifference, inBrief, newerManifests, staleNames } from './comparison.ts';
import { appliedFile, sweepable } from './package-sets.ts';
import type { FileToSend } from './package-write.ts';
import { judgeRuntimeLook, launchersWithout, type RuntimeLook, type RuntimeSource, sizeText } from './runtime.ts';

export type ApplyStep =
  /** Copies the runtime beside its place and proves it. The distribution renames it. */
  | { readonly do: 'carry'; readonly member: string; readonly source: RuntimeSource }
  | { readonly do: 'sweep'; readonly member: string; readonly leftovers: readonly string[] }
  | {
      readonly do: 'distribute';
      readonly member: string;
      readonly files: readonly FileToSend[];
      readonly removals: readonly string[];
      /** Carried there by an earlier step. */
      readonly runtime: RuntimeSource | null;
    }
  /** Version 0.1.0 keeps no record of what runs: one of an earlier set is wrong where no monitor of that set runs. */
  | { readonly do: 'forget'; readonly member: string; readonly set: string }
  | { readonly do: 'command'; readonly member: string; readonly argv: Argv }
  /** One script. `back` always runs after the halt, also if `between` fails. */
  | {
      readonly do: 'switch';
      readonly member: string;
      readonly halt: Commands;
      readonly between: Commands;
      readonly back: Commands;
    }
  /** Unused sets, and files of version 0.1.0. */
  | { readonly do: 'sweep sets'; readonly member: string; readonly sets: readonly string[]; readonly flat: readonly string[] }
  /** Any difference fails the apply. `serves`: so does a package that does not run. */
  | { readonly do: 'verify'; readonly serves: boolean };

export interface ApplyWish {
  readonly place: PackagePlace;
  readonly files: readonly FileToSend[];
  readonly configuration: Definition;
  /** Also enables failover. */
  readonly run: boolean;
  /** If a change requires it; the package runs again afterwards. */
  readonly halt: boolean;
  /** To be restored after the halt of a migration. Absent: the present state, with failover enabled. */
  readonly before?: Before;
  readonly takeRendered: boolean;
  /** null: the members' own. */
  readonly runtime: Runtime | null;
  /** And what each member reported. null: it must be on the members already. */
  readonly carry: RuntimeCarry | null;
  /** For the history, sent last. null: equal to the newest set. */
  readonly set: { readonly files: readonly FileToSend[]; readonly removals: readonly string[] } | null;
  /** By the engine. Absent, null: it computes none, or nothing would change. A text: why it could not. */
  readonly forecast?: Forecast | string | null;
}

/** Recorded by a migration before its halt. */
export interface Before {
  /** null: it was halted. */
  readonly owner: string | null;
  readonly autoRun: boolean;
}

export interface RuntimeCarry {
  readonly source: RuntimeSource;
  /** A text: why the member could not be checked. */
  readonly looks: ReadonlyMap<string, RuntimeLook | string>;
}

export interface ApplyPlan {
  readonly steps: readonly ApplyStep[];
  /** Later effects and hints. */
  readonly notes: readonly string[];
}

type Reached = Extract<MemberObservation, { reached: true }>;

/** All obstacles at once. No steps: everything is as wanted. */
export function planApply(wish: ApplyWish, observation: ClusterObservation): Checked<ApplyPlan> {
  const { definition } = engineFor(wish.place);
  const unreachable = unreachableProblems(observation);
  const { commandMember, status } = observation;
  const newer = newerManifests(observation);
  if (newer.length > 0) return { ok: false, problems: newer };
  if (unreachable.length > 0 || commandMember === null) return { ok: false, problems: unreachable };
  const reached = observation.members.filter((one) => one.reached);
  const current = observation.applied?.set ?? null;
  const differences = reached.map((facts) => ({ facts, files: compareDirectory(wish.files, facts, null, current) }));
  const keywords = observation.applied === null ? null : definition.differences(observation.applied, wish.configuration);
  const applies = keywords === null || keywords.length > 0;
  const runs = status !== null && status.status !== 'down';
  const halting = runs ? needsHalt(keywords ?? [], status, wish) : [];
  const problems = [
    ...reached.flatMap((facts) => (wish.runtime === null ? nodeProblems(facts, wish.place) : runtimeProblems(facts, wish))),
    ...(wish.runtime === null ? [] : launcherProblems(wish)),
    ...(wish.takeRendered ? [] : differences.flatMap(({ facts, files }) => editProblems(facts, files))),
    ...statusProblems(status, wish, halting),
    ...(applies || (wish.run && !runs) ? clusterProblems(wish, observation) : []),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const carry = carrySteps(wish, reached);
  const distribute = distributeSteps(wish, differences, carry);
  // Before anything is halted or changed.
  const work = [
    ...carry,
    ...(distribute.length > 0 && current === flatSet ? forgetSteps(reached) : []),
    ...distribute,
    ...checkSteps(wish, commandMember, reached, distribute.length > 0 || applies),
    ...switchSteps(wish, { commandMember, status, applies, halts: halting.length > 0, runs }),
    ...sweepSteps(carry, distribute, reached),
  ];
  // Also alone: it records an apply that was killed before its last step.
  const remember = [...rememberSteps(wish, reached, current), ...sweepSetSteps(wish, reached, current, status)];
  if (work.length === 0) return { ok: true, value: { steps: remember, notes: [] }, problems: [] };
  const serves = wish.run || (runs && definition.simulation !== null && applies);
  const steps = [...work, { do: 'verify', serves } as const, ...remember];
  return {
    ok: true,
    value: { steps, notes: notesOn(wish, halting, runs && halting.length === 0, distribute.length > 0) },
    problems: [],
  };
}

interface Differs {
  readonly facts: Reached;
  readonly files: readonly FileDifference[];
}

/** Does not touch the running and the applied set. */
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

const forgetSteps = (reached: readonly Reached[]): ApplyStep[] =>
  reached.flatMap(({ member, running }) => (running === null ? [] : [{ do: 'forget', member, set: running }]));

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

/** The one that changes all members at once, and those it requires. */
function switchSteps(wish: ApplyWish, { commandMember, status, applies, halts, runs }: Switching): ApplyStep[] {
  const { packageName } = wish.place;
  const { definition, orders } = engineFor(wish.place);
  const command = (argv: Argv): ApplyStep => ({ do: 'command', member: commandMember, argv });
  const apply = applies ? definition.applyFile(packageFileOf(wish)) : [];
  const switchOn = (wish.before?.autoRun ?? true) ? orders.switchOn(packageName) : [];
  const isHalted = halts && definition.simulation === null;
  const run = isHalted || (wish.run && !runs) ? [...orders.run(packageName, memberToRunOn(wish, status)), ...switchOn] : [];
  // Else the engine halts and starts by itself what changed.
  if (isHalted) return [{ do: 'switch', member: commandMember, halt: orders.halt(packageName), between: apply, back: run }];
  const enable = wish.run && runs && status?.autoRun === false ? switchOn : [];
  return [...apply, ...run, ...enable].map(command);
}

function filesToSend(wanted: readonly FileToSend[], differences: readonly FileDifference[]): FileToSend[] {
  const stale = new Set(staleNames(differences));
  return wanted.filter(({ name }) => stale.has(name));
}

/** On each member where the engine's own check runs no script. */
function validateSteps({ configuration, files, place }: ApplyWish, reached: readonly Reached[]): ApplyStep[] {
  const launcher = files.find(({ name }) => setPartOf(name)?.name === launcherNames(configuration.style)[0])?.name;
  const checks = engineFor(place).definition.memberChecks(configuration, `${place.packageDirectory}/${launcher}`);
  return reached.flatMap(({ member }) => checks.map((argv) => ({ do: 'command', member, argv }) as const));
}

/** The previous one if it may still run the package, else the first enabled one. */
function memberToRunOn({ place: { members }, before }: ApplyWish, status: PackageStatus | null): string {
  const eligible = members.filter((member) => status?.switching.get(member) !== false);
  const owner = before?.owner ?? status?.owner ?? null;
  return owner !== null && eligible.includes(owner) ? owner : (eligible[0] ?? members[0] ?? '');
}

/** The history, the file that names the applied set, unused runtimes. */
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
    // It starts again with its set.
    const runsFlat = facts.running === null && status?.owner === facts.member && before === flatSet;
    const { sets, flat } = sweepable(change, facts, applied, runsFlat);
    return sets.length + flat.length === 0 ? [] : [{ do: 'sweep sets', member: facts.member, sets, flat }];
  });
}

/** For members that lack this file. */
function carrySteps({ runtime, carry }: ApplyWish, reached: readonly Reached[]): Extract<ApplyStep, { do: 'carry' }>[] {
  if (runtime === null || carry === null) return [];
  return reached
    .filter((facts) => compareRuntime(runtime, facts) !== 'same')
    .map(({ member }) => ({ do: 'carry', member, source: carry.source }));
}

/** Of a killed apply, unless another step does. */
function sweepSteps(carry: readonly ApplyStep[], distribute: readonly ApplyStep[], reached: readonly Reached[]): ApplyStep[] {
  const touched = new Set([...carry, ...distribute].map((step) => ('member' in step ? step.member : '')));
  return reached
    .filter(({ member, leftovers }) => leftovers.length > 0 && !touched.has(member))
    .map(({ member, leftovers }) => ({ do: 'sweep', member, leftovers }));
}

/** Empty: the package may keep running. */
function needsHalt(keywords: readonly DefinitionDifference[], status: PackageStatus, wish: ApplyWish): readonly string[] {
  const { forecast } = wish;
  // clusterProblems has the reason.
  if (typeof forecast === 'string') return [];
  if (forecast !== undefined && forecast !== null) return [...forecast.own, ...forecast.others];
  const reasons = keywords
    .filter(engineFor(wish.place).definition.needsHalt)
    .map(({ keyword, applied, wanted }) => `${keyword} ${applied.join(', ')} -> ${wanted.join(', ')}`);
  const { owner } = status;
  if (owner !== null && !wish.place.members.includes(owner)) reasons.push(`it runs on ${owner}, which is no longer in the list`);
  return reasons;
}

function statusProblems(status: PackageStatus | null, wish: ApplyWish, halting: readonly string[]): Problem[] {
  const { packageName } = wish.place;
  const { definition, orders, words } = engineFor(wish.place);
  if (status?.state === 'maintenance')
    return [
      errorProblem(
        'change-maintenance',
        `${packageName} is in maintenance mode: no configuration can be applied ${words.maintenanceMode}`,
        typed(orders.maintenance(packageName, 'off')),
      ),
    ];
  if (halting.length === 0 || wish.halt) return [];
  const text = `${packageName} runs, and these changes require a halt: ${halting.join('; ')}`;
  const halts = definition.simulation === null ? 'halts the package, applies, runs it again' : 'applies, and they start again';
  return [errorProblem('change-needs-halt', text, `csync apply --halt   (${halts}; clients keep their policy meanwhile)`)];
}

/** What the engine cannot guarantee, or cannot compute. */
function clusterProblems({ place, forecast }: ApplyWish, { unprotected }: ClusterObservation): Problem[] {
  const only = 'on a cluster for tests only: test_cluster: true in csync.yaml';
  return [
    ...(place.testCluster === true
      ? []
      : unprotected.map(({ text, remedy }) => errorProblem('change-fencing', text, `${remedy}; ${only}`))),
    ...(typeof forecast === 'string'
      ? [
          errorProblem(
            'change-simulate',
            `it is unknown what the change would restart, because it cannot be simulated:\n${forecast}`,
            engineFor(place).words.afterFailure(['simulate']),
          ),
        ]
      : []),
  ];
}

function nodeProblems({ member, nodeVersion }: Reached, { nodePath }: PackagePlace): Problem[] {
  if (isNodeNewEnough(nodeVersion)) return [];
  const text = `${nodePath} ${nodeVersion === null ? 'cannot be run' : `is version ${nodeVersion}`}: the package scripts cannot start here`;
  const remedy = `install Node.js ${oldestNode} or newer there, correct node_path, or run csync apply --with-runtime`;
  return [errorProblem('change-no-node', text, remedy, member)];
}

/** It must exist and run, or be carried and fit. */
function runtimeProblems(facts: Reached, { runtime, carry }: ApplyWish): Problem[] {
  const { member, directory, runtimeVersion } = facts;
  if (runtime === null) return [];
  const is = compareRuntime(runtime, facts);
  const file = `${directory}/${runtimeName}`;
  if (is === 'same') {
    if (isNodeNewEnough(runtimeVersion)) return [];
    const text = `${file}, the carried runtime, ${runtimeVersion === null ? 'cannot be run' : `is version ${runtimeVersion}`}`;
    const remedy = `on ${member}: ${file} --version   (prints the error); csync apply --with-runtime=FILE carries another one`;
    return [errorProblem('change-runtime-fails', text, remedy, member)];
  }
  if (carry !== null) {
    const look = carry.looks.get(member) ?? 'the member was not asked';
    if (typeof look !== 'string') return judgeRuntimeLook(member, look, carry.source);
    return [
      errorProblem(
        'change-runtime-unseen',
        `cannot check whether a runtime can be carried there: ${look}`,
        'csync apply',
        member,
      ),
    ];
  }
  const what = { missing: 'is missing', changed: 'differs', mode: 'has another mode' }[is];
  const text = `the package was applied with its own Node.js runtime (${runtime.digest.slice(0, 12)}), and ${file} ${what}`;
  const remedy =
    'csync apply --with-runtime   (carries it to every member that needs it); --without-runtime goes back to node_path';
  return [errorProblem('change-no-runtime', text, remedy, member)];
}

function launcherProblems({ files }: ApplyWish): Problem[] {
  return launchersWithout(files).map((name) => {
    const text = `${name} does not use ${runtimeName} of the package directory, so a carried runtime would have no effect`;
    const remedy = 'csync templates diff DIR   (compares it with the shipped launcher); until then csync apply --without-runtime';
    return errorProblem('change-launcher', text, remedy);
  });
}

function editProblems({ member, directory }: Reached, files: readonly FileDifference[]): Problem[] {
  return files
    .filter(({ is }) => is === 'edited')
    .map(({ name }) =>
      errorProblem(
        'render-hand-edited',
        `${directory}/${name} was edited since its distribution; an apply would overwrite the edit`,
        "copy the edit to csync.yaml or a template, then add --take-rendered; or add --take-mine to use this host's files on all members",
        member,
      ),
    );
}

function notesOn(wish: ApplyWish, halting: readonly string[], goesOn: boolean, distributes: boolean): string[] {
  const { definition } = engineFor(wish.place);
  if (halting.length > 0 && definition.simulation !== null) return [`only these resources stop and start: ${halting.join('; ')}`];
  if (!goesOn || !distributes) return [];
  return [`${wish.place.packageName} keeps running; its monitor uses the new scripts and settings from the next start`];
}

/** For a dry run and the report. */
export function stepText(step: ApplyStep): string {
  switch (step.do) {
    case 'carry':
      return `carry ${step.source.file} (${sizeText(step.source.size)}) to ${step.member} and check that it runs`;
    case 'sweep':
      return `on ${step.member}: remove leftovers of a killed apply: ${step.leftovers.join(' ')}`;
    case 'distribute': {
      const names = [...(step.runtime === null ? [] : [runtimeName]), ...step.files.map(({ name }) => name)];
      const parts = [inBrief(names).join(' '), step.removals.length > 0 ? `remove ${step.removals.join(' ')}` : ''];
      return `distribute to ${step.member}: ${parts.filter(Boolean).join('; ')}`;
    }
    case 'forget':
      return `on ${step.member}: remove the record that set ${step.set} runs, if it does not`;
    case 'command':
      return `on ${step.member}: ${step.argv.join(' ')}`;
    case 'switch':
      return `on ${step.member}, in one script: ${typed(step.halt, step.between, step.back)}`;
    case 'sweep sets':
      return `on ${step.member}: remove unused files: ${[...step.sets.map((set) => `sets/${set}`), ...step.flat].join(' ')}`;
    case 'verify':
      return 'verify every member and the package';
  }
}
