/**
 * From what is wanted and what was observed to the list of steps that makes the one the other. The list is what a dry run
 * prints and what is carried out. Pure.
 */
import type { Checked, Problem } from '../problem.ts';
import { launcherNames, manifestName, type Runtime, runtimeName } from '../render/package.ts';
import { onlineRule } from '../serviceguard/online-rules.ts';
import { type PackageFile, type PackageStyle, styleOf } from '../serviceguard/package-file.ts';
import type { PackageStatus } from '../serviceguard/view.ts';
import { isNodeNewEnough, oldestNode } from '../version.ts';
import {
  compareConfiguration,
  compareDirectory,
  compareRuntime,
  type FileDifference,
  type KeywordDifference,
  staleNames,
} from './comparison.ts';
import type { FileToSend } from './member-scripts.ts';
import { type ClusterObservation, type MemberObservation, type PackagePlace, unreachableProblems } from './observation.ts';
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
  | { readonly do: 'command'; readonly member: string; readonly argv: readonly string[] }
  /** Looks at everything again; what does not hold ends the apply. */
  | { readonly do: 'verify' };

export interface ApplyWish {
  readonly place: PackagePlace;
  readonly files: readonly FileToSend[];
  readonly configuration: PackageFile;
  /** Run the package if it is down, and let it fail over. */
  readonly run: boolean;
  /** Halt it where a change wants that; it runs again afterwards. */
  readonly halt: boolean;
  readonly takeRendered: boolean;
  /** The Node.js the package runs with; null: the members' own. */
  readonly runtime: Runtime | null;
  /** Where it can be had from, and what the members say to that; null: it has to be there. */
  readonly carry: RuntimeCarry | null;
  /** Set for the history, sent last, when all the rest is known to hold; null: the newest one there is says the same. */
  readonly set: { readonly files: readonly FileToSend[]; readonly removals: readonly string[] } | null;
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
  const differences = reached.map((facts) => ({ facts, files: compareDirectory(wish.files, facts) }));
  const keywords = observation.applied === null ? null : compareConfiguration(observation.applied, wish.configuration);
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
  const carried = new Map(carry.map(({ member, source }) => [member, source]));
  const distribute = differences.flatMap(({ facts, files }): ApplyStep[] => {
    const send = filesToSend(wish.files, files);
    const runtime = carried.get(facts.member) ?? null;
    const drops = wish.runtime === null && facts.files.some(({ name }) => name === runtimeName);
    if (send.length === 0 && runtime === null && !drops) return [];
    return [{ do: 'distribute', member: facts.member, files: send, removals: drops ? [runtimeName] : [], runtime }];
  });
  const command = (...argv: string[]): ApplyStep => ({ do: 'command', member: commandMember, argv });
  const style = styleOf(wish.configuration);
  const file = `${wish.place.packageDirectory}/${wish.place.packageName}.conf`;
  const applies = keywords === null || keywords.length > 0;
  const changes = [
    ...distribute,
    ...(distribute.length > 0 || applies
      ? [...validateSteps(style, wish.place, reached), command('cmcheckconf', '-v', '-P', file)]
      : []),
    ...(applies ? [command('cmapplyconf', '-f', '-P', file)] : []),
  ];
  // A package that leaves with the old scripts and comes back with the new ones never sees half of each.
  const halt = halting.length > 0 ? [command('cmhaltpkg', wish.place.packageName)] : [];
  const run = halting.length > 0 || (wish.run && !runs) ? runSteps(wish.place, status, command) : [];
  const enable =
    wish.run && runs && !status.autoRun && halting.length === 0 ? [command('cmmodpkg', '-e', wish.place.packageName)] : [];
  // Whether it runs there is known of every member before anything is halted or changed.
  const work = [
    ...carry,
    ...halt,
    ...changes,
    ...run,
    ...enable,
    ...tidySteps(style, wish, reached),
    ...sweepSteps(carry, distribute, reached),
  ];
  // Also when there is nothing else: an apply that was killed before its last step is remembered by the next one.
  const remember = rememberSteps(wish, reached);
  if (work.length === 0) return { ok: true, value: { steps: remember, notes: [] }, problems: [] };
  const steps = [...work, { do: 'verify' } as const, ...remember];
  return { ok: true, value: { steps, notes: notesOn(wish, runs && halting.length === 0, distribute.length > 0) }, problems: [] };
}

function filesToSend(wanted: readonly FileToSend[], differences: readonly FileDifference[]): FileToSend[] {
  const stale = new Set(staleNames(differences));
  return wanted.filter(({ name }) => stale.has(name));
}

/** cmcheckconf calls no script of a legacy package [serviceguard.md 2.7]; each member's own look at itself is asked for here. */
function validateSteps(style: PackageStyle, { packageDirectory }: PackagePlace, reached: readonly Reached[]): ApplyStep[] {
  if (style === 'modular') return [];
  const argv = [`${packageDirectory}/${launcherNames('legacy')[0]}`, 'validate'];
  return reached.map(({ member }) => ({ do: 'command', member, argv }));
}

/** What Serviceguard called while the package had the other style. */
function tidySteps(style: PackageStyle, { files }: ApplyWish, reached: readonly Reached[]): ApplyStep[] {
  const strangers = launcherNames(style === 'legacy' ? 'modular' : 'legacy');
  const manifest = files.filter(({ name }) => name === manifestName);
  return reached.flatMap((facts): ApplyStep[] => {
    const removals = strangers.filter((name) => facts.files.some((file) => file.name === name));
    return removals.length === 0 ? [] : [{ do: 'distribute', member: facts.member, files: manifest, removals, runtime: null }];
  });
}

/** The member to start on: where it ran, if it still may, else the first with its switch on; cmrunpkg's own default is this host. */
function runSteps(place: PackagePlace, status: PackageStatus | null, command: (...argv: string[]) => ApplyStep): ApplyStep[] {
  const { members, packageName } = place;
  const eligible = members.filter((member) => status?.switching.get(member) !== false);
  const owner = status?.owner ?? null;
  const member = owner !== null && eligible.includes(owner) ? owner : (eligible[0] ?? members[0] ?? '');
  return [command('cmrunpkg', '-n', member, packageName), command('cmmodpkg', '-e', packageName)];
}

function rememberSteps({ set }: ApplyWish, reached: readonly Reached[]): ApplyStep[] {
  if (set === null) return [];
  const { files, removals } = set;
  return reached.map(({ member }) => ({ do: 'distribute', member, files, removals, runtime: null }));
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
function needsHalt(keywords: readonly KeywordDifference[], status: PackageStatus, wish: ApplyWish): string[] {
  const reasons = keywords
    .filter(({ keyword }) => onlineRule(keyword) !== 'free')
    .map(({ keyword, applied, wanted }) => `${keyword} ${applied.join(', ')} -> ${wanted.join(', ')}`);
  const { owner } = status;
  if (owner !== null && !wish.place.members.includes(owner)) reasons.push(`it runs on ${owner}, which is no longer in the list`);
  return reasons;
}

function statusProblems(status: PackageStatus | null, wish: ApplyWish, halting: readonly string[]): Problem[] {
  const { packageName } = wish.place;
  if (status?.state === 'maintenance')
    return [
      problem(
        'change-maintenance',
        `${packageName} is in maintenance mode; no configuration can be applied now [cmmodpkg -m]`,
        `cmmodpkg -m off ${packageName}`,
      ),
    ];
  if (halting.length === 0 || wish.halt) return [];
  const text = `${packageName} runs, and these changes want it halted: ${halting.join('; ')}`;
  return [
    problem('change-needs-halt', text, 'csync apply --halt   halts it, applies, and runs it again; clients wait meanwhile'),
  ];
}

function nodeProblems({ member, nodeVersion }: Reached, { nodePath }: PackagePlace): Problem[] {
  if (isNodeNewEnough(nodeVersion)) return [];
  const text = `${nodePath} ${nodeVersion === null ? 'cannot be run' : `is version ${nodeVersion}`}; no script of the package would start`;
  const remedy = `install Node.js ${oldestNode} or newer there, correct node_path, or carry one along: csync apply --with-runtime`;
  return [problem('change-no-node', text, remedy, member)];
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
    return [problem('change-runtime-fails', text, remedy, member)];
  }
  if (carry !== null) {
    const look = carry.looks.get(member) ?? 'nobody asked';
    if (typeof look !== 'string') return judgeRuntimeLook(member, look, carry.source);
    return [
      problem('change-runtime-unseen', `cannot tell whether a runtime could be carried there: ${look}`, 'apply again', member),
    ];
  }
  const what = { missing: 'is missing', changed: 'is another one', mode: 'has another mode' }[is];
  const text = `the package was applied with a Node.js runtime of its own (${runtime.digest.slice(0, 12)}), and ${file} ${what}`;
  const remedy =
    'csync apply --with-runtime   carries one to every member that needs it; --without-runtime goes back to node_path';
  return [problem('change-no-runtime', text, remedy, member)];
}

function launcherProblems({ files }: ApplyWish): Problem[] {
  return launchersWithout(files).map((name) => {
    const text = `${name} does not look for ${runtimeName} in the package directory, so the runtime would be carried for nothing`;
    const remedy =
      'csync templates diff DIR   shows what the shipped launcher has by now; apply with --without-runtime until then';
    return problem('change-launcher', text, remedy);
  });
}

function editProblems({ member, directory }: Reached, files: readonly FileDifference[]): Problem[] {
  return files
    .filter(({ is }) => is === 'edited')
    .map(({ name }) =>
      problem(
        'render-hand-edited',
        `${directory}/${name} was changed there since it was distributed; an apply would lose that`,
        'carry the change into csync.yaml or a template and use --take-rendered; --take-mine keeps the edits of this host for all members',
        member,
      ),
    );
}

function problem(code: string, text: string, remedy: string, member?: string): Problem {
  return { code, severity: 'error', text, remedy, member };
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
      const parts = [names.join(' '), step.removals.length > 0 ? `remove ${step.removals.join(' ')}` : ''];
      return `distribute to ${step.member}: ${parts.filter(Boolean).join('; ')}`;
    }
    case 'command':
      return `on ${step.member}: ${step.argv.join(' ')}`;
    case 'verify':
      return 'look at every member and at the package again';
  }
}
